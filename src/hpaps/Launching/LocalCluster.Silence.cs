using System;
using System.Threading;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Launching;

/// <content>
/// Processes that live and do nothing, since they hang or were stopped. A server is silent when it prints nothing, and who is alive gets processor time
/// several times a second, waiting or not: without any for longer than the server's limit of silence, a worker counts as lost there as well.
/// </content>
internal sealed partial class LocalCluster
{
    private static readonly TimeSpan DefaultLiveness = new ServerOptions().LivenessTimeout;
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    // Beyond the limit of silence: so that the server has seen it, and a server has had the time to say so.
    private static readonly TimeSpan WorkerMargin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ServerMargin = TimeSpan.FromSeconds(5);

    private long _lookedAt;
    private int _lines; // of the server

    private TimeSpan LivenessTimeout => _loss.LivenessTimeout is { } seconds ? TimeSpan.FromSeconds(seconds) : DefaultLiveness;

    private void LookForTheSilent()
    {
        TimeSpan passed = _lookedAt == 0 ? LookInterval : _time.GetElapsedTime(_lookedAt);
        if (passed < LookInterval)
            return;
        _lookedAt = _time.GetTimestamp();
        if (passed > 2 * LookInterval)
            passed = 2 * LookInterval; // this process was stopped itself, probably with all others
        _server!.Note(Volatile.Read(ref _lines), passed);
        foreach (FurtherServer one in _further)
            one.Process.Note(0, passed);
        foreach (RunProcess worker in _workers)
            worker.Note(0, passed);
        if (Ended is not null)
            return;
        if (_server.SilentFor > LivenessTimeout + ServerMargin)
            CareForTheSilentServer(_server);
        foreach (FurtherServer one in _further)
        {
            if (one.Process.SilentFor > LivenessTimeout + ServerMargin)
                CareForTheSilentServer(one.Process);
        }

        if (!IsTraining || IsStopping || _server.SilentFor > 2 * LookInterval)
            return;
        foreach (RunProcess worker in _workers)
        {
            if (worker.SilentFor > LivenessTimeout + WorkerMargin)
                CareForTheSilent(worker);
        }
    }

    private void CareForTheSilentServer(RunProcess server)
    {
        string who = $"{Failure.Who(server.Process)} has printed nothing and not run for {server.SilentFor.TotalSeconds:0} s: it hangs, or was stopped";
        if (server.Restarts < _loss.Restarts && !IsStopping)
        {
            _say($"{who}; it is killed, to be started again");
            server.KillTheSilent();
        }
        else
        {
            throw new ClusterException($"{who}, and was ended. {(_loss.Restarts > 0 ? "Its restarts are used up: find out who stops it" : "With --restart on-failure:N it would have been started again")}");
        }
    }

    private void CareForTheSilent(RunProcess worker)
    {
        if (worker.IsWrittenOff || worker.IsPausing || worker.Process.HasExited)
            return;
        string who = $"{Failure.Who(worker.Process)} has not run for {worker.SilentFor.TotalSeconds:0} s: it hangs, or was stopped";
        if (worker.Restarts < _loss.Restarts)
        {
            _say($"{who}; it is killed, to be started again");
            worker.KillTheSilent();
        }
        else if (!worker.IsSaidSilent)
        {
            worker.IsSaidSilent = true;
            string goesOn = _loss.OnWorkerLoss != WorkerLoss.Wait ? "the others go on without it" : _loss.Reassigns ? "another worker takes over its part when --rejoin-timeout is over" : "the job fails when --rejoin-timeout is over";
            _say($"{who}. If it was stopped, kill -CONT {worker.Process.Id} lets it return; otherwise {goesOn}");
        }
    }

    /// <summary>The server has ended the job without those that are silent still.</summary>
    private void WriteOffTheSilent()
    {
        foreach (RunProcess worker in _workers)
        {
            if (worker.SilentFor > LivenessTimeout && !worker.Process.HasExited)
                worker.WriteOff();
        }
    }
}
