using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Server;

public sealed class PlateauTests
{
    [Theory]
    [InlineData("20", true, 20, 1e-4)]
    [InlineData("20:1e-3", true, 20, 1e-3)]
    [InlineData("0.5:0", true, 0.5, 0)]
    [InlineData("0", false, 0, 0)]
    [InlineData("-1:1e-3", false, 0, 0)]
    [InlineData("20:1", false, 0, 0)]
    [InlineData("20:x", false, 0, 0)]
    [InlineData("", false, 0, 0)]
    [InlineData("NaN", false, 0, 0)]
    [InlineData("20:NaN", false, 0, 0)]
    [InlineData("1,5", false, 0, 0)]
    public void TryParse(string text, bool good, double passes, double tolerance)
    {
        Assert.Equal(good, PlateauRule.TryParse(text, out PlateauRule rule));
        Assert.Equal((passes, tolerance), (rule.Passes, rule.Tolerance));
        Assert.True(!good || (PlateauRule.TryParse(rule.ToString(), out PlateauRule again) && again == rule));
    }

    /// <summary>The value after each pass, and the pass at which 10:1e-2 stops; 0 stands for never in 200.</summary>
    [Theory]
    [InlineData("flat", 10)]
    [InlineData("falling", 0)] // by a half percent a pass: two passes are beyond the tolerance
    [InlineData("creeping", 10)] // by 0.09 percent a pass: ten passes are not
    [InlineData("falling to 0.5 at 50", 60)]
    [InlineData("noise around 1", 10)]
    [InlineData("falling in noise", 0)]
    [InlineData("negative and flat", 10)]
    [InlineData("negative and falling", 0)]
    [InlineData("rising", 10)]
    public void Observe_stops_where_nothing_gets_better(string curve, int stopsAt)
    {
        var plateau = new Plateau(new PlateauRule(10, 1e-2));
        var random = new Random(2);
        int stopped = 0;
        for (int pass = 0; pass <= 200 && stopped == 0; pass++)
        {
            double noise = random.NextDouble() - 0.5;
            double value = curve switch
            {
                "flat" => 1,
                "falling" => Math.Pow(0.995, pass),
                "creeping" => Math.Pow(0.9991, pass),
                "falling to 0.5 at 50" => 1 - (0.01 * Math.Min(pass, 50)),
                "noise around 1" => 1 + (0.009 * noise),
                "falling in noise" => Math.Pow(0.99, pass) * (1 + (0.02 * noise)),
                "negative and flat" => -1,
                "negative and falling" => -1 - (0.01 * pass),
                _ => 1 + pass,
            };
            if (plateau.Observe(pass, value))
                stopped = pass;
        }

        Assert.Equal(stopsAt, stopped);
    }

    [Fact]
    public void Observe_few_evaluations_are_no_plateau_however_many_passes_lie_between_them()
    {
        var plateau = new Plateau(new PlateauRule(10, 1e-2));
        Assert.False(plateau.Observe(0, 1));
        Assert.False(plateau.Observe(100, 1));
        Assert.False(plateau.Observe(200, 1));
        Assert.True(plateau.Observe(300, 1));
    }

    [Theory]
    [InlineData("2:1e-2", "plateau")]
    [InlineData(null, "passes")]
    public void Run_ends_on_a_plateau_if_asked_to(string? rule, string reason)
    {
        var options = new ServerOptions { Passes = 100_000, Plateau = rule is not null && PlateauRule.TryParse(rule, out PlateauRule given) ? given : null };
        RunResult result = new VirtualCluster(1, options, [new FlatTask(), new FlatTask()], [100, 100]).Run(5_000_000);
        Assert.Equal(reason, result.Reason);
        Assert.Equal(0.75, result.Objective);
        Assert.NotNull(result.Model);
        if (rule is not null)
            Assert.InRange(result.Status.Passes, 2, 50_000);
    }

    /// <summary>Where examples are held out their error counts: it is flat here, while the objective falls.</summary>
    [Fact]
    public void Run_with_held_out_examples_is_judged_by_their_error()
    {
        var options = new ServerOptions { Passes = 100_000, Plateau = new PlateauRule(2, 1e-2) };
        Assert.Equal("plateau", new VirtualCluster(1, options, [new FlatTask(falls: true, holdsOut: true)], [100]).Run(5_000_000).Reason);
        Assert.Equal("passes", new VirtualCluster(1, options with { Passes = 3_000 }, [new FlatTask(falls: true)], [100]).Run(5_000_000).Reason);
    }

    private sealed class FlatTask(bool falls = false, bool holdsOut = false) : ITask
    {
        private double _objective = 0.75;

        public int Parameters => 1;

        public int RowLength => 1;

        public Aggregate Aggregate => Aggregate.Mean;

        public double Weight => 1;

        public double[] Agreed => [];

        public System.Collections.Generic.IReadOnlyList<System.Collections.Generic.KeyValuePair<string, string>> Settings => [];

        public int Values => holdsOut ? 3 : 1;

        public void Start(StartMessage agreed)
        {
        }

        public double Step(in StepInput input, Span<float> x) => 1;

        public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
        {
            values[0] = falls ? _objective *= 0.9 : _objective;
            if (holdsOut)
                (values[1], values[2]) = (0.25, 1);
        }
    }
}
