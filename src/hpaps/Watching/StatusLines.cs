using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Cli.Watching;

/// <summary>A line that is shown.</summary>
/// <param name="Text">Without marks.</param>
/// <param name="Style">As Spectre.Console names it, or empty.</param>
internal readonly record struct ShownLine(string Text, string Style = "");

/// <summary>A status as lines of text: the job, and a table of its workers with those that are in trouble on top.</summary>
internal static class StatusLines
{
    private const string Grey = "grey", Red = "red", Yellow = "yellow";
    private const string Gap = "  ", Below = "       ";

    // The order of the states, those first that somebody may have to do something about.
    private static readonly string[] Order = ["gone", "stalled", "slow", "joining", "computing", "evaluating", "idle", "left"];

    /// <summary>All of it.</summary>
    /// <param name="status">How the job stands.</param>
    /// <param name="before">How it stood a while before, for rates of workers; or null.</param>
    /// <param name="most">Lines that there is room for.</param>
    /// <param name="width">Letters that a line has room for: a reason that has none beside its worker is below it.</param>
    public static List<ShownLine> Of(StatusDocument status, StatusDocument? before, int most, int width = int.MaxValue)
    {
        var lines = Run(status.Run);
        lines.Add(new ShownLine(""));
        lines.Add(new ShownLine(" rank  state       for       pushes    /s  lag p50   p99  last push   next due  comp  idle  eval  comm  why", Grey));
        List<WorkerDocument> workers = Sorted(status.Workers);
        int room = Math.Max(1, most - lines.Count), shown = 0;
        for (; shown < workers.Count; shown++)
        {
            ShownLine worker = Worker(workers[shown], status, before);
            string reason = IsTrouble(workers[shown]) ? Printable.Of(workers[shown].Reason).Trim() : "";
            bool fits = worker.Text.Length + Gap.Length + reason.Length <= width;
            int needed = reason.Length > 0 && !fits ? 2 : 1, more = shown + 1 < workers.Count ? 1 : 0; // the line that counts the others
            if (shown > 0 && needed + more > room)
                break;
            lines.Add(fits && reason.Length > 0 ? worker with { Text = worker.Text + Gap + reason } : worker);
            if (needed == 2 && needed + more <= room)
                lines.Add(new ShownLine(Below + reason, worker.Style));
            room -= needed;
        }

        if (shown < workers.Count)
            lines.Add(new ShownLine($" and {workers.Count - shown} more: {Counts(workers, shown)}", Grey));
        return lines;
    }

