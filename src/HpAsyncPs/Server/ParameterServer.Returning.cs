using System;

namespace HpAsyncPs.Server;

/// <content>
/// A server that was started again has workers with a past, of which it knows nothing: each pushes its whole vector again. What is made of the
/// vectors of some of them is no model, and steps from it would lead away from what all have reached; so nothing goes out before the last has come.
/// </content>
public sealed partial class ParameterServer
{
    private static readonly TimeSpan ReturnTimeout = TimeSpan.FromSeconds(10);

    private int _returning; // members whose vector is awaited
    private long _returningSince;

    private void AwaitVector(Session member)
    {
        if (_policy.Optimizer is not null || member.IsReturning)
            return; // the model was here alone
        member.IsReturning = true;
        if (_returning++ == 0)
            _returningSince = _time.GetTimestamp();
    }

    /// <summary>Its vector has come, or will not.</summary>
    private void Returned(Session session)
    {
        if (!session.IsReturning)
            return;
        session.IsReturning = false;
        if (--_returning > 0)
            return;
        if (!CloseOpening())
            Log?.Invoke("all workers have said again what they contribute, training goes on");
        foreach (Session member in _members)
            SendDue(member);
    }

    /// <summary>Those that have not pushed in time may have nothing to push: the others do not wait for them any longer.</summary>
    private void CheckReturning(long now)
    {
        if (_returning == 0 || _time.GetElapsedTime(_returningSince, now) <= ReturnTimeout || (_opening is not null && !IsOpeningOver(now)))
            return;
        foreach (Session member in _members)
            Returned(member);
    }
}
