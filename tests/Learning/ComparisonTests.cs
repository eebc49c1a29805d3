using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Xml.Linq;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Learning.Output.Comparing;
using HpAsyncPs.Learning.Output.Report;
using HpAsyncPs.Server;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>What is computed of compared runs, beside figures made by hand and by brute force.</summary>
public sealed class ComparisonTests
{
    private static readonly double[] Thresholds = [0.05, 0.1, 0.25, 0.5, 0.75, 0.95, 2];

    [Fact]
    public void Median_and_quartiles_are_those_of_brute_force()
    {
        var random = new Random(5);
        for (int count = 1; count <= 40; count++)
        {
            double[] numbers = new double[count];
            for (int j = 0; j < count; j++)
                numbers[j] = random.Next(20) / 4.0;
            Spread spread = Spread.Of(numbers)!;
            Assert.Equal(At(numbers, 0.5), spread.Median, 12);
            Assert.Equal(count, spread.Runs);
            Assert.Equal(count >= 3, spread.LowerQuartile is not null);
            Assert.Equal(count >= 3, spread.UpperQuartile is not null);
            if (count < 3)
                continue;
            Assert.Equal(At(numbers, 0.25), spread.LowerQuartile!.Value, 12);
            Assert.Equal(At(numbers, 0.75), spread.UpperQuartile!.Value, 12);
        }

        Assert.Null(Spread.Of([]));

        // The number at a share of the way from the least to the most: between neighbours by rank, without sorting.
        static double At(double[] numbers, double share)
        {
            double place = share * (numbers.Length - 1), below = ByRank(numbers, (int)Math.Floor(place)), above = ByRank(numbers, (int)Math.Ceiling(place));
            return below + ((above - below) * (place - Math.Floor(place)));
        }

        static double ByRank(double[] numbers, int rank)
        {
            foreach (double one in numbers)
            {
                int less = 0, same = 0;
                foreach (double other in numbers)
                {
                    less += other < one ? 1 : 0;
                    same += other == one ? 1 : 0;
                }

                if (less <= rank && rank < less + same)
                    return one;
            }

            throw new InvalidOperationException("there is no number of that rank");
        }
    }

    [Fact]
    public void Seconds_to_the_target_are_those_of_brute_force()
    {
        var random = new Random(8);
        int reached = 0, missed = 0;
        for (int round = 0; round < 200; round++)
        {
            var trace = new List<TraceRow>();
            int samples = random.Next(8);
            for (int j = 0; j < samples; j++)
                trace.Add(Row(j, random.Next(12) == 0 ? double.NaN : random.NextDouble() * Math.Pow(0.6, j)));
            foreach (double threshold in Thresholds)
            {
                double? expected = null;
                for (int j = 0; j < samples && expected is null; j++)
                {
                    bool stays = true;
                    for (int later = j; later < samples; later++)
                        stays &= trace[later].Objective <= threshold;
                    expected = stays ? trace[j].Seconds : null;
                }

                double? before = null;
                for (int j = 0; j < samples && expected is not null; j++)
                    before = trace[j].Seconds < expected ? trace[j].Seconds : before ?? 0;
                Assert.Equal(before, new ComparisonTarget(ComparisonTarget.Objective, threshold, "").SecondsBefore(trace));
                reached += expected is null ? 0 : 1;
                missed += expected is null ? 1 : 0;
                foreach (string metric in (string[])[ComparisonTarget.Objective, ComparisonTarget.Gap])
                    Assert.Equal(expected, new ComparisonTarget(metric, threshold, "").SecondsTo(trace));
            }
        }

        Assert.InRange(reached, 200, 1200);
        Assert.InRange(missed, 200, 1200);
    }

    [Fact]
    public void A_dip_below_the_target_is_not_yet_there()
    {
        TraceRow[] trace = [Row(0, 1), Row(1, 0.2), Row(2, 0.4), Row(3, 0.3), Row(4, 0.1)];
        Assert.Equal(3, new ComparisonTarget(ComparisonTarget.Objective, 0.3, "").SecondsTo(trace));
        Assert.Equal(1, new ComparisonTarget(ComparisonTarget.Objective, 0.4, "").SecondsTo(trace));
        Assert.Null(new ComparisonTarget(ComparisonTarget.Objective, 0.05, "").SecondsTo(trace));
        Assert.Null(new ComparisonTarget(ComparisonTarget.Rmse, 0.05, "").SecondsTo(trace));
    }

