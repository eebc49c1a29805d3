using System;
using System.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>
/// What a worker of path async has where deltas are coded: its vectors, its reconstruction, as a worker that trains has it, and how they
/// are coded. Takes its memory once.
/// </summary>
internal sealed class CodedVector
{
    private readonly float[][] _vectors = new float[StressLedger.Cycle][];
    private readonly float[] _reconstruction;
    private readonly int _chunkKeys;
    private readonly DeltaEncoder _encoder;
    private readonly byte[] _payload;

    public CodedVector(StressJob job, int chunkKeys)
    {
        _chunkKeys = Math.Min(chunkKeys, job.Parameters);
        _reconstruction = new float[job.Parameters];
        _encoder = new DeltaEncoder(job.Codec!.For(1), _chunkKeys);
        _payload = new byte[_chunkKeys * sizeof(float)];
        for (int n = 0; n < _vectors.Length; n++)
        {
            _vectors[n] = new float[job.Parameters];
            for (int j = 0; j < job.Parameters; j++)
                _vectors[n][j] = StressLedger.Value(StressLedger.Total(StressPath.Async, (ulong)n) * (job.Index + 1), j);
        }
    }

    /// <summary>Chunks of a vector.</summary>
    public int Chunks => (_reconstruction.Length + _chunkKeys - 1) / _chunkKeys;

    /// <summary>What a chunk of a push carries; good until the next call.</summary>
    public ReadOnlySpan<byte> Encode(ulong push, int begin, int count, out CodecId codec)
    {
        int bytes = _encoder.Encode(_vectors[push % (ulong)_vectors.Length].AsSpan(begin, count), _reconstruction.AsSpan(begin, count), _payload, out DeltaCodec delta);
        codec = (CodecId)delta;
        return _payload.AsSpan(0, bytes);
    }

    /// <summary>What the server must have of a chunk behind a push.</summary>
    public FrameHeader Check(ulong push, int chunk)
    {
        int begin = chunk * _chunkKeys, count = Math.Min(_chunkKeys, _reconstruction.Length - begin);
        ulong checksum = VectorChecksum.Of(_reconstruction.AsSpan(begin, count));
        return new FrameHeader(FrameKind.Check) { Sequence = push, KeyBegin = (ulong)begin, KeyCount = (uint)count, ShardVersion = checksum };
    }

    /// <summary>The most that is missing of what was pushed last.</summary>
    public double Residual(ulong pushes)
    {
        double most = 0;
        float[] x = _vectors[pushes % (ulong)_vectors.Length];
        for (int j = 0; j < x.Length; j++)
            most = Math.Max(most, Math.Abs((double)x[j] - _reconstruction[j]));
        return most;
    }

    /// <summary>A chunk of a snapshot that came coded.</summary>
    public void Receive(in FrameHeader header, in ReadOnlySequence<byte> payload, Span<float> snapshot)
    {
        ReadOnlySpan<byte> bytes = payload.FirstSpan;
        if (!payload.IsSingleSegment)
        {
            payload.CopyTo(_payload);
            bytes = _payload.AsSpan(0, (int)payload.Length);
        }

        if (Delta.Read((DeltaCodec)header.Codec, bytes, snapshot.Length, 1, out Delta delta) is { } wrong)
            throw new ProtocolException($"A change of codec {header.Codec} cannot be read: {wrong}.");
        delta.AddTo(snapshot);
    }
}
