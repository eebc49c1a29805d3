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
}
