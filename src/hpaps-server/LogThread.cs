using System;
using System.Collections.Concurrent;
using System.Threading;
using HpAsyncPs.Programs;

namespace HpAsyncPs.ServerProgram;

/// <summary>
/// Writes log lines on a thread of its own, so that a terminal or pipe that nobody reads cannot stop the shard. When it
/// lags, lines are dropped and counted.
/// </summary>
internal sealed class LogThread : IDisposable
{
    private const int Capacity = 1000;
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly BlockingCollection<string> _lines = new(Capacity);
    private readonly Thread _thread;
    private long _dropped;

    public LogThread()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "log" };
        _thread.Start();
    }

    public void Write(LogLine line)
    {
        if (!_lines.TryAdd(ProgramLog.Form(line)))
            Interlocked.Increment(ref _dropped);
    }

    public void Dispose()
    {
        _lines.CompleteAdding();
        if (_thread.Join(LastWords))
            _lines.Dispose();
    }

    private void Run()
    {
        foreach (string line in _lines.GetConsumingEnumerable())
        {
            ProgramLog.WriteFormed(line);
            long dropped = Interlocked.Exchange(ref _dropped, 0);
            if (dropped > 0)
                ProgramLog.Write(LogLine.Warning($"{dropped} lines of the log were dropped: they came faster than they could be written"));
        }
    }
}