    [Fact]
    public void Ratios_are_paired_by_the_number_of_the_run_and_gain_is_of_the_fewest_workers()
    {
        Comparison made = Comparison.Of(Plan(3, gap: 0.5), ByHand());

        // async, 4 workers: 2, 4 and 5 s beside 8, 8 and 5 s: 4, 2 and 1 times sooner, which no ratio of medians gives.
        ComparedConfiguration fast = made.Configurations[1];
        Assert.Equal("async", fast.Policy);
        Assert.Equal(4, fast.SecondsToTarget!.Median);
        Assert.Equal(3, fast.SecondsToTarget.LowerQuartile);
        Assert.Equal(4.5, fast.SecondsToTarget.UpperQuartile);
        Assert.Equal(2, fast.TimesSooner!.Median);
        Assert.Equal(1.5, fast.TimesSooner.LowerQuartile);
        Assert.Equal(3, fast.TimesSooner.UpperQuartile);
        Assert.Equal("bsp, fp32, 4 workers", fast.Baseline);
        Assert.Equal(2, fast.Shown!.Run);

        // 5 s are not sooner than 5 s.
        Assert.False(fast.TimesSoonerDecided);

        // bsp with 1 worker is the start of gains: its median is 20 s. async with 1 worker was there in one run only, sooner: that is no gain.
        Assert.Equal(5, fast.Gain);
        Assert.Equal(20.0 / 8, made.Configurations[3].Gain);
        Assert.Equal(1, made.Configurations[2].Gain);
        Assert.Null(made.Configurations[0].Gain);

        // Where it is never there, gains begin at the next number of workers; 5 s and 5 s overlap, 4.5 s are sooner.
        var slower = new List<ComparedRun>(ByHand());
        slower.RemoveAll(static run => run is { Policy: "bsp", Workers: 1 });
        Assert.Null(Comparison.Of(Plan(3, gap: 0.5), slower).Configurations[1].Gain);
        slower[^2] = One("async", 4, 3, 4.5, 1.2);
        Assert.Equal(8.0 / 4, Comparison.Of(Plan(3, gap: 0.5), slower).Configurations[1].Gain);

        // async with 1 worker: one run failed, one did not reach it, one took 10 s while the baseline took 20 s.
        ComparedConfiguration broken = made.Configurations[0];
        Assert.Equal((2, 1, 1), (broken.DoneRuns, broken.FailedRuns, broken.ReachedRuns));
        Assert.Equal(new Spread(2, null, null, 1), broken.TimesSooner);
        Assert.Equal((12, 11, 1), (made.PlannedRuns, made.DoneRuns, made.FailedRuns));
        string table = ComparisonTable.Text(made);
        Assert.Contains("10.0, 1 of 2 runs", table, StringComparison.Ordinal);
        Assert.Contains("4.000 (3.000 to 4.500)", table, StringComparison.Ordinal);
        Assert.Contains("undecided", table, StringComparison.Ordinal);
        Assert.Contains("  baseline  ", table, StringComparison.Ordinal);
        Assert.DoesNotContain("2.00 (1.50 to 3.00)", table, StringComparison.Ordinal);
        ComparedRun[] sooner = ByHand();
        sooner[9] = One("async", 4, 3, 4.5, 1.2);
        Assert.Contains("2.00 (1.56 to 3.00)", ComparisonTable.Text(Comparison.Of(Plan(3, gap: 0.5), sooner)), StringComparison.Ordinal);
        Assert.Contains("failed: async, fp32, 1 worker, run 3: it broke", table, StringComparison.Ordinal);
        Assert.DoesNotContain("missing", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Best_is_who_was_there_in_all_runs_and_only_where_that_can_be_decided()
    {
        ComparedRun[] runs = ByHand();

        // async with 1 worker was there after 1 s in one run, but in none of the others.
        runs[0] = One("async", 1, 1, 1, 1.1);
        Assert.Contains("cannot be decided between async, 4 workers (4.00 s) and bsp, 4 workers (8.00 s)", Outcome(runs), StringComparison.Ordinal);
        runs[9] = One("async", 4, 3, 4.5, 1.2);
        Assert.Equal("First at the target, relative gap 5.00e-1: async, 4 workers, after 4.00 s, 2.00 times sooner than bsp, fp32, 4 workers.", Outcome(runs));

        // Samples that are far apart decide nothing, though each run was first seen there sooner.
        Assert.Contains("cannot be decided", Outcome(Array.ConvertAll(runs, static run => run with { Trace = run.Trace.Count > 2 ? [run.Trace[0], run.Trace[^1]] : run.Trace })), StringComparison.Ordinal);

        // Nor do equal times.
        Assert.Contains("cannot be decided between", Outcome(Array.ConvertAll(runs, static run => run.IsDone ? One(run.Policy, run.Workers, run.Run, 3, 1.2) : run)), StringComparison.Ordinal);
        ComparedRun[] partly = Array.ConvertAll(runs, static run => run.IsDone ? One(run.Policy, run.Workers, run.Run, run is { Run: 2, Policy: "bsp", Workers: 1 } ? 3 : null, 1.2) : run);
        Assert.Equal("No configuration reached the target, relative gap 5.00e-1, in all of its runs; bsp, 1 worker did in 1 of 3.", Outcome(partly));
        Assert.Equal("No run that is done reached the target, relative gap 5.00e-1.", Outcome(partly[..1]));
        Assert.Equal("No run is done: there is nothing to compare.", Outcome([]));

        static string Outcome(ComparedRun[] runs)
        {
            Comparison made = Comparison.Of(Plan(3, gap: 0.5), runs);
            string outcome = ComparisonOutcome.Of(made);
            Assert.Contains($"<p class=\"outcome\">{outcome}</p>", ComparisonPage.Of(made, static _ => ""), StringComparison.Ordinal);
            Assert.Contains(outcome, ComparisonTable.Text(made), StringComparison.Ordinal);
            return outcome;
        }
    }

    [Fact]
    public void What_never_ran_did_not_miss_the_target()
    {
        // Stopped after the first run, which is none of the baseline: there is no target, and nothing has missed it.
        Comparison made = Comparison.Of(Plan(3, gap: null), ByHand()[..1]);
        string table = ComparisonTable.Text(made), page = ComparisonPage.Of(made, static _ => "");
        Assert.DoesNotContain("not reached", table, StringComparison.Ordinal);
        Assert.DoesNotContain("not reached", page, StringComparison.Ordinal);
        Assert.Contains("not run", table, StringComparison.Ordinal);
        Assert.Contains("; and 5 others", table, StringComparison.Ordinal);
        Assert.Contains("bsp, fp32, 4 workers, run 1", table, StringComparison.Ordinal);

        // With one, what is done has missed it, and what never ran has not.
        table = ComparisonTable.Text(Comparison.Of(Plan(3, gap: 0.01), ByHand()[..1]));
        Assert.Contains("not reached", table, StringComparison.Ordinal);
        Assert.Contains("not run", table, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_lost_a_worker_is_named()
    {
        ComparedRun[] runs = ByHand();
        runs[1] = runs[1] with { LostWorkers = [2] };
        Assert.Contains("lost: async, fp32, 4 workers, run 1, did without worker 2 of 4", ComparisonTable.Text(Comparison.Of(Plan(3, gap: 0.5), runs)), StringComparison.Ordinal);
    }

    [Fact]
    public void Gaps_far_below_the_target_lie_at_the_edge_of_the_plot()
    {
        ComparedRun[] runs = Array.ConvertAll(ByHand(), static run => run.IsDone ? run with { Trace = [.. run.Trace, Row(45, 1e-14)] } : run);
        string cut = ComparisonPage.Of(Comparison.Of(Plan(3, gap: 0.5) with { Reference = 1 }, Array.ConvertAll(runs, static run => run with { RelativeGap = 1e-14 })), static _ => "");
        string gaps = cut[cut.IndexOf("<h2>Relative gap", StringComparison.Ordinal)..cut.IndexOf("<h2>Objective", StringComparison.Ordinal)];
        Assert.Contains("a hundredth of the target", gaps, StringComparison.Ordinal);
        Assert.Contains("1.00e-14", gaps, StringComparison.OrdinalIgnoreCase); // what a point is stays
        Assert.DoesNotContain("10⁻", gaps, StringComparison.Ordinal);
        Assert.Contains("over pushes", gaps, StringComparison.Ordinal);
        Assert.DoesNotContain("over messages", gaps, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_target_runs_are_timed_to_where_the_lowest_baseline_ended()
    {
        var runs = new List<ComparedRun>(ByHand());
        Comparison made = Comparison.Of(Plan(3, gap: null) with { Within = 0.1 }, runs);

        // bsp with 1 worker ends at 1.2, 1.2 and 1.3; with 4 workers at 1.25.
        Assert.Equal(ComparisonTarget.Objective, made.Target!.Metric);
        Assert.Equal(1.2 * 1.1, made.Target.Value, 12);
        Assert.Contains("bsp, fp32, 1 worker", made.Target.Words, StringComparison.Ordinal);
        Assert.Equal(1.1, made.BestObjective);
        Assert.Equal((1.2 - 1.1) / 1.1, made.Configurations[2].GapToBest!.Value, 12);
        Comparison none = Comparison.Of(Plan(3, gap: null), runs.FindAll(static run => run.Policy == "async"));
        Assert.Null(none.Target);
        Assert.All(none.Configurations, static one => Assert.Null(one.TimesSooner));
    }

    [Fact]
    public void Runs_that_were_not_made_or_stopped_are_missing()
    {
        var runs = new List<ComparedRun>(ByHand());
        runs.RemoveRange(9, 3);
        runs[8] = runs[8] with { Outcome = ComparedRun.Stopped };
        Comparison made = Comparison.Of(Plan(3, gap: 0.5), runs);
        Assert.Equal(4, made.Missing().Count);
        Assert.Contains("async, fp32, 1 worker, run 3", made.Missing());
        Assert.Equal(8, made.DoneRuns);
        Assert.Contains("missing: ", ComparisonTable.Text(made), StringComparison.Ordinal);
        Assert.Contains("4 of 12 runs are missing", ComparisonPage.Of(made, static _ => ""), StringComparison.Ordinal);
    }

    [Fact]
    public void Baseline_is_the_nearest_of_its_policy()
    {
        ComparedSetting[] all = [new("bsp", "fp32", 2, "svrg"), new("bsp", "int4", 2, "svrg"), new("bsp", "fp32", 2, "gradient"), new("asp:sgd", "int4", 2, "batch:8"), new("bsp", "fp32", 4, "svrg")];
        ComparisonPlan plan = Plan(1, gap: null) with { Settings = all };
        Assert.Equal(all[1], plan.BaselineOf(all[3]));
        Assert.Equal(all[2], plan.BaselineOf(new("async", "fp32", 2, "gradient")));
        Assert.Equal(all[4], plan.BaselineOf(all[4]));
        Assert.Null(plan.BaselineOf(new("async", "fp32", 8, "svrg")));
        Assert.Equal(all[0], (plan with { BaselineCodec = "fp32" }).BaselineOf(all[3]));
        Assert.Equal(all[0], plan.FirstBaseline());
        Assert.Equal("bsp, int4, svrg", all[1].NameAmong([all[0], all[1], all[2]]));
        Assert.Equal("bsp, 4 workers", all[4].NameAmong([all[0], all[4]]));
    }

    [Fact]
    public void Traces_are_read_as_they_are_written()
    {
        using var folder = new Cluster.TempFolder();
        RunResult result = SyntheticRun.Of(3, 50);
        RunFolder.Write(folder.In("run"), result, SyntheticRun.SummaryOf(result));
        IReadOnlyList<TraceRow> rows = TraceFile.Read(folder.In("run/trace.csv"));
        Assert.Equal(result.Trace.Count, rows.Count);
        for (int j = 0; j < rows.Count; j++)
        {
            TraceRow expected = result.Trace[j], row = rows[j];
            Assert.Equal(expected.Seconds, row.Seconds, 6);
            Assert.Equal((expected.Passes, expected.Objective, expected.RelativeGap, expected.Pushes), (row.Passes, row.Objective, row.RelativeGap, row.Pushes));
            Assert.Equal((expected.UplinkBytes, expected.DownlinkBytes, expected.StalenessP50, expected.StalenessMax), (row.UplinkBytes, row.DownlinkBytes, row.StalenessP50, row.StalenessMax));
            Assert.Equal(expected.TestRmse!.Value, row.TestRmse!.Value, 14);
        }

        RunSummary summary = JsonSerializer.Deserialize(File.ReadAllText(folder.In("run/summary.json")), OutputJson.Default.RunSummary)!;
        Assert.Equal(result.Staleness, summary.StalenessBins);
        Assert.Contains("aria-label=\"worker 2:", ReportPage.LanesOf(folder.In("run/report.html")), StringComparison.Ordinal);
        Assert.Equal("", ReportPage.LanesOf(folder.In("none.html")));
        File.WriteAllText(folder.In("bad.csv"), "seconds,passes\n1,2\n");
        Assert.Contains("bad.csv:2", Assert.Throws<InputException>(() => TraceFile.Read(folder.In("bad.csv"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(9, 4)]
    public void Page_is_well_formed_and_bounded_whatever_the_number(int policies, int workerCounts)
    {
        const string evil = "</title><script>alert('1')</script>&\u0001";
        var settings = new List<ComparedSetting>();
        var runs = new List<ComparedRun>();
        RunResult result = SyntheticRun.Of(4, 400);
        for (int policy = 0; policy < policies; policy++)
        {
            for (int count = 1; count <= workerCounts; count++)
            {
                settings.Add(new ComparedSetting($"{evil}{policy}", "fp32", count, $"solver {count}"));
                runs.Add(ComparedRun.Of(settings[^1], 1, SyntheticRun.SummaryOf(result), result.Trace, $"runs/{policy}") with { StalenessBins = result.Staleness });
            }
        }

        runs.Add(ComparedRun.Without(settings[0], 1, ComparedRun.Failed, evil, null));
        string page = ComparisonPage.Of(Comparison.Of(Plan(1, gap: 1e-3) with { Settings = settings, BaselinePolicy = settings[0].Policy }, runs) with { Command = evil },
            static _ => "<div class=\"lanes\"></div>\n");
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        XDocument.Parse(page);
        Assert.InRange(page.Length, 1000, 2_000_000);
        int curves = Math.Min(policies * workerCounts, 12);
        Assert.Equal(policies * workerCounts > 12, page.Contains($"12 of {policies * workerCounts} configurations are drawn", StringComparison.Ordinal));
        Assert.Equal(curves, Count(page[..page.IndexOf("over time", StringComparison.Ordinal)], "class=\"series-key\""));
        Assert.Equal(Math.Min(policies, 6), Count(page, "<div class=\"lanes\">"));
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", page, StringComparison.Ordinal);
    }

    private static int Count(string text, string piece)
    {
        int count = 0;
        for (int at = text.IndexOf(piece, StringComparison.Ordinal); at >= 0; at = text.IndexOf(piece, at + 1, StringComparison.Ordinal))
            count++;
        return count;
    }

    private static TraceRow Row(double seconds, double value) => new(seconds, seconds, value, value, 1, 1, 1, 0, 0, []);

    private static ComparisonPlan Plan(int runs, double? gap) => new()
    {
        Task = "logreg",
        Settings = [new("async", "fp32", 1, ""), new("async", "fp32", 4, ""), new("bsp", "fp32", 1, ""), new("bsp", "fp32", 4, "")],
        RunsEach = runs,
        BaselinePolicy = "bsp",
        TargetGap = gap,
    };

    private static ComparedRun[] ByHand() =>
    [
        One("async", 1, 1, 10, 1.1), One("async", 4, 1, 2, 1.2), One("bsp", 1, 1, 20, 1.2), One("bsp", 4, 1, 8, 1.25),
        One("async", 1, 2, null, 1.9), One("async", 4, 2, 4, 1.2), One("bsp", 1, 2, 20, 1.2), One("bsp", 4, 2, 8, 1.25),
        ComparedRun.Without(new("async", "fp32", 1, ""), 3, ComparedRun.Failed, "it broke", null), One("async", 4, 3, 5, 1.2), One("bsp", 1, 3, 30, 1.3), One("bsp", 4, 3, 5, 1.25),
    ];

    /// <summary>A run that is at a gap of 0.5 after so many seconds, or never.</summary>
    private static ComparedRun One(string policy, int workers, int run, double? seconds, double end) => new()
    {
        Policy = policy,
        Codec = "fp32",
        Workers = workers,
        Run = run,
        Outcome = ComparedRun.Done,
        TrainSeconds = 50,
        Passes = 10,
        Pushes = 40,
        Objective = end,
        Trace = [new(0, 0, 2, 1, 0, 0, 0, 0, 0, []), new((seconds ?? 40) - 0.25, 4, 1.95, 0.95, 16, 1, 1, 0, 0, []), new(seconds ?? 40, 5, end, seconds is null ? 0.9 : 0.5, 20, 1, 1, 0, 0, [])],
    };
}
