using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.IO;

namespace HpAsyncPs.Programs;

/// <summary>How safe from a crash of the server what it has acknowledged is.</summary>
/// <param name="IsKept">There is a journal.</param>
/// <param name="Interval">How often it is committed; null: before each acknowledgement.</param>
/// <param name="CheckpointInterval">Between two checkpoints.</param>
internal readonly record struct Durability(bool IsKept, TimeSpan? Interval, TimeSpan CheckpointInterval = default);

/// <summary>--durability.</summary>
internal static class DurabilityOption
{
    public const string None = "none";
    private const string Always = "always";
    private const string Interval = "interval:";
    private const int LeastMilliseconds = 1;
    private const int MostMilliseconds = 3_600_000;
    private const int DefaultMilliseconds = 100;

    /// <param name="description">Of what it is good for here; null: at a server.</param>
    public static Option<string?> Create(string? description = null)
    {
        var option = new Option<string?>("--durability")
        {
            HelpName = "none|interval:MS|always",
            Description = description ?? "none: a server that dies knows nothing; interval:MS: it goes on from what it had MS milliseconds before, at most; always: a push is acknowledged when it is on disk. "
                + $"By default interval:{DefaultMilliseconds} with --state, else none.",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && Parse(token.Value) is null)
                result.AddError($"--durability must be none, interval:MS with MS from {LeastMilliseconds} to {MostMilliseconds}, or always; it is '{token.Value}'.");
        });
        return option;
    }

    /// <summary>Both options must go together.</summary>
    public static void Check(CommandResult result, Option state, Option durability)
    {
        string? folder = result.GetResult(state) is { Tokens: [var given] } ? given.Value : null;
        Durability? wanted = result.GetResult(durability) is { Tokens: [var token] } ? Parse(token.Value) : null;
        if (folder is { Length: 0 })
            result.AddError("--state is empty: name a folder, or leave it out.");
        if (wanted is { IsKept: true } && folder is null)
            result.AddError("--durability needs --state: the folder of the journal and the checkpoints.");
        if (wanted is { IsKept: false } && folder is not null)
            result.AddError("--durability none keeps nothing: leave --state out, or choose interval:MS or always.");
    }

    /// <summary>The folder of --state, or null.</summary>
    /// <exception cref="InputException">It is a file, or would be in one.</exception>
    public static string? FolderOf(string? given)
    {
        for (string? at = given is null ? null : Path.GetFullPath(given); at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at))
        {
            if (File.Exists(at))
                throw new InputException($"--state {given}: {(at == Path.GetFullPath(given!) ? "this" : at)} is a file; name a folder, which is made if there is none");
        }

        return given;
    }

    /// <summary>What was given.</summary>
    public static Durability Of(string? given, string? state) =>
        given is not null ? Parse(given)!.Value : state is null ? default : new Durability(true, TimeSpan.FromMilliseconds(DefaultMilliseconds));

    private static Durability? Parse(string text)
    {
        if (text == None)
            return default(Durability);
        if (text == Always)
            return new Durability(true, null);
        bool isInterval = text.StartsWith(Interval, StringComparison.Ordinal);
        return isInterval && int.TryParse(text.AsSpan(Interval.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int milliseconds)
            && milliseconds is >= LeastMilliseconds and <= MostMilliseconds
            ? new Durability(true, TimeSpan.FromMilliseconds(milliseconds))
            : null;
    }
}
