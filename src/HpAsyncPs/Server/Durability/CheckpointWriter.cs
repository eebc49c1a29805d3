using System;
using System.Buffers.Binary;
using System.Threading;

namespace HpAsyncPs.Server.Durability;

/// <summary>How far a checkpoint is.</summary>
public enum CheckpointState
{
    /// <summary>Being written.</summary>
    Writing,

    /// <summary>Whole, and it survives a crash.</summary>
    Done,

    /// <summary>There will be none: <see cref="CheckpointWriter.Failure"/>.</summary>
    Failed,
}

/// <summary>
/// Writes one checkpoint. One thread gives sections; a thread of its own (<see cref="Start"/>), or a test that calls <see cref="Work"/>, writes them.
/// Disposed before <see cref="Complete"/> it leaves nothing.
/// </summary>
public sealed class CheckpointWriter : IDisposable
{
    /// <summary>Bytes that wait for the disk, at most.</summary>
    public const int MemoryBytes = 4 * RecordQueue.BlockBytes;

    /// <summary>Most bytes of a section.</summary>
    public const int MostSection = DiskRecord.MostBody;

    /// <summary>Bytes after which a sync comes: the last one must not be long, nor may the journal's syncs wait behind it.</summary>
    public const int SyncBytes = 32 * 1024 * 1024;

    private const int EndBytes = DiskRecord.HeadBytes + sizeof(ulong);

    private readonly Checkpoints _owner;
    private readonly IDisk _disk;
    private readonly string _name;
    private readonly string _partial;
    private readonly RecordQueue _queue;
    private readonly long _seed;
    private DiskThread? _thread;
    private ulong _sections;
    private volatile bool _complete;
    private volatile bool _dropped;
    private bool _disposed;
    private volatile CheckpointState _state;
    private volatile string? _failure;

    // Work's own.
    private IDiskFile? _file;
    private bool _created;
    private bool _renamed;
    private long _synced;

    internal CheckpointWriter(Checkpoints owner, RecordQueue queue, string name, string partial, ulong number)
    {
        _owner = owner;
        _disk = owner.Disk;
        _queue = queue;
        _name = name;
        _partial = partial;
        _seed = (long)number;
    }

    /// <summary>How far it is. Any thread.</summary>
    public CheckpointState State => _state;

    /// <summary>Why it failed: names the folder and the remedy. Any thread.</summary>
    public string? Failure => _failure;

    /// <summary>Starts the thread that writes.</summary>
    public void Start() => _thread = new DiskThread("hpaps checkpoint", Work);

    /// <summary>Copies a section. Never waits: false if the memory is full, or the checkpoint has failed; try again later.</summary>
    public bool TryWrite(ReadOnlySpan<byte> section)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(section.Length, MostSection, nameof(section));
        if (_complete)
            throw new InvalidOperationException("the checkpoint is complete");
        if (_state == CheckpointState.Failed || !_queue.HasRoom(DiskRecord.SizeOf(section.Length) + EndBytes))
            return false;
        _queue.Append(RecordKind.Section, section, default);
        _sections++;
        _thread?.Wake();
        return true;
    }

    /// <summary>That was the last section. Returns at once; <see cref="State"/> says when the checkpoint is whole.</summary>
    public void Complete()
    {
        if (_complete)
            return;
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(count, _sections);
        _queue.Append(RecordKind.End, count, default);
        _complete = true;
        _thread?.Wake();
    }

    /// <summary>A piece of the disk's work; false if there was nothing to do.</summary>
    public bool Work()
    {
        if (_state != CheckpointState.Writing || _dropped)
            return false;
        try
        {
            return Step();
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            _failure = DiskTrouble.Describe("the checkpoint cannot be written", _disk.Where, e);
            Clear();
            _state = CheckpointState.Failed;
            return false;
        }
    }

    /// <summary>Waits, at most <see cref="DiskThread.StopLimit"/>, for a checkpoint that is complete to be written; drops one that is not.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _dropped = !_complete;
        _thread?.Dispose();
        if (_thread is { Ended: false })
            return;
        _disposed = true;
        Clear();
        _owner.Return(_queue);
    }

    private bool Step()
    {
        bool complete = _complete; // before the queue is looked at: then all sections are seen
        if (!_created)
        {
            _created = true;
            _file = _disk.Create(_partial);
        }
        else if (_queue.Begin - _synced >= SyncBytes || (complete && _file is not null && _queue.Begin == _queue.End && _synced < _queue.End))
        {
            _synced = _queue.Begin;
            _file!.Sync();
        }
        else if (_queue.Begin < _queue.End)
        {
            WriteRun();
        }
        else if (!complete)
        {
            return false;
        }
        else
        {
            Finish();
        }

        return true;
    }

    private void WriteRun()
    {
        ReadOnlySpan<byte> run = _queue.Seal(Journal.RunBytes, long.MaxValue, 0, _seed);
        _file!.Write(_queue.Begin, run);
        _queue.Release(run.Length);
    }

    /// <summary>All is written and synced: one step after the other, so that a crash between any two can be tried.</summary>
    private void Finish()
    {
        if (!_renamed)
        {
            _file!.Dispose();
            _file = null;
            _disk.Rename(_partial, _name);
            _renamed = true;
            return;
        }

        _disk.SyncNames();
        _owner.DeleteOld();
        _state = CheckpointState.Done;
    }

    /// <summary>Closes the file, and removes it if it is not a checkpoint.</summary>
    private void Clear()
    {
        _file?.Dispose();
        _file = null;
        if (!_created || _renamed)
            return;
        try
        {
            _disk.Delete(_partial);
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            // What is left is removed at the next start; why the disk fails has been said, or will be by who writes to it next.
        }

        _created = false;
    }
}
