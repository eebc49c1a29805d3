using System;
using System.CommandLine;
using System.CommandLine.Parsing;

namespace HpAsyncPs.Programs;

/// <summary>Checks that several options need.</summary>
internal static class CommonOptions
{
    /// <summary>The option's value must be within bounds.</summary>
    public static Option<T> Within<T>(this Option<T> option, double least, double most)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 0)
                return;
            double value;
            try
            {
                value = Convert.ToDouble(result.GetValueOrDefault<T>(), System.Globalization.CultureInfo.InvariantCulture);
            }
            catch (InvalidOperationException)
            {
                return; // no number: the parser has said so
            }

            if (!(value >= least && value <= most))
                result.AddError($"{option.Name} must be {least:R} to {most:R}; it is {value:R}.");
        });
        return option;
    }

    /// <summary>Adds examples below a command's description.</summary>
    public static string WithExamples(string description, params string[] examples) =>
        $"{description}\n\nExamples:\n  {string.Join("\n  ", examples)}";
}
