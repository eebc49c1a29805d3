using System;
using System.Collections.Generic;
using System.Globalization;

namespace HpAsyncPs.Programs.Rendezvous;

/// <summary>Lists of hosts as Slurm writes them: n[0-2,5],m01 is n0, n1, n2, n5 and m01.</summary>
internal static class HostList
{
    /// <summary>More hosts than this are refused.</summary>
    public const int Most = 65536;

    /// <summary>The names, in the order of the list.</summary>
    /// <param name="text">The list.</param>
    /// <exception cref="InputException">It is not of that form, or too long.</exception>
    public static string[] Expand(string text)
    {
        var all = new List<string>();
        int start = 0;
        bool isInside = false;
        for (int j = 0; j <= text.Length; j++)
        {
            char c = j < text.Length ? text[j] : ',';
            if (c is '[' or ']' && isInside == (c == '['))
                throw Bad(text, $"a bracket at {j + 1} has no partner");
            isInside = c == '[' || (isInside && c != ']');
            if (c != ',' || (isInside && j < text.Length))
                continue;
            if (isInside)
                throw Bad(text, "a bracket is not closed");
            Add(text, text[start..j], all);
            start = j + 1;
        }

        return [.. all];
    }

    /// <summary>Adds the hosts of one item, which may have several brackets: r[0-1]n[0-3].</summary>
    private static void Add(string text, string item, List<string> all)
    {
        int open = item.IndexOf('[', StringComparison.Ordinal);
        if (open < 0)
        {
            if (item.Length == 0)
                throw Bad(text, "a name is empty");
            foreach (char c in item)
            {
                if (char.IsWhiteSpace(c) || char.IsControl(c))
                    throw Bad(text, $"'{item}' is no name");
            }

            all.Add(all.Count < Most ? item : throw Bad(text, $"it has more than {Most} hosts"));
            return;
        }

        int close = item.IndexOf(']', open);
        foreach (string range in item[(open + 1)..close].Split(','))
        {
            string[] ends = range.Split('-');
            string first = ends[0], last = ends[^1];
            if (ends.Length > 2 || !int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int from)
                || !int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out int to) || to < from)
            {
                throw Bad(text, $"'{range}' is no range");
            }

            for (long number = from; number <= to; number++) // leading zeros count: [08-10] is 08, 09, 10
                Add(text, item[..open] + number.ToString(CultureInfo.InvariantCulture).PadLeft(first.Length, '0') + item[(close + 1)..], all);
        }
    }

    private static InputException Bad(string text, string why) =>
        new($"'{(text.Length > 200 ? text[..200] + "..." : text)}' is no list of hosts like n[0-2,5],m01: {why}.");
}
