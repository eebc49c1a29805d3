using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>A file with values of options for all programs. Its names are checked, whomever they are for; its values are, once they count.</summary>
internal sealed class ConfigurationFile
{
    /// <summary>Where one is looked for that nobody has named.</summary>
    public const string DefaultName = "hpaps.toml";

    private const int MostBytes = 1 << 20;
    private const int MostErrors = 5;
    private const int MostWords = 300;

    // A folder for hpaps train, a file for hpaps predict, which would go to standard output without.
    private static readonly string[] OfOneCommand = ["out", "force"];

    private readonly Dictionary<(string Table, string Key), ConfiguredValue> _values = [];
    private readonly List<string> _errors = [];

    private ConfigurationFile(string path) => Path = path;

    /// <summary>As it was named.</summary>
    public string Path { get; }

    /// <summary>The file that counts, or null: none.</summary>
    /// <param name="given">What --config says, or null.</param>
    /// <exception cref="InputException">It cannot be used.</exception>
    public static ConfigurationFile? Find(string? given)
    {
        string? named = given ?? Variables.Value(Variables.Config);
        if (named is GlobalOptions.None or "") // that it is empty, the option says itself
            return null;
        string from = given is not null ? GlobalOptions.Config : Variables.Config;
        if (named is not null)
            return Read(named, $"{from} {named}");
        return File.Exists(DefaultName) ? Read(DefaultName, DefaultName) : null;
    }

    /// <summary>Reads one.</summary>
    /// <param name="path">Of the file.</param>
    /// <param name="who">Who named it, for messages.</param>
    /// <exception cref="InputException">It cannot be used.</exception>
    public static ConfigurationFile Read(string path, string who)
    {
        var file = new ConfigurationFile(path);
        DocumentSyntax document = file.Parse(Text(path, who));
        foreach (KeyValueSyntax pair in document.KeyValues)
            file.Add("", pair);
        foreach (TableSyntaxBase table in document.Tables)
        {
            string name = string.Join('.', Words(table.Name!));
            if (table is TableArraySyntax)
                file.Wrong(table, $"[[{name}]] is a list of tables, and there is one for each command: write [{name}]");
            else if (file.CheckTable(name, table))
                file.AddAll(name, table.Items);
        }

        if (file._errors.Count > 0)
            throw new InputException(string.Join('\n', file._errors));
        return file;
    }

    /// <summary>The value of an option for a command, from the table that is most its own, or null; and how many words that table's name has.</summary>
    /// <param name="command">Its words, with points between them.</param>
    /// <param name="key">Name of the option.</param>
    public (ConfiguredValue Value, int Words)? Of(string command, string key)
    {
        for (string? table = command; table is not null; table = OptionNames.Above(table))
        {
            if (_values.TryGetValue((table, key), out ConfiguredValue? value))
                return (value, table.Length == 0 ? 0 : table.Split('.').Length);
        }

        return null;
    }

    private void AddAll(string table, SyntaxList<KeyValueSyntax> items)
    {
        foreach (KeyValueSyntax pair in items)
            Add(table, pair);
    }

    private void Add(string table, KeyValueSyntax pair)
    {
        List<string> words = Words(pair.Key!);
        string key = words[^1];
        string within = string.Join('.', table.Length > 0 ? [table, .. words[..^1]] : words[..^1]);
        if (within != table && !CheckTable(within, pair))
            return;
        string path = within.Length > 0 ? $"{within}.{key}" : key;
        if (pair.Value is InlineTableSyntax inline)
        {
            if (!CheckTable(path, pair))
                return;
            foreach (InlineTableItemSyntax item in inline.Items)
                Add(path, item.KeyValue!);
            return;
        }

        IReadOnlyList<string> known = OptionNames.Under(within);
        bool isKnown = false;
        foreach (string one in known)
            isKnown |= one == key;
        if (isKnown && within.Length == 0 && Array.IndexOf(OfOneCommand, key) >= 0)
            Wrong(pair, $"'{key}' says what is written, or written over, and is not for all commands at once: put it in the table of one, as [{OptionNames.With(key)[0].Split('.')[0]}]");
        else if (isKnown)
            _values[(within, key)] = new ConfiguredValue(pair.Value!, $"{Path}:{Line(pair)}");
        else
            Wrong(pair, Unknown(within, key, known));
    }

