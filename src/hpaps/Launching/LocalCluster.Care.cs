using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Launching;

/// <content>Processes that die, and the user's wish to stop.</content>
internal sealed partial class LocalCluster
{
    // The last evaluation and the leaving of workers have limits of their own in the server, 35 s together.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(11);

    // How long a server that has just been started again may take to have all workers' vectors, before it is asked to stop.
    private static readonly TimeSpan RecoveryTimeout = TimeSpan.FromSeconds(60);

    private readonly List<int> _died = []; // workers that were the end of the run
    private long _stoppingSince;
    private bool _stopSent;

    /// <summary>The user has asked it to stop.</summary>
    public bool IsStopping => _stoppingSince != 0;

    /// <summary>How often a worker was started again.</summary>
    public int WorkerRestarts
    {
        get
        {
            int all = 0;
            foreach (RunProcess worker in _workers)
                all += worker.Restarts;
            return all;
        }
    }

    /// <summary>How often servers were started again.</summary>
    public int ServerRestarts
    {
        get
        {
            int all = _server?.Restarts ?? 0;
            foreach (FurtherServer one in _further)
                all += one.Process.Restarts;
            return all;
        }
    }

    /// <summary>Ranks of the workers that the run went on without, or could not.</summary>
    public IReadOnlyList<int> Lost
    {
        get
        {
            var lost = new List<int>();
            for (int rank = 0; rank < _workers.Count; rank++)
            {
                if (_workers[rank].IsWrittenOff || _died.Contains(rank))
                    lost.Add(rank);
            }

            return lost;
        }
    }

    /// <summary>Ranks of the workers that are not there now, for a while or for good.</summary>
    public IReadOnlyList<int> Absent
    {
        get
        {
            var absent = new List<int>();
            for (int rank = 0; rank < _workers.Count; rank++)
            {
                if (_workers[rank] is { IsWrittenOff: true } or { IsPausing: true } or { HasFailed: true } || _workers[rank].SilentFor > LivenessTimeout)
                    absent.Add(rank);
            }

            return absent;
        }
    }

    private bool IsTraining => Status is { Seconds: > 0 } && Ended is null && !_server!.IsPausing && !_server.Process.HasExited;

    /// <summary>Starts again who died and may be, and goes on without who may not where the run can do that. The rest has failed.</summary>
    private void CareForTheDead()
    {
        foreach (RunProcess one in All())
        {
            if (one.IsDue)
                StartAgain(one);
            else if (one.HasFailed && !IsStopping)
                CareFor(one);
        }
    }

    private void CareFor(RunProcess one)
    {
        ChildProcess process = one.Process;
        bool isServer = !_workers.Contains(one);
        if (_loss.Restarts > 0 && !Failure.IsCertain(process) && one.DeadFor() < CauseTimeout / 2)
            return; // the server may be about to say that the job has failed, or somebody that the input is bad
        process.Drain();
        if (Ended is not null)
            return; // the server has ended the job by itself: to start again would change nothing
        string how = $"{Failure.Who(process)} {Failure.How(process)}";
        if (one.Restarts < _loss.Restarts && Failure.MayPass(process) && !(isServer && Lost.Count > 0 && !_loss.Reassigns))
        {
            TimeSpan pause = one.Pause();
            string lost = isServer && _loss.ServerHasTheModel ? "; under asp the model was there alone, and training begins again at zero" : "";
            _say($"{how}: it is started again in {pause.TotalSeconds:0.0#} s, restart {one.Restarts + 1} of {_loss.Restarts}{lost}");
        }
        else if (!isServer && _loss.GoesOnWithout && IsTraining && HasOthers())
        {
            string next = _loss.Reassigns ? "another worker takes over its part" : $"the others go on, {(_loss.OnWorkerLoss == WorkerLoss.Evict ? "without" : "with")} what it contributed";
            string said = process.Errors("hpaps-worker").Split('\n')[^1];
            _say($"{how}: it is not started again, {next}{(said.Length > 0 ? $" ({said})" : "")}");
            GiveUp(_workers.IndexOf(one));
            one.WriteOff();
        }
    }

    private bool HasOthers() => _workers.FindAll(static worker => worker.IsPausing || !worker.Process.HasExited).Count > 0;

    private void StartAgain(RunProcess one)
    {
        if (ReferenceEquals(one, _server))
            Volatile.Write(ref _status, null); // of the one that died: all that it printed has been read
        one.StartAgain();
    }

    /// <summary>Tells the server that a worker's process has ended and no other follows.</summary>
    private void GiveUp(int rank)
    {
        string line = $"give-up {rank} its process {Failure.How(_workers[rank].Process)}";
        _server!.Process.Send(line);
        foreach (FurtherServer one in _further)
            one.Process.Process.Send(line);
    }

    private void PassOnStop()
    {
        if (_signals.Received > 1 && Ended is null)
        {
            foreach (RunProcess one in All())
                one.Process.Kill();
            throw new ClusterException("ended at once by the second signal; nothing was saved");
        }

        if (_signals.Received == 0)
            return;
        if (_stoppingSince == 0)
        {
            _stoppingSince = _time.GetTimestamp();
            EndPauses();
        }
        else if (_time.GetElapsedTime(_stoppingSince) > StopTimeout)
        {
            throw new ClusterException($"server (pid {_server!.Process.Id}) did not end within {StopTimeout.TotalSeconds:0} s after it was asked to stop; "
                + "everything was ended");
        }

        if (_stopSent || !HasAllVectors())
            return;
        _stopSent = true;
        _server!.Process.Send("stop");
        for (int rank = 0; rank < _workers.Count; rank++)
        {
            if (!_workers[rank].IsPausing)
                continue;
            _say($"worker {rank} is not started again: the run is being stopped");
            GiveUp(rank);
            _workers[rank].WriteOff();
        }
    }

    /// <summary>The user waits: a server that died comes back at once, and workers that it needs, to save what the others have.</summary>
    private void EndPauses()
    {
        if (!_server!.IsPausing && HasAllVectors())
            return;
        foreach (RunProcess one in All())
        {
            if (one.IsPausing)
                StartAgain(one);
        }
    }

    /// <summary>The server has, as far as can be known, what a model is made of: one that was started again knows nothing at first.</summary>
    private bool HasAllVectors()
    {
        if (_server!.Restarts == 0 || _time.GetElapsedTime(_stoppingSince) > RecoveryTimeout)
            return !_server.IsPausing;
        if (Status is not { Seconds: > 0 } status)
            return false;
        foreach (WorkerRecord worker in status.Workers)
        {
            if (worker.Pushes == 0)
                return false;
        }

        return true;
    }
}
