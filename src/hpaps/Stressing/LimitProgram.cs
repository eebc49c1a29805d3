using System;
using System.Globalization;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Cli.Launching;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>What a limit program prints.</summary>
/// <param name="GbPerSecond">What plain sockets moved.</param>
internal sealed record LimitLine(double? GbPerSecond);

/// <summary>
/// A program that measures what this host's loopback can do with nothing but sockets: PROGRAM push BYTES SECONDS WINDOW prints a line of
/// JSON with gb_per_second.
/// </summary>
internal static class LimitProgram
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    /// <summary>GB/s; null when there is no such program, or the mode moves bytes both ways and the program does not.</summary>
    /// <exception cref="ClusterException">It cannot be run, or says something else.</exception>
    public static double? Measure(StressSettings settings, int bytes, StopSignals signals, TimeProvider time)
    {
        if (settings.Limits is not { } program || settings.Mode is not (StressMode.Push or StressMode.Pull))
            return null;
        double? found = null;
        string[] arguments = ["push", bytes.ToString(CultureInfo.InvariantCulture), settings.Seconds.ToString("R", CultureInfo.InvariantCulture),
            settings.Window.ToString(CultureInfo.InvariantCulture)];
        using ChildProcess child = ChildProcess.Start("limit program", Path.GetFullPath(program), arguments, Heard, signals.Wake);
        try
        {
            for (long start = time.GetTimestamp(); !child.HasExited; signals.Wake.WaitOne(Moment))
            {
                if (signals.Received > 0)
                    throw new ClusterException("stopped before the end: all processes were ended; start it again, with fewer --seconds if it takes too long");
                if (time.GetElapsedTime(start) > Grace + TimeSpan.FromSeconds(settings.Seconds))
                    throw new ClusterException($"--limits {program}: it did not end {Grace.TotalSeconds:0} s after its time; leave --limits out, or mend it");
            }
        }
        finally
        {
            child.Kill();
            child.WaitForExit(Moment);
        }

        child.Drain();
        return child.ExitCode == 0 && found is > 0
            ? found
            : throw new ClusterException($"--limits {program}: it printed no gb_per_second (exit code {child.ExitCode}); it must take 'push BYTES SECONDS WINDOW' and print a line of JSON. {child.Errors("")}");

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
