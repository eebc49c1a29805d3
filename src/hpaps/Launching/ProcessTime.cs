using System;
using System.Globalization;
using System.IO;

namespace HpAsyncPs.Cli.Launching;

/// <summary>Processor time of another process, to the nanosecond: who works, or only beats time, gets some several times a second.</summary>
internal static class ProcessTime
{
    /// <summary>Of all its threads; null when it cannot be known, or the process waits for a disk.</summary>
    public static long? Of(int process)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat"); // "pid (name) state ..."
            if (stat.AsSpan(stat.LastIndexOf(')') + 1).TrimStart() is not [not 'D', ..])
                return null;
            long sum = 0;
            foreach (string thread in Directory.GetDirectories($"/proc/{process}/task"))
            {
                string of = File.ReadAllText(Path.Combine(thread, "schedstat")); // "time waiting slices"
                sum += long.Parse(of.AsSpan(0, of.IndexOf(' ', StringComparison.Ordinal)), NumberStyles.None, CultureInfo.InvariantCulture);
            }

            return sum;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            return null; // it has ended, or this kernel does not tell
        }
    }
}
