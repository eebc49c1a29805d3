using System;
using System.IO;
using System.Linq;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>tools/bench.sh and the page that it writes. How fast anything is depends on the machine.</summary>
public sealed class BenchTests
{
    private static readonly string Script = Path.Combine(Repository.Root, "tools", "bench.sh");

    [Theory]
    [InlineData("bench")]
    [InlineData("suites")]
    public void Page_has_the_markers_that_the_script_writes_between(string name)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "benchmarks.md"));
        int begin = Array.IndexOf(lines, $"<!-- {name}:begin -->"), end = Array.IndexOf(lines, $"<!-- {name}:end -->");
        Assert.True(begin >= 0 && begin < end, $"docs/benchmarks.md has no markers {name}:begin and {name}:end in this order");
        Assert.Equal(2, lines.Count(line => line.Contains($"{name}:begin", StringComparison.Ordinal) || line.Contains($"{name}:end", StringComparison.Ordinal)));
        Assert.Contains($"between {name} ", File.ReadAllText(Script), StringComparison.Ordinal);
    }

    [Fact]
    public void Dry_run_prints_the_command_lines_of_every_row()
    {
        string[][] rows = Rows();
        Assert.True(rows.Length >= 12, $"{rows.Length} rows");
        Assert.Equal(rows.Length, rows.Select(row => row[0]).Distinct().Count());
        foreach (string[] row in rows)
        {
            Assert.Equal(4, row.Length);
            Assert.Contains(row[1], new[] { "GB/s", "us" });
            Assert.Matches("^out/(bin/hpaps stress .*--seconds [0-9.]+.* --json|bench/loops .* [0-9.]+)$", row[2]);
            Assert.Matches("^out/(bench/limits .* [0-9.]+( --.*)?|bin/hpaps stress .*--seconds [0-9.]+.* --json)$", row[3]);
        }
    }

    /// <summary>It takes numbers and words where the C program takes suffixes and options.</summary>
    [Fact]
    public void Other_program_gets_arguments_of_its_own_kind()
    {
        string[] limits = [.. Rows("1", "/bin/true").Select(row => row[3])];
        Assert.Contains("push 16777216 ", string.Join('\n', limits), StringComparison.Ordinal);
        foreach (string limit in limits.Where(line => line.Contains("/true ", StringComparison.Ordinal)))
            Assert.Matches("/true (push|pull|trip|add) [0-9]+ [0-9.]+( [a-z]+)*$", limit);
        Assert.Single(limits, line => line.Contains("add 65536 ", StringComparison.Ordinal)); // floats, and not bytes
    }

    [Theory]
    [InlineData("many", "PAIRS is 'many'")]
    [InlineData("0", "PAIRS is '0'")]
    [InlineData("--turbo", "there is no option --turbo")]
    [InlineData("1 /absent", "/absent is no program")]
    [InlineData("1 /bin/true 3", "'3' is one argument too many")]
    public void Wrong_usage_is_named(string arguments, string part)
    {
        using RunningProgram run = RunningProgram.Run(Script, Repository.Root, arguments.Split(' '));
        Assert.Equal(2, run.ExitCode());
        Assert.Equal("", run.Output);
        Assert.StartsWith($"bench.sh: {part}", run.Errors);
    }

    private static string[][] Rows(params string[] arguments)
    {
        using RunningProgram run = RunningProgram.Run(Script, Repository.Root, ["--dry", .. arguments]);
        Assert.True(run.ExitCode() == 0, run.Errors);
        return [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|'))];
    }
}
