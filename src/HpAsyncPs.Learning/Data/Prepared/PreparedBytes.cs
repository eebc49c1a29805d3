using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HpAsyncPs.Learning.Data.Prepared;

/// <summary>Numbers of four bytes in files: little-endian, as on the machines that this runs on.</summary>
internal static class PreparedBytes
{
    /// <summary>Writes integers, and returns what is behind them.</summary>
    public static Span<byte> Put(Span<byte> to, ReadOnlySpan<int> values) => Put(to, MemoryMarshal.AsBytes(values));

    /// <summary>Writes floats, and returns what is behind them.</summary>
    public static Span<byte> Put(Span<byte> to, ReadOnlySpan<float> values) => Put(to, MemoryMarshal.AsBytes(values));

    /// <summary>Takes numbers off the front.</summary>
    public static ReadOnlySpan<T> Take<T>(scoped ref ReadOnlySpan<byte> from, int count)
        where T : struct
    {
        ReadOnlySpan<T> taken = MemoryMarshal.Cast<byte, T>(from[..(4 * count)]);
        from = from[(4 * count)..];
        return taken;
    }

    /// <summary>Reads from an offset until the buffer is full or the file ends.</summary>
    public static int Fill(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        int all = 0, got;
        while (all < buffer.Length && (got = RandomAccess.Read(file, buffer[all..], offset + all)) > 0)
            all += got;
        return all;
    }

    private static Span<byte> Put(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        return to[bytes.Length..];
    }
}
