using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.ServerProgram.Alerts;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Alerts;

/// <summary>Commands and requests that tell, those that hang, and the end of a job with alerts under way.</summary>
public sealed class AlertingTests : IDisposable
{
    private static readonly AlertOrigin Origin = new("127.0.0.1:7070", "node0", 42);
    private static readonly Alert Gone = new(AlertKind.Gone, new MonitorEvent(7, DateTimeOffset.UnixEpoch, 1.5, MonitorEventKind.State, 3, WorkerState.Computing, WorkerState.Gone, "its \"connection\"\n was reset"), 2, 0);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Command_gets_the_alert_as_json_and_in_variables()
    {
        using var command = new AlertCommand($"cat > '{_folder.Path}/alert'; echo \"$HPAPS_ALERT_KIND|$HPAPS_ALERT_RANK|$HPAPS_ALERT_SERVER|$HPAPS_ALERT_HELD_BACK|$HPAPS_ALERT_TEXT\" > '{_folder.Path}/variables'", TimeSpan.FromSeconds(30));
        Assert.Null(Tell(command, Gone));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder.Path, "alert")));
        JsonElement root = json.RootElement;
        Assert.Equal("gone", root.GetProperty("alert").GetString());
        Assert.Equal((7, 3, 2, 42), (root.GetProperty("number").GetInt32(), root.GetProperty("rank").GetInt32(), root.GetProperty("held_back").GetInt32(), root.GetProperty("process").GetInt32()));
        Assert.Equal(("computing", "gone"), (root.GetProperty("from").GetString(), root.GetProperty("to").GetString()));
        Assert.Equal("its \"connection\"  was reset", root.GetProperty("reason").GetString());
        Assert.Equal(1.5, root.GetProperty("seconds").GetDouble());
        Assert.Equal("gone|3|127.0.0.1:7070|2|hpaps node0 127.0.0.1:7070: gone: worker 3: its \"connection\"  was reset (2 more of these since the last one)\n", File.ReadAllText(Path.Combine(_folder.Path, "variables")));
    }

    [Fact]
    public void Command_that_fails_says_why_and_need_not_read_anything()
    {
        using var failing = new AlertCommand("echo no mail here; exit 3", TimeSpan.FromSeconds(30));
        Assert.Equal("ended with exit code 3; it said: no mail here", Tell(failing, Gone));
        using var missing = new AlertCommand("no-such-program-here", TimeSpan.FromSeconds(30));
        Assert.StartsWith("ended with exit code 127; it said: ", Tell(missing, Gone), StringComparison.Ordinal);
        using var loud = new AlertCommand("head -c 10000000 /dev/zero | tr '\\0' x; exit 0", TimeSpan.FromSeconds(60));
        Assert.Null(Tell(loud, Gone));
    }

    [Fact]
    public void Command_that_hangs_is_killed_with_its_children()
    {
        string pids = Path.Combine(_folder.Path, "pids");
        using var command = new AlertCommand($"sleep 1000 & echo $! >> '{pids}'; (trap '' TERM; sleep 1000) & echo $! >> '{pids}'; echo $$ >> '{pids}'; echo here; sleep 1000", TimeSpan.FromSeconds(1));
        Assert.Equal("took longer than 1 s and was killed; it said: here", Tell(command, Gone));
        AreGone(pids, 3);
    }

    [Fact]
    public void What_a_command_leaves_in_the_background_is_killed_with_its_end()
    {
        string pids = Path.Combine(_folder.Path, "pids");
        using var command = new AlertCommand($"(sleep 1000 & echo $! >> '{pids}'); exit 0", TimeSpan.FromSeconds(30));
        Assert.Null(Tell(command, Gone));
        AreGone(pids, 1);
    }

    [Fact]
    public void Command_under_way_is_killed_when_it_is_stopped()
    {
        string pids = Path.Combine(_folder.Path, "pids");
        using var command = new AlertCommand($"echo $$ >> '{pids}'; sleep 1000", TimeSpan.FromSeconds(100));
        using var stop = new CancellationTokenSource();
        var thread = new Thread(() =>
        {
            Eventually.Holds(() => File.Exists(pids), static () => "the command did not begin");
            stop.Cancel();
        });
        thread.Start();
        Assert.StartsWith("was killed", command.Tell(Gone, AlertJson.Of(Gone, Origin), Origin, stop.Token), StringComparison.Ordinal);
        thread.Join();
        AreGone(pids, 1);
    }

    [Fact]
    public void Job_that_ends_tells_how_it_ended_before_what_waited()
    {
        var ring = new EventRing();
        for (int j = 1; j <= 40; j++)
            ring.Add(new MonitorEvent(j, DateTimeOffset.UnixEpoch, 1, MonitorEventKind.State, j, WorkerState.Computing, WorkerState.Gone, "reset"));
        ring.Add(new MonitorEvent(41, DateTimeOffset.UnixEpoch, 1, MonitorEventKind.Phase, null, null, null, "all is lost"));
        var way = new HeldWay();
        var log = new List<string>();
        var watch = new AlertWatch { Kinds = [AlertKind.Gone, AlertKind.Failed], Interval = TimeSpan.FromSeconds(300) };
        bool hasFailed = false;
        var alerting = new Alerting(watch, ring, new MonitorView(1), view => Show(view, hasFailed ? "Failed" : "Training"), Origin, [("--alert-command", way)], line => log.Add(line.Text), TimeProvider.System);
        Eventually.Holds(() => way.Told.Count == 1 && alerting.Waiting == 39, static () => "not all of them wait");
        hasFailed = true;
        Eventually.Holds(() => alerting.Waiting == 1, static () => "those that wait are still there");
        way.Let.Set();
        alerting.Dispose();
        Assert.Equal(2, way.Told.Count);
        Assert.Equal((AlertKind.Failed, "all is lost"), (way.Told[1].Kind, way.Told[1].Event.Reason));
        Assert.StartsWith("39 alerts were not told: ", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public void Ways_that_fail_are_said_once_in_a_while_and_stop_nothing()
    {
        var ring = new EventRing();
        for (int j = 1; j <= 5; j++)
            ring.Add(new MonitorEvent(j, DateTimeOffset.UnixEpoch, 1, MonitorEventKind.State, j, WorkerState.Computing, WorkerState.Gone, "reset"));
        var way = new HeldWay { Failure = "answered 500" };
        way.Let.Set();
        var log = new List<string>();
        var watch = new AlertWatch { Kinds = [AlertKind.Gone], Interval = TimeSpan.FromSeconds(300) };
        using (new Alerting(watch, ring, new MonitorView(1), static view => Show(view, "Training"), Origin, [("--alert-webhook", way)], line => log.Add(line.Text), TimeProvider.System))
            Eventually.Holds(() => way.Told.Count == 5, () => $"{way.Told.Count} of 5 are told");
        Assert.Equal(["--alert-webhook: alert 'gone' was not told: answered 500"], log);
    }

    /// <summary>A way that has a fault of its own takes neither the other ways nor the server with it.</summary>
    [Fact]
    public void Way_that_throws_is_said_and_the_others_are_told()
    {
        var ring = new EventRing();
        ring.Add(new MonitorEvent(1, DateTimeOffset.UnixEpoch, 1, MonitorEventKind.State, 1, WorkerState.Computing, WorkerState.Gone, "reset"));
        ring.Add(new MonitorEvent(2, DateTimeOffset.UnixEpoch, 1, MonitorEventKind.State, 2, WorkerState.Computing, WorkerState.Gone, "reset"));
        var way = new HeldWay();
        way.Let.Set();
        var log = new List<string>();
        var watch = new AlertWatch { Kinds = [AlertKind.Gone], Interval = TimeSpan.FromSeconds(300) };
        using (new Alerting(watch, ring, new MonitorView(1), static view => Show(view, "Training"), Origin, [("--alert-webhook", new ThrowingWay()), ("--alert-command", way)], line => log.Add(line.Text), TimeProvider.System))
            Eventually.Holds(() => way.Told.Count == 2, () => $"{way.Told.Count} of 2 are told");
        Assert.Equal(["--alert-webhook: alert 'gone' was not told: UriFormatException: no such thing"], log);
    }

    /// <summary>The view that is there when an evaluation is heard of may be older than it: what is judged is the evaluation's own value.</summary>
    [Fact]
    public void Objective_is_judged_by_the_view_that_has_the_evaluation()
    {
        var ring = new EventRing();
        var way = new HeldWay();
        way.Let.Set();
        var watch = new AlertWatch { Kinds = [AlertKind.Objective], Interval = TimeSpan.FromSeconds(300) };
        int shown = 0, looks = 0;
        using (new Alerting(watch, ring, new MonitorView(1), Read, Origin, [("--alert-command", way)], static _ => { }, TimeProvider.System))
        {
            for (int j = 1; j <= ObjectiveRule.Window + 1; j++)
            {
                int before = Volatile.Read(ref looks);
                ring.Add(new MonitorEvent(j, DateTimeOffset.UnixEpoch, j, MonitorEventKind.Evaluation, null, null, null, "evaluated"));
                Eventually.Holds(() => Volatile.Read(ref looks) > before + 1, static () => "nobody looks");
            }

            Eventually.Holds(() => way.Told.Count == 1, () => $"{way.Told.Count} told");
        }

        bool Read(MonitorView view)
        {
            view.Run = new RunView { Phase = "Training", Seconds = 10 * shown, LastEvent = shown, Objective = shown == 0 ? null : shown == 1 ? 1 : 2 };
            shown = (int)ring.Last; // the next look sees it
            Interlocked.Increment(ref looks);
            return true;
        }
    }

    private static bool Show(MonitorView view, string phase)
    {
        view.Run = new RunView { Phase = phase, Seconds = 1 };
        return true;
    }

    private static string? Tell(AlertCommand command, Alert alert) => command.Tell(alert, AlertJson.Of(alert, Origin), Origin, TestContext.Current.CancellationToken);

    private static void AreGone(string file, int count)
    {
        string[] pids = File.ReadAllLines(file);
        Assert.Equal(count, pids.Length);
        foreach (string pid in pids)
            Eventually.Holds(() => RunningProgram.IsGone(int.Parse(pid)), () => $"{pid} has survived");
    }

    private sealed class ThrowingWay : IAlertWay
    {
        public string? Tell(Alert alert, byte[] json, AlertOrigin origin, CancellationToken stop) => throw new UriFormatException("no such thing");
    }

    private sealed class HeldWay : IAlertWay
    {
        public ManualResetEventSlim Let { get; } = new();

        public string? Failure { get; init; }

        public List<Alert> Told { get; } = [];

        public string? Tell(Alert alert, byte[] json, AlertOrigin origin, CancellationToken stop)
        {
            Told.Add(alert);
            Let.Wait(stop);
            return Failure;
        }
    }
}
