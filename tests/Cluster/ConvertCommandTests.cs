using System;
using System.IO;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps convert: the program as users run it.</summary>
[Collection(Alone.Name)]
public sealed class ConvertCommandTests
{
    private static readonly byte[] Images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 0];
    private static readonly byte[] Labels = [0, 0, 8, 1, 0, 0, 0, 2, 9, 4];

    [Fact]
    public void What_is_written_can_be_trained_on_and_is_replaced_only_if_asked_for()
    {
        using TempFolder folder = Files();
        string told = Run(folder, 0, Arguments("out.svm.gz"));
        Assert.Contains("rows      2, of which 1 are labelled +1 (50 %)", told, StringComparison.Ordinal);
        Assert.Contains("--force", Run(folder, 3, Arguments("out.svm.gz")), StringComparison.Ordinal);
        Run(folder, 0, [.. Arguments("out.svm.gz"), "--force"]);
        using RunningProgram inspect = RunningProgram.Run(Published.Launcher, folder.Path, "inspect", "--data", "out.svm.gz", "--json");
        Assert.True(inspect.ExitCode() == 0, inspect.Errors);
        using JsonDocument of = JsonDocument.Parse(inspect.Output);
        Assert.True(of.RootElement.GetProperty("fits_logreg").GetBoolean());
        Run(folder, 0, Arguments("out.svm"));
        Assert.Equal("+1 2:1\n-1 1:0.2\n", File.ReadAllText(folder.In("out.svm")));
    }

    [Theory]
    [InlineData(3, "labels: has 1 dimensions", "--images", "labels")]
    [InlineData(3, "absent: there is no such file", "--images", "absent")]
    [InlineData(3, "the labels are 4, 9", "--positive", "5")]
    [InlineData(3, "exists already", "--out", "images")]
    [InlineData(3, "there is no folder", "--out", "none/out.svm")]
    [InlineData(3, "this is a file to read", "--out", "labels", "--force")]
    [InlineData(2, "give labels from 0 to 255", "--positive", "256")]
    [InlineData(2, "give labels from 0 to 255", "--positive", "4,")]
    public void Bad_input_is_refused_and_nothing_written(int code, string part, string option, string value, params string[] more)
    {
        using TempFolder folder = Files();
        string[] arguments = Arguments("out.svm");
        arguments[Array.IndexOf(arguments, option) + 1] = value;
        Assert.Contains(part, Run(folder, code, [.. arguments, .. more]), StringComparison.Ordinal);
        Assert.Equal(["images", "labels"], folder.Entries());
        Assert.Equal(Labels, File.ReadAllBytes(folder.In("labels")));
    }

    private static string[] Arguments(string output) => ["convert", "idx", "--images", "images", "--labels", "labels", "--positive", "9", "--out", output];

    private static TempFolder Files()
    {
        var folder = new TempFolder();
        File.WriteAllBytes(folder.In("images"), Images);
        File.WriteAllBytes(folder.In("labels"), Labels);
        return folder;
    }

    private static string Run(TempFolder folder, int code, string[] arguments)
    {
        using RunningProgram program = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.True(program.ExitCode() == code, program.Errors);
        Assert.Equal("", program.Output);
        return program.Errors;
    }
}
