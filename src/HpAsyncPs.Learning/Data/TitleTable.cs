using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Titles by id, from a file of lines that begin with an id and a title: CSV (fields in double quotes or not), or separated by
/// <c>::</c>, tabs or <c>|</c>; plain or gzip. What follows the title is ignored, and so is a title of an id that nobody asks for.
/// </summary>
public sealed class TitleTable
{
    private readonly Dictionary<string, string> _titles = [];

    /// <summary>The title of an id, or null.</summary>
    public string? this[string id] => _titles.GetValueOrDefault(id);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">The file cannot be read, or a line has no title.</exception>
    public static TitleTable Read(string path, CancellationToken cancellation)
    {
        var table = new TitleTable();
        TextFile.Read(path, new Sink(path, table._titles), cancellation);
        if (table._titles.Count == 0)
            throw new InputException($"{path}: there are no titles in this file; a line is 'id,title'");
        return table;
    }

    private sealed class Sink(string source, Dictionary<string, string> titles) : ILineSink
    {
        private string _separator = "";

        public string LineHelp => "an id and its title are one line";

        public long TotalBytes { set => _ = value; }

        public long BytesDone { set => _ = value; }

        public void Take(ReadOnlySpan<byte> line, int length, int at, long number)
        {
            string text = Encoding.UTF8.GetString(line[at..length]).TrimEnd('\r');
            if (_separator.Length == 0)
                _separator = Array.Find(["::", "\t", "|", ","], one => text.Contains(one, StringComparison.Ordinal)) ?? ",";
            int next = Field(text, 0, out string id);
            if (next > text.Length)
                throw TextFile.Fail(source, number, "there is no title", line[at..length], "a line is 'id,title', or separated by '::', tabs or '|'");
            Field(text, next, out string title);
            titles[id] = title;
        }

        /// <summary>The field that begins at a place; returns where the next one does, beyond the end if there is none.</summary>
        private int Field(string text, int from, out string field)
        {
            if (from >= text.Length || text[from] != '"' || _separator != ",")
            {
                int end = text.IndexOf(_separator, from, StringComparison.Ordinal);
                field = (end < 0 ? text[from..] : text[from..end]).Trim();
                return end < 0 ? text.Length + 1 : end + _separator.Length;
            }

            var quoted = new StringBuilder();
            int at = from + 1;
            for (; at < text.Length; at++)
            {
                if (text[at] == '"' && (at + 1 >= text.Length || text[++at] != '"'))
                    break;
                quoted.Append(text[at]);
            }

            field = quoted.ToString();
            return at < text.Length && text[at] == ',' ? at + 1 : text.Length + 1;
        }
    }
}
