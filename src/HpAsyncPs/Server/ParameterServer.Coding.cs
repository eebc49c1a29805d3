using System;
using HpAsyncPs.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <content>How deltas are coded, both ways, and whether both ends have the same of it.</content>
public sealed partial class ParameterServer
{
    private ChunkCoder? _coder; // of snapshots; null: they go out as values
    private ChunkCoder? _evaluationCoder;
    private EvaluationStream? _evaluationStream;

    /// <summary>Checks that found the two ends of a session to have different vectors. The session was resynchronised each time.</summary>
    public long Disagreements { get; private set; }

    /// <summary>Are snapshots sent as changes? Known before the model is: rows always are.</summary>
    private bool Codes(int rowLength) => rowLength > 1 || _options.Codec != CodecSpec.Fp32;

    /// <summary>Memory for what the workers have, and what is evaluated.</summary>
    /// <exception cref="OutOfMemoryException">It does not fit.</exception>
    private void AssembleCoding(int parameters)
    {
        int rowLength = _admission.RowLength, chunkKeys = Math.Min(_shard!.ChunkKeys, parameters);
        if (!Codes(rowLength))
            return;
        var pool = new FloatPool(parameters, _members.Length + 2, "what the workers have of the aggregate, one a worker, and what is evaluated");
        foreach (Session member in _members)
            member.Downlink = new Downlink(Zeroed(pool));
        _coder = new ChunkCoder(_options.Codec, rowLength, chunkKeys);
        if (!_options.Evaluates || _coder.IsExact)
            return;

        // What most values are missing from would be no model to evaluate.
        _evaluationCoder = _options.Codec.Ratio is null ? _coder : new ChunkCoder(CodecSpec.Of(_options.Codec.Values), rowLength, chunkKeys);
        _evaluationStream = new EvaluationStream(Zeroed(pool), pool.Lease(), _shard.ChunkKeys);
    }

    private static FloatBuffer Zeroed(FloatPool pool)
    {
        FloatBuffer buffer = pool.Lease();
        buffer.Span.Clear();
        return buffer;
    }

    /// <summary>A worker says what it has of its own vector, behind a push, or, with no keys, that its snapshot is none of what was sent.</summary>
    private void Check(Session session, in FrameHeader header)
    {
        if (header.KeyCount == 0)
        {
            if (session.Downlink is not { IsKnown: true } downlink)
                return; // the next one goes out whole anyhow
            Disagreements++;
            downlink.IsKnown = false;
            Log?.Invoke($"{session.Name} has another snapshot than the server thinks: the next one goes out whole");
            return;
        }

        if (_shard is null || header.KeyCount > _shard.ChunkKeys || header.KeyBegin + header.KeyCount > (ulong)_shard.Parameters)
            throw new ProtocolException($"A check of keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount}; the shard has {_shard?.Parameters ?? 0}, and one chunk is checked at a time.") { Fault = FrameFault.OutOfRange };
        if (_policy.Optimizer is not null || session.Disagrees || _shard.ClockOf(session.Rank) != header.Sequence || _shard.IsWithinPush(session.Rank))
            return; // it is behind a push that came a second time
        if (VectorChecksum.Of(_shard.ReconstructionOf(session.Rank).Slice((int)header.KeyBegin, (int)header.KeyCount)) == header.ShardVersion)
            return;
        Disagreements++;
        session.Disagrees = true;
        throw new ProtocolException($"Worker {session.Rank} has another vector than the server after push {header.Sequence}, in keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount}: the session is resynchronised.")
        { MayRetry = true };
    }
}
