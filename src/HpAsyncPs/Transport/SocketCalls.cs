using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Transport;

/// <summary>
/// What the runtime does not offer: sending with the word that more follows, so that head and body of a frame go out as one without
/// being copied together; and how often a thread was pushed aside.
/// </summary>
internal static partial class SocketCalls
{
    private const int NoSignal = 0x4000;
    private const int MoreFollows = 0x8000;
    private const int Interrupted = 4;
    private const int TryAgain = 11;
    private const int NoMemory = 12;
    private const int NoBuffers = 105;

    private const int UnixFamily = 1;
    private const int Stream = 1;
    private const int CloseOnExec = 0x80000;

    // struct rusage: two times of two words each, then 14 counters, of which the last is this one.
    private const int UsageWords = 18;
    private const int InvoluntarySwitches = 17;
    private const int CallingThread = 1;

    /// <summary>Sends what a socket that does not block takes now.</summary>
    /// <param name="socket">Open, and kept open during the call.</param>
    /// <param name="bytes">At least one.</param>
    /// <param name="moreFollows">Let the bytes wait for those of the next call.</param>
    /// <returns>How many were taken, 0 if it takes none now, -1 if the connection has failed.</returns>
    public static int Send(Socket socket, ReadOnlySpan<byte> bytes, bool moreFollows)
    {
        while (true)
        {
            nint sent = send((int)socket.Handle, in MemoryMarshal.GetReference(bytes), bytes.Length, NoSignal | (moreFollows ? MoreFollows : 0));
            if (sent >= 0)
                return (int)sent;
            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
                return error is TryAgain or NoMemory or NoBuffers ? 0 : -1;
        }
    }

    /// <summary>How often the system has taken the core from the calling thread because others wanted it.</summary>
    public static long TimesPushedAside()
    {
        Span<long> usage = stackalloc long[UsageWords];
        return getrusage(CallingThread, ref usage[0]) == 0 ? usage[InvoluntarySwitches] : 0;
    }

    /// <summary>Two sockets of this process that are connected with each other.</summary>
    /// <exception cref="SocketException">The system has no more.</exception>
    public static (Socket First, Socket Second) NewPair()
    {
        Span<int> handles = stackalloc int[2];
        if (socketpair(UnixFamily, Stream | CloseOnExec, 0, ref handles[0]) != 0)
            throw new SocketException((int)SocketError.TooManyOpenSockets);
#pragma warning disable CA2000 // the caller owns what is returned
        return (new Socket(new SafeSocketHandle(handles[0], ownsHandle: true)), new Socket(new SafeSocketHandle(handles[1], ownsHandle: true)));
#pragma warning restore CA2000
    }

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint send(int socket, ref readonly byte bytes, nint count, int flags);

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int socketpair(int family, int type, int protocol, ref int handles);

    [LibraryImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int getrusage(int who, ref long usage);
}