    private static string Unknown(string table, string key, IReadOnlyList<string> known)
    {
        string where = table.Length > 0 ? $" in [{table}]" : "";
        if (OptionNames.With(key) is { Count: > 0 } others)
            return $"there is no option '{key}'{where}: it is one of [{string.Join("], [", others)}]";
        if (OptionNames.Nearest(key, known) is { } nearest)
            return $"there is no option '{key}'{where}; did you mean '{nearest}'?";
        if (OptionNames.Nearest(key, OptionNames.All) is { } far)
            return $"there is no option '{key}'{where}; did you mean '{far}', of [{string.Join("], [", OptionNames.With(far))}]?";
        return $"there is no option '{key}'{where}; keys are names of options without dashes in front, as 'hpaps config show' lists them";
    }

    /// <summary>Is there such a table? An error where there is none.</summary>
    private bool CheckTable(string name, SyntaxNode at)
    {
        IReadOnlyList<string> tables = OptionNames.Tables();
        foreach (string one in tables)
        {
            if (one == name)
                return true;
        }

        Wrong(at, $"there is no table [{name}]; " + (OptionNames.Nearest(name, tables) is { } nearest
            ? $"did you mean [{nearest}]?"
            : $"tables are for commands: [{string.Join("], [", tables)}]"));
        return false;
    }

    private void Wrong(SyntaxNode at, string what)
    {
        if (_errors.Count < MostErrors)
            _errors.Add($"{Path}:{Line(at)}: {what}");
    }

    private DocumentSyntax Parse(string text)
    {
        try
        {
            DocumentSyntax document = SyntaxParser.Parse(text, Path, true);
            foreach (DiagnosticMessage message in document.Diagnostics)
            {
                string words = message.Message.Length > MostWords ? message.Message[..MostWords] + "..." : message.Message;
                throw new InputException($"{Path}:{message.Span.Start.Line + 1}: column {message.Span.Start.Column + 1}: {words.TrimEnd('.')}. The file is TOML: name = value, texts in quotes, tables as [train.mf]");
            }

            return document;
        }
        catch (TomlException e)
        {
            throw new InputException($"{Path}: {e.Message.Split('.')[0]}. The file is TOML: name = value, texts in quotes, tables as [train.mf]", e);
        }
    }

    private static string Text(string path, string who)
    {
        try
        {
            if (Directory.Exists(path))
                throw new InputException($"{who}: this is a folder; name a file, as in {System.IO.Path.Combine(path, DefaultName)}");
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
            byte[] bytes = new byte[MostBytes + 1];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MostBytes)
                throw new InputException($"{who}: is larger than {MostBytes} bytes, which no file of options is; name another file");
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{who}: there is no such file; check the path, or give --config {GlobalOptions.None}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException { ParamName: "path" })
        {
            throw new InputException($"{who}: cannot be read ({e.Message}); check its permissions, or give --config {GlobalOptions.None}", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new InputException($"{who}: is not UTF-8 text (byte {e.Index}); the file is TOML, in UTF-8", e);
        }
    }

    private static List<string> Words(KeySyntax key)
    {
        var words = new List<string> { Word(key.Key!) };
        foreach (DottedKeyItemSyntax dotted in key.DotKeys)
            words.Add(Word(dotted.Key!));
        return words;
    }

    private static string Word(BareKeyOrStringValueSyntax key) => key is StringValueSyntax text ? text.Value! : ((BareKeySyntax)key).Key!.Text!;

    private static int Line(SyntaxNode node) => node.Span.Start.Line + 1;
}
