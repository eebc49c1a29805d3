using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>
/// The commands of all three programs and the names of their options, so that each of them knows what may be in a file for all: options.txt, a line a command,
/// which 'hpaps config names' prints and a test compares.
/// </summary>
internal static class OptionNames
{
    private static readonly Dictionary<string, string[]> Commands = Read();

    /// <summary>Names of all options, each once.</summary>
    public static IReadOnlyList<string> All { get; } = Under("");

    /// <summary>Is it a command that takes options?</summary>
    /// <param name="path">Its words, with points between them.</param>
    public static bool IsCommand(string path) => Commands.ContainsKey(path);

    /// <summary>Paths of all commands.</summary>
    public static IReadOnlyCollection<string> Paths => Commands.Keys;

    /// <summary>All tables that a file may have: commands, and the words above them.</summary>
    public static IReadOnlyList<string> Tables()
    {
        var all = new List<string>();
        foreach (string path in Commands.Keys)
        {
            for (string? at = path; at is { Length: > 0 }; at = Above(at))
            {
                if (!all.Contains(at))
                    all.Add(at);
            }
        }

        return all;
    }

    /// <summary>The table above a table: "" is above all; null is above that.</summary>
    public static string? Above(string table) => table.Length == 0 ? null : table.LastIndexOf('.') is var at and >= 0 ? table[..at] : "";

    /// <summary>Names of the options of all commands that a table is for.</summary>
    /// <param name="table">Its name; "": all.</param>
    public static IReadOnlyList<string> Under(string table)
    {
        var all = new List<string>();
        foreach ((string path, string[] names) in Commands)
        {
            if (table.Length > 0 && path != table && !path.StartsWith(table + ".", StringComparison.Ordinal))
                continue;
            foreach (string name in names)
            {
                if (!all.Contains(name))
                    all.Add(name);
            }
        }

        return all;
    }

    /// <summary>The commands that have an option.</summary>
    public static IReadOnlyList<string> With(string name)
    {
        var all = new List<string>();
        foreach ((string path, string[] names) in Commands)
        {
            if (Array.IndexOf(names, name) >= 0)
                all.Add(path);
        }

        return all;
    }

    /// <summary>The one that is spelled most like it, or null where none is.</summary>
    /// <param name="word">What was written.</param>
    /// <param name="among">What there is.</param>
    public static string? Nearest(string word, IReadOnlyList<string> among)
    {
        string wanted = word.Trim('-').Replace('_', '-').ToLowerInvariant();
        (string? nearest, int least) = (null, Math.Max(1, wanted.Length / 3) + 1);
        foreach (string one in among)
        {
            int distance = Distance(wanted, one);
            if (distance < least)
                (nearest, least) = (one, distance);
        }

        return nearest;
    }

    /// <summary>Letters to insert, drop, replace, or exchange with their neighbours.</summary>
    private static int Distance(string one, string other)
    {
        int width = other.Length + 1;
        int[] of = new int[(one.Length + 1) * width];
        for (int i = 0; i <= one.Length; i++)
        {
            for (int j = 0; j <= other.Length; j++)
            {
                int at = (i * width) + j;
                if (i == 0 || j == 0)
                {
                    of[at] = i + j;
                    continue;
                }

                int least = Math.Min(of[at - width] + 1, of[at - 1] + 1);
                least = Math.Min(least, of[at - width - 1] + (one[i - 1] == other[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                    least = Math.Min(least, of[at - (2 * width) - 2] + 1);
                of[at] = least;
            }
        }

        return of[^1];
    }

    private static Dictionary<string, string[]> Read()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("options.txt")!;
        using var reader = new StreamReader(stream);
        var all = new Dictionary<string, string[]>();
        while (reader.ReadLine() is { } line)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
                all[line[..colon]] = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }

        return all;
    }
}
