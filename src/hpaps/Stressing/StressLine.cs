using System;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>How it stands, on standard error: one line that changes on a terminal, else a line now and then.</summary>
internal sealed class StressLine(StressSettings settings, int bytes, TimeProvider time) : IDisposable
{
    private const double Giga = 1e9;
    private const string ToStartAndClear = "\r\e[K";
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(1);

    private readonly bool _isTerminal = !Console.IsErrorRedirected && !ProgramLog.IsJson && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or null or "");
    private long _firstAt;
    private long _firstBytes;
    private long _shownAt;
    private bool _shown;

    /// <param name="moved">Parameters' bytes so far.</param>
    public void Show(long moved)
    {
        if (moved == 0)
            return;
        long now = time.GetTimestamp();
        if (_firstAt == 0)
            (_firstAt, _firstBytes, _shownAt) = (now, moved, now);
        if (time.GetElapsedTime(_shownAt, now) < (_isTerminal ? Interval : PlainInterval) || moved == _firstBytes)
            return;
        _shownAt = now;
        double rate = (moved - _firstBytes) / time.GetElapsedTime(_firstAt, now).TotalSeconds / Giga;
        string text = $"hpaps: {StressNames.Of(settings.Mode)} of {Learning.Output.Show.Count(bytes)} bytes, {rate:0.00} GB/s so far";
        if (_isTerminal)
            Console.Error.Write(ToStartAndClear + text);
        else
            Console.Error.WriteLine(text);
        _shown = true;
    }

    public void Dispose()
    {
        if (_shown && _isTerminal)
            Console.Error.Write(ToStartAndClear);
    }
}
