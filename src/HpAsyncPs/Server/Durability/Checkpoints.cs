using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace HpAsyncPs.Server.Durability;

/// <summary>
/// Checkpoints by number. Each is a file of records (DiskRecord.cs), <c>checkpoint1-NUMBER</c>: sections, then a record with their count; the number is the
/// seed of the checksums, positions are offsets. It is written under a name that ends in <c>.partial</c>, synced, then renamed: whole or absent.
/// </summary>
public sealed class Checkpoints
{
    /// <summary>How many are kept: the newest, and one to fall back to.</summary>
    public const int Kept = 2;

    private const string Prefix = "checkpoint1-";
    private const string Partial = ".partial";
    private const int Digits = 20;

    private readonly IDisk _disk;
    private RecordQueue? _spare;

    /// <summary>Removes what a crash left unfinished.</summary>
    /// <param name="disk">Folder of checkpoints alone.</param>
    /// <exception cref="InputException">The disk fails.</exception>
    public Checkpoints(IDisk disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        _disk = disk;
        Try("unfinished checkpoints cannot be removed", static disk =>
        {
            foreach (string name in disk.Names())
            {
                if (name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Partial, StringComparison.Ordinal))
                    disk.Delete(name);
            }

            return true;
        });
    }

    internal IDisk Disk => _disk;

    /// <summary>Those with a finished name, newest first; whether they are whole <see cref="TryOpen"/> says.</summary>
    /// <exception cref="InputException">The disk fails.</exception>
    public IReadOnlyList<ulong> Numbers() => Try("checkpoints cannot be listed", NumbersOn);

    /// <summary>
    /// Begins a checkpoint, whose number is higher than all others. When it is complete, all but the newest <see cref="Kept"/> are deleted.
    /// </summary>
    /// <remarks>By the thread that disposes writers: the memory of one serves the next.</remarks>
    public CheckpointWriter Begin(ulong number)
    {
        RecordQueue queue = _spare ?? new RecordQueue(CheckpointWriter.MemoryBytes / RecordQueue.BlockBytes, 0);
        _spare = null;
        queue.Restart();
        return new CheckpointWriter(this, queue, NameOf(number), NameOf(number) + Partial, number);
    }

    /// <summary>Opens a checkpoint after its whole file was verified.</summary>
    /// <param name="number">Of the checkpoint.</param>
    /// <param name="reader">Gives the sections.</param>
    /// <param name="why">What is wrong with it.</param>
    public bool TryOpen(ulong number, [NotNullWhen(true)] out CheckpointReader? reader, [NotNullWhen(false)] out string? why)
    {
        reader = null;
        why = null;
        IDiskFile? file = null;
        try
        {
            file = _disk.Open(NameOf(number));
            if (CheckpointReader.Verify(file, number) is { } fault)
                why = $"checkpoint {number} in '{_disk.Where}': {fault}";
            else
                reader = new CheckpointReader(file, number, _disk.Where);
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            why = DiskTrouble.Describe($"checkpoint {number} cannot be read", _disk.Where, e);
        }

        if (reader is null)
            file?.Dispose();
        return reader is not null;
    }

    /// <summary>Removes a checkpoint: one that is corrupt must not be counted among those that are kept.</summary>
    /// <exception cref="InputException">The disk fails.</exception>
    public void Delete(ulong number) => Try($"checkpoint {number} cannot be removed", disk =>
    {
        disk.Delete(NameOf(number));
        disk.SyncNames();
        return true;
    });

    /// <summary>A writer is closed and needs its memory no more.</summary>
    internal void Return(RecordQueue queue) => _spare = queue;

    internal void DeleteOld()
    {
        List<ulong> numbers = NumbersOn(_disk);
        for (int j = Kept; j < numbers.Count; j++)
            _disk.Delete(NameOf(numbers[j]));
    }

    private static string NameOf(ulong number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:d20}");

    private static List<ulong> NumbersOn(IDisk disk)
    {
        var numbers = new List<ulong>();
        foreach (string name in disk.Names())
        {
            if (name.Length == Prefix.Length + Digits && name.StartsWith(Prefix, StringComparison.Ordinal)
                && ulong.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
                numbers.Add(number);
        }

        numbers.Sort(static (a, b) => b.CompareTo(a));
        return numbers;
    }

    private T Try<T>(string what, Func<IDisk, T> action)
    {
        try
        {
            return action(_disk);
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            throw new InputException(DiskTrouble.Describe(what, _disk.Where, e), e);
        }
    }
}
