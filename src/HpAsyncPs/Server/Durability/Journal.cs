using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server.Durability;

/// <summary>Is shown a record of a journal.</summary>
/// <param name="begin">Position of the record.</param>
/// <param name="end">Position after it.</param>
/// <param name="header">Of the frame.</param>
/// <param name="payload">Good during the call.</param>
public delegate void JournalVisitor(long begin, long end, in FrameHeader header, in ReadOnlySequence<byte> payload);

/// <summary>
/// An append-only log of frames. One thread appends, which costs it a copy into bounded memory and allocates nothing. A thread of the journal's own (or
/// a test that calls <see cref="Work"/>) checksums, writes and syncs; commits that are asked for while a sync is under way share the next one.
/// <para>The log is a row of segments, files of records (DiskRecord.cs) named <c>journal1-START-SEED</c>: the position of the first record, and the seed
/// of the checksums. Nothing else is stored, so there is nothing else to be corrupt. A position is the number of bytes of all records ever
/// appended before; it only grows, over restarts too.</para>
/// <para>Order of calls: <see cref="Replay"/>, <see cref="Start"/>, then the others.</para>
/// </summary>
public sealed partial class Journal : IDisposable
{
    /// <summary>Most bytes that wait for the disk.</summary>
    public const int MemoryBytes = 64 * 1024 * 1024;

    /// <summary>Most bytes of a segment: what is not needed any more is deleted in such pieces.</summary>
    public const long SegmentBytes = 256 * 1024 * 1024;

    /// <summary>How many bytes are written at once, or one record more.</summary>
    public const int RunBytes = 1024 * 1024;

    /// <summary>How many bytes are left to wait for a commit before they are written without one.</summary>
    public const int BehindBytes = 4 * 1024 * 1024;

    private const string Prefix = "journal1-";

    private readonly IDisk _disk;
    private readonly TimeProvider _time;
    private readonly int _blocks;
    private readonly long _segmentBytes;
    private readonly AutoResetEvent _room = new(false);
    private RecordQueue? _queue;
    private DiskThread? _thread;
    private long _commitTo;
    private long _durable;
    private long _truncateTo;
    private long _busySince; // timestamp at which the disk was last given something to do; 0: it is idle
    private string? _failure;

    // The rest belongs to Replay, then to whoever calls Work.
    private readonly List<long> _starts = [];
    private readonly List<string> _names = [];
    private long _seed;
    private IDiskFile? _file;
    private long _target;

