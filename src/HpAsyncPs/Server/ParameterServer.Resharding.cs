using System;
using System.Globalization;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>
/// A job that is on disk goes on with another number of workers. Their parts of the data are others, and nobody's vector is one of theirs: each begins with the aggregate as its own
/// vector (of a sum an equal part of it), so that the aggregate is what it was. What is made of some first pushes is no model of all data; so all begin from the same snapshot, and the next one goes out
/// when each has pushed once. With an optimiser the model was here alone, and nobody waits.
/// </content>
public sealed partial class ParameterServer
{
    // The settings that may be others: into how many parts the data is cut, and which shard this is; and one that may be absent.
    private const string PartsSetting = "parts";
    private const string DataSetting = "data"; // a worker that takes all of a file does not tell which

    private EarlierJob? _earlier; // until each has pushed once, what to begin from
    private Publication? _opening; // what all begin from, until then
    private bool _isOpeningNamed;
    private bool _reshards; // whatever the number of workers is

    /// <summary>Reads a job from disk that goes on elsewhere; null: there is none.</summary>
    /// <exception cref="InputException">What is on disk is damaged or cannot be read.</exception>
    internal EarlierJob? RecoverEarlier()
    {
        _reshards = true;
        Recover();
        return _earlier;
    }

    /// <summary>What the job has reached so far.</summary>
    private EarlierJob Reached()
    {
        _shard!.Restored();
        double total = 0, passes = 0;
        foreach (Session member in _members)
        {
            total += _weights[member.Rank];
            passes += _weights[member.Rank] * member.Passes;
        }

        return new EarlierJob
        {
            Policy = _policy.Name,
            Workers = _members[0].Id == 0 ? 0 : _members.Length,
            Agreed = _admission.Agreement(),
            Version = Math.Max(1, _shard.Version),
            Seconds = Seconds(),
            Passes = total > 0 ? passes / total : 0,
            Rate = _rate,
            Values = _shard.Reached(),
            Counts = _shard.CountsOfKeys(),
        };
    }

    /// <summary>What is on disk is of another number of workers: they are waited for as for the first ones of a job.</summary>
    private void TakeEarlier(string from)
    {
        EarlierJob earlier = _earlier = Reached();
        Forget();
        _startedAt = _time.GetTimestamp();
        (_rate, _weightedPasses) = (0, 0);
        if (_reshards)
            return;
        string whose = earlier.Workers > 0 ? $"a job of {earlier.Workers} worker{(earlier.Workers > 1 ? "s" : "")}" : "an earlier job";
        Tell(MonitorEventKind.Phase, $"{from} and {_replayed} records of the journal are of {whose}, {earlier.Version} pushes and {earlier.Passes:0.#} passes: it goes on from what they had reached when {_options.Workers} workers are here");
    }

    /// <summary>May these workers go on with the job that is on disk? False: the job has failed, and what is on disk stays.</summary>
    private bool TryGoOn()
    {
        if (_earlier is not { } earlier)
            return TryCut();
        if (Misfit(earlier.Agreed) is { } what)
        {
            Fail($"{what} The state in '{_state!.Where}' is as it was: start the workers as before, or begin anew with another state folder.");
            return false;
        }

        _admission.GoOnFrom(earlier.Agreed);
        if (!TryCut())
            return false;
        if (OwnParameters == earlier.Values[0].Length)
            return true;
        Fail($"The job on disk has {earlier.Values[0].Length} parameters at this server, and {OwnParameters} fall to it now: give each server the state of its own shard.");
        return false;
    }

    private string? Misfit(JoinMessage before)
    {
        bool isWhole = _options.Shard.IsFirst;
        if (_admission.Parameters > before.Parameters || (!isWhole && _admission.Parameters < before.Parameters))
            return $"The workers ask for {_admission.Parameters} parameters, and the job on disk has {before.Parameters}.";
        if (_admission.RowLength != before.RowLength || _admission.Aggregate != before.Aggregate)
            return $"The workers ask for a {_admission.Aggregate} in rows of {_admission.RowLength}, and the job on disk is a {before.Aggregate} in rows of {before.RowLength}.";
        foreach ((string key, string value) in before.Settings)
        {
            if (!MayDiffer(key) && MessageParts.Find(_admission.Settings, key) is var now && now != value && !(key == DataSetting && now is null))
                return $"Setting {key} is {now ?? "absent"} at the workers, and {value} in the job on disk.";
        }

        foreach ((string key, string value) in _admission.Settings)
        {
            if (!MayDiffer(key) && key != DataSetting && MessageParts.Find(before.Settings, key) is null)
                return $"Setting {key} is {value} at the workers, and absent in the job on disk.";
        }

        return null;
    }

