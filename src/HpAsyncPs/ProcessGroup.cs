using System.Runtime.InteropServices;

namespace HpAsyncPs;

/// <summary>Processes that are ended together.</summary>
public static partial class ProcessGroup
{
    private const int KillSignal = 9;

    /// <summary>Kills all processes of a group, if there are any.</summary>
    /// <param name="leader">Number of the process that leads it, or led it.</param>
    public static void Kill(int leader)
    {
        if (leader > 1) // 0 and 1 would mean others
            _ = kill(-leader, KillSignal);
    }

    [LibraryImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int kill(int process, int signal);
}
