using System;
using System.Collections.Generic;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>
/// Who may join, and what all have agreed on: parameters and numbers take the largest of all, settings must be equal.
/// </summary>
internal sealed class Admission(int workers, int maxParameters, int fittingParameters, bool takesGradients)
{
    private const string TaskSetting = "task";

    private readonly Session?[] _byRank = new Session?[workers];
    private readonly Dictionary<ulong, Session> _byNumber = []; // the same ones

    private double[]? _loads; // those by which the model was cut

    public int Joined { get; private set; }

    public bool IsComplete => Joined == workers;

    public int Parameters { get; private set; }

    public int RowLength { get; private set; } = 1;

    public Aggregate Aggregate { get; private set; }

    public double[] Agreed { get; private set; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; private set; } = [];

    /// <summary>Gives a worker a rank.</summary>
    /// <exception cref="ProtocolException">It may not join; the message says why.</exception>
    public Session Admit(ulong id, JoinMessage join)
    {
        if (IsComplete)
            throw new ProtocolException($"All {workers} workers have joined already: start the server with --workers {workers + 1}.");
        if (join.Parameters > maxParameters)
        {
            throw new ProtocolException($"{join.Parameters} parameters were asked for, this server takes {maxParameters}: "
                + "start it with a larger --max-parameters.");
        }

        if (join.Parameters > fittingParameters)
        {
            throw new ProtocolException($"{join.Parameters} parameters were asked for, the server's memory takes {fittingParameters} "
                + $"with {workers} workers: use a larger machine or fewer workers.");
        }

        int rank = join.Rank;
        if (rank < 0)
            rank = Array.IndexOf(_byRank, null);
        if (rank >= workers)
            throw new ProtocolException($"Rank {rank} does not exist: ranks are 0 to {workers - 1}.");
        if (_byRank[rank] is { } other)
            throw new ProtocolException($"Rank {rank} is taken by {other.Address}: give each worker a rank of its own.");
        if (join.Parameters % join.RowLength != 0)
            throw new ProtocolException($"{join.Parameters} parameters are not a multiple of the row length {join.RowLength}.");
        CheckGradients(join);
        if (Joined > 0)
            CheckAgreement(join);
        else
            (Agreed, Settings, RowLength, Aggregate) = ([.. join.Agreed], join.Settings, join.RowLength, join.Aggregate);
        for (int j = 0; j < Agreed.Length; j++)
            Agreed[j] = Math.Max(Agreed[j], join.Agreed[j]);
        Parameters = Math.Max(Parameters, join.Parameters);
        Joined++;
        return _byNumber[id] = _byRank[rank] = new Session(id, join, rank);
    }

    /// <summary>The session of this number, or null.</summary>
    public Session? Find(ulong id) => _byNumber.GetValueOrDefault(id);

    /// <summary>May a worker come into the job that is running?</summary>
    /// <exception cref="ProtocolException">It does not fit what the others agreed on.</exception>
    public void CheckLateComer(JoinMessage join)
    {
        CheckGradients(join);
        CheckAgreement(join);
        if (join.Parameters > Parameters)
            throw new ProtocolException($"{join.Parameters} parameters were asked for, the job that is running has {Parameters}: this worker's data has keys that it does not know.");
        for (int j = 0; j < Agreed.Length; j++)
        {
            if (join.Agreed[j] > Agreed[j])
                throw new ProtocolException($"The workers of the job that is running agreed on {Agreed[j]:R} as number {j}, this one needs {join.Agreed[j]:R}: its data goes beyond theirs, so start the job anew with it.");
        }
    }

    /// <summary>The loads of all, slice by slice; of workers with other slices than the first one's none.</summary>
    public double[] Loads()
    {
        if (_loads is not null)
            return _loads;
        double[] loads = [];
        foreach (Session? one in _byRank) // in the order of ranks, however they came: the same sums again after a restart
        {
            double[] its = one?.Joined.Loads ?? [];
            if (loads.Length == 0)
                loads = new double[its.Length];
            for (int j = 0; its.Length == loads.Length && j < loads.Length; j++)
                loads[j] += its[j];
        }

        return loads;
    }

