using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>
/// What a push that is applied whole brings about. It looks at no worker that it does not concern, so its work does not grow with the number
/// of those that are idle.
/// </summary>
public sealed partial class ParameterServer
{
    // Members that have a pull open, and maybe some that have none any more.
    private readonly RankSet _pulling;
    private ulong[] _clocks = [];
    private ulong _rounds;
    private int _slowest; // members that have not left and have made as many pushes as there were rounds

    private void Applied(Session session, in FrameHeader header, long lag)
    {
        _staleness.Record(lag);
        session.MayJump = false;
        if (session.NewWeight is { } weight)
            TakeWeight(session, weight);
        if (Count(session, header) == _rounds && --_slowest == 0)
            CountRounds();
        Returned(session);
        Release();
        if (_phase == Phase.Training)
            CheckStop(_time.GetTimestamp());
    }

    /// <summary>Counts a push and its passes; returns how many there were before it.</summary>
    private ulong Count(Session session, in FrameHeader header)
    {
        double passes = session.PassesBefore + (header.PassesQ8 / 256.0);
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
            if (_members[rank].IsAbsent || _clocks[rank] > least)
                continue;
            slowest = _clocks[rank] == least ? slowest + 1 : 1;
            least = _clocks[rank];
        }

        if (least != ulong.MaxValue)
            (_rounds, _slowest) = (least, slowest);
    }

    /// <summary>Lets a new snapshot go out to those who wait for one and may have it.</summary>
    private void Release()
    {
        for (int rank = _pulling.From(0); rank >= 0; rank = _pulling.From(rank + 1))
        {
            Session member = _members[rank];
            if (member is { PullVersion: null, WelcomeDue: false })
                _pulling.Remove(rank);
            else if (!member.IsSending)
                SendDue(member);
        }
    }
}
