using System;
using System.Collections.Generic;
using HpAsyncPs.Cli.Watching;
using HpAsyncPs.Monitoring.Documents;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>What hpaps watch and hpaps status show.</summary>
public sealed class StatusLinesTests
{
    private const int FirstWorker = 6;

    [Fact]
    public void Thousand_workers_are_cut_to_the_height_with_trouble_on_top_and_the_rest_counted()
    {
        var workers = new WorkerDocument[1000];
        for (int rank = 0; rank < workers.Length; rank++)
            workers[rank] = Worker(rank, rank % 4 == 0 ? "idle" : "computing");
        workers[998] = Worker(998, "slow");
        workers[997] = Worker(997, "gone");
        workers[500] = Worker(500, "stalled");
        workers[3] = Worker(3, "left");
        workers[700] = Worker(700, "computing") with { NextPushP99Seconds = -20 };
        workers[701] = Worker(701, "computing") with { NextPushP99Seconds = -40 };
        List<ShownLine> lines = StatusLines.Of(Status(workers), null, 20);
        Assert.Equal(20, lines.Count);
        string[] expected = ["  997  gone ", "  500  stalled ", "  998  slow ", "  701  computing ", "  700  computing ", "    1  computing ", "    2  computing "];
        for (int j = 0; j < expected.Length; j++)
            Assert.StartsWith(expected[j], lines[FirstWorker + j].Text, StringComparison.Ordinal);
        Assert.Equal(("red", "red", "yellow", ""), (lines[FirstWorker].Style, lines[FirstWorker + 1].Style, lines[FirstWorker + 2].Style, lines[FirstWorker + 3].Style));
        Assert.Equal(" and 987 more: 738 computing, 248 idle, 1 left", lines[^1].Text);

        Assert.Equal(FirstWorker + 1000, StatusLines.Of(Status(workers), null, int.MaxValue).Count);
        Assert.Equal(FirstWorker + 1, StatusLines.Of(Status([Worker(0, "idle")]), null, 3).Count); // a terminal that is too small shows one all the same
    }