    /// <param name="disk">Folder of the journal alone.</param>
    /// <param name="memoryBytes">Most bytes that wait for the disk; used in blocks of 2 MiB and a little, at least one.</param>
    /// <param name="segmentBytes">Most bytes of a segment, or one record.</param>
    /// <param name="time">Clock of the limits; the system's if not given.</param>
    public Journal(IDisk disk, int memoryBytes = MemoryBytes, long segmentBytes = SegmentBytes, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentOutOfRangeException.ThrowIfLessThan(memoryBytes, RecordQueue.BlockBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(segmentBytes, 1);
        _disk = disk;
        _blocks = memoryBytes / RecordQueue.BlockBytes;
        _segmentBytes = segmentBytes;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>How long the disk may take for one piece of work, or the appending thread wait for room, before that is a failure.</summary>
    public static TimeSpan StallLimit { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Called by the journal's thread when <see cref="Durable"/> has moved, or <see cref="Failure"/> was set by it. Set before <see cref="Start"/>.</summary>
    public Action? Advanced { get; set; }

    /// <summary>Position after the last record.</summary>
    public long End => Queue.End;

    /// <summary>Every record that ends at or before this survives a crash. Any thread.</summary>
    public long Durable => Volatile.Read(ref _durable);

    /// <summary>
    /// Why nothing more becomes durable: the disk is full, read-only, broken or does not answer. Names the folder and the remedy; null while all is
    /// well. Once set it stays: after a sync that failed nobody knows what is on the disk. Any thread.
    /// </summary>
    public string? Failure
    {
        get
        {
            long since = Volatile.Read(ref _busySince);
            if (since != 0 && _time.GetElapsedTime(since) > StallLimit)
                Stall();
            return Volatile.Read(ref _failure);
        }
    }

    private RecordQueue Queue => _queue ?? throw new InvalidOperationException("Replay comes first");

    /// <summary>Starts the thread that writes. Without it the caller is the disk, and calls <see cref="Work"/>.</summary>
    public void Start()
    {
        _ = Queue;
        _thread = new DiskThread("hpaps journal", Work);
    }

    /// <summary>
    /// Appends a frame; it becomes durable with the next commit. Waits, at most <see cref="StallLimit"/>, while the disk is behind by all the memory,
    /// then sets <see cref="Failure"/>. After a failure it does nothing.
    /// </summary>
    /// <returns>Position after the record; after a failure <see cref="End"/>, as it was.</returns>
    public long Append(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, Limits.ChunkBytes, nameof(payload));
        ArgumentOutOfRangeException.ThrowIfNotEqual(header.PayloadLength, (uint)payload.Length, nameof(header));
        RecordQueue queue = Queue;
        if (Failure is not null || !WaitForRoom(queue, DiskRecord.SizeOf(FrameHeader.Bytes + (int)payload.Length)))
            return queue.End;
        Span<byte> head = stackalloc byte[FrameHeader.Bytes];
        FrameHeader copy = header;
        copy.Write(head);
        queue.Append(RecordKind.Frame, head, payload);
        if (queue.End - queue.Begin >= BehindBytes)
            _thread?.Wake();
        return queue.End;
    }

    /// <summary>What was appended is to become durable now. Returns at once; one sync serves all commits that came while another was under way.</summary>
    public void Commit()
    {
        Volatile.Write(ref _commitTo, Queue.End);
        _thread?.Wake();
    }

    /// <summary>Records before that position are not needed any more. Their segments are deleted when a new one begins, or nothing else is to do.</summary>
    public void Truncate(long before)
    {
        Volatile.Write(ref _truncateTo, before);
        _thread?.Wake();
    }

    /// <summary>
    /// A piece of the disk's work: about <see cref="RunBytes"/> written, a sync, a new segment or a deletion. The thread of <see cref="Start"/> does it; a
    /// test without that thread decides when. False if there was nothing to do.
    /// </summary>
    public bool Work()
    {
        if (Volatile.Read(ref _failure) is not null)
            return false;
        Volatile.Write(ref _busySince, _time.GetTimestamp());
        try
        {
            return Step(Queue);
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            Fail(DiskTrouble.Describe("the journal cannot be written", _disk.Where, e));
            Advanced?.Invoke();
            return false;
        }
        finally
        {
            Volatile.Write(ref _busySince, 0);
        }
    }

    /// <summary>
    /// With a thread: commits what was appended, waits for it within <see cref="DiskThread.StopLimit"/>, and closes. Without one it only closes, as a crash would.
    /// </summary>
    public void Dispose()
    {
        if (_thread is { Ended: false })
            Commit();
        _thread?.Dispose();
        if (_thread is { Ended: false })
            return;
        _file?.Dispose();
        _room.Dispose();
    }

    private static string NameOf(long start, long seed) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{start:d20}-{seed:x16}");

    private bool Step(RecordQueue queue)
    {
        // A round takes all commits asked for so far, and is synced before what comes later is written: else a stream of pushes would put it off for ever.
        if (_target <= _durable)
            _target = Volatile.Read(ref _commitTo);
        if (_target > _durable && queue.Begin >= _target)
            Sync(queue);
        else if (queue.Begin < queue.End)
            WriteRun(queue);
        else
            return DeleteSegment();
        return true;
    }

    private void WriteRun(RecordQueue queue)
    {
        if (_file is null)
            NextSegment(queue);
        long start = _starts[^1];
        ReadOnlySpan<byte> run = queue.Seal(RunBytes, start + _segmentBytes, start, _seed);
        if (run.IsEmpty)
        {
            NextSegment(queue);
            return;
        }

        _file!.Write(queue.Begin - start, run);
        queue.Release(run.Length);
        _room.Set();
    }

    private void NextSegment(RecordQueue queue)
    {
        if (_file is not null)
        {
            Sync(queue);
            _file.Dispose();
            _file = null;
            while (DeleteSegment())
            {
            }
        }

        _seed = BitConverter.ToInt64(RandomBytes.Draw(sizeof(long)));
        string name = NameOf(queue.Begin, _seed);
        _file = _disk.Create(name);
        _disk.SyncNames();
        _starts.Add(queue.Begin);
        _names.Add(name);
    }

    private void Sync(RecordQueue queue)
    {
        long upTo = queue.Begin;
        _file!.Sync();
        if (Volatile.Read(ref _failure) is null) // it may have been given up meanwhile
            Volatile.Write(ref _durable, upTo);
        Advanced?.Invoke();
    }

    /// <summary>Deletes the oldest segment if none of its records is needed.</summary>
    private bool DeleteSegment()
    {
        if (_starts.Count < 2 || _starts[1] > Volatile.Read(ref _truncateTo))
            return false;
        _disk.Delete(_names[0]);
        _starts.RemoveAt(0);
        _names.RemoveAt(0);
        return true;
    }

    private bool WaitForRoom(RecordQueue queue, int size)
    {
        if (queue.HasRoom(size))
            return true;
        long since = _time.GetTimestamp();
        while (!queue.HasRoom(size))
        {
            TimeSpan left = StallLimit - _time.GetElapsedTime(since);
            if (_thread is null || left <= TimeSpan.Zero)
                Stall();
            if (Failure is not null)
                return false;
            _thread!.Wake();
            _room.WaitOne(left);
        }

        return true;
    }

    private void Stall() => Fail($"the journal in '{_disk.Where}': that disk has not taken what is to be written for {StallLimit.TotalSeconds:0} s; "
        + "see the system's log for what is wrong with it, or choose another folder");

    private void Fail(string why) => Interlocked.CompareExchange(ref _failure, why, null);
}
