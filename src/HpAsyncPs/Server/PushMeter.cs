using System;

namespace HpAsyncPs.Server;

/// <summary>What one worker's pushes take, over the last of them.</summary>
internal sealed class PushMeter
{
    private const double Forgets = 0.5; // of what was, with each look that sees new pushes

    private const ulong StillOld = 2; // pushes that were made before the worker heard of another codec

    private ulong _pushes;
    private ulong _skipTo;
    private double _busy;
    private (long Uplink, long Downlink) _bytes;
    private PushCost? _cost;
    private KnownRate _uplink = new();
    private KnownRate _downlink = new();

    /// <summary>Another codec is used from now on.</summary>
    public void Restart(Session session, ulong pushes)
    {
        (_pushes, _busy, _bytes) = (pushes, session.Progress.BusySeconds, session.PayloadBytes);
        _skipTo = pushes + StillOld;
        _cost = null;
    }

    /// <summary>What a push of a worker takes; null before the first.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="pushes">That are applied.</param>
    /// <param name="downlinkRate">Bytes a second that the link to it takes.</param>
    public PushCost? Look(Session session, ulong pushes, double downlinkRate)
    {
        double uplinkRate = session.Progress.LinkBytesPerSecond > 0 ? session.Progress.LinkBytesPerSecond : double.PositiveInfinity;
        (uplinkRate, downlinkRate) = (_uplink.See(uplinkRate), _downlink.See(downlinkRate));
        if (_skipTo > 0 && pushes >= _skipTo)
        {
            Restart(session, pushes);
            _skipTo = 0;
        }
        else if (_skipTo == 0 && pushes > _pushes)
        {
            double more = pushes - _pushes, busy = Math.Max(0, session.Progress.BusySeconds - _busy) / more;
            double up = (session.PayloadBytes.Uplink - _bytes.Uplink) / more, down = (session.PayloadBytes.Downlink - _bytes.Downlink) / more;
            double before = _cost is { } old ? old.BusySeconds : busy;
            _cost = new PushCost((before * Forgets) + (busy * (1 - Forgets)), up, down, uplinkRate, downlinkRate);
            (_pushes, _busy, _bytes) = (pushes, session.Progress.BusySeconds, session.PayloadBytes);
        }

        return _cost is { } cost ? cost with { UplinkRate = uplinkRate, DownlinkRate = downlinkRate } : null;
    }
}