    private static bool MayDiffer(string key) => key is PartsSetting or ShardIndex.Setting;

    /// <summary>The shard and its members begin from what an earlier job had reached.</summary>
    private void BeginFrom(EarlierJob earlier, double seconds)
    {
        _shard!.BeginFrom(earlier);
        _startedAt = _time.GetTimestamp() - (long)(seconds * _time.TimestampFrequency);
        _weightedPasses = 0;
        foreach (Session member in _members)
        {
            member.PassesBefore = member.Passes = earlier.Passes;
            _weightedPasses += _weights[member.Rank] * earlier.Passes;
        }
    }

    /// <summary>Freezes what all begin from.</summary>
    private void Open()
    {
        if (_earlier is null)
            return;
        if (_policy.Optimizer is not null)
        {
            _earlier = null;
            return;
        }

        _opening = _shard!.TryPublish();
        foreach (Session member in _members)
            AwaitVector(member);
    }

    /// <summary>The server was started again while not all had pushed once: those that have not have the vector that all began from.</summary>
    private void OpenAgain()
    {
        ulong pushes = 0;
        foreach (Session member in _members)
            pushes += _shard!.ClockOf(member.Rank);
        int unheard = Array.FindIndex(_members, member => _shard!.ClockOf(member.Rank) == 0 && !_shard.IsWithinPush(member.Rank) && _shard.WeightOf(member.Rank) > 0);
        if (unheard < 0 || _policy.Optimizer is not null || _shard!.Version == pushes) // the same: it began here, with zeros
            return;
        EarlierJob now = Reached();
        _earlier = now with { Values = [_shard!.AggregateOf(unheard)] };
        _opening = _shard.TryPublish(unheard);
        foreach (Session member in _members)
        {
            if (_shard.ClockOf(member.Rank) == 0)
                AwaitVector(member);
        }
    }

    /// <summary>Who has not pushed is named, and after as long as the job holds for a lost worker it goes on without.</summary>
    private bool IsOpeningOver(long now)
    {
        bool isOver = _time.GetElapsedTime(_returningSince, now) > (_options.RejoinTimeout > ReturnTimeout ? _options.RejoinTimeout : ReturnTimeout);
        if (!isOver && _isOpeningNamed)
            return false;
        _isOpeningNamed = true;
        string awaited = "";
        foreach (Session member in _members)
            awaited += member.IsReturning ? $"{(awaited.Length > 0 ? ", " : "")}{member.Rank}" : "";
        Log?.Invoke(LogLine.Warning(isOver ? $"training goes on before rank {awaited} has pushed" : $"all wait for the first push of rank {awaited}: nothing else goes out before"));
        return isOver;
    }

    /// <summary>Into how many parts a worker's data is cut, where that is another number than that of the workers; else null.</summary>
    private string? PartsOf(JoinMessage join) =>
        MessageParts.Find(join.Settings, PartsSetting) is { } parts && parts != "1" && parts != _options.Workers.ToString(CultureInfo.InvariantCulture) ? parts : null;

    /// <summary>What a worker begins from while not all have pushed once.</summary>
    private Publication? OpeningFor(Session session)
    {
        if (!session.WelcomeDue)
            return null;
        _opening?.Acquire();
        return _opening;
    }

    /// <summary>Each has pushed once, or the job ends before: then it ends with what the earlier one had reached. False: it was over.</summary>
    private bool CloseOpening(bool isEnd = false)
    {
        if (_opening is not { } opening)
            return false;
        _opening = null;
        _shard!.Release(opening);
        if (isEnd)
        {
            _shard.BeginFrom(_earlier!);
            _returning = 0;
            foreach (Session member in _members)
                member.IsReturning = false;
        }
        else
        {
            bool isWhole = Array.TrueForAll(_members, member => member.IsAbsent || _shard.ClockOf(member.Rank) > 0);
            Log?.Invoke(isWhole ? "each worker has pushed once, training goes on" : "training goes on, and not each worker has pushed");
        }

        _earlier = null;
        return true;
    }
}
