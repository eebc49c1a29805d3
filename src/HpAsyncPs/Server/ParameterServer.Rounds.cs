using System;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <summary>
/// What a push that is applied whole brings about. It looks at no worker that it does not concern, so its work does not grow with the number
/// of those that are idle.
/// </summary>
public sealed partial class ParameterServer
{
    private const double NotableChange = 0.05; // of a lag, to be told

    // Members that have a pull open, and maybe some that have none any more.
    private readonly RankSet _pulling;
    private ulong[] _clocks = [];
    private ulong _rounds;
    private Speeds _speeds = new([]); // of nobody, until there is a shard
    private Gathering? _gathering;
    private bool _hasHalves; // since the last round began
    private bool _isSecond; // behind a barrier: first halves have been pushed, what comes now completes them
    private readonly List<PolicyDecision> _policyDecisions = [];
    private int _slowest; // members that have not left and have made as many pushes as there were rounds

    private void Applied(Session session, in FrameHeader header, long lag)
    {
        bool isMeasured = !session.MayJump; // else its passes are none of this push alone
        (ulong Rounds, int Held, int Returning) before = (_rounds, _held, _returning);
        session.MayJump = false;
        if (session.NewWeight is { } weight)
            TakeWeight(session, weight);
        if (Count(session, header, isMeasured, lag) == _rounds && --_slowest == 0)
            CountRounds();
        Returned(session);
        if (_policy.Exchanges > 0 && _gathering is null && before == (_rounds, _held, _returning))
            ReleaseOne(session.Rank); // who waits for the end of the round waits on: of a thousand, each push would look at all
        else
            Release();
        if (_phase == Phase.Training)
            CheckStop(_time.GetTimestamp());
    }

    /// <summary>Counts a push and its passes; returns how many there were before it.</summary>
    private ulong Count(Session session, in FrameHeader header, bool isMeasured, long lag = 0)
    {
        double passes = session.PassesBefore + (header.PassesQ8 / 256.0);
        if (_phase != Phase.Joining) // of a journal that is replayed no times are known
            Observe(session, header, isMeasured ? passes - session.Passes : 0, lag, isMeasured);
        _weightedPasses += _weights[session.Rank] * Math.Max(0, passes - session.Passes);
        session.Passes = Math.Max(session.Passes, passes);
        return _clocks[session.Rank]++;
    }

    /// <summary>Pushes of the member that has made the fewest: every other one has been heard since.</summary>
    private void CountRounds()
    {
        ulong least = ulong.MaxValue;
        int slowest = 0;
        for (int rank = 0; rank < _clocks.Length; rank++)
        {
            if (_members[rank].IsAbsent)
                _gathering?.Gone(rank, Seconds());
            if (_members[rank].IsAbsent || _clocks[rank] > least)
                continue;
            slowest = _clocks[rank] == least ? slowest + 1 : 1;
            least = _clocks[rank];
        }

        if (least == ulong.MaxValue)
            return;
        if (least > _rounds)
            (_isSecond, _hasHalves) = (_hasHalves, false);
        (_rounds, _slowest) = (least, slowest);
    }

    /// <summary>Learns how long the workers take: measured once, for who waits for them and for who watches them.</summary>
    private void Observe(Session session, in FrameHeader header, double passes, long lag, bool isMeasured)
    {
        double now = Elapsed(session.HeardAt), took = _speeds.Pushed(session.Rank, passes, now);
        _monitor.Pushed(session.Rank, lag, passes, took, now, isMeasured);
        if (session.HeardAt > session.PushingSince)
            _monitor.Transferred(session.Rank, _time.GetElapsedTime(session.PushingSince, session.HeardAt).TotalSeconds);
        bool isHalf = header.Flags.Has(FrameFlags.Half);
        _hasHalves |= isHalf;
        _gathering?.Pushed(session.Rank, isHalf, passes, took, now);
    }

    /// <summary>Is what goes out to it the first snapshot of a round that others begin with too?</summary>
    private bool BeginsRound(Session session) => _gathering is { } gathering ? gathering.IsFirst(session.Rank) : _policy.Exchanges == 2 && !_isSecond && _members.Length > 1;

    /// <summary>Tells a worker how slow it is, where that has changed.</summary>
    private void TellPace(Session session)
    {
        double lag = Math.Min(PaceMessage.MostLag, _speeds.Lag(session.Rank));
        if (Math.Abs(lag - session.ToldLag) < NotableChange * session.ToldLag)
            return;
        session.ToldLag = lag;
        _scratch.ResetWrittenCount();
        new PaceMessage(lag).Write(_scratch);
        session.Send(new FrameHeader(FrameKind.Pace), _scratch.WrittenSpan);
    }

    private void Decided(string what)
    {
        if (_policyDecisions.Count == MostDecisions)
            return;
        _policyDecisions.Add(new PolicyDecision(Seconds(), what));
        Tell(MonitorEventKind.Policy, $"policy auto: {what}");
    }

    private double Seconds() => _time.GetElapsedTime(_startedAt).TotalSeconds;

    /// <summary>Lets a new snapshot go out to those who wait for one and may have it.</summary>
    private void Release()
    {
        for (int rank = _pulling.From(0); rank >= 0; rank = _pulling.From(rank + 1))
            ReleaseOne(rank);
    }

    private void ReleaseOne(int rank)
    {
        Session member = _members[rank];
        if (member is { PullVersion: null, WelcomeDue: false })
            _pulling.Remove(rank);
        else if (!member.IsSending)
            SendDue(member);
    }
}
