using System.CommandLine;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Converting;

/// <summary>hpaps convert: data of other forms as what the commands read.</summary>
internal static class ConvertCommand
{
    public static Command Create() => new("convert", CommonOptions.WithExamples(
        "Writes data that comes in another form as text that can be trained on.",
        "hpaps convert idx --images train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --positive 6 --out train.svm"))
    {
        ConvertIdxCommand.Create(),
    };
}
