using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Codecs;

/// <summary>
/// Only the rows of a chunk that changed. Little-endian:
/// <code>
/// offset size field
///      0    4 row_count      rows that follow
///      4    1 value_codec    as <see cref="ValueCodec"/>
///      5    3 reserved       0
///      8    8 base_version   snapshot: the version that rows not sent are taken from; push: 0
///     16    4 n row_index    row within the chunk, strictly increasing
///   16+4n      values        n L values, row after row, L parameters each, as one sequence, coded as value_codec says
/// </code>
/// Files that must agree: this one, docs/protocol.md, docs/codecs.md.
/// </summary>
public static class RowsCodec
{
    /// <summary>Bytes before the first index.</summary>
    public const int HeadBytes = 16;

    /// <summary>Bytes of a payload of this many rows in fp32.</summary>
    public static int Bytes(int rows, int rowLength) => HeadBytes + (rows * (sizeof(uint) + (rowLength * sizeof(float))));

    /// <summary>The most rows for which a payload in fp32 is no longer than the dense chunk.</summary>
    public static int MostRows(int keys, int rowLength) =>
        Math.Max(0, ((keys * sizeof(float)) - HeadBytes) / (sizeof(uint) + (rowLength * sizeof(float))));

    /// <summary>Writes the head and, for each changed row, its index and its values in fp32.</summary>
    /// <param name="values">The chunk.</param>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="changed">Indices of the changed rows, increasing.</param>
    /// <param name="baseVersion">See the table.</param>
    /// <param name="payload">At least <see cref="Bytes"/> long.</param>
    public static ReadOnlySpan<byte> Encode(
        ReadOnlySpan<float> values, int rowLength, ReadOnlySpan<int> changed, ulong baseVersion, Span<byte> payload)
    {
        Span<float> rows = MemoryMarshal.Cast<byte, float>(WriteIndex(changed, ValueCodec.Fp32, baseVersion, payload));
        for (int k = 0; k < changed.Length; k++)
            values.Slice(changed[k] * rowLength, rowLength).CopyTo(rows[(k * rowLength)..]);
        return payload[..Bytes(changed.Length, rowLength)];
    }

    /// <summary>Writes head and indices; returns what is left of the payload, where the values go.</summary>
    /// <param name="changed">Indices of the changed rows, increasing.</param>
    /// <param name="codec">Of the values.</param>
    /// <param name="baseVersion">See the table.</param>
    /// <param name="payload">Room for all.</param>
    public static Span<byte> WriteIndex(ReadOnlySpan<int> changed, ValueCodec codec, ulong baseVersion, Span<byte> payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(payload, changed.Length);
        BinaryPrimitives.WriteInt32LittleEndian(payload[4..], (int)codec);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], baseVersion);
        MemoryMarshal.AsBytes(changed).CopyTo(payload[HeadBytes..]);
        return payload[(HeadBytes + (changed.Length * sizeof(int)))..];
    }

    /// <summary>Reads and checks a payload; null when it is well-formed, else what is wrong with it.</summary>
    /// <param name="payload">As it came, in one piece.</param>
    /// <param name="keys">Keys of the chunk.</param>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="rows">The rows.</param>
    public static string? Read(ReadOnlySpan<byte> payload, int keys, int rowLength, out ChangedRows rows)
    {
        rows = default;
        if (payload.Length < HeadBytes)
            return $"a payload of rows has at least {HeadBytes} bytes; this one has {payload.Length}";
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        var codec = (ValueCodec)payload[4];
        if (payload[5] != 0 || payload[6] != 0 || payload[7] != 0)
            return "bytes 5 to 7 of a payload of rows are reserved, and 0";
        if (!ValueCoding.IsKnown(codec))
            return $"there is no codec {(int)codec} for values";
        if (count > keys / rowLength || payload.Length != HeadBytes + ((long)count * sizeof(int)) + ValueCoding.Bytes(codec, (int)count * rowLength))
            return $"{count} rows of {rowLength} parameters of codec {(int)codec} do not fit {payload.Length} bytes and a chunk of {keys} keys";
        int length = (int)count;
        ReadOnlySpan<int> indices = MemoryMarshal.Cast<byte, int>(payload.Slice(HeadBytes, length * sizeof(int)));
        int previous = -1;
        foreach (int index in indices)
        {
            if (index <= previous || index >= keys / rowLength)
                return $"row {index} after row {previous}: rows must increase and be below {keys / rowLength}";
            previous = index;
        }

        ReadOnlySpan<byte> values = payload[(HeadBytes + (length * sizeof(int)))..];
        if (ValueCoding.Check(codec, values, length * rowLength) is { } wrong)
            return wrong;
        ulong baseVersion = BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]);
        rows = new ChangedRows(new Delta(keys, codec, rowLength, indices, values, baseVersion), codec == ValueCodec.Fp32 ? values : []);
        return null;
    }

    /// <summary>Finds the rows of a delta that are not all zero. Returns how many, or -1 when there are more than fit.</summary>
    /// <param name="delta">The chunk.</param>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="changed">Receives their indices.</param>
    public static int FindChanged(ReadOnlySpan<float> delta, int rowLength, Span<int> changed)
    {
        int count = 0, rows = delta.Length / rowLength;
        for (int row = 0; row < rows; row++)
        {
            if (!delta.Slice(row * rowLength, rowLength).ContainsAnyExcept(0f))
                continue;
            if (count == changed.Length)
                return -1;
            changed[count++] = row;
        }

        return count;
    }
}

/// <summary>Rows of a chunk, pointing into the received bytes.</summary>
public readonly ref struct ChangedRows
{
    private readonly ReadOnlySpan<byte> _values;

    internal ChangedRows(Delta delta, ReadOnlySpan<byte> values)
    {
        Delta = delta;
        _values = values;
    }

    /// <summary>All that a delta can do.</summary>
    public Delta Delta { get; }

    /// <summary>The version that the rows not sent are taken from.</summary>
    public ulong BaseVersion => Delta.BaseVersion;

    /// <summary>Indices, increasing.</summary>
    public ReadOnlySpan<int> Indices => Delta.Rows;

    /// <summary>Values in fp32, row after row; none if they are coded otherwise.</summary>
    public ReadOnlySpan<float> Values => MemoryMarshal.Cast<byte, float>(_values);

    /// <summary>Would every element of the rows of <paramref name="h"/> stay within the limit?</summary>
    public bool StaysWithin(ReadOnlySpan<float> h, float limit) => Delta.StaysWithin(h, limit);

    /// <summary>h += rows; sum += weight times what h moved by.</summary>
    public void Apply(double weight, Span<float> h, Span<double> sum) => Delta.Apply(weight, h, sum);

    /// <summary>Puts the rows into their places.</summary>
    public void CopyTo(Span<float> destination) => Delta.CopyTo(destination);
}