    /// <summary>The job, in one line.</summary>
    public static string Line(RunDocument run)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{Printable.Of(run.Phase)}, {Show.Duration(run.Seconds)}, {run.Passes:0.0} passes");
        if (run.Objective is { } objective)
            line.Append(", objective ").Append(Show.Objective(objective));
        if (run.RelativeGap is { } gap)
            line.Append(", gap ").Append(Show.Gap(gap));
        if (run.TestRmse is { } rmse)
            line.Append(CultureInfo.InvariantCulture, $", test RMSE {rmse:0.0000}");
        line.Append(CultureInfo.InvariantCulture, $", {run.Pushes} pushes");
        if (run.PushesPerSecond is { } rate)
            line.Append(CultureInfo.InvariantCulture, $" ({rate:0}/s)");
        if (run.LagVersions is { } lag)
            line.Append(CultureInfo.InvariantCulture, $", lag p50 {lag.P50:0.#} p99 {lag.P99:0.#}");
        return line.Append(CultureInfo.InvariantCulture, $", {run.Workers} workers: {Counts(run.States)}").ToString();
    }

    /// <summary>An event.</summary>
    public static ShownLine Event(EventDocument one)
    {
        string who = one.Rank is { } rank && (one.To is not null || !Names(one.Reason, rank)) ? string.Create(CultureInfo.InvariantCulture, $"worker {rank} ") : "";
        string what = one.To is { } to ? $"is {to}{(one.From is { } from ? $" (was {from})" : "")}: " : "";
        string text = $"{one.Time.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {who}{what}{one.Reason}";
        return new ShownLine(Printable.Of(text), one.To is "gone" or "stalled" ? Red : one.To == "slow" || one.Kind is "refusal" or "disagreement" or "shard" ? Yellow : "");
    }

    /// <summary>Is it said which worker it is about?</summary>
    private static bool Names(string reason, int rank)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"worker {rank}");
        int at = reason.IndexOf(name, StringComparison.Ordinal), end = at + name.Length;
        return at >= 0 && (end == reason.Length || !char.IsAsciiDigit(reason[end]));
    }

    private static List<ShownLine> Run(RunDocument run)
    {
        string rate = run.PushesPerSecond is { } pushes ? $" ({Show.Count(pushes)}/s)" : "";
        string objective = run.Objective is { } value ? Show.Objective(value) : "not yet evaluated";
        string gap = run.RelativeGap is { } known ? $"   gap {Show.Gap(known)}" : "", rmse = run.TestRmse is { } error ? string.Create(CultureInfo.InvariantCulture, $"   test RMSE {error:0.0000}") : "";
        string lag = run.LagVersions is { } lags ? string.Create(CultureInfo.InvariantCulture, $"lag p50 {lags.P50:0.#}, p99 {lags.P99:0.#}, max {lags.Max:0.#}   ") : "";
        string journal = run.HasJournal ? $"   journal {Show.Bytes(run.JournalBytes)}, {Show.Bytes(run.JournalBehindBytes)} behind" : "";
        List<ShownLine> lines =
        [
            new ShownLine($"{Printable.Of(run.Phase)}   {Show.Duration(run.Seconds)}   {run.Passes.ToString("0.0", CultureInfo.InvariantCulture)} passes   {Show.Count(run.Pushes)} pushes{rate}   policy {Printable.Of(run.Policy)}   codec {Printable.Of(run.Codec)}",
                run.Phase == "failed" ? Red : "bold"),
            new ShownLine($"objective {objective}{gap}{rmse}"),
            new ShownLine($"{lag}up {Bytes(run.UplinkBytes, run.UplinkBytesPerSecond)}   down {Bytes(run.DownlinkBytes, run.DownlinkBytesPerSecond)}{journal}"),
            new ShownLine($"{run.Joined} of {run.Workers} workers have joined: {Counts(run.States)}"),
        ];
        if (run.LateShares is { Count: > 1 } shares)
            lines.Add(Late(shares));
        return lines;
    }

    /// <summary>Which of several servers workers wait for most.</summary>
    private static ShownLine Late(IReadOnlyList<double> shares)
    {
        int most = 0;
        for (int server = 1; server < shares.Count; server++)
            most = shares[server] > shares[most] ? server : most;
        return new ShownLine(string.Create(CultureInfo.InvariantCulture, $"{shares.Count} servers; workers wait for server {most} alone {100 * shares[most]:0} % of their time"), shares[most] > LateShards.Late ? Yellow : "");
    }

    private static string Bytes(long bytes, double? rate) => Show.Bytes(bytes) + (rate is { } known ? $" ({Show.Bytes(known)}/s)" : "");

    private static ShownLine Worker(WorkerDocument one, StatusDocument status, StatusDocument? before)
    {
        double? rate = null;
        if (before is not null && one.Rank < before.Workers.Count && status.Run.Seconds > before.Run.Seconds && before.Workers[one.Rank].Pushes <= one.Pushes)
            rate = (one.Pushes - before.Workers[one.Rank].Pushes) / (status.Run.Seconds - before.Run.Seconds);
        double? lasts = IsTrouble(one) || one.State == "left" ? status.Run.Seconds - one.StateSinceSeconds : null; // what it does else changes with each push
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{one.Rank,5}  {Printable.Of(one.State),-10}  {Time(lasts),-7} {one.Pushes,9} {Number(rate),5}  {Number(one.LagVersions?.P50),7} {Number(one.LagVersions?.P99),5}  {Time(one.SecondsSincePush),9}  {Time(one.NextPushSeconds),9}"
            + $"  {Share(one.ComputingShare),4}  {Share(one.IdleShare),4}  {Share(one.EvaluatingShare),4}  {Share(one.CommunicatingShare),4}");
        return new ShownLine(text, one.State is "gone" or "stalled" ? Red : one.State == "slow" ? Yellow : "");
    }

    private static string Number(double? value) => value is not { } known ? "-" : known.ToString(known < 9.95 ? "0.#" : "0", CultureInfo.InvariantCulture);

    private static string Share(double? value) => value is { } known ? (100 * known).ToString("0", CultureInfo.InvariantCulture) + "%" : "-";

    private static string Time(double? seconds)
    {
        if (seconds is not { } value)
            return "-";
        double size = Math.Abs(value);
        return (size < 9.995 ? value.ToString("0.00", CultureInfo.InvariantCulture) : size < 999.5 ? value.ToString("0", CultureInfo.InvariantCulture) : $"{(value < 0 ? "-" : "")}{Show.Duration(size)}")
            + (size < 999.5 ? " s" : "");
    }

    private static bool IsTrouble(WorkerDocument one) => Rank(one) < 3;

    private static int Rank(WorkerDocument one) => Array.IndexOf(Order, one.State) is var at and >= 0 ? at : 3; // a state that is not known here may be trouble

    /// <summary>Trouble first; of those that are well, those first whose push is the latest; those that are as late by rank.</summary>
    private static List<WorkerDocument> Sorted(IReadOnlyList<WorkerDocument> workers)
    {
        var sorted = new List<WorkerDocument>(workers);
        sorted.Sort(static (a, b) =>
        {
            int order = Rank(a).CompareTo(Rank(b));
            if (order == 0)
                order = Late(b).CompareTo(Late(a));
            return order == 0 ? a.Rank.CompareTo(b.Rank) : order;
        });
        return sorted;
    }

    // By less than a second is not late: rows that change places all the time cannot be read.
    private static double Late(WorkerDocument one) => one is { State: "computing", NextPushP99Seconds: < -1 and var due } ? -due : 0;

    private static string Counts(IReadOnlyDictionary<string, int> states)
    {
        var text = new StringBuilder();
        foreach (string state in Order)
        {
            if (states.TryGetValue(state, out int count) && count > 0)
                text.Append(text.Length > 0 ? ", " : "").Append(CultureInfo.InvariantCulture, $"{count} {state}");
        }

        return text.ToString();
    }

    private static string Counts(List<WorkerDocument> workers, int from)
    {
        var counts = new Dictionary<string, int>();
        for (int j = from; j < workers.Count; j++)
            counts[workers[j].State] = counts.GetValueOrDefault(workers[j].State) + 1;
        return Counts(counts);
    }
}
