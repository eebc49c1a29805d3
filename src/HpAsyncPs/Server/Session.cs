using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>
/// A rank's admitted membership, which outlives its connections. Holds what is on its way to the worker: at most one evaluation
/// and one snapshot, sent chunk by chunk as the connection takes them, so that a slow reader holds a publication and
/// nothing else.
/// </summary>
public sealed partial class Session
{
    // Pulls that are not answered yet, oldest first, from _firstPull on around the end.
    private readonly ulong[] _pullVersions = new ulong[Limits.OpenPulls];
    private int _firstPull;
    private int _pulls;
    private ProgressMessage _progressBefore;
    private long _retransmittedBefore;
    private (long Position, ulong Sequence) _oldestWaiting;
    private (long Position, ulong Sequence) _newestWaiting;

    internal Session(ulong id, JoinMessage join, int rank)
    {
        Id = id;
        Joined = join;
        Rank = rank;
    }

    /// <summary>The address of its newest connection, for messages.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The rank.</summary>
    public int Rank { get; }

    /// <summary>The number that the worker chose.</summary>
    public ulong Id { get; }

    /// <summary>What it joined with.</summary>
    public JoinMessage Joined { get; private set; }

    /// <summary>Rank and address, for messages.</summary>
    public string Name => Address.Length > 0 ? $"worker {Rank} ({Address})" : $"worker {Rank}"; // none since the server was started again

    /// <summary>Bytes received from it, headers included.</summary>
    public long UplinkBytes { get; internal set; }

    /// <summary>Bytes sent to it, headers included.</summary>
    public long DownlinkBytes { get; private set; }

    /// <summary>Of those received, payloads of pushes; of those sent, payloads of snapshots.</summary>
    public (long Uplink, long Downlink) PayloadBytes { get; private set; }

    /// <summary>A push came.</summary>
    internal void CountPayload(uint bytes) => PayloadBytes = (PayloadBytes.Uplink + bytes, PayloadBytes.Downlink);

    /// <summary>How its last push was coded.</summary>
    internal CodecId PushedCodec { get; set; }

    /// <summary>When the first chunk of its last push came.</summary>
    internal long PushingSince { get; set; }

    /// <summary>TCP segments that were sent to it again, over all its connections.</summary>
    internal long RetransmittedSegments => _retransmittedBefore + Retransmitted;

    /// <summary>Of these, over this connection, when that was looked at.</summary>
    internal long Retransmitted { get; set; }

    /// <summary>When that was looked at.</summary>
    internal long PolledAt { get; set; }

    /// <summary>A check has found that the two ends do not have the same of this worker's vector: over the next connection it is resynchronised.</summary>
    internal bool Disagrees { get; set; }

    /// <summary>The push that was checked last: no other check of it is looked at.</summary>
    internal ulong Checked { get; set; }

    /// <summary>Passes over its data, those of the rank's earlier sessions included.</summary>
    public double Passes { get; internal set; }

    /// <summary>Where its time went, that of the rank's earlier sessions included.</summary>
    public ProgressMessage Progress { get; private set; }

    /// <summary>Passes of the rank's earlier sessions.</summary>
    internal double PassesBefore { get; set; }

    /// <summary>The connection that it goes over now; null: none.</summary>
    internal Peer? Peer { get; private set; }

    /// <summary>When the worker was heard of last.</summary>
    internal long HeardAt { get; set; }

    /// <summary>Why its last connection has gone.</summary>
    internal string GoneBecause { get; set; } = "its connection had gone";

    /// <summary>Why its worker will not return, as who started it says; null: nobody says so.</summary>
    internal string? GivenUp { get; set; }

    /// <summary>The rank whose worker was asked to take over this one's part, or trains it; null: nobody was.</summary>
    internal int? Adopter { get; set; }

    /// <summary>The adopter was asked and has not joined with this rank yet.</summary>
    internal bool IsAsked { get; set; }

    /// <summary>It is given up, unless it returns: since when. Null: it is not.</summary>
    internal long? LostAt { get; set; }

    /// <summary>It is lost, and the job holds until it returns.</summary>
    internal bool IsHeld { get; set; }

    /// <summary>The job ended without it, before it had come back to a server that was started again.</summary>
    internal bool IsDismissed { get; set; }

    /// <summary>The job goes on without it: it left, or is lost and nobody waits for it.</summary>
    internal bool IsAbsent { get; set; }

    /// <summary>The server was started again, and waits for this one's vector before anything goes out.</summary>
    internal bool IsReturning { get; set; }

    /// <summary>The weight that it gets with its first whole push; null: it has it.</summary>
    internal double? NewWeight { get; set; }

    /// <summary>The last push that survives a crash of the server; kept only where acknowledgements wait for that.</summary>
    internal ulong Durable { get; set; }

    /// <summary>Grows whenever the worker is told its vector anew: what it calls push 7 then may be another one.</summary>
    internal ulong Generation { get; set; }

    /// <summary>How many passes it has made is not known: the next push says so.</summary>
    internal bool MayJump { get; set; }

    /// <summary>The worker is to be told its own vector.</summary>
    internal bool OwnDue { get; set; }

    /// <summary>A snapshot is due to it, whatever the policy says: it has none to go on from.</summary>
    internal bool WelcomeDue { get; set; }

    /// <summary>The version that the oldest pull which is not answered yet wants to see exceeded.</summary>
    internal ulong? PullVersion => _pulls == 0 ? null : _pullVersions[_firstPull];

    /// <summary>Completed pushes of the slowest worker when the last snapshot went out to this one.</summary>
    internal ulong SeenRounds { get; set; }

    /// <summary>How slow it was told that it is; 0: it was not told.</summary>
    internal double ToldLag { get; set; }