    /// <summary>What all agreed on, as a request for admission, for checkpoints.</summary>
    public JoinMessage Agreement() => new(-1, Parameters, RowLength, Aggregate, 1, Agreed, Settings, Loads: _loads ??= Loads()); // later members are none of those by whom the model was cut

    /// <summary>What all had agreed on when training began: later members may need less.</summary>
    public void Restore(JoinMessage agreement) =>
        (Parameters, RowLength, Aggregate, Agreed, Settings, _loads) = (agreement.Parameters, agreement.RowLength, agreement.Aggregate, agreement.Agreed, agreement.Settings, agreement.Loads);

    /// <summary>The job goes on from an earlier one: with as many parameters, and cut by the same loads.</summary>
    public void GoOnFrom(JoinMessage agreement) => (Parameters, _loads) = (Math.Max(Parameters, agreement.Parameters), agreement.Loads ?? []);

    /// <summary>A session takes the place of another of its rank.</summary>
    public void Replace(Session session)
    {
        if (_byRank[session.Rank] is { } other)
            _byNumber.Remove(other.Id);
        _byNumber[session.Id] = _byRank[session.Rank] = session;
    }

    /// <summary>A worker went away before the start: its rank is free again, and what only it asked for is forgotten.</summary>
    public void Withdraw(Session session)
    {
        _byRank[session.Rank] = null;
        _byNumber.Remove(session.Id);
        Joined--;
        Parameters = 0;
        Array.Fill(Agreed, double.NegativeInfinity);
        foreach (Session? other in _byRank)
        {
            if (other?.Joined is not { } join)
                continue;
            Parameters = Math.Max(Parameters, join.Parameters);
            for (int j = 0; j < Agreed.Length; j++)
                Agreed[j] = Math.Max(Agreed[j], join.Agreed[j]);
        }
    }

    public Session[] Members() => Array.ConvertAll(_byRank, static session => session!);

    public string Missing()
    {
        var missing = new List<string>();
        for (int rank = 0; rank < workers && missing.Count < 10; rank++)
        {
            if (_byRank[rank] is null)
                missing.Add(rank.ToString());
        }

        return string.Join(", ", missing) + (workers - Joined > missing.Count ? ", ..." : "");
    }

    private void CheckGradients(JoinMessage join)
    {
        bool pushesGradients = join.Aggregate == Aggregate.Optimized;
        if (pushesGradients && !takesGradients)
            throw new ProtocolException("This worker pushes gradients, which the server's policy does not take: start the server with --policy asp, or the worker without --batch.");
        if (!pushesGradients && takesGradients)
            throw new ProtocolException("The server's policy takes gradients, which this worker does not push: start the worker with --batch (logreg only), or the server with another --policy.");
        if (pushesGradients && join.RowLength != 1)
            throw new ProtocolException($"Gradients are pushed whole, not in rows of {join.RowLength}: ask for a row length of 1.");
    }

    private void CheckAgreement(JoinMessage join)
    {
        if (MessageParts.Find(join.Settings, TaskSetting) is var task && MessageParts.Find(Settings, TaskSetting) is var others && task != others)
            throw new ProtocolException($"This worker runs the task {task ?? "without a name"}, the other workers run {others ?? "one without a name"}: run one task everywhere.");
        if (join.Agreed.Length != Agreed.Length)
            throw new ProtocolException($"{join.Agreed.Length} numbers to agree on, the other workers have {Agreed.Length}: run one task everywhere.");
        if (join.RowLength != RowLength)
            throw new ProtocolException($"Rows of {join.RowLength} parameters, the other workers have {RowLength}: run one task everywhere.");
        if (join.Aggregate != Aggregate)
            throw new ProtocolException($"A {join.Aggregate} is asked for, the other workers ask for a {Aggregate}: run one task everywhere.");
        foreach ((string key, string value) in Settings)
        {
            string? mine = MessageParts.Find(join.Settings, key);
            if (mine != value)
                throw new ProtocolException($"Setting {key} is {mine ?? "absent"} here and {value} at the other workers: start all alike.");
        }

        if (join.Settings.Count != Settings.Count)
            throw new ProtocolException($"{join.Settings.Count} settings here, {Settings.Count} at the other workers: start all alike.");
    }
}
