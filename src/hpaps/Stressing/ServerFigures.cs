using System;
using System.Globalization;
using System.IO;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>What a server took while the workers measured; nulls where it is not ours.</summary>
/// <param name="ProcessorSeconds">Of all its threads, in steps of 10 ms.</param>
/// <param name="MemoryBytes">The most that it held until then.</param>
/// <param name="AllocatedBytes">On the shard's thread.</param>
/// <param name="Collections">Of its process.</param>
internal sealed record ServerFigures(double? ProcessorSeconds, long? MemoryBytes, long? AllocatedBytes, int? Collections)
{
    /// <summary>Seconds that a process has computed, in steps of 10 ms; null when it has ended.</summary>
    public static double? ProcessorSecondsOf(int id)
    {
        const double TicksPerSecond = 100; // USER_HZ: the same on every Linux that this runs on
        const int UserTime = 11, SystemTime = 12; // behind the name, in proc(5)
        if (Read(id, "stat") is not { } text)
            return null;
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[UserTime], CultureInfo.InvariantCulture) + double.Parse(fields[SystemTime], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>The most memory that a process has held so far, in bytes; null when it has ended.</summary>
    public static long? MemoryBytesOf(int id)
    {
        const string Key = "VmHWM:", Unit = " kB";
        foreach (string line in Read(id, "status")?.Split('\n') ?? [])
        {
            if (line.StartsWith(Key, StringComparison.Ordinal))
                return 1024 * long.Parse(line[Key.Length..^Unit.Length], CultureInfo.InvariantCulture);
        }

        return null;
    }

    private static string? Read(int id, string file)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/{file}"));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
