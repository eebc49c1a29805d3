using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Codecs;

/// <summary>
/// Only the rows of a chunk that changed. Little-endian:
/// <code>
/// offset size field
///      0    4 row_count      rows that follow
///      4    4 reserved       0
///      8    8 base_version   snapshot: the version that rows not sent are taken from; push: 0
///     16    4 n row_index    row within the chunk, strictly increasing
///   16+4n 4 n L values       binary32, row after row, L parameters each
/// </code>
/// Files that must agree: this one, docs/protocol.md.
/// </summary>
public static class RowsCodec
{
    /// <summary>Bytes before the first index.</summary>
    public const int HeadBytes = 16;

    /// <summary>Bytes of a payload of this many rows.</summary>
    public static int Bytes(int rows, int rowLength) => HeadBytes + (rows * (sizeof(uint) + (rowLength * sizeof(float))));

    /// <summary>The most rows for which a payload is no longer than the dense chunk.</summary>
    public static int MostRows(int keys, int rowLength) =>
        Math.Max(0, ((keys * sizeof(float)) - HeadBytes) / (sizeof(uint) + (rowLength * sizeof(float))));

    /// <summary>Writes the head and, for each changed row, its index and its values.</summary>
    /// <param name="values">The chunk.</param>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="changed">Indices of the changed rows, increasing.</param>
    /// <param name="baseVersion">See the table.</param>
    /// <param name="payload">At least <see cref="Bytes"/> long.</param>
    public static ReadOnlySpan<byte> Encode(
        ReadOnlySpan<float> values, int rowLength, ReadOnlySpan<int> changed, ulong baseVersion, Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)changed.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], baseVersion);
        Span<int> indices = MemoryMarshal.Cast<byte, int>(payload.Slice(HeadBytes, changed.Length * sizeof(int)));
        changed.CopyTo(indices);
        Span<float> rows = MemoryMarshal.Cast<byte, float>(payload[(HeadBytes + (changed.Length * sizeof(int)))..]);
        for (int k = 0; k < changed.Length; k++)
            values.Slice(changed[k] * rowLength, rowLength).CopyTo(rows[(k * rowLength)..]);
        return payload[..Bytes(changed.Length, rowLength)];
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
        if (BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]) != 0)
            return "bytes 4 to 7 of a payload of rows are reserved, and 0";
        if (count > keys / rowLength || payload.Length != Bytes((int)count, rowLength))
            return $"{count} rows of {rowLength} parameters do not fit {payload.Length} bytes and a chunk of {keys} keys";
        int length = (int)count;
        ReadOnlySpan<int> indices = MemoryMarshal.Cast<byte, int>(payload.Slice(HeadBytes, length * sizeof(int)));
        int previous = -1;
        foreach (int index in indices)
        {
            if (index <= previous || index >= keys / rowLength)
                return $"row {index} after row {previous}: rows must increase and be below {keys / rowLength}";
            previous = index;
        }

        rows = new ChangedRows
        {
            BaseVersion = BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]),
            RowLength = rowLength,
            Indices = indices,
            Values = MemoryMarshal.Cast<byte, float>(payload[(HeadBytes + (length * sizeof(int)))..]),
        };
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
    /// <summary>The version that the rows not sent are taken from.</summary>
    public ulong BaseVersion { get; init; }

    /// <summary>Parameters in a row.</summary>
    public int RowLength { get; init; }

    /// <summary>Indices, increasing.</summary>
    public ReadOnlySpan<int> Indices { get; init; }

    /// <summary>Values, row after row.</summary>
    public ReadOnlySpan<float> Values { get; init; }

    /// <summary>Would every element of the rows of <paramref name="h"/> stay within the limit?</summary>
    public bool StaysWithin(ReadOnlySpan<float> h, float limit)
    {
        for (int k = 0; k < Indices.Length; k++)
        {
            if (!DeltaKernel.StaysWithin(Row(k), h.Slice(Indices[k] * RowLength, RowLength), limit))
                return false;
        }

        return true;
    }

    /// <summary>h += rows; sum += weight times what h moved by.</summary>
    public void Apply(double weight, Span<float> h, Span<double> sum)
    {
        for (int k = 0; k < Indices.Length; k++)
        {
            int at = Indices[k] * RowLength;
            DeltaKernel.Apply(Row(k), weight, h.Slice(at, RowLength), sum.Slice(at, RowLength));
        }
    }

    /// <summary>Puts the rows into their places.</summary>
    public void CopyTo(Span<float> destination)
    {
        for (int k = 0; k < Indices.Length; k++)
            Row(k).CopyTo(destination.Slice(Indices[k] * RowLength, RowLength));
    }

    private ReadOnlySpan<float> Row(int k) => Values.Slice(k * RowLength, RowLength);
}
