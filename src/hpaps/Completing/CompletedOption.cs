using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Completions;
using System.IO;

namespace HpAsyncPs.Cli.Completing;

/// <summary>What can stand behind an option.</summary>
internal enum ValueKind
{
    /// <summary>Nothing: it is a switch.</summary>
    None,

    /// <summary>Something that nobody can guess.</summary>
    Any,

    /// <summary>One of some words.</summary>
    Words,

    /// <summary>A path.</summary>
    File,

    /// <summary>The path of a folder.</summary>
    Folder,
}

/// <summary>An option, as a shell completes it.</summary>
/// <param name="Names">All of them, with their dashes.</param>
/// <param name="Description">In a few words.</param>
/// <param name="Kind">What can stand behind it.</param>
/// <param name="Words">Which, if words.</param>
internal sealed record CompletedOption(IReadOnlyList<string> Names, string Description, ValueKind Kind, IReadOnlyList<string> Words)
{
    private const int MostLetters = 72;

    /// <summary>What the command line's own option says of itself.</summary>
    /// <param name="option">Of a command.</param>
    public static CompletedOption Of(Option option)
    {
        var names = new List<string> { option.Name };
        foreach (string alias in option.Aliases)
        {
            if (alias.StartsWith('-') && alias != "-?") // the question mark means something to every shell, and a slash begins a path
                names.Add(alias);
        }

        List<string> words = WordsOf(option);
        return new CompletedOption(names, Short(option.Description), KindOf(option, words), words);
    }

    /// <summary>The first sentence of a description, and not too much of it.</summary>
    /// <param name="description">All of it.</param>
    public static string Short(string? description)
    {
        string text = (description ?? "").Split('\n')[0];
        foreach (string end in (string[])[". ", "; "])
        {
            int at = text.IndexOf(end, StringComparison.Ordinal);
            if (at > 0)
                text = text[..at];
        }

        text = text.TrimEnd('.');
        int blank = text.Length <= MostLetters ? -1 : text.LastIndexOf(' ', MostLetters);
        return blank < 0 ? text : text[..blank] + " ...";
    }

    private static ValueKind KindOf(Option option, List<string> words)
    {
        if (option.ValueType == typeof(bool) || option.Arity.MaximumNumberOfValues == 0)
            return ValueKind.None;
        string form = option.HelpName ?? "";
        if (form.StartsWith("FILE", StringComparison.Ordinal) || form == "PROGRAM")
            return ValueKind.File;
        if (form == "DIR")
            return ValueKind.Folder;
        return words.Count > 0 ? ValueKind.Words : ValueKind.Any;
    }

    /// <summary>Those that can be given as they are: from sources of its own, or from a form such as wait|keep|evict. Capitals stand for something else.</summary>
    private static List<string> WordsOf(Option option)
    {
        var words = new List<string>();
        if (option.ValueType == typeof(bool))
            return words;
        foreach (Func<CompletionContext, IEnumerable<CompletionItem>> source in option.CompletionSources)
        {
            foreach (CompletionItem item in source(CompletionContext.Empty))
                words.Add(item.Label);
        }

        if (words.Count == 0 && option.HelpName is { } form && form.Contains('|', StringComparison.Ordinal))
            words.AddRange(form.Split('|'));
        words.RemoveAll(static word => word.AsSpan().ContainsAnyInRange('A', 'Z'));
        return words;
    }
}
