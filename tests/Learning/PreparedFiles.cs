using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Hashing;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Data.Prepared;

namespace HpAsyncPs.Tests.Learning;

/// <summary>What the tests of prepared files share.</summary>
internal static class PreparedFiles
{
    /// <summary>Where the first block begins.</summary>
    public const int FirstBlock = 128;

    public static byte[] Prepare(string path, ulong seed = 1, int passes = 1)
    {
        var output = new MemoryStream();
        RowPreparation.Write(path, seed, passes, output, static _ => { }, CancellationToken.None);
        return output.ToArray();
    }

    /// <summary>Rows of LIBSVM text that differ, so that each can be told.</summary>
    public static string Text(int rows)
    {
        var text = new StringBuilder();
        var random = new Random(rows);
        for (int row = 0; row < rows; row++)
        {
            text.Append(row % 3 == 0 ? "+1" : "-1").Append(CultureInfo.InvariantCulture, $" 1:{row + 1}");
            for (int column = 2; column < 12; column++)
            {
                if (random.Next(2) == 0)
                    text.Append(CultureInfo.InvariantCulture, $" {column}:{random.Next(1000) / 8.0}");
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Each row as text, in the order of the rows.</summary>
    public static List<string> Lines(SparseRows rows)
    {
        var lines = new List<string>();
        for (int row = 0; row < rows.Rows; row++)
        {
            var line = new StringBuilder(rows.Labels[row].ToString("R", CultureInfo.InvariantCulture));
            for (int k = 0; k < rows.RowColumns(row).Length; k++)
                line.Append(CultureInfo.InvariantCulture, $" {rows.RowColumns(row)[k]}:{rows.RowValues(row)[k]:R}");
            lines.Add(line.ToString());
        }

        return lines;
    }

    public static List<string> Sorted(List<string> lines)
    {
        var sorted = new List<string>(lines);
        sorted.Sort(StringComparer.Ordinal);
        return sorted;
    }

    /// <summary>Makes all checksums of a file with one block right again: what somebody would do who writes such a file wrongly, or to do harm.</summary>
    public static void Sign(byte[] file)
    {
        int rows = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(FirstBlock + 12)), entries = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(FirstBlock + 16));
        int table = FirstBlock + 24 + (8 * (rows + entries));
        ulong block = XxHash3.HashToUInt64(file.AsSpan((FirstBlock + 8)..table));
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(FirstBlock), block);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(table + 8), block);
        SignTable(file, table);
    }

    /// <summary>Makes the checksums of table and head right again.</summary>
    public static void SignTable(byte[] file, int table)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(64), XxHash3.HashToUInt64(file.AsSpan(table)));
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(120), XxHash3.HashToUInt64(file.AsSpan(0, 120)));
    }
}
