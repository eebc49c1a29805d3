using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>An encoder of what workers lack, and the memory for the chunk that it has coded last.</summary>
internal sealed class ChunkCoder(CodecSpec spec, int rowLength, int chunkKeys)
{
    private readonly byte[] _payload = new byte[chunkKeys * sizeof(float)];
    private readonly int[] _rows = new int[spec == CodecSpec.Fp32 ? chunkKeys / rowLength : 0];

    /// <summary>Which it is.</summary>
    public DeltaEncoder Encoder { get; } = new(spec.For(rowLength), chunkKeys);

    /// <summary>Nothing is lost: rows travel as they are, and not what changed of them.</summary>
    public bool IsExact { get; } = spec == CodecSpec.Fp32;

    /// <summary>c = x - h as the codec can say it; h += c. Good until the next call.</summary>
    public ReadOnlySpan<byte> Encode(ReadOnlySpan<float> x, Span<float> h, out CodecId codec)
    {
        int bytes = Encoder.Encode(x, h, _payload, out DeltaCodec delta);
        codec = (CodecId)delta;
        return _payload.AsSpan(0, bytes);
    }

    /// <summary>The rows of x that h has not, or all of x where they are not shorter. Good until the next call.</summary>
    public ReadOnlySpan<byte> EncodeRows(ReadOnlySpan<float> x, ReadOnlySpan<float> h, out CodecId codec)
    {
        int found = 0, rows = x.Length / rowLength;
        ReadOnlySpan<int> newer = MemoryMarshal.Cast<float, int>(x), older = MemoryMarshal.Cast<float, int>(h);
        for (int row = 0; row < rows; row++)
        {
            if (!newer.Slice(row * rowLength, rowLength).SequenceEqual(older.Slice(row * rowLength, rowLength)))
                _rows[found++] = row;
        }

        ReadOnlySpan<int> changed = _rows.AsSpan(0, found);
        int bytes = (int)RowsCodec.Bytes(changed, rows, rowLength, ValueCodec.Fp32);
        codec = bytes < x.Length * sizeof(float) ? CodecId.Rows : CodecId.Fp32;
        if (codec == CodecId.Fp32)
            return MemoryMarshal.AsBytes(x);
        Span<float> values = MemoryMarshal.Cast<byte, float>(RowsCodec.WriteIndex(changed, rows, rowLength, ValueCodec.Fp32, _payload));
        for (int k = 0; k < found; k++)
            x.Slice(changed[k] * rowLength, rowLength).CopyTo(values[(k * rowLength)..]);
        return _payload.AsSpan(0, bytes);
    }
}
