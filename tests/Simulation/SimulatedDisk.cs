using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using HpAsyncPs.Server.Durability;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>The process ends here, in the middle of an operation of a disk. Nothing of the code under test may catch it.</summary>
public sealed class SimulatedCrashException() : Exception("crash");

/// <summary>
/// A folder in memory that forgets what a real one may forget. <see cref="Crash"/> keeps what was synced; of what was not, of each file any part, by
/// sectors or up to some byte, with garbage at the seam, and of names any first part of the changes. The same seed and calls give the same bits.
/// </summary>
public sealed class SimulatedDisk(int seed) : IDisk
{
    private const int Sector = 512;

    private readonly Random _random = new(seed);
    private readonly List<Dictionary<string, Node>> _unsynced = []; // the folder after each change of names
    private Dictionary<string, Node> _safe = new(StringComparer.Ordinal);
    private Dictionary<string, Node> _now = new(StringComparer.Ordinal);

    public string Where => "simulated";

    /// <summary>Bytes that files may take together, more is "full".</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>Writes and changes fail.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>Operations that change something, so far.</summary>
    public int Operations { get; private set; }

    /// <summary>Syncs of files and names, so far.</summary>
    public int Syncs { get; private set; }

    /// <summary>Called in the middle of a sync.</summary>
    public Action? Syncing { get; set; }

    /// <summary>The operation of that number, from 1, does not return: what it wrote may be there in part, what it syncs is not safe.</summary>
    public int CrashAt { get; set; } = int.MaxValue;

    public IReadOnlyList<string> Names()
    {
        var names = new List<string>(_now.Keys);
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public IDiskFile Create(string name)
    {
        Change(0);
        var node = new Node();
        Name(names => names[name] = node);
        return new OpenFile(this, node);
    }

    public IDiskFile Open(string name) => new OpenFile(this, Find(name));

    public void Rename(string from, string to)
    {
        Change(0);
        Node node = Find(from);
        Name(names =>
        {
            names.Remove(from);
            names[to] = node;
        });
    }

    public void Delete(string name)
    {
        Change(0);
        _ = Find(name);
        Name(names => names.Remove(name));
    }

    public void SyncNames()
    {
        Change(0);
        Syncs++;
        _safe = _now;
        _unsynced.Clear();
    }

    /// <summary>The machine goes down and comes up again: open files are void.</summary>
    public void Crash()
    {
        int kept = _random.Next(_unsynced.Count + 1);
        _now = kept == 0 ? _safe : _unsynced[kept - 1];
        foreach (Node node in _now.Values)
            node.Lose(_random);
        _safe = _now;
        _unsynced.Clear();
        CrashAt = int.MaxValue;
    }

    /// <summary>Bytes of a file as a test may spoil them.</summary>
    public byte[] this[string name]
    {
        get => Find(name).Bytes.ToArray();
        set
        {
            Find(name).Bytes = [.. value];
            Find(name).Sync();
        }
    }

    private Node Find(string name) => _now.TryGetValue(name, out Node? node) ? node : throw new FileNotFoundException("no such file", name);

    private void Name(Action<Dictionary<string, Node>> change)
    {
        _now = new Dictionary<string, Node>(_now, StringComparer.Ordinal);
        change(_now);
        _unsynced.Add(_now);
    }

    private void Change(long bytesMore)
    {
        if (ReadOnly)
            throw new IOException("Read-only file system", DiskTrouble.ReadOnly);
        long used = bytesMore;
        foreach (Node node in _now.Values)
            used += node.Bytes.Count;
        if (bytesMore > 0 && used > Capacity)
            throw new IOException("No space left on device", DiskTrouble.Full);
        if (++Operations == CrashAt)
            throw new SimulatedCrashException();
    }

    private sealed class Node
    {
        private byte[] _safe = [];

        public List<byte> Bytes { get; set; } = [];

        public void Sync() => _safe = [.. Bytes];

        public void Lose(Random random)
        {
            byte[] lost = [.. Bytes];
            int length = random.Next(2) == 0 ? lost.Length : random.Next(Math.Min(_safe.Length, lost.Length), Math.Max(_safe.Length, lost.Length) + 1);
            var after = new byte[length];
            _safe.AsSpan(0, Math.Min(_safe.Length, length)).CopyTo(after);
            int how = random.Next(3);
            for (int from = 0; from < length; from += Sector)
            {
                int bytes = Math.Min(Sector, Math.Min(length, lost.Length) - from);
                if (bytes > 0 && (how == 0 || (how == 1 && random.Next(2) == 0)))
                    lost.AsSpan(from, bytes).CopyTo(after.AsSpan(from));
                else if (bytes > 0 && from + bytes > _safe.Length && random.Next(4) == 0)
                    random.NextBytes(after.AsSpan(Math.Max(from, _safe.Length)..(from + bytes)));
            }

            Bytes = [.. after];
            Sync();
        }
    }

    private sealed class OpenFile(SimulatedDisk disk, Node node) : IDiskFile
    {
        public long Length => node.Bytes.Count;

        public int Read(long offset, Span<byte> destination)
        {
            int count = (int)Math.Clamp(node.Bytes.Count - offset, 0, destination.Length);
            if (count > 0)
                CollectionsMarshal.AsSpan(node.Bytes).Slice((int)offset, count).CopyTo(destination);
            return count;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            long more = offset + bytes.Length - node.Bytes.Count;
            try
            {
                disk.Change(Math.Max(0, more));
            }
            catch (SimulatedCrashException)
            {
                Put(offset, bytes[..disk._random.Next(bytes.Length + 1)]);
                throw;
            }

            Put(offset, bytes);
        }

        public void SetLength(long length)
        {
            disk.Change(0);
            CollectionsMarshal.SetCount(node.Bytes, (int)length);
        }

        public void Sync()
        {
            disk.Change(0);
            disk.Syncs++;
            disk.Syncing?.Invoke();
            node.Sync();
        }

        public void Dispose()
        {
        }

        private void Put(long offset, ReadOnlySpan<byte> bytes)
        {
            if (node.Bytes.Count < offset + bytes.Length)
                CollectionsMarshal.SetCount(node.Bytes, (int)offset + bytes.Length);
            bytes.CopyTo(CollectionsMarshal.AsSpan(node.Bytes)[(int)offset..]);
        }
    }
}
