using System;
using System.IO;
using System.IO.Compression;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Learning.Generation;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps generate: the program as users run it.</summary>
[Collection(Alone.Name)]
public sealed class GenerateCommandTests
{
    private const int Terminate = 15;

    [Fact]
    public void Ratings_are_those_of_the_library_and_the_facts_are_told()
    {
        using var folder = new TempFolder();
        string told = Done(folder, "generate", "ratings", "--out", "r.csv", "--ratings", "20000", "--seed", "5");
        var expected = new MemoryStream();
        var settings = new RatingSettings { Ratings = 20_000, Users = RatingSettings.UsersFor(20_000), Items = RatingSettings.ItemsFor(20_000), Seed = 5 };
        RatingFacts facts = new RatingGenerator(settings).Write(expected, null, CancellationToken.None);
        Assert.True(expected.ToArray().AsSpan().SequenceEqual(File.ReadAllBytes(folder.In("r.csv"))), "natively compiled, the generator writes other bytes");
        Assert.Contains($"floor            RMSE {facts.Floor:0.0000}", told, StringComparison.Ordinal);
        Assert.Contains("ratings          20,000", told, StringComparison.Ordinal);

        Done(folder, "generate", "ratings", "--out", "r.csv.gz", "--ratings", "20000", "--seed", "5");
        using var unpacked = new MemoryStream();
        using (var packed = new GZipStream(File.OpenRead(folder.In("r.csv.gz")), CompressionMode.Decompress))
            packed.CopyTo(unpacked);
        Assert.True(expected.ToArray().AsSpan().SequenceEqual(unpacked.ToArray()), "packed, the text is another");
        Assert.Equal(["r.csv", "r.csv.gz"], folder.Entries());
    }

    [Fact]
    public void Classification_can_be_inspected_and_trained_on()
    {
        using var folder = new TempFolder();
        const int Rows = 10_000, Features = 30;
        Done(folder, "generate", "classification", "--out", "t.svm.gz", "--test-out", "e.svm", "--rows", $"{Rows}", "--features", $"{Features}", "--condition", "10",
            "--label-skew", "0.3", "--sorted-by-label");
        using JsonDocument of = JsonDocument.Parse(Output(folder, "inspect", "--data", "t.svm.gz", "--json"));
        Assert.Equal(Rows, of.RootElement.GetProperty("rows").GetInt32());
        Assert.Equal(Features, of.RootElement.GetProperty("features").GetInt32());
        Assert.Equal(3000, of.RootElement.GetProperty("labels")[1].GetProperty("rows").GetInt32());
        Assert.True(of.RootElement.GetProperty("fits_logreg").GetBoolean());

        // 5 % of the labels are wrong; what is learned from the others misses some rows near the plane.
        using JsonDocument summary = JsonDocument.Parse(
            Output(folder, "train", "logreg", "--data", "t.svm.gz", "--test", "e.svm", "--passes", "200", "--workers", "2", "--out", "run", "--json"));
        Assert.InRange(summary.RootElement.GetProperty("test_accuracy").GetDouble(), 0.92, 0.97);
        using JsonDocument quality = JsonDocument.Parse(Output(folder, "evaluate", "--model", "run", "--data", "e.svm", "--json"));
        Assert.Equal(Rows / 5, quality.RootElement.GetProperty("rows").GetInt32());
    }

    [Fact]
    public void Existing_files_are_replaced_only_if_asked_for()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("mine"), "mine");
        foreach (string[] arguments in (string[][])[["ratings", "--out", "mine"], ["classification", "--out", "mine"], ["classification", "--out", "new", "--test-out", "mine"]])
        {
            Refused(folder, 3, "--force", ["generate", .. arguments]);
            Assert.Equal("mine", File.ReadAllText(folder.In("mine")));
            Assert.Equal(["mine"], folder.Entries());
        }

        Done(folder, "generate", "ratings", "--out", "mine", "--ratings", "1000", "--force");
        Assert.StartsWith("userId,", File.ReadAllText(folder.In("mine")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "--ratings must be 100 to", "ratings", "--out", "r", "--ratings", "0")]
    [InlineData(2, "lower --ratings", "ratings", "--out", "r", "--users", "10", "--items", "10")]
    [InlineData(2, "lower --users to at most 200000", "ratings", "--out", "r", "--users", "1000000")]
    [InlineData(2, "--noise must be 0 to 5", "ratings", "--out", "r", "--noise", "-1")]
    [InlineData(2, "a number has no comma", "ratings", "--out", "r", "--noise", "0,7")]
    [InlineData(2, "it must be a whole number", "ratings", "--out", "r", "--rank", "x")]
    [InlineData(2, "--out", "ratings")]
    [InlineData(2, "--out is empty", "ratings", "--out", "")]
    [InlineData(2, "raise --density", "classification", "--out", "r", "--density", "1e-6")]
    [InlineData(2, "--condition must be 1 to", "classification", "--out", "r", "--condition", "0.5")]
    [InlineData(2, "--label-skew must be", "classification", "--out", "r", "--label-skew", "1")]
    [InlineData(3, "this is a folder", "ratings", "--out", ".")]
    [InlineData(3, "this is a folder", "ratings", "--out", "absent/")]
    [InlineData(3, "this is a device", "ratings", "--out", "/proc/absent/r", "--force")]
    [InlineData(3, "absent/r", "ratings", "--out", "absent/r")]
    [InlineData(3, "file of --out", "classification", "--out", "r", "--test-out", "./r")]
    public void Bad_input_is_refused_and_nothing_written(int code, string part, params string[] arguments)
    {
        using var folder = new TempFolder();
        Refused(folder, code, part, ["generate", .. arguments]);
        Assert.Empty(folder.Entries());
    }

    [Theory]
    [InlineData("ratings", "--ratings", "1000000000")]
    [InlineData("classification", "--rows", "1000000000")]
    public void Signal_ends_it_and_leaves_nothing(params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram generate = RunningProgram.Start(Published.Launcher, folder.Path, ["generate", .. arguments, "--out", "large"]);
        generate.Until(() => folder.Entries().Length > 0 && new FileInfo(folder.In(folder.Entries()[0])).Length > 1_000_000, "it wrote");
        generate.Until(() => generate.Errors.Contains("left", StringComparison.Ordinal), "it told how far it is");
        generate.Signal(Terminate);
        Assert.Equal(4, generate.ExitCode());
        Assert.EndsWith("hpaps: stopped before the end\n", generate.Errors, StringComparison.Ordinal);
        Assert.Empty(folder.Entries());
    }

    private static string Done(TempFolder folder, params string[] arguments)
    {
        using RunningProgram program = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.True(program.ExitCode() == 0, program.Errors);
        Assert.Equal("", program.Output);
        return program.Errors;
    }

    private static string Output(TempFolder folder, params string[] arguments)
    {
        using RunningProgram program = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.True(program.ExitCode() == 0, program.Errors);
        return program.Output;
    }

    private static void Refused(TempFolder folder, int code, string part, string[] arguments)
    {
        using RunningProgram program = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.True(program.ExitCode() == code, program.Errors);
        Assert.StartsWith("hpaps: ", program.Errors, StringComparison.Ordinal);
        Assert.Contains(part, program.Errors, StringComparison.Ordinal);
        Assert.Equal("", program.Output);
    }
}
