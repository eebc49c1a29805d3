using System;
using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>Workers that are called stalled though they are not, and how soon those are that are: the numbers of docs/monitoring.md.</summary>
public sealed class StalledTests(ITestOutputHelper output)
{
    private const double Hour = 3600;

    /// <summary>An hour of 8 workers: at most one of the pushes is taken for none. The last word is the most alarms in one hour.</summary>
    [Theory]
    [InlineData("lognormal 1", 0.02, 1)]
    [InlineData("lognormal 1", 0.3, 1)]
    [InlineData("lognormal 1", 5, 1)]
    [InlineData("lognormal 1", 30, 1)]
    [InlineData("lognormal 0.3", 0.3, 1)]
    [InlineData("exponential", 0.02, 1)]
    [InlineData("exponential", 5, 1)]
    [InlineData("exponential", 30, 1)]
    [InlineData("shifted exponential", 0.3, 1)]
    [InlineData("Weibull 2", 0.3, 1)]
    [InlineData("constant 1 %", 0.02, 0)]
    [InlineData("constant 1 %", 30, 0)]
    [InlineData("bursts", 0.02, 1)]
    [InlineData("bursts", 0.3, 1)]
    [InlineData("bursts", 5, 1)]
    [InlineData("8 times slower midway", 0.3, 2)]
    [InlineData("8 times slower midway", 5, 2)]
    public void An_hour_of_eight_workers_has_hardly_a_false_alarm(string family, double median, int most)
    {
        int seeds = median < 0.1 ? 3 : 10, all = 0, worst = 0;
        long pushes = 0;
        for (int seed = 0; seed < seeds; seed++)
        {
            var traces = new MonitoredTraces(family, (ulong)seed, median, Hour);
            traces.RunTo(Hour);
            int alarms = traces.Count(WorkerState.Stalled);
            (all, worst, pushes) = (all + alarms, Math.Max(worst, alarms), pushes + traces.Pushes);
        }

        output.WriteLine($"| {family} | {median:0.##} | {seeds} | {pushes} | {all} | {worst} |");
        Assert.InRange(worst, 0, most);
        Assert.True(pushes > seeds * MonitoredTraces.Workers * Hour / median / 10, "hardly anybody pushed");
    }

    /// <summary>A worker that stops for good, after a time in which it was got to know. Times of its median until it is stalled.</summary>
    [Theory]
    [InlineData("lognormal 1", 0.02)]
    [InlineData("lognormal 1", 0.3)]
    [InlineData("lognormal 1", 5)]
    [InlineData("lognormal 1", 30)]
    [InlineData("lognormal 0.3", 0.3)]
    [InlineData("exponential", 0.02)]
    [InlineData("exponential", 0.3)]
    [InlineData("exponential", 5)]
    [InlineData("exponential", 30)]
    [InlineData("shifted exponential", 0.3)]
    [InlineData("Weibull 2", 0.3)]
    [InlineData("constant 1 %", 0.02)]
    [InlineData("constant 1 %", 0.3)]
    [InlineData("constant 1 %", 30)]
    [InlineData("bursts", 0.3)]
    public void A_worker_that_stops_pushing_is_stalled_soon(string family, double median)
    {
        const int seeds = 10;
        double[] times = new double[seeds];
        for (int seed = 0; seed < seeds; seed++)
        {
            double known = 300 * median;
            var traces = new MonitoredTraces(family, (ulong)seed, median, double.PositiveInfinity);
            traces.RunTo(known);
            traces.Stopped = 0;
            double began = traces.BeganAt(0);
            traces.RunTo(known + (2000 * median) + 60, () => traces.Monitor.StateOf(0) == WorkerState.Stalled);
            Assert.Equal(WorkerState.Stalled, traces.Monitor.StateOf(0));
            Assert.Equal(WorkerState.Stalled, traces.Events[^1].To);
            Assert.StartsWith("it is heard of, and has not pushed for", traces.Events[^1].Reason, StringComparison.Ordinal);
            times[seed] = traces.Now - began;
        }

        Array.Sort(times);
        output.WriteLine($"| {family} | {median:0.##} | {times[seeds / 2]:g3} | {times[seeds / 2] / median:g3} | {times[^1] / median:g3} |");
        double most = family switch { "constant 1 %" or "Weibull 2" or "lognormal 0.3" => 15, "exponential" or "shifted exponential" => 150, "bursts" => 300, _ => 1000 };
        Assert.InRange(times[^1], WorkerTimes.LeastSeconds, Math.Max(most * median, WorkerTimes.LeastSeconds + 0.2));
    }

    [Fact]
    public void A_worker_that_pushes_again_is_stalled_no_more_at_once()
    {
        var traces = new MonitoredTraces("lognormal 0.3", 1, 0.3, double.PositiveInfinity);
        traces.RunTo(100);
        traces.Stopped = 3;
        traces.RunTo(200);
        Assert.Equal(WorkerState.Stalled, traces.Monitor.StateOf(3));
        int before = traces.Events.Count;
        traces.Monitor.Pushed(3, 1, 1, 90, traces.Now, isMeasured: true);
        MonitorEvent back = Assert.Single(traces.Events[before..]);
        Assert.Equal((3, WorkerState.Stalled, "it has pushed again, after 90 s"), (back.Rank!.Value, back.From!.Value, back.Reason));
    }

    [Fact]
    public void Waiting_evaluating_and_what_nobody_knows_is_not_stalled()
    {
        var traces = new MonitoredTraces("constant 1 %", 1, 0.3, double.PositiveInfinity);
        traces.RunTo(100);
        traces.Monitor.Look(0, new Sight(true, false, 0, false, false, 1000, ""), 101);
        Assert.Equal(WorkerState.Idle, traces.Monitor.StateOf(0));
        traces.Monitor.Look(0, new Sight(true, false, 0, false, true, 1000, ""), 101);
        Assert.Equal(WorkerState.Evaluating, traces.Monitor.StateOf(0));
        traces.Monitor.Evaluated(0, 999);
        traces.Monitor.Look(0, new Sight(true, false, 0, true, false, 1000, ""), 101);
        Assert.Equal(WorkerState.Computing, traces.Monitor.StateOf(0));
        var nobody = new StalenessMonitor(2, () => default);
        nobody.Begin(0);
        nobody.Look(0, new Sight(true, false, 0, true, false, 1e6, ""), 1e6);
        Assert.Equal(WorkerState.Computing, nobody.StateOf(0)); // the first push of all may take as long as it likes
    }

    /// <summary>Of one that has pushed little the others say what is long.</summary>
    [Fact]
    public void First_push_is_judged_by_the_others()
    {
        var traces = new MonitoredTraces("constant 1 %", 1, 1, double.PositiveInfinity) { Stopped = 0 };
        traces.RunTo(100, () => traces.Monitor.StateOf(0) == WorkerState.Stalled);
        Assert.InRange(traces.Now, 50, 52);
    }
}
