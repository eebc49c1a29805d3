using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>Workers that will not return: another takes over their part, or the job fails.</content>
public sealed partial class ParameterServer
{
    /// <summary>
    /// A rank's worker will not return by itself, and nobody starts another: so says who started it. Nothing is waited for any more.
    /// </summary>
    public void GiveUp(int rank, string reason)
    {
        if (_phase is not (Phase.Training or Phase.Finishing) || rank < 0 || rank >= _members.Length)
            return;
        foreach (Session member in _members)
        {
            if (member.Rank == rank || member.Adopter == rank)
                GiveUp(member, reason); // the process that has ended trained both
        }
    }

    private void GiveUp(Session session, string reason)
    {
        if (_phase is not (Phase.Training or Phase.Finishing) || session.IsAbsent)
            return;
        session.GivenUp = reason;
        if (session.Peer is not null)
            return; // what its connection still holds comes first
        if (session.IsHeld)
            LoseForGood(session, reason);
        else
            Lose(session, reason, mayReturn: false);
    }

    /// <summary>It will not return, and the others are not to go on without it.</summary>
    private void LoseForGood(Session session, string reason)
    {
        if (_stopWanted is not null)
        {
            EndWithout(session);
            return;
        }

        reason = reason.TrimEnd('.');
        bool waited = session is { IsAsked: true, Adopter: { } asked } && !IsGone(_members[asked]);
        Session? adopter = _options.Reassigns && _options.RejoinTimeout > TimeSpan.Zero && !waited ? FindAdopter() : null;
        if (adopter is null)
        {
            Fail($"{session.Name} was lost: {reason}{(waited ? $"; worker {session.Adopter}, which was asked to take over its part, did not" : "")}. Its own log says more.");
            return;
        }

        if (!session.IsHeld)
            _held++;
        session.IsHeld = session.IsAsked = true;
        session.LostAt = _time.GetTimestamp();
        (session.Adopter, session.GoneBecause) = (adopter.Rank, reason);
        Tell(MonitorEventKind.Membership, LogLine.Warning($"{session.Name} was lost: {reason}. Worker {adopter.Rank} is asked to take over its part; the job holds for {_options.RejoinTimeout.TotalSeconds:0.#} s", session.Rank));
        SendAdoptions(adopter);
    }

    /// <summary>The job is being stopped: it ends without a worker that would have to be waited for.</summary>
    private void EndWithout(Session session)
    {
        if (_left + 1 == _members.Length)
            DropEvaluation(); // nobody is left who could answer
        GoOnWithout(session);
        if (_phase == Phase.Finishing && _evaluation is null)
            SendStop();
    }

    /// <summary>The job is being stopped: who is lost, or has not come back yet to a server that was started again, is not waited for.</summary>
    private void DismissTheLost()
    {
        foreach (Session member in _members)
        {
            if (!member.IsHeld && member is not { IsAbsent: false, Peer: null, Address: "" })
                continue;
            member.IsDismissed = true;
            GoOnWithout(member, mayEvict: false); // a wish to stop takes nothing out
        }
    }

    /// <summary>Who has the fewest parts, and of those has pushed most: it is the fastest, or waits for the others.</summary>
    private Session? FindAdopter()
    {
        Session? best = null;
        int fewest = int.MaxValue;
        foreach (Session member in _members)
        {
            if (member.Adopter is not null || IsGone(member))
                continue; // the process behind an adopted part is a member of its own
            int parts = 0;
            foreach (Session other in _members)
                parts += other.Adopter == member.Rank ? 1 : 0;
            if (best is null || parts < fewest || (parts == fewest && _clocks[member.Rank] > _clocks[best.Rank]))
                (best, fewest) = (member, parts);
        }

        return best;
    }

    private static bool IsGone(Session member) => member.Peer is null || member.IsAbsent || member.LostAt is not null || member.GivenUp is not null;

    /// <summary>Tells a worker which parts it is to take over. Again after each connection: it knows which it has.</summary>
    private void SendAdoptions(Session adopter)
    {
        foreach (Session member in _members)
        {
            if (member.Adopter != adopter.Rank || !member.IsAsked)
                continue;
            _scratch.ResetWrittenCount();
            new AdoptMessage(member.Rank).Write(_scratch);
            adopter.Send(new FrameHeader(FrameKind.Adopt), _scratch.WrittenSpan);
        }
    }
}
