using System;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Monitoring;

/// <summary>Whether the server lives, and whether its job is under way.</summary>
internal static class Health
{
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(5);

    /// <summary>Null: the process lives, or it could not be asked, and the shard's thread has its turns. Else why not.</summary>
    public static string? OfProcess(IMonitorSource source) => source.SinceTick is var since && since <= LongestTurn ? null
        : $"the thread that owns the shard has had no turn for {since.TotalSeconds:0.0} s: the machine has no processor or no memory to give, or a disk does not answer; look at its load";

    /// <summary>Null: all workers have joined, none is lost, and they train. Else why not.</summary>
    public static string? OfJob(IMonitorSource source, Sampler sampler)
    {
        string? reason = OfProcess(source);
        if (reason is not null)
            return reason;
        bool isKnown = sampler.With(view => reason = OfView(view));
        return isKnown ? reason : "nothing is known yet: ask again in a second";
    }

    private static string? OfView(MonitorView view)
    {
        RunView run = view.Run;
        if (run.Phase == "Joining")
            return $"{run.Joined} of {view.Workers.Length} workers have joined: start the others";
        if (run.Phase != "Training")
            return $"the job does not train, its phase is {Documents.Naming.Snake(run.Phase)}";
        (int gone, int first) = (0, -1);
        foreach (ref readonly WorkerView worker in view.Workers)
        {
            if (worker.State != WorkerState.Gone)
                continue;
            gone++;
            first = first < 0 ? worker.Rank : first;
        }

        return gone == 0 ? null : $"{gone} of {view.Workers.Length} workers are gone, rank {first} among them: {view.Workers[first].Reason}";
    }
}