    /// <summary>Version of the snapshot that was sent last, or is being sent.</summary>
    internal ulong SentVersion { get; set; }

    /// <summary>It has another connection, and has not said since which snapshot has arrived.</summary>
    internal bool MayLack { get; set; }

    /// <summary>An evaluation was announced that this worker has not been sent.</summary>
    internal bool EvaluationDue { get; set; }

    /// <summary>An evaluation was sent that this worker has not answered.</summary>
    internal bool EvaluationOpen { get; set; }

    /// <summary>The evaluation that it answered last: it has the whole vector of it.</summary>
    internal ulong Evaluated { get; set; }

    /// <summary>At a server after the first: the evaluation that it asked for last.</summary>
    internal ulong AskedEvaluation { get; set; }

    /// <summary>When the snapshot to evaluate began to be sent.</summary>
    internal long EvaluationSentAt { get; set; }

    /// <summary>Nothing can be sent now: the connection is full, or there is none.</summary>
    internal bool IsFull => Peer is null or { IsFull: true } or { IsClosed: true };

    /// <summary>A pull came in.</summary>
    /// <exception cref="ProtocolException">There are too many already.</exception>
    internal void AddPull(ulong version)
    {
        CheckPull();
        _pullVersions[(_firstPull + _pulls++) % Limits.OpenPulls] = version;
    }

    /// <summary>May another pull come in?</summary>
    /// <exception cref="ProtocolException">There are too many already.</exception>
    internal void CheckPull()
    {
        if (_pulls == Limits.OpenPulls)
            throw new ProtocolException($"A worker has at most {Limits.OpenPulls} pulls open: wait for a snapshot before the next pull.") { Fault = FrameFault.OutOfTurn };
    }

    /// <summary>The oldest pull is being answered.</summary>
    internal void TakePull()
    {
        _firstPull = (_firstPull + 1) % Limits.OpenPulls;
        _pulls--;
    }

    /// <summary>Goes over a connection from now on. What was open over an earlier one is asked for again by the worker.</summary>
    internal void Attach(Peer peer, JoinMessage join)
    {
        Peer = peer;
        peer.Session = this;
        Address = peer.Address;
        Joined = join;
        HeardAt = peer.HeardAt;
        UplinkBytes += peer.EarlyBytes;
        (_retransmittedBefore, Retransmitted) = (RetransmittedSegments, 0);
        _pulls = 0;
        ToldLag = 0;
        _hasEvaluation = null;
        if (Downlink is not null)
            Downlink.IsKnown = false;
    }

    /// <summary>Its connection has gone.</summary>
    internal void Detach()
    {
        if (Peer is not null)
            Peer.Session = null;
        Peer = null;
        EvaluationDue |= EvaluationOpen;
        EvaluationOpen = false;
    }

    /// <summary>Bytes that were sent before the server was started anew.</summary>
    internal void RestoreDownlink(long bytes) => DownlinkBytes = bytes;

    /// <summary>A push is in the journal up to a position, and acknowledged when that is on disk.</summary>
    internal void AwaitDurable(long position, ulong sequence)
    {
        _newestWaiting = (position, sequence);
        if (_oldestWaiting.Sequence == 0)
            _oldestWaiting = _newestWaiting;
    }

    /// <summary>The journal is on disk up to a position. True if that moves <see cref="Durable"/>.</summary>
    internal bool BecomesDurable(long position)
    {
        ulong before = Durable;
        if (_newestWaiting.Sequence > 0 && _newestWaiting.Position <= position)
        {
            Durable = _newestWaiting.Sequence;
            _oldestWaiting = _newestWaiting = default;
        }
        else if (_oldestWaiting.Sequence > 0 && _oldestWaiting.Position <= position)
        {
            Durable = _oldestWaiting.Sequence;
            _oldestWaiting = _newestWaiting;
        }

        return Durable != before;
    }

    /// <summary>Nothing was sent before: the worker has zeros, which changes are added to.</summary>
    internal void BeginsWithZeros()
    {
        _hasEvaluation = 0;
        if (Downlink is not null)
            Downlink.IsKnown = true;
    }

    /// <summary>Takes the place of an earlier session of the rank.</summary>
    internal void Follow(Session earlier)
    {
        (UplinkBytes, DownlinkBytes, PayloadBytes) = (earlier.UplinkBytes, earlier.DownlinkBytes, earlier.PayloadBytes);
        PassesBefore = Passes = earlier.Passes;
        Adopter = earlier.Adopter;
        _retransmittedBefore = earlier.RetransmittedSegments;
        Downlink = earlier.Downlink;
        _progressBefore = Progress = earlier.Progress;
        EvaluationDue = !earlier.IsAbsent && (earlier.EvaluationDue || earlier.EvaluationOpen);
    }

    /// <summary>Where the worker's time went since its process began.</summary>
    internal void Record(ProgressMessage progress) => Progress = new ProgressMessage(
        _progressBefore.BusySeconds + progress.BusySeconds, _progressBefore.IdleSeconds + progress.IdleSeconds,
        _progressBefore.EvaluatingSeconds + progress.EvaluatingSeconds, progress.LinkBytesPerSecond);

    /// <param name="header">Of the frame; the session is filled in.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="followed">Another frame follows at once.</param>
    internal void Send(FrameHeader header, ReadOnlySpan<byte> payload, bool followed = false)
    {
        if (Peer is null)
            return;
        header.Session = Id;
        DownlinkBytes += FrameHeader.Bytes + payload.Length;
        if (header.Kind == FrameKind.Snapshot)
            PayloadBytes = (PayloadBytes.Uplink, PayloadBytes.Downlink + payload.Length);
        Peer.Send(header, payload, followed);
    }
}