    [Fact]
    public void Nothing_that_is_said_gets_to_the_terminal_as_a_command()
    {
        WorkerDocument worker = Worker(0, "gone") with { Reason = "\u001b[2J\u0007" + new string('x', 100_000) };
        StatusDocument status = Status([worker]);
        foreach (ShownLine line in StatusLines.Of(status with { Run = status.Run with { Phase = "\u001b[31m", Codec = "\u009b1m" } }, null, 100))
        {
            Assert.DoesNotContain(line.Text, static c => char.IsControl(c));
            Assert.True(line.Text.Length < 3000);
        }

        ShownLine one = StatusLines.Event(new EventDocument(1, DateTimeOffset.UnixEpoch, 1, "state", 4, "idle", "gone", "\u001b[2J reset"));
        Assert.EndsWith(" worker 4 is gone (was idle):  [2J reset", one.Text, StringComparison.Ordinal);
        Assert.Equal("red", one.Style);
        Assert.EndsWith(":00 worker 2 (of this host) left: done", StatusLines.Event(new EventDocument(1, DateTimeOffset.UnixEpoch, 1, "membership", 2, null, null, "worker 2 (of this host) left: done")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Rates_of_workers_are_those_since_the_last_look()
    {
        StatusDocument before = Status([Worker(0, "computing") with { Pushes = 100 }]), after = Status([Worker(0, "computing") with { Pushes = 150 }]);
        after = after with { Run = after.Run with { Seconds = before.Run.Seconds + 2 } };
        Assert.Matches("^    0  computing .* 150 +25  ", StatusLines.Of(after, before, 100)[FirstWorker].Text);
        Assert.Matches("^    0  computing .* 150 +-  ", StatusLines.Of(after, null, 100)[FirstWorker].Text);
        Assert.Matches("^    0  computing .* 150 +-  ", StatusLines.Of(after, Status([]), 100)[FirstWorker].Text); // a server that was started anew with others
    }

    [Fact]
    public void Reason_that_has_no_room_beside_its_worker_is_below_it()
    {
        StatusDocument status = Status([Worker(0, "slow") with { Reason = "a pass takes long" }, Worker(1, "computing"), Worker(2, "gone"), Worker(3, "idle")]);
        List<ShownLine> wide = StatusLines.Of(status, null, 100, 200), narrow = StatusLines.Of(status, null, 100, 80);
        Assert.Equal(FirstWorker + 4, wide.Count);
        Assert.EndsWith("  a pass takes long", wide[FirstWorker + 1].Text, StringComparison.Ordinal);
        Assert.Equal(FirstWorker + 6, narrow.Count);
        Assert.Equal(("       why", "red"), (narrow[FirstWorker + 1].Text, narrow[FirstWorker + 1].Style));
        Assert.StartsWith("    0  slow ", narrow[FirstWorker + 2].Text, StringComparison.Ordinal);
        Assert.Equal(("       a pass takes long", "yellow"), (narrow[FirstWorker + 3].Text, narrow[FirstWorker + 3].Style));

        for (int most = FirstWorker + 1; most < FirstWorker + 6; most++)
        {
            List<ShownLine> cut = StatusLines.Of(status, null, most, 80);
            Assert.InRange(cut.Count, FirstWorker + 1, Math.Max(most, FirstWorker + 2)); // one worker, and how many more
            Assert.StartsWith("    2  gone ", cut[FirstWorker].Text, StringComparison.Ordinal);
            Assert.StartsWith(" and ", cut[^1].Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Only_what_lasts_has_a_time()
    {
        string[] states = ["gone", "stalled", "slow", "left", "computing", "idle", "evaluating", "joining"];
        foreach (string state in states)
        {
            string line = StatusLines.Of(Status([Worker(0, state)]), null, 100)[FirstWorker].Text;
            Assert.Matches($"^    0  {state} +{(Array.IndexOf(states, state) < 4 ? "9.00 s" : "-")} +1 ", line);
        }
    }

    [Theory]
    [InlineData("the others go on without worker 1, with what it contributed as it is", null, "the others go on without worker 1, with what it contributed as it is")]
    [InlineData("asked by worker 12", null, "worker 1 asked by worker 12")]
    [InlineData("it took over from worker 1", "slow", "worker 1 is slow: it took over from worker 1")]
    public void Event_names_its_worker_once(string reason, string? to, string words)
    {
        string text = StatusLines.Event(new EventDocument(1, DateTimeOffset.UnixEpoch, 1, to is null ? "membership" : "state", 1, null, to, reason)).Text;
        Assert.Equal(words, text["HH:mm:ss ".Length..]);
    }

    [Fact]
    public void Line_of_a_run_has_what_is_known_of_it()
    {
        StatusDocument status = Status([Worker(0, "idle")]);
        Assert.Equal("training, 10.0 s, 3.5 passes, 7 pushes, 1 workers: 1 idle", StatusLines.Line(status.Run));
        RunDocument run = status.Run with { Objective = 0.5, RelativeGap = 0.001, TestRmse = 0.9, PushesPerSecond = 12.4, LagVersions = new QuantilesDocument(1, 2, 7.5, 9) };
        Assert.Equal("training, 10.0 s, 3.5 passes, objective 0.500000000, gap 1.00e-3, test RMSE 0.9000, 7 pushes (12/s), lag p50 1 p99 7.5, 1 workers: 1 idle", StatusLines.Line(run));
    }

    private static StatusDocument Status(WorkerDocument[] workers)
    {
        var states = new Dictionary<string, int>();
        foreach (WorkerDocument one in workers)
            states[one.State] = states.GetValueOrDefault(one.State) + 1;
        return new StatusDocument
        {
            Number = 1,
            Time = DateTimeOffset.UnixEpoch,
            Version = "0",
            Workers = workers,
            Run = new RunDocument
            {
                Phase = "training",
                Shard = 0,
                Workers = workers.Length,
                Joined = workers.Length,
                States = states,
                Seconds = 10,
                Passes = 3.5,
                Pushes = 7,
                UplinkBytes = 1,
                DownlinkBytes = 1,
                UplinkPayloadBytes = 1,
                DownlinkPayloadBytes = 1,
                Policy = "async",
                Codec = "fp32",
                HasJournal = true,
                JournalBytes = 5,
                JournalBehindBytes = 1,
                Checkpoint = 0,
                SnapshotBytes = 0,
                ConnectionBytes = 0,
                ConnectionLimitBytes = 0,
                Connections = 0,
                HalfOpenConnections = 0,
                FailedHandshakes = new Dictionary<string, long>(),
                RefusedFrames = new Dictionary<string, long>(),
                Disagreements = 0,
                LastEvent = 0,
            },
        };
    }

    private static WorkerDocument Worker(int rank, string state) => new()
    {
        Rank = rank,
        Address = "",
        State = state,
        StateSinceSeconds = 1,
        Reason = "why",
        Pushes = 1,
        Passes = 1,
        UplinkBytes = 0,
        DownlinkBytes = 0,
        UplinkPayloadBytes = 0,
        DownlinkPayloadBytes = 0,
        RetransmittedSegments = 0,
        Codec = "fp32",
    };
}
