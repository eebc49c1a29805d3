using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>
/// One connection, and the admitted worker behind it. Holds what is on its way to the worker: at most one evaluation
/// and one snapshot, sent chunk by chunk as the connection takes them, so that a slow reader holds a publication and
/// nothing else.
/// </summary>
public sealed class Session
{
    private readonly IFrameSink _sink;
    private Publication? _sending;
    private FrameFlags _sendingFlags;
    private ulong _sendingEvaluation;
    private uint _sendingRounds;
    private double _sendingPasses;
    private int _nextKey;
    private ulong _sentVersion; // the last snapshot that went out whole: what the worker completes changed rows from
    private int[] _rows = [];
    private byte[] _payload = [];

    // Pulls that are not answered yet, oldest first, from _firstPull on around the end.
    private readonly ulong[] _pullVersions = new ulong[Limits.OpenPulls];
    private int _firstPull;
    private int _pulls;

    internal Session(IFrameSink sink, long now)
    {
        _sink = sink;
        OpenedAt = now;
        HeardAt = now;
    }

    /// <summary>The other end, for messages.</summary>
    public string Peer => _sink.Peer;

    /// <summary>The rank, or -1 before admission.</summary>
    public int Rank { get; internal set; } = -1;

    /// <summary>The number that admission gave it.</summary>
    public ulong Id { get; internal set; }

    /// <summary>What it joined with.</summary>
    public JoinMessage? Joined { get; internal set; }

    /// <summary>Rank and address, for messages.</summary>
    public string Name => Rank < 0 ? Peer : $"worker {Rank} ({Peer})";

    /// <summary>Bytes received from it, headers included.</summary>
    public long UplinkBytes { get; internal set; }

    /// <summary>Bytes sent to it, headers included.</summary>
    public long DownlinkBytes { get; private set; }

    /// <summary>Passes over its data.</summary>
    public double Passes { get; internal set; }

    /// <summary>Where its time went.</summary>
    public ProgressMessage Progress { get; internal set; }

    internal long OpenedAt { get; }

    internal long HeardAt { get; set; }

    internal bool IsClosed { get; set; }

    internal bool HasLeft { get; set; }

    /// <summary>The version that the oldest pull which is not answered yet wants to see exceeded.</summary>
    internal ulong? PullVersion => _pulls == 0 ? null : _pullVersions[_firstPull];

    /// <summary>Completed pushes of the slowest worker when the last snapshot went out to this one.</summary>
    internal ulong SeenRounds { get; set; }

    /// <summary>An evaluation was announced that this worker has not been sent.</summary>
    internal bool EvaluationDue { get; set; }

    /// <summary>An evaluation was sent that this worker has not answered.</summary>
    internal bool EvaluationOpen { get; set; }

    /// <summary>When the snapshot to evaluate began to be sent.</summary>
    internal long EvaluationSentAt { get; set; }

    /// <summary>The connection takes no more until it says that it is writable: no snapshot is begun or gone on with.</summary>
    internal bool IsFull { get; set; }

    internal bool IsSending => _sending is not null;

    /// <summary>When the snapshot that is being sent was begun.</summary>
    internal long SendingSince { get; private set; }

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
            throw new ProtocolException($"A worker has at most {Limits.OpenPulls} pulls open: wait for a snapshot before the next pull.");
    }

    /// <summary>The oldest pull is being answered.</summary>
    internal void TakePull()
    {
        _firstPull = (_firstPull + 1) % Limits.OpenPulls;
        _pulls--;
    }

    /// <param name="header">Of the frame; the session is filled in.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="followed">Another frame follows at once.</param>
    internal void Send(FrameHeader header, ReadOnlySpan<byte> payload, bool followed = false)
    {
        header.Session = Id;
        DownlinkBytes += FrameHeader.Bytes + payload.Length;
        if (!(followed ? _sink.SendFollowed(header, payload) : _sink.Send(header, payload)))
            IsFull = true;
    }

    internal void Close()
    {
        IsClosed = true;
        _sink.Close();
    }

    /// <param name="publication">What is sent.</param>
    /// <param name="now">When.</param>
    /// <param name="flags">Of every chunk.</param>
    /// <param name="evaluation">Number of the evaluation, or 0.</param>
    /// <param name="passes">Of the whole job, now.</param>
    /// <param name="rounds">Pushes of the worker that has made the fewest, now: later ones are not in the publication.</param>
    internal void Begin(Publication publication, long now, FrameFlags flags, ulong evaluation, double passes, ulong rounds)
    {
        SendingSince = now;
        _sendingPasses = passes;
        _sendingRounds = (uint)Math.Min(uint.MaxValue, rounds);
        _sending = publication;
        _sendingFlags = flags;
        _sendingEvaluation = evaluation;
        _nextKey = 0;
    }

    /// <summary>Sends chunks while the connection takes them. True when the publication has gone out whole.</summary>
    internal bool SendChunks(Shard shard)
    {
        Publication publication = _sending!;
        ReadOnlySpan<float> values = publication.Values;
        while (_nextKey < values.Length && !IsFull)
        {
            int count = Math.Min(shard.ChunkKeys, values.Length - _nextKey);
            var header = new FrameHeader(FrameKind.Snapshot)
            {
                Codec = CodecId.Fp32,
                Flags = _sendingFlags | (_nextKey + count == values.Length ? FrameFlags.Last : FrameFlags.None),
                Sequence = _sendingFlags.Has(FrameFlags.Evaluate) ? _sendingEvaluation : publication.Contains(Rank, _nextKey),
                ShardVersion = publication.Version,
                KeyBegin = (ulong)_nextKey,
                KeyCount = (uint)count,
                Rounds = _sendingRounds,
                PassesQ8 = Passes8(_sendingPasses),
            };
            ReadOnlySpan<float> chunk = values.Slice(_nextKey, count);
            int changed = FindChanged(shard, publication.Version, count);
            if (changed < 0)
            {
                Send(header, MemoryMarshal.AsBytes(chunk));
            }
            else
            {
                header.Codec = CodecId.Rows;
                Send(header, RowsCodec.Encode(chunk, shard.RowLength, _rows.AsSpan(0, changed), _sentVersion, _payload));
            }

            _nextKey += count;
        }

        if (_nextKey < values.Length)
            return false;
        if (!_sendingFlags.Has(FrameFlags.Evaluate))
            _sentVersion = publication.Version;
        return true;
    }

    /// <summary>How many rows of this chunk the worker lacks, or -1: send it whole.</summary>
    private int FindChanged(Shard shard, ulong version, int count)
    {
        if (shard.RowLength == 1 || version < _sentVersion)
            return -1;
        if (_rows.Length == 0)
        {
            _rows = new int[shard.ChunkKeys / shard.RowLength];
            _payload = new byte[Limits.ChunkBytes];
        }

        return shard.FindChangedSince(_sentVersion, _nextKey, count, _rows.AsSpan(0, RowsCodec.MostRows(count, shard.RowLength)));
    }

    private static uint Passes8(double passes) => (uint)Math.Min(uint.MaxValue, passes * 256);

    /// <summary>Ends the sending, finished or not; the caller releases what it returns.</summary>
    internal Publication? EndSending()
    {
        Publication? sent = _sending;
        _sending = null;
        return sent;
    }
}
