using System;
using System.CommandLine;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Generating;

/// <summary>hpaps generate: data to try things on.</summary>
internal static class GenerateCommand
{
    public static Command Create() => new("generate", CommonOptions.WithExamples(
        "Writes data with a known structure, to try things on.",
        "hpaps generate ratings --out ratings.csv",
        "hpaps generate classification --out train.svm --test-out test.svm"))
    {
        GenerateRatingsCommand.Create(), GenerateClassificationCommand.Create(),
    };

    /// <summary>Options that do not fit together are a wrong command line, as one that is out of its range is.</summary>
    public static int Run(Action check, Action run)
    {
        try
        {
            check();
        }
        catch (InputException e)
        {
            Console.Error.WriteLine($"hpaps: {e.Message}");
            return (int)ExitCode.Usage;
        }

        run();
        return (int)ExitCode.Done;
    }
}
