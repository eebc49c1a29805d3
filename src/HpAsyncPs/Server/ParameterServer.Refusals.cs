using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>What is not accepted: told to who sent it, counted, and said in the log.</content>
public sealed partial class ParameterServer
{
    private static readonly TimeSpan RefusalLogInterval = TimeSpan.FromSeconds(1);

    private readonly long[] _refusedFrames = new long[Enum.GetValues<FrameFault>().Length];
    private readonly (long SaidAt, long Unsaid)[] _refusalLog; // one for each rank

    /// <summary>Peers that were refused, and frames with them.</summary>
    public long Refused { get; private set; }

    /// <summary>Frames of admitted workers that were not accepted.</summary>
    private RefusedFrames RefusedFrames => new()
    {
        NotFinite = _refusedFrames[(int)FrameFault.NotFinite],
        TooLarge = _refusedFrames[(int)FrameFault.TooLarge],
        WrongLength = _refusedFrames[(int)FrameFault.WrongLength],
        OutOfRange = _refusedFrames[(int)FrameFault.OutOfRange],
        OutOfTurn = _refusedFrames[(int)FrameFault.OutOfTurn],
        Codec = _refusedFrames[(int)FrameFault.Codec],
        Unreadable = _refusedFrames[(int)FrameFault.Unreadable],
        Other = _refusedFrames[(int)FrameFault.Other],
    };

    /// <summary>The peer broke the protocol: tell it why, and close. A worker that did is lost: it would do so again.</summary>
    /// <param name="peer">Which.</param>
    /// <param name="reason">Why, and what to do.</param>
    /// <param name="mayRetry">It is not the peer's fault, and may be over soon.</param>
    /// <param name="fault">What is wrong.</param>
    public void Refuse(Peer peer, string reason, bool mayRetry = false, FrameFault fault = FrameFault.Other)
    {
        if (peer.IsClosed)
            return;
        Refused++;
        _scratch.ResetWrittenCount();
        new TextMessage(reason).Write(_scratch);
        peer.Send(new FrameHeader(FrameKind.Refused) { Session = peer.Session?.Id ?? 0, Flags = mayRetry ? FrameFlags.Retry : FrameFlags.None }, _scratch.WrittenSpan, followed: false);
        Session? session = peer.Session;
        Remove(peer);
        if (session is null)
        {
            Log?.Invoke(LogLine.Warning($"connection from {peer.Address} refused: {reason}"));
            return;
        }

        CountRefusal(session, fault, reason);
        Gone(session, reason, mayReturn: mayRetry);
    }

    /// <summary>
    /// A frame was not accepted before its content was looked at. Where it cannot be read, something has happened on the way to a worker that is admitted:
    /// its session goes on over another connection. Who sent a frame that is whole and wrong, and anybody who is not admitted, is refused.
    /// </summary>
    /// <param name="peer">Which.</param>
    /// <param name="reason">Why, and what to do.</param>
    /// <param name="fault">What is wrong.</param>
    public void Violated(Peer peer, string reason, FrameFault fault)
    {
        if (peer.Session is not { } session || fault != FrameFault.Unreadable)
        {
            Refuse(peer, reason, fault: fault);
            return;
        }

        Refused++;
        CountRefusal(session, fault, reason);
        Closed(peer, reason);
    }

    /// <summary>Counts, and says it once a second at most for each rank: a worker that is refused may come again and again.</summary>
    private void CountRefusal(Session session, FrameFault fault, string reason)
    {
        _refusedFrames[(int)fault]++;
        ref (long SaidAt, long Unsaid) log = ref _refusalLog[session.Rank];
        long now = _time.GetTimestamp();
        if (log.SaidAt != 0 && _time.GetElapsedTime(log.SaidAt, now) < RefusalLogInterval)
        {
            log.Unsaid++;
            return;
        }

        Tell(MonitorEventKind.Refusal, LogLine.Warning($"{session.Name}: frame refused, {fault}: {reason}{(log.Unsaid > 0 ? $" ({log.Unsaid} more since the last such line)" : "")}", session.Rank));
        log = (now, 0);
    }
}
