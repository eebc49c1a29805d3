using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Cli.Launching;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>What a limit program prints.</summary>
/// <param name="GbPerSecond">What plain sockets moved, in GB of payload a second; of round trips, both ways.</param>
internal sealed record LimitLine(double? GbPerSecond);

/// <summary>
/// A program that measures what this host can do with nothing but sockets: PROGRAM push|pull BYTES SECONDS WINDOW [unix], or
/// PROGRAM trip BYTES SECONDS [unix], prints a line of JSON with gb_per_second.
/// </summary>
/// <param name="path">Of the program.</param>
/// <param name="named">It was asked for by its path: that it fails is an error, and not only said.</param>
internal sealed class LimitProgram(string path, bool named)
{
    /// <summary>In place of a path: none, not even the one beside this program.</summary>
    public const string None = "none";

    private const string OwnName = "limits";
    private const double LeastSeconds = 0.5; // 0.2 of them warm up
    private const int MostWindow = 64;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    /// <summary>The one that was asked for, the one beside this program, or null.</summary>
    /// <exception cref="InputException">There is no such program.</exception>
    public static LimitProgram? Find(StressSettings settings)
    {
        if (settings.Limits == None || settings.Mode == StressMode.PushPull)
            return null;
        if (settings.Limits is { } path)
        {
            if (File.Exists(path) && OperatingSystem.IsLinux() && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) == 0)
                throw new InputException($"--limits {path}: it may not be run; chmod +x {path}");
            return File.Exists(path)
                ? new LimitProgram(Path.GetFullPath(path), named: true)
                : throw new InputException($"--limits {path}: there is no such program; give its path, '{None}', or leave it out");
        }

        string own = Path.Combine(AppContext.BaseDirectory, OwnName);
        return settings.Server is null && File.Exists(own) ? new LimitProgram(own, named: false) : null;
    }

    /// <summary>GB/s; null when a program that nobody asked for fails.</summary>
    /// <exception cref="ClusterException">It cannot be run, or says something else; or the user stopped it.</exception>
    public double? Measure(StressSettings settings, int bytes, StopSignals signals, TimeProvider time)
    {
        try
        {
            return Run(Arguments(settings, bytes), Math.Max(settings.Seconds, LeastSeconds), signals, time);
        }
        catch (ClusterException e) when (!named && signals.Received == 0)
        {
            Console.Error.WriteLine($"hpaps: no ratio to the limit of this host: {e.Message}");
            return null;
        }
    }

    private static List<string> Arguments(StressSettings settings, int bytes)
    {
        double seconds = Math.Max(settings.Seconds, LeastSeconds);
        List<string> arguments = [StressNames.Of(settings.Mode), bytes.ToString(CultureInfo.InvariantCulture), seconds.ToString("R", CultureInfo.InvariantCulture)];
        if (settings.Mode != StressMode.Trip)
            arguments.Add(Math.Min(settings.Window, MostWindow).ToString(CultureInfo.InvariantCulture));
        if (settings.Transport == StressTransport.Unix)
            arguments.Add("unix");
        if (settings.Spin == true)
            arguments.Add("spin");
        return arguments;
    }

    private double Run(List<string> arguments, double seconds, StopSignals signals, TimeProvider time)
    {
        double? found = null;
        using ChildProcess child = ChildProcess.Start("limit program", path, arguments, Heard, signals.Wake);
        try
        {
            for (long start = time.GetTimestamp(); !child.HasExited; signals.Wake.WaitOne(Moment))
            {
                if (signals.Received > 0)
                    throw new ClusterException("stopped before the end: all processes were ended; start it again, with fewer --seconds if it takes too long");
                if (time.GetElapsedTime(start) > Grace + TimeSpan.FromSeconds(seconds))
                    throw new ClusterException($"--limits {path}: it did not end {Grace.TotalSeconds:0} s after its time; mend it, or go without: --limits {None}");
            }
        }
        finally
        {
            child.Kill();
            child.WaitForExit(Moment);
        }

        child.Drain();
        return child.ExitCode == 0 && found is > 0
            ? found.Value
            : throw new ClusterException($"--limits {path}: it printed no gb_per_second for '{string.Join(' ', arguments)}' (exit code {child.ExitCode}); it must print a line of JSON with that. {child.Errors("")}");

        void Heard(string line)
        {
            try
            {
                found = JsonSerializer.Deserialize(line, StressJson.Default.LimitLine)?.GbPerSecond ?? found;
            }
            catch (JsonException)
            {
                // Words beside the line of JSON.
            }
        }
    }
}
