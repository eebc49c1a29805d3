using System;
using System.Buffers.Binary;
using System.IO.Hashing;

namespace HpAsyncPs.Learning.Data.Prepared;

/// <summary>
/// A block of a prepared file: checksum of all that follows (8 bytes), number of the block, rows, entries, 0 (4 bytes each), then for each row the end of
/// its entries and its label, then for each entry its column and its value, 4 bytes each, one kind after the other. Needs nothing of the rest of the file.
/// </summary>
internal static class PreparedBlock
{
    /// <summary>Most rows.</summary>
    public const int MostRows = 4096;

    /// <summary>A block is closed once it has as many entries.</summary>
    public const int FullEntries = 1 << 20;

    /// <summary>Most entries: those of the row that closed it are in it whole, and text has four bytes for each.</summary>
    public const int MostEntries = FullEntries + (TextFile.LongestLine / 4) + 1;

    private const int HeadBytes = 24;

    /// <summary>Its length in bytes.</summary>
    public static int BytesOf(int rows, int entries) => HeadBytes + (8 * (rows + entries));

    /// <summary>May there be such a block?</summary>
    public static bool Fits(int rows, int entries) => rows is >= 1 and <= MostRows && entries is >= 0 and <= MostEntries;

    /// <summary>Writes one.</summary>
    /// <param name="block">Receives it, as long as it is.</param>
    /// <param name="index">Number of the block.</param>
    /// <param name="ends">For each row the end of its entries.</param>
    /// <param name="labels">Label of each row.</param>
    /// <param name="columns">0-based column of each entry.</param>
    /// <param name="values">Value of each entry.</param>
    /// <returns>Its checksum.</returns>
    public static ulong Write(Span<byte> block, int index, ReadOnlySpan<int> ends, ReadOnlySpan<float> labels, ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
    {
        BinaryPrimitives.WriteInt32LittleEndian(block[8..], index);
        BinaryPrimitives.WriteInt32LittleEndian(block[12..], labels.Length);
        BinaryPrimitives.WriteInt32LittleEndian(block[16..], columns.Length);
        BinaryPrimitives.WriteInt32LittleEndian(block[20..], 0);
        Span<byte> rest = block[HeadBytes..];
        rest = PreparedBytes.Put(rest, ends);
        rest = PreparedBytes.Put(rest, labels);
        rest = PreparedBytes.Put(rest, columns);
        PreparedBytes.Put(rest, values);
        ulong checksum = XxHash3.HashToUInt64(block[sizeof(ulong)..]);
        BinaryPrimitives.WriteUInt64LittleEndian(block, checksum);
        return checksum;
    }

    /// <summary>Adds rows of a block to others, having checked all of it that the checksum does not.</summary>
    /// <param name="block">The whole block.</param>
    /// <param name="index">Its number.</param>
    /// <param name="rows">Its rows, as the table has it.</param>
    /// <param name="entries">Its entries, likewise.</param>
    /// <param name="checksum">Its checksum, likewise.</param>
    /// <param name="head">Head of the file.</param>
    /// <param name="from">First row to take.</param>
    /// <param name="to">The row after the last.</param>
    /// <param name="into">Takes them.</param>
    /// <returns>What is wrong, or null.</returns>
    public static string? Read(ReadOnlySpan<byte> block, int index, int rows, int entries, ulong checksum, PreparedHead head, int from, int to, RowStore into)
    {
        if (BinaryPrimitives.ReadUInt64LittleEndian(block) != checksum || XxHash3.HashToUInt64(block[sizeof(ulong)..]) != checksum)
            return "its checksum is wrong";
        if (BinaryPrimitives.ReadInt32LittleEndian(block[8..]) != index || BinaryPrimitives.ReadInt32LittleEndian(block[12..]) != rows || BinaryPrimitives.ReadInt32LittleEndian(block[16..]) != entries)
            return "it is another block";
        ReadOnlySpan<byte> rest = block[HeadBytes..];
        ReadOnlySpan<int> ends = PreparedBytes.Take<int>(ref rest, rows);
        ReadOnlySpan<float> labels = PreparedBytes.Take<float>(ref rest, rows);
        ReadOnlySpan<int> columns = PreparedBytes.Take<int>(ref rest, entries);
        ReadOnlySpan<float> values = PreparedBytes.Take<float>(ref rest, entries);
        if (ends[^1] != entries)
            return "its rows do not have its entries";
        for (int row = 0, start = 0; row < rows; row++)
        {
            int end = ends[row];
            if (end < start || end > entries)
                return $"row {row} ends before it begins";
            int previous = -1;
            for (int k = start; k < end; k++)
            {
                if (columns[k] <= previous || columns[k] >= head.Features)
                    return $"row {row} has columns out of order, or beyond the {head.Features} of the file";
                previous = columns[k];
                if (!float.IsFinite(values[k]))
                    return $"row {row} has a value that is not finite";
            }

            if (!(labels[row] >= head.MinLabel && labels[row] <= head.MaxLabel))
                return $"row {row} has a label that is not among those of the file";
            if (row >= from && row < to)
            {
                into.Reserve(1, end - start);
                columns[start..end].CopyTo(into.FreeColumns);
                values[start..end].CopyTo(into.FreeValues);
                into.Add(labels[row], end - start, previous + 1, 0);
            }

            start = end;
        }

        return null;
    }
}
