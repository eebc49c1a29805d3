using System;
using System.Text;

namespace HpAsyncPs.Cli.Watching;

/// <summary>What strangers say, such that a terminal is not told what to do.</summary>
internal static class Printable
{
    private const int Most = 2000;

    /// <summary>The text without control characters, and no longer than a few lines.</summary>
    public static string Of(string text)
    {
        var clean = new StringBuilder(Math.Min(text.Length, Most));
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, Most)))
            clean.Append(char.IsControl(c) ? ' ' : c);
        return clean.ToString();
    }
}
