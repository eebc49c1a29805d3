using System;
using System.Collections.Generic;
using System.CommandLine;

namespace HpAsyncPs.Cli.Comparing;

/// <summary>An option whose value is a list, separated by commas, of what an option of hpaps train takes.</summary>
internal sealed class ListOption
{
    private readonly Option<string?> _option;
    private readonly Func<string, string> _read;

    /// <param name="name">Its name.</param>
    /// <param name="one">The option that each goes to.</param>
    /// <param name="help">What it is, and what it is by default.</param>
    /// <param name="read">Makes the one way of writing an entry, or throws <see cref="FormatException"/> or <see cref="InputException"/> that says what is wrong.</param>
    public ListOption(string name, string one, string help, Func<string, string> read)
    {
        (One, _read) = (one, read);
        _option = new Option<string?>(name) { HelpName = "LIST", Description = help };
        _option.Validators.Add(result =>
        {
            if (result.Tokens is not [var token])
                return;
            try
            {
                Split(token.Value);
            }
            catch (Exception e) when (e is FormatException or InputException)
            {
                result.AddError($"{name}: {e.Message.TrimEnd('.')}.");
            }
        });
    }

    /// <summary>The option that each goes to.</summary>
    public string One { get; }

    public Option Option => _option;

    /// <summary>What was given; empty where nothing was.</summary>
    public List<string> Of(ParseResult parsed) => parsed.GetValue(_option) is { } text ? Split(text) : [];

    private List<string> Split(string text)
    {
        var all = new List<string>();
        foreach (string piece in text.Split(','))
        {
            string entry = piece.Trim();
            if (entry.Length == 0)
                throw new FormatException($"'{text}' has an empty entry: separate entries by one comma each");
            entry = _read(entry);
            if (all.Contains(entry))
                throw new FormatException($"'{entry}' is there twice: give each once");
            all.Add(entry);
        }

        return all;
    }
}
