using System.CommandLine;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Preparing;

/// <summary>hpaps prepare: data in a form of which each worker reads its own part.</summary>
internal static class PrepareCommand
{
    public static Command Create() => new("prepare", CommonOptions.WithExamples(
        "Writes data in a binary form of which each worker reads its own part and no more, and parses nothing.",
        "hpaps prepare logreg --data train.svm.gz --out train.hpr",
        "hpaps prepare mf --data ratings.csv.gz --holdout 0.1 --out ratings.hpm"))
    {
        PrepareRowsCommand.Create(), PrepareRatingsCommand.Create(),
    };
}
