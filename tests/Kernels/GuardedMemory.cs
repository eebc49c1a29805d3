using System;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Tests.Kernels;

/// <summary>Elements that end (or begin) right at a page that cannot be touched: one element too far and the process dies.</summary>
internal sealed unsafe class GuardedMemory<T> : IDisposable
    where T : unmanaged
{
    private const int ReadWrite = 3;
    private const int None = 0;
    private const int PrivateAnonymous = 0x22;

    private readonly byte* _map;
    private readonly nuint _bytes;
    private readonly byte* _start;

    public GuardedMemory(int length, bool guardAfter)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint content = (((nuint)(length * sizeof(T)) + page - 1) / page * page) + page;
        _bytes = content + (2 * page);
        _map = Pages.Map(null, _bytes, ReadWrite, PrivateAnonymous, -1, 0);
        if (_map == (byte*)-1 || Pages.Protect(_map, page, None) != 0 || Pages.Protect(_map + page + content, page, None) != 0)
            throw new InvalidOperationException("Guard pages cannot be mapped.");
        Length = length;
        _start = guardAfter ? _map + page + content - (length * sizeof(T)) : _map + page;
    }

    public int Length { get; }

    public Span<T> Span => new(_start, Length);

    public void Dispose() => _ = Pages.Unmap(_map, _bytes);
}

internal static unsafe partial class Pages
{
    [LibraryImport("libc", EntryPoint = "mmap")]
    public static partial byte* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    public static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    public static partial int Unmap(void* address, nuint length);
}
