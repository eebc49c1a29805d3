using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <content>What goes out to the workers, and when.</content>
public sealed partial class ParameterServer
{
    /// <summary>Sends what a worker is due: its own vector where it needs that, then the evaluation, then the snapshot it asked for.</summary>
    private void SendDue(Session session)
    {
        if (_shard is null)
            return;
        bool goesOn = session.IsSending; // from an earlier call: the connection was full
        while (!session.IsFull)
        {
            if (!session.IsSending && !BeginDue(session))
                return;
            if (!session.SendChunks(_shard))
                continue;
            EndSending(session);
            if (goesOn)
                _monitor.Transferred(session.Rank, _time.GetElapsedTime(session.SendingSince).TotalSeconds);
            goesOn = false;
        }
    }

    private bool BeginDue(Session session)
    {
        if (session.OwnDue)
        {
            session.OwnDue = false;
            session.BeginOwn(_time.GetTimestamp());
            return true;
        }

        if (session.EvaluationDue && _evaluation is { } evaluation)
        {
            session.EvaluationDue = false;
            session.EvaluationOpen = true;
            session.EvaluationSentAt = _time.GetTimestamp();
            BeginEvaluation(session, evaluation);
            return true;
        }

        bool isDue = session.WelcomeDue ? _returning == 0 || _opening is not null
            : _returning == 0 && session.PullVersion is { } has && has < _shard!.Version && MayHave(session);
        if (!isDue)
            return false;
        if (OpeningFor(session) is not { } publication && (publication = _shard!.TryPublish()) is null)
        {
            _someWait = true;
            return false;
        }

        long now = _time.GetTimestamp();
        if (session.WelcomeDue)
            _gathering?.Welcomed(session.Rank, Elapsed(now));
        FrameFlags half = BeginsRound(session) ? FrameFlags.Half : FrameFlags.None;
        _speeds.Sent(session.Rank, Elapsed(now));
        _monitor.Sent(session.Rank);
        if (_policy.Exchanges > 0 || _policy.Gathers)
            TellPace(session);

        if (!session.WelcomeDue)
            session.TakePull();
        _gathering?.Sent(session.Rank);
        session.WelcomeDue = false;
        (session.SeenRounds, session.SentVersion) = (_rounds, publication.Version);
        session.Begin(publication, now, half, 0, _weightedPasses / _totalWeight, _rounds, _coder);
        return true;
    }

    private void BeginEvaluation(Session session, Evaluation evaluation)
    {
        double passes = _weightedPasses / _totalWeight;
        if (evaluation.Publication is not { } publication)
        {
            session.Begin(_evaluationStream!, evaluation.Version, session.EvaluationSentAt, passes, _rounds);
            return;
        }

        publication.Acquire();
        FrameFlags final = _phase == Phase.Finishing ? FrameFlags.Final : FrameFlags.None;
        session.Begin(publication, session.EvaluationSentAt, FrameFlags.Evaluate | final, evaluation.Number, passes, _rounds, _coder is { IsExact: true } ? _coder : null);
    }

    private bool MayHave(Session session)
    {
        if (_held > 0)
            return false; // the job waits for a worker that is lost
        // A pull can overtake the later chunks of the push before it, and would be judged by the clock before that push.
        if (_policy.WorkersWait && _shard!.IsWithinPush(session.Rank))
            return false;
        if (_gathering is not null)
            return _gathering.MayHave(session.Rank);
        return _policy.MayHave(_clocks[session.Rank], _rounds, session.SeenRounds);
    }

    private void EndSending(Session session)
    {
        if (session.EndSending() is { } sent)
            _shard!.Release(sent);
    }

    /// <summary>Those for whom there was no memory for a publication try again. Not while another is being sent to: they would nest.</summary>
    private void SendToWaiting()
    {
        if (!_someWait)
            return;
        _someWait = false;
        if (_shard is not null && _phase == Phase.Training)
            Release();
    }

    /// <summary>
    /// Three publications do for all: one that is evaluated, the newest, and one that a slow reader holds. Each further reader who takes long
    /// for one gets another, so that the others need not wait for it.
    /// </summary>
    private void LimitPublications(long now)
    {
        int slow = 0;
        foreach (Session session in _members)
            slow += session.IsSending && _time.GetElapsedTime(session.SendingSince, now) > SlowReading ? 1 : 0;
        _shard!.MostPublications = LeastPublications + Math.Max(0, slow - 1);
    }

    private void SendHeartbeats(long now)
    {
        if (_time.GetElapsedTime(_heartbeatAt, now) < HeartbeatInterval)
            return;
        _heartbeatAt = now;
        foreach (Peer peer in _peers)
            peer.Session?.Send(new FrameHeader(FrameKind.Heartbeat), []);
    }
}
