using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server.Durability;

public sealed partial class Journal
{
    private const int StartDigits = 20;
    private const int SeedDigits = 16;

    /// <summary>Bytes of torn or corrupt records, and of all behind them, that <see cref="Replay"/> cut off.</summary>
    public long Cut { get; private set; }

    /// <summary>
    /// Shows all whole records from a position on, in order, and opens the journal for appending behind the last one. What comes after a record
    /// that is torn or corrupt, and after a gap, is cut off for good: it is never read again.
    /// </summary>
    /// <param name="from">Where a record begins, or where the journal ended: the position that a checkpoint holds, or 0.</param>
    /// <param name="visit">Is shown each record.</param>
    /// <param name="accepts">Told where the log ends, before anything on the disk is changed. False: nothing is, and this journal cannot be used.</param>
    /// <returns>Position where the log ends, at least <paramref name="from"/>.</returns>
    /// <exception cref="InputException">The log begins after <paramref name="from"/>, or the disk fails.</exception>
    public long Replay(long from, JournalVisitor visit, Func<long, bool>? accepts = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentNullException.ThrowIfNull(visit);
        if (_queue is not null)
            throw new InvalidOperationException("a journal is replayed once");
        try
        {
            List<(long Start, long Seed, string Name)> segments = Segments();
            var read = new List<(int Segment, long Whole)>();
            long end = ReadSegments(segments, from, visit, read);
            if (accepts?.Invoke(end) == false)
                return end;
            CutOff(segments, read, end); // names that went are synced with that of the next segment, before anything in it counts
            _queue = new RecordQueue(_blocks, end);
            _durable = _target = _commitTo = end;
            return end;
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            throw new InputException(DiskTrouble.Describe("the journal cannot be read and opened", _disk.Where, e), e);
        }
    }

    /// <summary>Position of the first record that is there; null: there is none.</summary>
    /// <exception cref="InputException">The disk fails.</exception>
    public long? BeginsAt()
    {
        try
        {
            return Segments() is [var first, ..] ? first.Start : null;
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            throw new InputException(DiskTrouble.Describe("the journal cannot be listed", _disk.Where, e), e);
        }
    }

    private long ReadSegments(List<(long Start, long Seed, string Name)> segments, long from, JournalVisitor visit, List<(int Segment, long Whole)> read)
    {
        int next = 0;
        while (next < segments.Count && segments[next].Start <= from)
            next++;
        if (next == 0 && segments.Count > 0)
        {
            throw new InputException($"the journal in '{_disk.Where}' begins at position {segments[0].Start}, but the checkpoint needs it from {from}: "
                + "files are missing there; put them back, or move the whole state folder away to start anew");
        }

        long position = from;
        byte[] window = RecordReader.NewWindow();
        bool more = next > 0;
        for (int j = next - 1; more; j++)
        {
            long rest = ReadSegment(segments[j], window, ref position, visit);
            read.Add((j, position - segments[j].Start));
            Cut += rest;
            next = j + 1;
            more = rest == 0 && next < segments.Count && segments[next].Start == position;
        }

        for (int j = next; j < segments.Count; j++)
        {
            using IDiskFile file = _disk.Open(segments[j].Name);
            Cut += file.Length;
        }

        return position;
    }

    /// <summary>Shows the records of a segment from a position on. Returns how many bytes follow that are none.</summary>
    private long ReadSegment((long Start, long Seed, string Name) segment, byte[] window, ref long position, JournalVisitor visit)
    {
        using IDiskFile file = _disk.Open(segment.Name);
        var reader = new RecordReader(file, position - segment.Start, segment.Seed, window);
        while (reader.TryNext(position, out RecordKind kind, out ReadOnlyMemory<byte> body) && kind == RecordKind.Frame && body.Length >= FrameHeader.Bytes
            && FrameHeader.TryRead(body.Span[..FrameHeader.Bytes], out FrameHeader header) && header.PayloadLength == body.Length - FrameHeader.Bytes)
        {
            long end = segment.Start + reader.Offset;
            visit(position, end, header, new ReadOnlySequence<byte>(body[FrameHeader.Bytes..]));
            position = end;
        }

        return Math.Max(0, file.Length - (position - segment.Start)); // not there at all: the segment ends before the position, and so does the log
    }

    /// <summary>What was read stays, and nothing else.</summary>
    private void CutOff(List<(long Start, long Seed, string Name)> segments, List<(int Segment, long Whole)> read, long end)
    {
        int next = 0;
        for (; read.Count > 0 && next < read[0].Segment; next++)
            Keep(segments[next].Start, segments[next].Name);
        foreach ((int segment, long whole) in read)
        {
            (long start, _, string name) = segments[segment];
            next = segment + 1;
            if (end == start)
            {
                _disk.Delete(name); // a segment without a record goes: the next one begins there
                continue;
            }

            using (IDiskFile file = _disk.Open(name))
            {
                if (file.Length > whole)
                    file.SetLength(whole);
                file.Sync(); // what was read may have been in the cache only, and what is built on it must not be lost while it stays
            }

            Keep(start, name);
        }

        for (; next < segments.Count; next++)
            _disk.Delete(segments[next].Name);
    }

    private void Keep(long start, string name)
    {
        _starts.Add(start);
        _names.Add(name);
    }

    /// <summary>The segments in order. Files with other names are left alone.</summary>
    private List<(long Start, long Seed, string Name)> Segments()
    {
        var found = new List<(long Start, long Seed, string Name)>();
        foreach (string name in _disk.Names())
        {
            if (name.Length == Prefix.Length + StartDigits + 1 + SeedDigits && name.StartsWith(Prefix, StringComparison.Ordinal)
                && long.TryParse(name.AsSpan(Prefix.Length, StartDigits), NumberStyles.None, CultureInfo.InvariantCulture, out long start)
                && long.TryParse(name.AsSpan(Prefix.Length + StartDigits + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long seed))
                found.Add((start, seed, name));
        }

        found.Sort();
        return found;
    }
}
