using System;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <content>What fails, and how a server comes back.</content>
internal sealed partial class FaultyCluster
{
    /// <summary>A link is cut: some of what is under way still arrives; either end, or both, may not notice.</summary>
    private void Cut()
    {
        if (_links.Count == 0)
            return;
        Cuts++;
        FaultyLink link = _links[_random.Next(_links.Count)];
        link.Cut(_random);
    }

    private void Partition()
    {
        Cuts++;
        foreach (FaultyLink link in _links)
            link.IsBlocked = _random.Next(2) == 0;
        Pass(TimeSpan.FromSeconds(_random.Next(1, 20)));
        foreach (FaultyLink link in _links)
            link.IsBlocked = false;
    }

    private void CrashWorker(int rank)
    {
        Machine machine = _machines[rank];
        if (machine.Session is null)
            return;
        Crashes++;
        machine.Session.Dispose();
        machine.Session = null;
        machine.WantsLink = true;
        foreach (FaultyLink link in _links)
        {
            if (link.Rank == rank)
                link.Cut(_random);
        }
    }

    private void CrashServer()
    {
        if (_server is null)
            return;
        Crashes++;
        foreach (FaultyLink link in _links)
        {
            link.Peer = null;
            link.Cut(_random);
        }

        _state?.Dispose();
        (_server, _state) = (null, null);
        _journalDisk.Crash();
        _checkpointDisk.Crash();
        _journalDisk.CrashAt = int.MaxValue;
    }

    private void StartServer()
    {
        _lives++;
        _state = _isKept ? new DurableState(_journalDisk, _checkpointDisk, _interval, hasThreads: false, _time) { CheckpointInterval = TimeSpan.FromSeconds(2) } : null;
        _server = new ParameterServer(_options, _time, (ulong)_lives, state: _state) { Log = line => Log.Add(line.Text) };
        if (_state is not null)
            _state.Advanced = _server.JournalAdvanced;
        bool recovered = _server.Recover();
        Recoveries += recovered ? 1 : 0;
        for (int rank = 0; rank < Workers; rank++)
        {
            (ulong sequence, int next, double factor) = _server.StandOf(rank);
            Ledger ledger = _ledgers[rank];
            _evicted[rank] = recovered && factor == 0;
            if (IsAlways && _lives > 1)
                Assert.True(ledger.IsUnheard || sequence >= ledger.Acknowledged, $"push {ledger.Acknowledged} of worker {rank} was acknowledged; the server has come back with {sequence}");
            if (IsSum || !recovered)
                continue; // without a state all join anew
            ReadOnlyMemory<float> vector = _server.ReconstructionOf(rank).ToArray();
            Assert.True(ledger.TryGoBack(at => vector.Span.SequenceEqual(at), sequence, next, _server.LifeOf(rank), factor == 0), $"worker {rank}: the server has come back with a vector that it never had");
        }

        if (IsSum && recovered)
            GoBackTogether();
    }

    /// <summary>Where gradients are summed, only the sum can be compared.</summary>
    private void GoBackTogether()
    {
        for (int rank = 0; rank < Workers; rank++)
        {
            (ulong sequence, int next, _) = _server!.StandOf(rank);
            bool known = _ledgers[rank].TryGoBack(static _ => true, sequence, next, _server.LifeOf(rank), isEvicted: false);
            Assert.True(known, $"worker {rank}: the server has come back at push {sequence}, key {next}, where it never was");
        }
    }

    /// <summary>When everything has arrived, what workers have of the aggregate is what the server thinks.</summary>
    private void CheckSnapshots()
    {
        for (int step = 0; step < 3000 && _links.Count > 0; step++)
            Deliver();
        for (int rank = 0; rank < Workers; rank++)
        {
            if (_server!.DownlinkOf(rank) is { IsKnown: true } downlink)
                Assert.True(_machines[rank].Session!.Take().SequenceEqual(downlink.Values), $"worker {rank} has another snapshot than the server thinks");
        }

        Assert.Equal(0, _server!.Disagreements);
    }
}
