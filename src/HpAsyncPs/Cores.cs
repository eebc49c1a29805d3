using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace HpAsyncPs;

/// <summary>On which of the machine's cores this process may run.</summary>
public static partial class Cores
{
    private const int MaskBytes = 1024; // 8192 cores, the most that Linux is built for
    private const string Threads = "/proc/self/task";

    /// <summary>Numbers of the cores that the calling thread may use, ascending; empty where the system does not say.</summary>
    public static int[] Allowed()
    {
        Span<ulong> mask = stackalloc ulong[MaskBytes / sizeof(ulong)];
        mask.Clear();
        if (sched_getaffinity(0, MaskBytes, ref mask[0]) < 0)
            return [];
        var cores = new List<int>();
        for (int word = 0; word < mask.Length; word++)
        {
            for (ulong rest = mask[word]; rest != 0; rest &= rest - 1)
                cores.Add((word * 64) + BitOperations.TrailingZeroCount(rest));
        }

        return [.. cores];
    }

    /// <summary>Lets all threads that there are, and those that they start, use one core alone.</summary>
    /// <param name="core">Its number.</param>
    /// <exception cref="InputException">The system does not allow it.</exception>
    public static void Pin(int core)
    {
        _ = Environment.ProcessorCount; // it is asked for once: how many the machine has, not how many are left
        Span<ulong> mask = stackalloc ulong[MaskBytes / sizeof(ulong)];
        mask.Clear();
        mask[core / 64] = 1UL << (core % 64);
        foreach (string thread in Directory.GetDirectories(Threads))
        {
            int id = int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture);
            if (sched_setaffinity(id, MaskBytes, ref mask[0]) < 0 && Directory.Exists(thread))
                throw new InputException($"core {core} cannot be taken (error {Marshal.GetLastPInvokeError()} of sched_setaffinity): leave --pin out.");
        }
    }

    /// <summary>As people write them: 0-3, 8.</summary>
    /// <param name="cores">Ascending.</param>
    public static string Text(ReadOnlySpan<int> cores)
    {
        var text = new StringBuilder();
        for (int j = 0; j < cores.Length; j++)
        {
            int first = j;
            while (j + 1 < cores.Length && cores[j + 1] == cores[j] + 1)
                j++;
            text.Append(text.Length > 0 ? ", " : "").Append(cores[first]).Append(j > first ? $"-{cores[j]}" : "");
        }

        return text.ToString();
    }

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int sched_getaffinity(int thread, nint bytes, ref ulong mask);

    [LibraryImport("libc", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int sched_setaffinity(int thread, nint bytes, ref ulong mask);
}
