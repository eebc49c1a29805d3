using System;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Transport;

/// <summary>What happened to a socket, as epoll says it.</summary>
[Flags]
internal enum Readiness
{
    None = 0,

    /// <summary>Bytes, or the end, can be read.</summary>
    Readable = 1,

    /// <summary>Bytes can be sent.</summary>
    Writable = 4,

    /// <summary>The connection is broken.</summary>
    Failed = 8,

    /// <summary>Both directions have ended.</summary>
    HungUp = 16,
}

/// <summary>
/// Linux epoll, level-triggered, with a wake-up for other threads: one thread waits for all its sockets, and what they have is read on
/// that thread, without the hop to another that the runtime's own asynchronous sockets take.
/// </summary>
internal sealed partial class Epoll : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int Add = 1;
    private const int Modify = 3;
    private const int Most = 64;
    private const int WakeSlot = -1;

    // struct epoll_event is packed on x86-64 alone: events, slot, unused; elsewhere there is a gap before the slot.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 3 : 4;
    private static readonly int SlotPlace = Stride - 2;

    private readonly int[] _events = new int[Most * Stride];
    private readonly int _epoll;
    private readonly int _wake;
    private int _count;

    /// <exception cref="ClusterException">The system gives no more handles.</exception>
    public Epoll()
    {
        _epoll = epoll_create1(CloseOnExec);
        _wake = _epoll < 0 ? -1 : eventfd(0, CloseOnExec | NonBlocking);
        if (_wake < 0)
        {
            string why = Reason();
            if (_epoll >= 0)
                _ = close(_epoll);
            throw new ClusterException($"The system gives no handle to wait for sockets ({why}): raise the limit of open files (ulimit -n).");
        }

        Control(Add, _wake, WakeSlot, Readiness.Readable);
    }

    /// <summary>Begins to watch a socket; it ends when the socket is closed.</summary>
    public void Watch(Socket socket, int slot, Readiness interest) => Control(Add, (int)socket.Handle, slot, interest);

    /// <summary>Watches a socket for something else.</summary>
    public void Change(Socket socket, int slot, Readiness interest) => Control(Modify, (int)socket.Handle, slot, interest);

    /// <summary>Waits for sockets that are ready, or for <see cref="Wake"/>.</summary>
    /// <param name="milliseconds">0: looks and does not wait.</param>
    /// <returns>How many there are to ask <see cref="Ready"/> for.</returns>
    public int Wait(int milliseconds)
    {
        _count = Math.Max(0, epoll_wait(_epoll, ref _events[0], Most, milliseconds)); // below 0: a signal came, or nothing to wait for is left
        return _count;
    }

    /// <summary>The slot of a socket that is ready, or -1: somebody called <see cref="Wake"/>.</summary>
    public int Ready(int index, out Readiness what)
    {
        what = (Readiness)_events[index * Stride];
        int slot = _events[(index * Stride) + SlotPlace];
        if (slot == WakeSlot)
        {
            ulong count = 0;
            _ = read(_wake, ref count, sizeof(ulong));
        }

        return slot;
    }

    /// <summary>Ends the wait of the other thread, or its next one.</summary>
    public void Wake()
    {
        ulong one = 1;
        _ = write(_wake, ref one, sizeof(ulong));
    }

    public void Dispose()
    {
        _ = close(_wake);
        _ = close(_epoll);
    }

    private void Control(int what, int handle, int slot, Readiness interest)
    {
        Span<int> description = stackalloc int[4];
        description[0] = (int)interest;
        description[SlotPlace] = slot;
        if (epoll_ctl(_epoll, what, handle, ref description[0]) != 0)
            throw new ClusterException($"The system does not watch another socket ({Reason()}).");
    }

    private static string Reason() => new Win32Exception(Marshal.GetLastPInvokeError()).Message;

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int epoll_ctl(int epoll, int operation, int handle, ref int description);

    [LibraryImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int epoll_wait(int epoll, ref int events, int most, int milliseconds);

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int eventfd(uint value, int flags);

    [LibraryImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint read(int handle, ref ulong value, nint count);

    [LibraryImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint write(int handle, ref ulong value, nint count);

    [LibraryImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int close(int handle);
}
