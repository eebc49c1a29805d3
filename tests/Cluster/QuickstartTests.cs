using System;
using System.IO;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>tools/quickstart.sh, as a new user runs it, but for the building.</summary>
[Collection(Alone.Name)]
public sealed partial class QuickstartTests
{
    private const int Terminate = 15;

    private static string Script => Path.Combine(Repository.Root, "tools", "quickstart.sh");

    [Fact]
    public void Users_ratings_give_a_table_reports_and_the_next_command()
    {
        using var folder = new TempFolder();
        Ratings(folder, "my ratings.csv", "");
        using RunningProgram run = Run(folder, "OUT=my results", "my ratings.csv");
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.DoesNotContain("\e", run.Output + run.Errors, StringComparison.Ordinal);

        string[] lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches("^policy +training, s +within 0.005 of bsp, s +test RMSE +passes +MB up +MB down$", lines[0]);
        // Two thousand ratings are done in some milliseconds: who is not stopped at once makes passes more, and the error is one of chance.
        Assert.Matches(@"^async +[\d.]+ +(not reached|[\d.]+ to [\d.]+) +[01]\.\d{4} +([4-9]\d|\d{3})\.\d +[\d.]+ +[\d.]+$", lines[1]);
        Assert.Matches(@"^bsp +[\d.]+ +[\d.]+ to [\d.]+ +0\.\d{4} +4\d\.\d +[\d.]+ +[\d.]+$", lines[2]);
        Assert.Matches("^Within 0.005 of bsp's last RMSE .*async.*bsp", lines[3]);
        foreach (string policy in (string[])["async", "bsp"])
        {
            Assert.Contains($@"  my\ results/{policy}/report.html", lines);
            Assert.True(File.Exists(folder.In($"my results/{policy}/report.html")));
        }

        Match next = Next().Match(lines[^1]);
        Assert.True(next.Success, lines[^1]);
        Assert.Contains($"\n{next.Groups[1].Value},", File.ReadAllText(folder.In("my ratings.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public void Ratings_are_generated_where_none_are_given()
    {
        using var folder = new TempFolder();
        using RunningProgram run = Run(folder, "OUT=run", "RATINGS=20000");
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.Equal(20_001, File.ReadAllLines(folder.In("run/ratings.csv")).Length);
        Assert.Matches(@"\nbsp .*\n\nWithin 0\.005 of", run.Output);
    }

    [Theory]
    [InlineData("absent.csv", "absent.csv: there is no such file")]
    [InlineData("", "the name of the file is empty")]
    [InlineData(".", ".: this is no file")]
    [InlineData("empty.csv", "empty.csv: the file is empty")]
    [InlineData("bad.csv", "bad.csv:2001: the rating is not a finite number ('oops')")]
    public void Bad_file_is_refused_and_leaves_nothing(string file, string part)
    {
        using var folder = new TempFolder();
        Ratings(folder, "bad.csv", "1,2,oops\n");
        File.WriteAllText(folder.In("empty.csv"), "");
        using RunningProgram run = Run(folder, "OUT=run", file);
        Assert.True(run.ExitCode() == 3, run.Errors);
        Assert.Contains(part, run.Errors, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
        Assert.Equal(["bad.csv", "empty.csv"], folder.Entries());
    }

    [Fact]
    public void All_that_is_missing_is_named_and_nothing_done()
    {
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run("/usr/bin/env", folder.Path, "-u", "HPAPS_BIN", $"PATH={folder.Path}", "HPAPS_ZLIB_HEADER=/absent", "OUT=run", "/bin/bash", Script);
        Assert.True(run.ExitCode() == 2, run.Errors);
        string[] missing = ["dotnet-sdk-10.0", "apt-get install gcc; Fedora: dnf install gcc", "binutils", "zlib1g-dev", "gawk"];
        foreach (string one in missing)
            Assert.Contains(one, run.Errors, StringComparison.Ordinal);
        Assert.All(run.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("quickstart.sh: missing: ", line));
        Assert.Empty(folder.Entries());
    }

    [Theory]
    [InlineData(0, "Usage: tools/quickstart.sh [RATINGS_FILE]", "--help")]
    [InlineData(2, "no option --fast", "--fast")]
    [InlineData(2, "one file", "a", "b")]
    public void Command_line_is_checked(int code, string part, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram run = Run(folder, "OUT=run", arguments);
        Assert.True(run.ExitCode() == code, run.Errors);
        Assert.Contains(part, code == 0 ? run.Output : run.Errors, StringComparison.Ordinal);
        Assert.Empty(folder.Entries());
    }

    [Fact]
    public void Signal_stops_the_training_and_the_script()
    {
        using var folder = new TempFolder();
        using RunningProgram run = Start(folder, "OUT=run", "RATINGS=10000000");
        run.Until(() => run.Errors.Contains("policy async", StringComparison.Ordinal) && run.Children().Count == 1, "it trained");
        int[] children = [.. run.Children().Keys];
        run.Signal(Terminate);
        Assert.Equal(143, run.ExitCode());
        Assert.Contains("quickstart.sh: stopped while training, policy async", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("policy bsp", run.Errors, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
        Assert.False(File.Exists(folder.In("run/async/summary.json")) && File.ReadAllText(folder.In("run/async/summary.json")).Contains("\"reason\": \"passes\"", StringComparison.Ordinal), "it trained to the end");
        Assert.All(children, child => Assert.True(RunningProgram.IsGone(child)));
    }

    private static RunningProgram Run(TempFolder folder, string variable, params string[] arguments)
    {
        RunningProgram run = Start(folder, variable, arguments);
        run.ExitCode();
        return run;
    }

    /// <summary>With the programs that are published; what has a '=' is a variable.</summary>
    private static RunningProgram Start(TempFolder folder, string variable, params string[] arguments)
    {
        string[] variables = Array.FindAll(arguments, static one => one.Contains('=', StringComparison.Ordinal));
        string[] others = Array.FindAll(arguments, static one => !one.Contains('=', StringComparison.Ordinal));
        return RunningProgram.Start("/usr/bin/env", folder.Path,
            ["NO_COLOR=1", $"HPAPS_BIN={Path.GetDirectoryName(Published.Launcher)}", variable, .. variables, "/bin/bash", Script, .. others]);
    }

    private static void Ratings(TempFolder folder, string name, string last)
    {
        var text = new StringBuilder("userId,itemId,rating\n");
        for (int j = 0; j < 1999; j++)
            text.Append($"u{(j * 7) % 50},i{j / 50},{1 + ((j * j) % 9 / 2.0)}\n");
        File.WriteAllText(folder.In(name), text.Append(last).ToString());
    }

    [GeneratedRegex(@"hpaps recommend --model my\\ results/async --user (\S+) --top 10$")]
    private static partial Regex Next();
}
