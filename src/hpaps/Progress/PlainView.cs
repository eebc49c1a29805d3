using System;
using System.Text;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Progress;

/// <summary>A line every two seconds, for logs.</summary>
internal sealed class PlainView(int workers, TimeProvider time) : IProgressView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // A large file takes long to read: no need to say so all the time.
    private static readonly TimeSpan JoiningInterval = TimeSpan.FromSeconds(10);

    public void Follow(RunProgress progress, Func<bool> next)
    {
        long shown = time.GetTimestamp();
        bool stopping = false;
        while (next())
        {
            if (progress.IsStopping && !stopping)
            {
                stopping = true;
                Console.Error.WriteLine("hpaps: stopping: a last evaluation, then the model is saved; a second Ctrl-C ends at once");
            }

            if (progress.Status is not { } status)
                continue;
            bool joining = status.Joined < workers;
            if (time.GetElapsedTime(shown) < (joining ? JoiningInterval : Interval))
                continue;
            shown = time.GetTimestamp();
            Console.Error.WriteLine(joining ? $"hpaps: {status.Joined} of {workers} workers have read their part of the data" : Line(progress, status, workers));
        }
    }

    public void Say(string line) => ProgramLog.Write(LogLine.Warning(line)); // of processes that died, or hang

    private static string Line(RunProgress progress, RunStatus status, int workers)
    {
        var line = new StringBuilder("hpaps: ");
        line.Append(Show.Share(progress.Done)).Append(", ").Append(Show.Duration(status.Seconds));
        if (progress.SecondsLeft is { } left && !progress.IsStopping)
            line.Append(", about ").Append(Show.About(left)).Append(" left");
        line.Append($", {status.Passes:0.0} passes");
        if (status.Objective is not null)
            line.Append(", objective ").Append(Show.Objective(status.Objective));
        if (status.RelativeGap is { } gap)
            line.Append(", gap ").Append(Show.Gap(gap));
        if (status.TestRmse is { } rmse)
            line.Append($", test RMSE {rmse:0.0000}");
        line.Append($", {status.Pushes} pushes ({progress.PushesPerSecond:0}/s), staleness {status.StalenessP50} max {status.StalenessMax}");
        line.Append(", up ").Append(Show.Bytes(status.UplinkBytes)).Append(", down ").Append(Show.Bytes(status.DownlinkBytes));
        if (progress.Absent.Count > 0)
            line.Append($", {workers - progress.Absent.Count} of {workers} workers (not there: {string.Join(", ", progress.Absent)})");
        int slow = 0;
        foreach (WorkerProgress worker in progress.Workers)
        {
            if (!worker.IsSlow || progress.IsAbsent(worker.Rank))
                continue;
            if (++slow <= 3)
                line.Append(slow == 1 ? ", slow: " : ", ").Append($"worker {worker.Rank} (x{worker.Slowness:0.0})");
        }

        if (slow > 3)
            line.Append($" and {slow - 3} more");
        return line.ToString();
    }
}
