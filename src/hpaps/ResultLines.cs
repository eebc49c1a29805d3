using System;
using System.Collections.Generic;
using System.Text;

namespace HpAsyncPs.Cli;

/// <summary>A table of two columns as plain text: reads well on a terminal, in a log and in grep.</summary>
internal sealed class ResultLines
{
    private readonly List<(string Name, string Value)> _lines = [];

    public void Add(string name, string value) => _lines.Add((name, value));

    public override string ToString()
    {
        int width = 0;
        foreach ((string name, _) in _lines)
            width = Math.Max(width, name.Length);
        var text = new StringBuilder();
        foreach ((string name, string value) in _lines)
            text.Append(name.PadRight(width + 2)).Append(value).Append('\n');
        return text.ToString();
    }
}
