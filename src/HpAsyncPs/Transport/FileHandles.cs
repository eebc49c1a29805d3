using System;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Transport;

/// <summary>
/// How many file handles, sockets among them, this process may have. Systems begin with a soft limit of 1024 or less, for the sake of
/// programs that wait with select(); a native program has to raise it to the hard one itself.
/// </summary>
public static partial class FileHandles
{
    private const int OpenFiles = 7; // RLIMIT_NOFILE of Linux on x86-64 and arm64
    private const int Own = 32; // standard streams, epoll, files that are read or written

    /// <summary>Sees to it that there are handles for so many connections.</summary>
    /// <exception cref="InputException">The hard limit is below that.</exception>
    public static void Need(int connections)
    {
        var limit = default(Limit);
        if (!OperatingSystem.IsLinux() || getrlimit(OpenFiles, ref limit) != 0)
            return;
        ulong need = (ulong)connections + Own;
        if (need <= limit.Soft)
            return;
        if (need > limit.Hard)
            throw new InputException($"{connections} connections need {need} open files, and this system allows {limit.Hard}: raise that (ulimit -Hn), or take fewer.");
        limit.Soft = limit.Hard;
        if (setrlimit(OpenFiles, ref limit) != 0)
            throw new InputException($"{connections} connections need {need} open files, and this system does not let the limit be raised: raise it before (ulimit -n).");
    }

    [LibraryImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int getrlimit(int what, ref Limit limit);

    [LibraryImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int setrlimit(int what, ref Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
