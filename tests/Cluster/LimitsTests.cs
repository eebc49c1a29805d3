using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>native-bench/limits, the bar in plain C: what it prints and how it ends. How fast it is depends on the machine.</summary>
public sealed class LimitsTests
{
    private const int Kill = 9, Terminate = 15, Halt = 19;

    private static readonly Lazy<string> Program = new(Build);

    [Theory]
    [InlineData("push 64K 1", "payload_bytes", "messages_per_second", "message_us")]
    [InlineData("push 1000004 1 --window 64 --unix", "payload_bytes", "messages_per_second", "message_us")]
    [InlineData("full 64K 1 --window 1", "payload_bytes", "messages_per_second", "message_us")]
    [InlineData("pull 64K 1 --window 64", "payload_bytes", "messages_per_second", "message_us")]
    [InlineData("trip 4 1 --unix", "payload_bytes", "round_trips_per_second", "round_trip_us")]
    [InlineData("add 64K 1", "vector_bytes", "sweeps_per_second", "sweep_us")]
    [InlineData("copy 4K 1", "vector_bytes", "sweeps_per_second", "sweep_us")]
    [InlineData("encode4 100K 1", "vector_bytes", "sweeps_per_second", "sweep_us")]
    [InlineData("decode8 404 1", "vector_bytes", "sweeps_per_second", "sweep_us")]
    public void Quantity_is_one_line_of_json(string arguments, string bytes, string rate, string time)
    {
        using RunningProgram run = Run(arguments);
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.Equal("", run.Errors);
        Assert.Equal(1, run.Output.Count(c => c == '\n'));
        using JsonDocument document = JsonDocument.Parse(run.Output);
        JsonElement result = document.RootElement;
        Assert.Equal(arguments.Split(' ')[0], result.GetProperty("what").GetString());
        Assert.True(result.GetProperty(bytes).GetInt64() > 0);
        Assert.InRange(result.GetProperty(rate).GetDouble() * result.GetProperty(time).GetDouble(), 0.9e6, 1.1e6); // both are rounded
        Assert.True(result.GetProperty("gb_per_second").GetDouble() >= 0);
    }

    [Theory]
    [InlineData("", "a command is missing")]
    [InlineData("shove 4K", "there is no command 'shove'")]
    [InlineData("push", "push needs a SIZE")]
    [InlineData("push 5", "SIZE is '5'")]
    [InlineData("push 2G", "SIZE is '2G'")]
    [InlineData("push 4KB", "SIZE is '4KB'")]
    [InlineData("push 99999999999999999999", "SIZE is '99999999999999999999'")]
    [InlineData("push 4K nan", "SECONDS is 'nan'")]
    [InlineData("push 4K 0.1", "SECONDS is '0.1'")]
    [InlineData("push 4K 1 8 unix 9", "'9' is one argument too many")]
    [InlineData("push 4K 1 8 --window 9", "'8' is one argument too many")]
    [InlineData("trip 4K 1 8", "'8' is one argument too many")]
    [InlineData("push 4K 1 65", "the window is '65'")]
    [InlineData("add 4K unix", "add takes neither --spin nor --unix")]
    [InlineData("push 4K --window", "--window needs a value")]
    [InlineData("pull 4K --window 65", "the window is '65'")]
    [InlineData("trip 4K --window 2", "trip has no --window")]
    [InlineData("add 4K --spin", "add takes neither --spin nor --unix")]
    [InlineData("push 4K --turbo", "'--turbo' is no option")]
    public void Wrong_usage_is_named(string arguments, string part)
    {
        using RunningProgram run = Run(arguments);
        Assert.Equal(2, run.ExitCode());
        Assert.Equal("", run.Output);
        Assert.StartsWith($"limits: {part}", run.Errors);
        Assert.EndsWith("see limits --help\n", run.Errors);
    }

    [Theory]
    [InlineData("push 4096 0.3 3 unix spin", 3, true, true)]
    [InlineData("pull 4096 0.3 spin", 8, true, false)]
    [InlineData("push 4096 0.3 --window 3 unix", 3, false, true)]
    public void Words_mean_what_the_options_do(string arguments, int window, bool spins, bool local)
    {
        using RunningProgram run = Run(arguments);
        Assert.True(run.ExitCode() == 0, run.Errors);
        using JsonDocument document = JsonDocument.Parse(run.Output);
        JsonElement result = document.RootElement;
        Assert.Equal((window, spins, local),
            (result.GetProperty("window_messages").GetInt32(), result.GetProperty("spin").GetBoolean(), result.GetProperty("unix").GetBoolean()));
    }

    [Fact]
    public void Help_has_examples()
    {
        using RunningProgram run = Run("--help");
        Assert.Equal(0, run.ExitCode());
        Assert.Contains("Examples:\n  limits push 1M\n", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Terminate)]
    [InlineData(Kill)]
    public void Whoever_ends_it_ends_the_other_process_too(int signal)
    {
        using RunningProgram run = Start("pull 64K 50");
        int other = Other(run);
        Eventually.Holds(() => RunningProgram.ProcessorTicks(other) > 0, () => "the other process does nothing"); // it has asked to be ended with its parent before it serves
        RunningProgram.Signal(other, Halt); // or it would end by itself when the connection does
        run.Signal(signal);
        Assert.Equal(128 + signal, run.ExitCode());
        Eventually.Holds(() => RunningProgram.IsGone(other), () => "the other process goes on");
    }

    [Theory]
    [InlineData("push 64K 50")]
    [InlineData("pull 64K 50")]
    [InlineData("trip 64K 50 --unix")]
    public void Loss_of_the_other_process_is_a_failure(string arguments)
    {
        using RunningProgram run = Start(arguments);
        RunningProgram.Signal(Other(run), Kill);
        Assert.Equal(4, run.ExitCode());
        Assert.Equal("", run.Output);
        Assert.StartsWith("limits: ", run.Errors);
    }

    [Theory]
    [InlineData("", "usage:")]
    [InlineData("/absent", "/absent is no program")]
    [InlineData("/bin/true many", "PAIRS is 'many'")]
    public void Comparison_names_wrong_usage(string arguments, string part)
    {
        using RunningProgram run = RunningProgram.Run(Path.Combine(Repository.Root, "tools", "compare-limits.sh"), Repository.Root, Words(arguments));
        Assert.Equal(2, run.ExitCode());
        Assert.Contains(part, run.Errors, StringComparison.Ordinal);
    }

    private static RunningProgram Start(string arguments) => RunningProgram.Start(Program.Value, Repository.Root, Words(arguments));

    private static RunningProgram Run(string arguments) => RunningProgram.Run(Program.Value, Repository.Root, Words(arguments));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static int Other(RunningProgram run)
    {
        run.Until(() => run.Children().Count == 1, "its other process");
        return run.Children().Keys.Single();
    }

    private static string Build()
    {
        using RunningProgram build = RunningProgram.Run(Path.Combine(Repository.Root, "native-bench", "limits", "build.sh"), Repository.Root);
        Assert.True(build.ExitCode() == 0, build.Errors);
        return Path.Combine(Repository.Root, "out", "bench", "limits");
    }
}
