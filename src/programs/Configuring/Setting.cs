using System.CommandLine;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>What counts for an option of a command.</summary>
/// <param name="Option">Which.</param>
/// <param name="Text">Its value as a flag takes it; "" for a flag that takes none; null: it is off, or has its default.</param>
/// <param name="Origin">flag, default, a variable, or file and line.</param>
/// <param name="Precedence">The larger counts.</param>
internal sealed record Setting(Option Option, string? Text, string Origin, int Precedence)
{
    public const int Default = 0;

    /// <summary>Of the table above all; a table with more words in its name goes before one with fewer.</summary>
    public const int File = 1;
    public const int Variable = 100;
    public const int Flag = 200;

    /// <summary>Name of the option without dashes in front.</summary>
    public string Key => Option.Name.TrimStart('-');

    /// <summary>Why it does not count, or null: it does.</summary>
    public string? LeftOut { get; init; }

    /// <summary>The argument that gives it, or null: the program has it without.</summary>
    public string? Argument => Precedence is Default or Flag || Text is null || LeftOut is not null || (Precedence == Variable && Origin == SecurityOptions.TokenVariable) ? null
        : Text.Length == 0 && Option.ValueType == typeof(bool) ? Option.Name : $"{Option.Name}={Text}";
}
