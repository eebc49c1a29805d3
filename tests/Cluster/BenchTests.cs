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
            Assert.Matches("^out/(bin/hpaps stress .*--json .*--seconds [0-9.]+ .*|bench/loops .* [0-9.]+)$", row[2]);
            Assert.Matches("^out/(bench/limits .* [0-9.]+( --.*)?|bin/hpaps stress .*--json .*--seconds [0-9.]+ .*)$", row[3]);
        }
    }

    [Fact]
    public void Page_has_the_rows_that_the_script_measures()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "benchmarks.md"));
        foreach (string[] row in Rows())
            Assert.Contains($"\n| {row[0]} | ", page, StringComparison.Ordinal);
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

    /// <summary>Ratios of 2, 1, 4 and 3: quartiles between the runs. Round trips show the time, and the ratio stays that of speeds.</summary>
    [Theory]
    [InlineData("GB/s", "2 0 1 -\n1 9 1 -\n8 10 2 -\n6 0 2 -", "| a row | 4.00 GB/s | 1.50 GB/s | 2.50 | 1.75 to 3.25 | 10 |\n")]
    [InlineData("us", "20000 - 10000 -", "| a row | 50.0 us | 100.0 us | 2.00 | 2.00 to 2.00 | - |\n")]
    public void Table_has_medians_quartiles_and_the_most_allocated(string unit, string pairs, string row) =>
        Assert.Equal(row, Bash($"table_row 'a row' {unit} <<<'{pairs}'"));

    [Theory]
    [InlineData("{\n  \"parameters_gb_per_second\": 2.5e-1,\n  \"allocated_bytes\": 0\n}", "parameters_gb_per_second gb_per_second", "2.5e-1\n")]
    [InlineData("{\"what\":\"push\",\"gb_per_second\":0.6}", "parameters_gb_per_second gb_per_second", "0.6\n")]
    [InlineData("{\"round_trips\":5,\"round_trips_per_second\":7.5}", "messages_per_second round_trips_per_second per_second", "7.5\n")]
    [InlineData("{\"gb_per_second\":0.6}", "allocated_bytes", "")]
    public void Number_is_found_in_what_a_program_prints(string json, string keys, string number) =>
        Assert.Equal(number, Bash($"file=$(mktemp); echo '{json}' >$file; number $file {keys}; rm $file"));

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

    /// <summary>What a line of shell prints that uses the functions of tools/measuring.sh.</summary>
    private static string Bash(string line)
    {
        using RunningProgram run = RunningProgram.Run("/bin/bash", Repository.Root, "-c", $"set -euo pipefail; . tools/measuring.sh; {line}");
        Assert.True(run.ExitCode() == 0, run.Errors);
        return run.Output;
    }

    private static string[][] Rows(params string[] arguments)
    {
        using RunningProgram run = RunningProgram.Run(Script, Repository.Root, ["--dry", .. arguments]);
        Assert.True(run.ExitCode() == 0, run.Errors);
        return [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|'))];
    }
}
