using System;

namespace HpAsyncPs.Server.Durability;

/// <summary>What a server keeps on disk, and how often it waits for it.</summary>
public sealed class DurableState : IDisposable
{
    /// <summary>Between the beginnings of two checkpoints, unless the journal grows faster.</summary>
    public static readonly TimeSpan DefaultCheckpointInterval = TimeSpan.FromMinutes(1);

    /// <summary>Bytes of journal after which a checkpoint is made before its time: so much at most is replayed, and as much again is kept.</summary>
    public const long JournalBytes = 1L << 30;

    private const string Begun = "begun"; // an empty file in the journal's folder

    private readonly IDisk _journalDisk;
    private readonly bool _hasThreads;
    private readonly TimeProvider _time;

    /// <param name="journal">Folder of the journal.</param>
    /// <param name="checkpoints">Folder of checkpoints.</param>
    /// <param name="interval">How often what was applied is committed; null: always before it is acknowledged.</param>
    /// <param name="hasThreads">Journal and checkpoints are written by threads of their own; else by who calls their Work.</param>
    /// <param name="time">The clock; the system's if not given.</param>
    /// <exception cref="InputException">The disk fails.</exception>
    public DurableState(IDisk journal, IDisk checkpoints, TimeSpan? interval, bool hasThreads = true, TimeProvider? time = null)
    {
        _journalDisk = journal;
        _hasThreads = hasThreads;
        _time = time ?? TimeProvider.System;
        Interval = interval;
        Checkpoints = new Checkpoints(checkpoints);
        Journal = new Journal(journal, time: _time);
    }

    /// <summary>Path of the folder that has the journal's folder in it.</summary>
    public string Where => System.IO.Path.GetDirectoryName(_journalDisk.Where) is { Length: > 0 } folder ? folder : _journalDisk.Where;

    /// <summary>How often what was applied is committed; null: always before it is acknowledged.</summary>
    public TimeSpan? Interval { get; }

    /// <summary>Between the beginnings of two checkpoints, unless the journal grows faster.</summary>
    public TimeSpan CheckpointInterval { get; init; } = DefaultCheckpointInterval;

    /// <summary>The log of what was applied.</summary>
    public Journal Journal { get; private set; }

    /// <summary>States as a whole.</summary>
    public Checkpoints Checkpoints { get; }

    /// <summary>Called by the journal's thread when something has become durable, or nothing will any more.</summary>
    public Action? Advanced { get; set; }

    /// <summary>A job is training that must be found again: what is here is never taken for nothing.</summary>
    /// <exception cref="InputException">The disk fails.</exception>
    public bool HasBegun()
    {
        try
        {
            bool has = false;
            foreach (string name in _journalDisk.Names())
                has |= name == Begun;
            return has;
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            throw new InputException(DiskTrouble.Describe("the journal cannot be listed", _journalDisk.Where, e), e);
        }
    }

    /// <summary>The start of a job is on disk: leaves a mark that survives a crash. Null, or what is wrong with the disk.</summary>
    public string? TryMarkBegun()
    {
        try
        {
            _journalDisk.Create(Begun).Dispose();
            _journalDisk.SyncNames();
            return null;
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            return DiskTrouble.Describe("the journal cannot be written", _journalDisk.Where, e);
        }
    }

    /// <summary>Begins a checkpoint.</summary>
    public CheckpointWriter Begin(ulong number)
    {
        CheckpointWriter writer = Checkpoints.Begin(number);
        if (_hasThreads)
            writer.Start();
        return writer;
    }

    /// <summary>The journal again, to be replayed from another position.</summary>
    public void Reopen()
    {
        Journal.Dispose();
        Journal = new Journal(_journalDisk, time: _time);
    }

    /// <summary>The journal is replayed: it is appended to from now on.</summary>
    public void Start()
    {
        Journal.Advanced = () => Advanced?.Invoke();
        if (_hasThreads)
            Journal.Start();
    }

    /// <inheritdoc/>
    public void Dispose() => Journal.Dispose();
}
