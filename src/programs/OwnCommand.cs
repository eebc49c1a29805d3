using System;
using System.Collections.Generic;
using System.Text;

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

    /// <summary>The words of such a line.</summary>
    public static List<string> Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        (bool isInside, bool isQuoted) = (false, false);
        for (int j = 0; j < line.Length; j++)
        {
            char c = line[j];
            if (c == '\'')
            {
                (isInside, isQuoted) = (true, !isQuoted);
            }
            else if (c == ' ' && !isQuoted)
            {
                if (isInside)
                    words.Add(word.ToString());
                word.Clear();
                isInside = false;
            }
            else
            {
                if (c == '\\' && !isQuoted && j + 1 < line.Length)
                    c = line[++j];
                word.Append(c);
                isInside = true;
            }
        }

        if (isInside)
            words.Add(word.ToString());
        return words;
    }
}
