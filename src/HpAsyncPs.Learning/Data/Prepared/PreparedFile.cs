using System;
using System.Buffers.Binary;
using System.Globalization;
using System.IO;
using System.IO.Hashing;
using System.Text;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace HpAsyncPs.Learning.Data.Prepared;

/// <summary>
/// A file that hpaps prepare has written: rows in random order, in blocks that can be read one without the other. A part is a range of the rows, so parts
/// are random and equal in size, and whoever wants one reads head, table, and the blocks that have rows of it.
/// </summary>
internal sealed class PreparedFile
{
    private readonly SafeFileHandle _file;
    private readonly string _source;
    private readonly PreparedHead _head;
    private readonly byte[] _table;

    private PreparedFile(SafeFileHandle file, string source, PreparedHead head, byte[] tail)
    {
        (_file, _source, _head, _table) = (file, source, head, tail);
        MadeOf = Encoding.UTF8.GetString(tail.AsSpan(tail.Length - head.NameBytes));
    }

    /// <summary>What identifies the rows and their order.</summary>
    public string Fingerprint => _head.TableChecksum.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Name of what it was made of.</summary>
    public string MadeOf { get; }

    /// <summary>Its head.</summary>
    public PreparedHead Head => _head;

    /// <summary>Reads head and table, if it is such a file, without moving its position; else null.</summary>
    /// <param name="file">Open as long as this is used.</param>
    /// <param name="source">Its path, for messages.</param>
    /// <exception cref="InputException">It is of another version, or damaged.</exception>
    public static PreparedFile? TryOpen(FileStream file, string source)
    {
        if (!file.CanSeek)
            return null; // a pipe
        Span<byte> first = stackalloc byte[PreparedHead.Bytes];
        first = first[..PreparedBytes.Fill(file.SafeFileHandle, first, 0)];
        if (!first.StartsWith(PreparedHead.Magic))
            return null;
        long length = file.Length;
        PreparedHead head = PreparedHead.Read(first, length, source);
        if (length - head.TableOffset > Array.MaxLength)
            throw PreparedHead.Damaged(source, $"is damaged: {head.Blocks} blocks are more than there may be");
        byte[] tail = new byte[length - head.TableOffset];
        if (PreparedBytes.Fill(file.SafeFileHandle, tail, head.TableOffset) < tail.Length || XxHash3.HashToUInt64(tail) != head.TableChecksum)
            throw PreparedHead.Damaged(source, "is damaged: the checksum of its table is wrong");
        var of = new PreparedFile(file.SafeFileHandle, source, head, tail);
        of.CheckTable();
        return of;
    }

    /// <summary>Adds the rows of a part.</summary>
    /// <param name="into">Takes them.</param>
    /// <param name="part">Which; its seed has no say, for the file has one.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The file is damaged; the message says in which block.</exception>
    public void Read(RowStore into, RowPart part, CancellationToken cancellation)
    {
        (long begin, long end) = part.RangeOf(_head.Rows);
        (long entries, int longest) = Touched(begin, end);
        if (into.Rows + end - begin >= Array.MaxLength || entries > Array.MaxLength)
            throw new InputException($"{_source}: {end - begin} rows with {entries} entries are more than one worker holds; use more workers");
        into.Reserve((int)(end - begin), (int)entries);
        into.WidenTo(_head.Features);
        byte[] buffer = new byte[longest];
        long offset = PreparedHead.Bytes, row = 0;
        for (int index = 0; index < _head.Blocks && row < end; index++)
        {
            (int rows, int held, ulong checksum) = Entry(index);
            int bytes = PreparedBlock.BytesOf(rows, held);
            if (row + rows > begin)
            {
                cancellation.ThrowIfCancellationRequested();
                Span<byte> block = buffer.AsSpan(0, bytes);
                string? wrong = PreparedBytes.Fill(_file, block, offset) < bytes
                    ? "the file ends before it"
                    : PreparedBlock.Read(block, index, rows, held, checksum, _head, (int)Math.Max(0, begin - row), (int)Math.Min(rows, end - row), into);
                if (wrong is not null)
                    throw PreparedHead.Damaged(_source, $"block {index}, at byte {offset}, is damaged: {wrong}");
            }

            (offset, row) = (offset + bytes, row + rows);
        }
    }

    private (int Rows, int Entries, ulong Checksum) Entry(int index)
    {
        ReadOnlySpan<byte> entry = _table.AsSpan(index * PreparedHead.TableEntryBytes, PreparedHead.TableEntryBytes);
        return (BinaryPrimitives.ReadInt32LittleEndian(entry), BinaryPrimitives.ReadInt32LittleEndian(entry[4..]), BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]));
    }

    // Its checksum is right, so what this refuses nobody has damaged by accident.
    private void CheckTable()
    {
        long offset = PreparedHead.Bytes, rows = 0, entries = 0;
        for (int index = 0; index < _head.Blocks; index++)
        {
            (int of, int held, _) = Entry(index);
            if (!PreparedBlock.Fits(of, held))
                throw PreparedHead.Damaged(_source, $"is damaged: block {index} cannot have {of} rows and {held} entries");
            (offset, rows, entries) = (offset + PreparedBlock.BytesOf(of, held), rows + of, entries + held);
        }

        if (offset != _head.TableOffset || rows != _head.Rows || entries != _head.Entries)
            throw PreparedHead.Damaged(_source, "is damaged: its blocks are not what its head says");
    }

    /// <summary>Entries and longest of the blocks that have rows of a range.</summary>
    private (long Entries, int Longest) Touched(long begin, long end)
    {
        long row = 0, entries = 0;
        int longest = 0;
        for (int index = 0; index < _head.Blocks && row < end; index++)
        {
            (int rows, int held, _) = Entry(index);
            if (row + rows > begin)
                (entries, longest) = (entries + held, Math.Max(longest, PreparedBlock.BytesOf(rows, held)));
            row += rows;
        }

        return (entries, longest);
    }
}
