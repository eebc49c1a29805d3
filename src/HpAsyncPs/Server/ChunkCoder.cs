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
        int found = 0, most = RowsCodec.MostRows(x.Length, rowLength);
        ReadOnlySpan<int> newer = MemoryMarshal.Cast<float, int>(x), older = MemoryMarshal.Cast<float, int>(h);
        for (int row = 0; row < x.Length / rowLength && found <= most; row++)
        {
            if (!newer.Slice(row * rowLength, rowLength).SequenceEqual(older.Slice(row * rowLength, rowLength)))
                _rows[found++] = row;
        }

        codec = found <= most ? CodecId.Rows : CodecId.Fp32;
        return found <= most ? RowsCodec.Encode(x, rowLength, _rows.AsSpan(0, found), 0, _payload) : MemoryMarshal.AsBytes(x);
    }
}
