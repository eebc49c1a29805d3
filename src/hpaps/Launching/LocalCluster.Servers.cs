using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Launching;

/// <content>The servers after the first.</content>
internal sealed partial class LocalCluster
{
    private static readonly TimeSpan FurtherTimeout = TimeSpan.FromSeconds(10);

    private readonly List<FurtherServer> _further = [];

    /// <summary>What the servers after the first reported at their ends, those that got so far.</summary>
    public IEnumerable<RunSummary> FurtherEnded
    {
        get
        {
            foreach (FurtherServer one in _further)
            {
                if (one.Ended is { } ended)
                    yield return ended;
            }
        }
    }

    private string Addresses()
    {
        string all = _address!;
        foreach (FurtherServer one in _further)
            all += "," + one.Address;
        return all;
    }

    private void WaitForListening(RunProcess server, Func<bool> listens)
    {
        long start = _time.GetTimestamp();
        while (!listens())
        {
            if (server.Process.HasExited)
                throw Failure.Explain(server.Process, [], "at its start");
            if (_signals.Received > 0)
                throw NothingTrained();
            if (_time.GetElapsedTime(start) > ListenTimeout)
            {
                throw new ClusterException($"{server.Process.Name} (pid {server.Process.Id}) did not listen within {ListenTimeout.TotalSeconds:0} s; "
                    + "is this host overloaded? Try again");
            }

            ThrowIfUnexpected();
            _signals.Wake.WaitOne(Heartbeat);
        }
    }

    /// <summary>They end when the workers have left them, and say what they have moved.</summary>
    private void WaitForFurtherServers()
    {
        long start = _time.GetTimestamp();
        foreach (FurtherServer one in _further)
        {
            if (one.Process.Process.WaitForExit(Left(FurtherTimeout, start)))
                one.Process.Process.Drain();
        }
    }
}
