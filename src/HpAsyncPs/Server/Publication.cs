using System;
using HpAsyncPs.Buffers;

namespace HpAsyncPs.Server;

/// <summary>
/// The aggregate at one version, frozen in fp32, shared by all who are sent it. Owned by the shard's thread; it goes
/// back to its pool when the last reader has let go.
/// </summary>
public sealed class Publication
{
    private readonly ulong[] _sequences;
    private readonly int[] _nextKeys;
    private FloatBuffer? _values;
    private int _readers;

    internal Publication(int workers)
    {
        _sequences = new ulong[workers];
        _nextKeys = new int[workers];
    }

    /// <summary>The shard's version that this is.</summary>
    public ulong Version { get; private set; }

    /// <summary>The parameters.</summary>
    public ReadOnlySpan<float> Values => (_values ?? throw new InvalidOperationException("This publication has gone back to its pool.")).Span;

    /// <summary>
    /// The last push of a rank that the chunk from <paramref name="key"/> on contains. A push that was being received
    /// when this was frozen is in the chunks before its next key, and not in those after.
    /// </summary>
    public ulong Contains(int rank, int key) => _sequences[rank] + (key < _nextKeys[rank] ? 1UL : 0UL);

    /// <summary>Somebody reads it besides the shard that keeps it.</summary>
    internal bool IsShared => _readers > 1;

    internal void Freeze(FloatBuffer values, ulong version, ReadOnlySpan<ulong> sequences, ReadOnlySpan<int> nextKeys)
    {
        _values = values;
        Version = version;
        sequences.CopyTo(_sequences);
        nextKeys.CopyTo(_nextKeys);
    }

    /// <summary>Has other values, before anybody has read it.</summary>
    internal void Overwrite(ReadOnlySpan<double> values)
    {
        Span<float> own = _values!.Span;
        for (int key = 0; key < own.Length; key++)
            own[key] = (float)values[key];
    }

    internal void Acquire() => _readers++;

    /// <summary>Returns true when nobody reads it any more.</summary>
    internal bool Release()
    {
        if (--_readers > 0)
            return false;
        _values!.Dispose();
        _values = null;
        return true;
    }
}
