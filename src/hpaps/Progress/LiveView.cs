using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Server;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace HpAsyncPs.Cli.Progress;

/// <summary>A display that changes in place, on a terminal at standard error.</summary>
internal sealed class LiveView(string title, RunGoal goal, int workers, TimeProvider time) : IProgressView
{
    private const int MostWidth = 100;
    private const int MostRows = 16;

    // Lines of the terminal that are not rows of workers: title, bar, figures, heading, what is left out, the cursor.
    private const int OtherLines = 13;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    public void Follow(RunProgress progress, Func<bool> next)
    {
        long shown = 0;
        ExceptionDispatchInfo? thrown = null;
        _console.Live(new Text(title)).AutoClear(true).Overflow(VerticalOverflow.Crop).Start(context =>
        {
            try
            {
                while (next())
                {
                    if (shown != 0 && time.GetElapsedTime(shown) < Interval)
                        continue;
                    shown = time.GetTimestamp();
                    context.UpdateTarget(Render(progress));
                }
            }
            catch (Exception e)
            {
                // Thrown through the display, it would leave part of it on the screen.
                thrown = ExceptionDispatchInfo.Capture(e);
            }
        });
        thrown?.Throw();
    }

    public void Say(string line) => _console.WriteLine($"hpaps: {line}"); // above what changes

    private Rows Render(RunProgress progress)
    {
        var parts = new List<IRenderable> { new Markup($"[bold]{Markup.Escape(title)}[/]") { Overflow = Overflow.Ellipsis } };
        if (progress.Status is not { } status || status.Joined < workers)
        {
            parts.Add(new Text(progress.IsStopping ? "stopping" : $"{progress.Status?.Joined ?? 0} of {workers} workers have read their part of the data"));
            return new Rows(parts);
        }

        parts.Add(Bar(progress, status));
        parts.Add(Figures(progress, status));
        parts.Add(WorkerTable(progress));
        return new Rows(parts);
    }

    private Markup Bar(RunProgress progress, RunStatus status)
    {
        string left = progress switch
        {
            { IsStopping: true } => "stopping: last evaluation; Ctrl-C again ends at once",
            { SecondsLeft: { } seconds } when progress.Done < 1 => $"about {Show.About(seconds)} left",
            { Done: >= 1 } => "finishing",
            _ => "",
        };
        string text = $" {Show.Share(progress.Done),5}  {Show.Duration(status.Seconds)}  {left}";
        int width = Math.Max(10, Math.Min(MostWidth, _console.Profile.Width) - Math.Max(36, text.Length) - 1);
        int full = (int)Math.Round(progress.Done * width);
        char dash = _console.Profile.Capabilities.Unicode ? '━' : '=';
        string bar = $"[green]{new string(dash, full)}[/][grey39]{new string(dash, width - full)}[/]";
        return new Markup(bar + Markup.Escape(text)) { Overflow = Overflow.Ellipsis };
    }

    private Grid Figures(RunProgress progress, RunStatus status)
    {
        var grid = new Grid().AddColumn(Cell()).AddColumn(Cell()).AddColumn(Cell()).AddColumn(Cell());
        string gap = status.RelativeGap is { } value ? Show.Gap(value) : "";
        if (goal.Target is { } target && gap.Length > 0)
            gap += $" of {Show.Gap(target)}";
        Add(grid, "objective", status.Objective is null ? "not yet evaluated" : Show.Objective(status.Objective), gap.Length > 0 ? "gap" : "", gap);
        if (status.TestRmse is { } rmse)
            Add(grid, "test RMSE", $"{rmse:0.0000}" + (goal.TargetRmse is { } wanted ? $" of {wanted:0.####}" : ""), "", "");
        string passes = $"{status.Passes:0.0}" + (goal.Passes is { } most ? $" of {most:0.###}" : "");
        Add(grid, "passes", passes, "pushes", $"{Show.Count(status.Pushes)} ({Show.Count(progress.PushesPerSecond)}/s)");
        Add(grid, "staleness", $"median {status.StalenessP50}, at most {status.StalenessMax}", "sent",
            $"{Show.Bytes(status.UplinkBytes)} up, {Show.Bytes(status.DownlinkBytes)} down");
        return grid;
    }

    private static GridColumn Cell() => new GridColumn().NoWrap().PadLeft(0).PadRight(2);

    private static void Add(Grid grid, string name, string value, string other, string otherValue) =>
        grid.AddRow(new Markup($"[grey]{name}[/]"), new Text(value), new Markup($"[grey]{other}[/]"), new Text(otherValue));

    private Rows WorkerTable(RunProgress progress)
    {
        IReadOnlyList<WorkerProgress> all = progress.Workers;
        int most = Math.Clamp(_console.Profile.Height - OtherLines, 3, MostRows);
        IReadOnlyList<WorkerProgress> shown = Slowest(all, most);
        var table = new Table().NoBorder();
        foreach (string heading in (string[])["worker", "passes", "pushes", "busy", "idle"])
            table.AddColumn(new TableColumn(new Markup($"[grey]{heading}[/]")).RightAligned().NoWrap().PadRight(2));
        table.AddColumn(new TableColumn("").NoWrap());
        foreach (WorkerProgress worker in shown)
        {
            table.AddRow(new Text($"{worker.Rank}"), new Text($"{worker.Passes:0.0}"), new Text(Show.Count(worker.Pushes)),
                new Text(Show.Share(worker.Busy)), new Text(Show.Share(worker.Idle)),
                new Markup(progress.IsAbsent(worker.Rank) ? "[red]not there[/]" : worker.IsSlow ? $"[yellow]slow: {Slowness(worker)}[/]" : ""));
        }

        var rows = new List<IRenderable> { new Text(""), table };
        if (progress.Absent.Count > 0)
            rows.Add(new Text($"{workers - progress.Absent.Count} of {workers} workers are there"));
        if (shown.Count < all.Count)
            rows.Add(new Markup($"[grey]and {all.Count - shown.Count} faster workers[/]"));
        return new Rows(rows);
    }

    private static string Slowness(WorkerProgress worker) => worker.Passes < 1 ? "no pass yet" : $"{worker.Slowness:0.0} times the median";

    /// <summary>All, or as many of the slowest as there is room for, in order of rank.</summary>
    private static IReadOnlyList<WorkerProgress> Slowest(IReadOnlyList<WorkerProgress> all, int most)
    {
        if (all.Count <= most)
            return all;
        var chosen = new List<WorkerProgress>(all);
        chosen.Sort(static (a, b) => a.Slowness != b.Slowness ? b.Slowness.CompareTo(a.Slowness) : a.Rank.CompareTo(b.Rank));
        chosen.RemoveRange(most - 1, chosen.Count - most + 1);
        chosen.Sort(static (a, b) => a.Rank.CompareTo(b.Rank));
        return chosen;
    }
}
