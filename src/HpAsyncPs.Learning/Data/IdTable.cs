using System;
using System.IO.Hashing;
using System.Numerics;
using System.Text;

namespace HpAsyncPs.Learning.Data;

/// <summary>Ids as they stand in a file, any bytes, numbered from 0 in the order in which they first come.</summary>
public sealed class IdTable
{
    private const int FirstSlots = 1 << 10;
    private const int FirstBytes = 1 << 14;

    // Number of the id + 1 at the slot of its hash or the next free one; zero where there is none.
    private int[] _slots = new int[FirstSlots];
    private ulong[] _hashes = new ulong[FirstSlots / 2];
    private int[] _starts = new int[(FirstSlots / 2) + 1];
    private byte[] _bytes = new byte[FirstBytes];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of an id.</summary>
    public ReadOnlySpan<byte> this[int number] => _bytes.AsSpan(_starts[number], _starts[number + 1] - _starts[number]);

    /// <summary>An id as text.</summary>
    public string Text(int number) => Encoding.UTF8.GetString(this[number]);

    /// <summary>A hash of an id, the same on every machine.</summary>
    public ulong Hash(int number) => _hashes[number];

    /// <summary>The number of an id, or -1.</summary>
    public int Find(ReadOnlySpan<byte> id) => _slots[Slot(id, XxHash3.HashToUInt64(id))] - 1;

    /// <summary>The number of an id, a new one if it has none yet.</summary>
    /// <exception cref="InputException">There are too many.</exception>
    public int Add(ReadOnlySpan<byte> id)
    {
        ulong hash = XxHash3.HashToUInt64(id);
        int slot = Slot(id, hash);
        if (_slots[slot] > 0)
            return _slots[slot] - 1;
        int used = _starts[Count];
        if ((long)used + id.Length > Array.MaxLength)
            throw new InputException($"more ids than fit into memory: {Count} different ones");
        if (used + id.Length > _bytes.Length)
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, used + id.Length)));
        id.CopyTo(_bytes.AsSpan(used));
        _hashes[Count] = hash;
        _starts[Count + 1] = used + id.Length;
        _slots[slot] = ++Count;
        if (Count == _hashes.Length)
            Grow();
        return Count - 1;
    }

    /// <summary>A hash of all ids in their order: two tables that agree in it number the same ids alike.</summary>
    public ulong Fingerprint()
    {
        var all = new XxHash3();
        all.Append(_bytes.AsSpan(0, _starts[Count]));
        all.Append(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_starts.AsSpan(0, Count + 1)));
        return all.GetCurrentHashAsUInt64();
    }

    private int Slot(ReadOnlySpan<byte> id, ulong hash)
    {
        int mask = _slots.Length - 1;
        int slot = (int)hash & mask;
        while (_slots[slot] is var taken and > 0 && (_hashes[taken - 1] != hash || !this[taken - 1].SequenceEqual(id)))
            slot = (slot + 1) & mask;
        return slot;
    }

    private void Grow()
    {
        if (_slots.Length > 1 << 29)
            throw new InputException($"more ids than fit into memory: {Count} different ones");
        Array.Resize(ref _hashes, 2 * _hashes.Length);
        Array.Resize(ref _starts, _hashes.Length + 1);
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)(2 * _hashes.Length))];
        int mask = _slots.Length - 1;
        for (int number = 0; number < Count; number++)
        {
            int slot = (int)_hashes[number] & mask;
            while (_slots[slot] > 0)
                slot = (slot + 1) & mask;
            _slots[slot] = number + 1;
        }
    }
}
