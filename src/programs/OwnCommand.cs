using System;
using System.Collections.Generic;
using System.Text;
using HpAsyncPs.Programs.Configuring;

namespace HpAsyncPs.Programs;

/// <summary>The command line that this process was started with.</summary>
internal static class OwnCommand
{
    private const string Harmless = "_-./:=,@%+";
    private static readonly string[] s_leftOut = [GlobalOptions.Config, GlobalOptions.LogFormat, .. AlertNames.All];

    /// <summary>The arguments, with what variables and the configuration file have added.</summary>
    public static IReadOnlyList<string> Arguments { get; set; } = [];

    /// <summary>
    /// The line, such that a shell takes it again, whatever variables and files there are then: it has what counted, and neither names the file nor says how it logged, nor whom it told of
    /// trouble: that may be a secret.
    /// </summary>
    /// <param name="program">The program's name, whatever the path it was called by.</param>
    public static string Line(string program)
    {
        var words = new List<string> { program };
        for (int j = 0; j < Arguments.Count; j++)
        {
            string word = Arguments[j];
            if (Array.IndexOf(s_leftOut, word) >= 0)
                j++;
            else if (!Array.Exists(s_leftOut, option => HasValueOf(word, option)))
                words.Add(Quoted(word));
        }

        return string.Join(' ', words);
    }

    private static bool HasValueOf(string word, string option) =>
        word.StartsWith(option + "=", StringComparison.Ordinal) || word.StartsWith(option + ":", StringComparison.Ordinal);

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
