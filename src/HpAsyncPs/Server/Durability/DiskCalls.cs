using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HpAsyncPs.Server.Durability;

/// <summary>
/// What the runtime does not offer: fdatasync, which spares the times of a file that only grows, and fsync of a folder. The runtime's own flush
/// also passes over some errors in silence, and a sync that failed must never look like one that did not.
/// </summary>
internal static partial class DiskCalls
{
    private const int ReadOnlyCloseOnExec = 0x80000;
    private const int Interrupted = 4;

    /// <exception cref="IOException">Not everything is on the disk.</exception>
    public static void SyncData(SafeFileHandle file)
    {
        while (fdatasync(file) != 0)
            ThrowUnlessInterrupted("fdatasync");
    }

    /// <exception cref="IOException">The names are not on the disk.</exception>
    public static void SyncFolder(string path)
    {
        int opened;
        while ((opened = open(path, ReadOnlyCloseOnExec)) < 0)
            ThrowUnlessInterrupted("opening the folder");
        using var folder = new SafeFileHandle(opened, ownsHandle: true);
        while (fsync(folder) != 0)
            ThrowUnlessInterrupted("fsync of the folder");
    }

    private static void ThrowUnlessInterrupted(string what)
    {
        int error = Marshal.GetLastPInvokeError();
        if (error != Interrupted)
            throw new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int fdatasync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int open(string path, int flags);
}
