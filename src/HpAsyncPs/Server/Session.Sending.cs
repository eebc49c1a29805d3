using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <content>A snapshot, or the worker's own vector, on its way to the worker.</content>
public sealed partial class Session
{
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

    /// <summary>Begins to send the worker its own vector. It does not push until it has it, so the vector stays as it is.</summary>
    internal void BeginOwn(long now)
    {
        SendingSince = now;
        _sendingOwn = true;
        _nextKey = 0;
    }

    /// <summary>Sends chunks while the connection takes them. True when what is being sent has gone out whole.</summary>
    internal bool SendChunks(Shard shard) => _sendingOwn ? SendOwn(shard) : SendPublication(shard, _sending!);

    private bool SendOwn(Shard shard)
    {
        ReadOnlySpan<float> values = shard.ReconstructionOf(Rank);
        while (_nextKey < values.Length && !IsFull)
        {
            int count = Math.Min(shard.ChunkKeys, values.Length - _nextKey);
            var header = new FrameHeader(FrameKind.Snapshot)
            {
                Codec = CodecId.Fp32,
                Flags = FrameFlags.Own | (_nextKey + count == values.Length ? FrameFlags.Last : FrameFlags.None),
                Sequence = shard.ClockOf(Rank),
                ShardVersion = shard.Version,
                KeyBegin = (ulong)_nextKey,
                KeyCount = (uint)count,
            };
            Send(header, MemoryMarshal.AsBytes(values.Slice(_nextKey, count)));
            _nextKey += count;
        }

        return _nextKey == values.Length;
    }

    private bool SendPublication(Shard shard, Publication publication)
    {
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
                Send(header, RowsCodec.Encode(chunk, shard.RowLength, _rows.AsSpan(0, changed), _sentVersion!.Value, _payload));
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
        if (shard.RowLength == 1 || _sentVersion is not { } sent || version < sent)
            return -1;
        if (_rows.Length == 0)
        {
            _rows = new int[shard.ChunkKeys / shard.RowLength];
            _payload = new byte[Limits.ChunkBytes];
        }

        return shard.FindChangedSince(sent, _nextKey, count, _rows.AsSpan(0, RowsCodec.MostRows(count, shard.RowLength)));
    }

    private static uint Passes8(double passes) => (uint)Math.Min(uint.MaxValue, passes * 256);

    /// <summary>Ends the sending, finished or not; the caller releases what it returns.</summary>
    internal Publication? EndSending()
    {
        Publication? sent = _sending;
        (_sending, _sendingOwn) = (null, false);
        return sent;
    }
}
