using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Codecs;

/// <summary>
/// Codes what the other end's reconstruction h lacks of a vector x, and moves h as the other end will. What a codec cannot say stays in
/// x - h, for the next time. Its memory is taken once.
/// </summary>
public sealed class DeltaEncoder
{
    /// <summary>A row travels if it has an element that differs by more than this part of the chunk's largest difference: residuals of rows that nobody changed do not, until they are the largest.</summary>
    public const float RowThreshold = 1f / 64;

    private readonly CodecSettings _settings;
    private readonly float[] _first;
    private readonly float[] _second;
    private readonly int[] _positions;
    private ulong _calls;

    /// <summary>Takes the memory that it needs: 12 bytes for each value of a chunk with <see cref="DeltaCodec.TopK"/>, 8 with <see cref="DeltaCodec.Rows"/>, else nothing.</summary>
    /// <param name="settings">What to make of deltas.</param>
    /// <param name="mostValues">Values of the largest chunk.</param>
    public DeltaEncoder(CodecSettings settings, int mostValues)
    {
        if (!ValueCoding.IsKnown(settings.Values))
            throw new ArgumentException("Settings are made by Dense, TopK or Rows.", nameof(settings));
        _settings = settings;
        int scratch = settings.Codec is DeltaCodec.TopK or DeltaCodec.Rows ? mostValues : 0;
        _first = new float[settings.Codec == DeltaCodec.TopK ? mostValues : 0];
        _second = new float[scratch];
        _positions = new int[scratch];
    }

    /// <summary>Bytes that a payload of that many values has at most: no more than 4 for each.</summary>
    public static long MostBytes(CodecSettings settings, int count) =>
        settings.Codec == DeltaCodec.Rows ? (long)count * sizeof(float) : ValueCoding.Bytes(settings.Values, count);

    /// <summary>c = x - h as the codec can say it; h += c.</summary>
    /// <param name="x">The new vector of the chunk; whole rows, if the codec is rows.</param>
    /// <param name="h">The reconstruction, of the same length.</param>
    /// <param name="payload">At least <see cref="MostBytes"/> long.</param>
    /// <param name="codec">How it is coded: as the settings say, or dense in the same value codec where that is no longer.</param>
    /// <returns>Bytes of the payload.</returns>
    public int Encode(ReadOnlySpan<float> x, Span<float> h, Span<byte> payload, out DeltaCodec codec)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(h.Length, x.Length);
        Dither dither = _settings.Seed is { } seed ? Dither.Of(seed, _calls++) : default;
        codec = _settings.Codec;
        int bytes = codec switch
        {
            DeltaCodec.TopK => EncodeTopK(x, h, payload, dither),
            DeltaCodec.Rows => EncodeRows(x, h, payload, dither),
            _ => 0,
        };
        if (bytes > 0)
            return bytes;
        codec = (DeltaCodec)_settings.Values;
        bytes = (int)ValueCoding.Bytes(_settings.Values, x.Length);
        ValueCoding.Encode(_settings.Values, x, h, payload[..bytes], dither);
        return bytes;
    }

    /// <summary>0 if that would not be shorter than all values.</summary>
    private int EncodeTopK(ReadOnlySpan<float> x, Span<float> h, Span<byte> payload, Dither dither)
    {
        int found = TopKKernel.Select(x, h, TopKCodec.MostValues(_settings.Ratio, x.Length), MemoryMarshal.Cast<float, int>(_first.AsSpan(0, x.Length)), _positions.AsSpan(0, x.Length));
        ReadOnlySpan<int> positions = _positions.AsSpan(0, found);
        long bytes = TopKCodec.Bytes(positions, x.Length, _settings.Values);
        if (bytes >= ValueCoding.Bytes(_settings.Values, x.Length))
            return 0;
        Span<byte> values = TopKCodec.WriteIndex(positions, x.Length, _settings.Values, payload);
        for (int k = 0; k < found; k++)
            (_first[k], _second[k]) = (x[positions[k]], h[positions[k]]);
        ValueCoding.Encode(_settings.Values, _first.AsSpan(0, found), _second.AsSpan(0, found), values, dither);
        for (int k = 0; k < found; k++)
            h[positions[k]] = _second[k];
        return (int)bytes;
    }

    /// <summary>0 if that would not be shorter than all values as they are.</summary>
    private int EncodeRows(ReadOnlySpan<float> x, Span<float> h, Span<byte> payload, Dither dither)
    {
        int rowLength = _settings.RowLength, found = FindRows(x, h), rowsOfChunk = x.Length / rowLength;
        ReadOnlySpan<int> rows = _positions.AsSpan(0, found);
        long bytes = RowsCodec.Bytes(rows, rowsOfChunk, rowLength, _settings.Values);
        if (bytes >= x.Length * sizeof(float))
            return 0;
        Span<byte> values = RowsCodec.WriteIndex(rows, rowsOfChunk, rowLength, _settings.Values, payload);
        int rowBytes = (int)ValueCoding.Bytes(_settings.Values, rowLength);
        for (int k = 0; k < found; k++)
        {
            int begin = rows[k] * rowLength;
            ValueCoding.Encode(_settings.Values, x.Slice(begin, rowLength), h.Slice(begin, rowLength), values.Slice(k * rowBytes, rowBytes), dither.From(k * rowLength));
        }

        return (int)bytes;
    }

    /// <summary>Rows that are to travel, into the positions. As fp32 leaves no residuals, a row travels then if it differs at all.</summary>
    private int FindRows(ReadOnlySpan<float> x, ReadOnlySpan<float> h)
    {
        (int rows, int rest) = Math.DivRem(x.Length, _settings.RowLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rest, 0);
        Span<float> largest = _second.AsSpan(0, rows);
        for (int row = 0; row < rows; row++)
            largest[row] = DeltaKernel.LargestDifference(x.Slice(row * _settings.RowLength, _settings.RowLength), h.Slice(row * _settings.RowLength, _settings.RowLength));
        float all = DeltaKernel.LargestMagnitude(largest);
        float threshold = _settings.Values == ValueCodec.Fp32 ? 0 : float.IsFinite(all) ? all * RowThreshold : float.MaxValue; // then it travels to be refused
        int found = 0;
        for (int row = 0; row < rows; row++)
        {
            if (!(largest[row] <= threshold)) // NaN is not, either
                _positions[found++] = row;
        }

        return found;
    }
}
