using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using Tomlyn.Syntax;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>A value in a file.</summary>
/// <param name="syntax">As it stands there.</param>
/// <param name="origin">File and line.</param>
internal sealed class ConfiguredValue(ValueSyntax syntax, string origin)
{
    /// <summary>File and line.</summary>
    public string Origin => origin;

    /// <summary>The same as a flag: its value, "" for a flag that takes none, null for one that is off.</summary>
    /// <param name="option">Which.</param>
    /// <exception cref="InputException">It is of another type than the option takes.</exception>
    public string? For(Option option)
    {
        string key = option.Name.TrimStart('-');
        if (option.ValueType == typeof(bool))
            return syntax is BooleanValueSyntax { Value: var on } ? on ? "" : null : throw Wrong(key, "true or false, without quotes", "true");
        if (IsNumber(option))
        {
            return Number(syntax) ?? throw Wrong(key, "a number, without quotes",
                syntax is StringValueSyntax text && double.TryParse(text.Value, CultureInfo.InvariantCulture, out _) ? text.Value! : "4");
        }

        bool isList = IsList(option);
        if (syntax is StringValueSyntax word)
            return word.Value!;
        if (isList && Number(syntax) is { } number)
            return number;
        if (isList && syntax is ArraySyntax array)
            return string.Join(',', Items(key, array));
        if (!isList)
            throw Wrong(key, "a text in quotes", $"\"{Number(syntax) ?? "..."}\"");
        throw Wrong(key, "a list of texts or numbers, or a text with commas", "[\"a\", \"b\"]");
    }

    /// <summary>Does an option take a number?</summary>
    public static bool IsNumber(Option option)
    {
        Type type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        return type == typeof(int) || type == typeof(long) || type == typeof(ulong) || type == typeof(double);
    }

    /// <summary>Does it take several values, with commas between them? Its help says so.</summary>
    private static bool IsList(Option option) =>
        option.ValueType == typeof(string[]) || option.HelpName is { } form && (form == "LIST" || form.Contains(",...", StringComparison.Ordinal));

    private List<string> Items(string key, ArraySyntax array)
    {
        var all = new List<string>();
        foreach (ArrayItemSyntax item in array.Items)
        {
            string one = item.Value is StringValueSyntax text ? text.Value! : Number(item.Value) ?? throw Wrong(key, "a list of texts or numbers", "[\"a\", \"b\"]");
            if (one.Contains(',', StringComparison.Ordinal) || one.Length == 0)
                throw new InputException($"{origin}: {key} has an entry '{one}': entries are not empty and have no commas");
            all.Add(one);
        }

        if (all.Count == 0)
            throw new InputException($"{origin}: {key} is an empty list: name a value, or leave it out");
        return all;
    }

    private static string? Number(ValueSyntax? value) => value switch
    {
        IntegerValueSyntax whole => whole.Value.ToString(CultureInfo.InvariantCulture),
        FloatValueSyntax other => other.Value.ToString("R", CultureInfo.InvariantCulture),
        _ => null,
    };

    private InputException Wrong(string key, string expected, string example)
    {
        string what = syntax switch
        {
            StringValueSyntax => "a text",
            IntegerValueSyntax or FloatValueSyntax => "a number",
            BooleanValueSyntax => "true or false",
            ArraySyntax => "a list",
            DateTimeValueSyntax => "a date or time",
            _ => "something else",
        };
        return new InputException($"{origin}: {key} must be {expected}, and it is {what}: write, for example, {key} = {example}");
    }
}
