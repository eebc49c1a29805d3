using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <summary>Evaluations: snapshots that every worker evaluates on its own data.</summary>
public sealed partial class ParameterServer
{
    private void BeginEvaluation()
    {
        if (!TryFreeze(_evaluations + 1))
            return;
        _evaluations++;
        foreach (Session member in _members)
        {
            if (member.IsAbsent)
                continue;
            _evaluation!.Open++;
            member.EvaluationDue = true;

            // At the start and at the end all are told at once; between, whoever computes is told at its next pull.
            if (!member.IsSending && (member.PullVersion is not null || _evaluations == _incarnation + 1 || _phase == Phase.Finishing))
                SendDue(member);
        }
    }

    /// <summary>Freezes what is to be evaluated. False: there is no memory for it now.</summary>
    private bool TryFreeze(ulong number)
    {
        if (_shard!.TryPublish() is not { } publication)
            return false;
        bool isWhole = _rounds > 0 || _policy.Optimizer is not null;
        if (_evaluationStream is { } stream && _evaluationCoder is { IsExact: false } coder && _phase != Phase.Finishing)
        {
            if (_evaluatedExactly)
                stream.Begin(number, publication.Values); // it stood still: a coded change would not bring it here at once
            else
                stream.Advance(number, publication.Values, coder.Encoder);
            _evaluatedExactly = false;
            _evaluation = new Evaluation(number, publication.Version, stream, Sample()) { IsWhole = isWhole };
            _shard.Release(publication);
        }
        else
        {
            _evaluatedExactly = true;
            _evaluation = new Evaluation(number, publication, Sample()) { IsWhole = isWhole }; // at the end it is the aggregate itself
        }

        return true;
    }

    private void Evaluated(Session session, EvaluatedMessage message)
    {
        if (!session.EvaluationOpen || _evaluation is not { } evaluation || message.Evaluation != evaluation.Number)
            return; // the answer to an evaluation that was dropped at the end
        session.EvaluationOpen = false;
        session.Evaluated = evaluation.Number;
        if (!evaluation.Fits(message.Values))
            throw new ProtocolException("An evaluation has at least one value, and as many at every worker.");
        evaluation.Add(_weights[session.Rank], message.Values);
        long now = _time.GetTimestamp();
        TimeSpan took = _time.GetElapsedTime(session.EvaluationSentAt, now);
        double seconds = Elapsed(now);
        _monitor.Evaluated(session.Rank, Math.Min(took.TotalSeconds, seconds - _speeds.SentAt(session.Rank)));
        if (_bounds.Length > 0 && evaluation.Number == _incarnation + 1)
            took = TimeSpan.Zero; // it waited for the worker to join the other servers
        evaluation.Longest = took > evaluation.Longest ? took : evaluation.Longest;
        if (--evaluation.Open == 0)
            Complete(evaluation, now);
    }

    /// <summary>A worker that the job goes on without will not answer.</summary>
    private void Forgo(Session session)
    {
        bool isOpen = session.EvaluationDue || session.EvaluationOpen;
        session.EvaluationDue = session.EvaluationOpen = false;
        if (isOpen && _evaluation is { } evaluation && --evaluation.Open == 0)
            Complete(evaluation, _time.GetTimestamp());
    }

    /// <summary>All have answered.</summary>
    private void Complete(Evaluation evaluation, long now)
    {
        if (!double.IsFinite(evaluation.Objective))
        {
            Fail("The objective is not finite any more: the training diverged. Check the data for huge values.");
            return;
        }

        TraceRow row = evaluation.Before with { Objective = evaluation.Objective, RelativeGap = Gap(evaluation.Objective), Values = evaluation.Means() };
        _trace.Add(row);
        Note(MonitorEventKind.Evaluation, $"objective {row.Objective:g8}{(row.RelativeGap is { } gap ? $", relative gap {gap:g3}" : "")}{(row.TestRmse is { } rmse ? $", RMSE of held-out examples {rmse:g6}" : "")}, at {row.Pushes} pushes and {row.Passes:0.##} passes");
        if (_phase == Phase.Finishing)
        {
            (_objective, _values) = (evaluation.Objective, row.Values);
            if (evaluation.IsWhole && _stopWanted is null && IsAtTarget(row))
                _reason = "target"; // another limit came first, and the model is there all the same
            SendStop();
            return;
        }

        if (_options.TargetRmse is not null && row.TestRmse is null)
        {
            Fail("A target for the RMSE was given, but the workers hold no examples out: give them --test or --holdout.");
            return;
        }

        if (evaluation.IsWhole && IsAtTarget(row))
        {
            _reason = "target";
            (_objective, _values) = (evaluation.Objective, row.Values);
            _trained = _time.GetElapsedTime(_startedAt, now);
            _model = evaluation.Values.ToArray();
            SendStop();
            return;
        }

        if (evaluation.IsWhole && _plateau is not null && _plateau.Observe(row.Passes, row.TestRmse ?? row.Objective))
        {
            Finish("plateau");
            return;
        }

        _chooser?.Evaluated(evaluation.Version / (double)_members.Length, row.RelativeGap ?? row.Objective, row.RelativeGap is not null);
        DropEvaluation();
        double seconds = Math.Max(LeastBetweenEvaluations.TotalSeconds,
            Math.Max(EvaluationShare * evaluation.Longest.TotalSeconds, _time.GetElapsedTime(_startedAt, now).TotalSeconds / EvaluationsOfElapsed));
        _evaluateAt = now + (long)(seconds * _time.TimestampFrequency);
    }

    private bool IsAtTarget(TraceRow row) => row.RelativeGap <= _options.Target || row.TestRmse <= _options.TargetRmse;

    private void DropEvaluation()
    {
        if (_evaluation is null)
            return;
        if (_evaluation.Publication is { } publication)
            _shard!.Release(publication);
        _evaluation = null;
        foreach (Session member in _members)
            member.EvaluationDue = member.EvaluationOpen = false;
    }
}
