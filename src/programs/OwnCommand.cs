using System;
using System.Collections.Generic;

namespace HpAsyncPs.Programs;

/// <summary>The command line that this process was started with.</summary>
internal static class OwnCommand
{
    private const string Harmless = "_-./:=,@%+";

    /// <summary>The line, such that a shell takes it again.</summary>
    /// <param name="program">The program's name, whatever the path it was called by.</param>
    public static string Line(string program)
    {
        string[] all = Environment.GetCommandLineArgs();
        var words = new List<string> { program };
        for (int j = 1; j < all.Length; j++)
            words.Add(Quoted(all[j]));
        return string.Join(' ', words);
    }

    /// <summary>A word, such that a shell takes it as it is.</summary>
    public static string Quoted(string word)
    {
        foreach (char c in word)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !Harmless.Contains(c, StringComparison.Ordinal))
                return $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
        }

        return word.Length > 0 ? word : "''";
    }
}
