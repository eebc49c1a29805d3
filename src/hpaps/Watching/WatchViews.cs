using System;
using System.Collections.Generic;
using System.Globalization;
using HpAsyncPs.Monitoring.Documents;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace HpAsyncPs.Cli.Watching;

/// <summary>What is known of a job that is watched.</summary>
/// <param name="Name">HOST:PORT.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Before">How it stood before.</param>
/// <param name="Events">The last of its events.</param>
/// <param name="Trouble">Why nothing newer is known, or null.</param>
internal sealed record Watched(string Name, StatusDocument? Status, StatusDocument? Before, IReadOnlyList<EventDocument> Events, string? Trouble);

/// <summary>Shows a job on standard output.</summary>
internal interface IWatchView
{
    /// <summary>Calls <paramref name="next"/> until it returns null, and shows what it returns.</summary>
    void Follow(Func<Watched?> next);
}

/// <summary>On a terminal: a display that changes in place and is no higher than the terminal.</summary>
internal sealed class LiveWatch : IWatchView
{
    private const int MostEvents = 8;
    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });

    public void Follow(Func<Watched?> next)
    {
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? thrown = null;
        _console.Live(new Text("")).Overflow(VerticalOverflow.Crop).Start(context =>
        {
            try
            {
                while (next() is { } watched)
                {
                    context.UpdateTarget(Render(watched));
                    context.Refresh();
                }
            }
            catch (Exception e)
            {
                // Thrown through the display, it would leave part of it on the screen.
                thrown = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
            }
        });
        thrown?.Throw();
    }

    private Rows Render(Watched watched)
    {
        int height = Math.Max(10, _console.Profile.Height) - 1, width = Math.Max(20, _console.Profile.Width - 1);
        int events = Math.Min(Math.Min(MostEvents, height / 4), watched.Events.Count);
        var lines = new List<ShownLine> { new(watched.Trouble is { } trouble ? $"{watched.Name}   {trouble}" : watched.Name, watched.Trouble is null ? "grey" : "yellow") };
        if (watched.Status is { } status)
            lines.AddRange(StatusLines.Of(status, watched.Before, height - lines.Count - (events > 0 ? events + 1 : 0)));
        if (events > 0)
            lines.Add(new ShownLine(""));
        for (int j = watched.Events.Count - events; j < watched.Events.Count; j++)
            lines.Add(StatusLines.Event(watched.Events[j]));
        var rows = new List<IRenderable>();
        foreach (ShownLine line in lines)
        {
            string text = line.Text.Length > width ? line.Text[..width] : line.Text; // a line that wraps would push the others off the screen
            rows.Add(new Text(text, line.Style.Length > 0 ? Style.Parse(line.Style) : Style.Plain));
        }

        return new Rows(rows);
    }
}

/// <summary>Into a file or a pipe: a line an interval, and a line for each event.</summary>
/// <param name="time">The clock.</param>
internal sealed class PlainWatch(TimeProvider time) : IWatchView
{
    private long _seen;
    private StatusDocument? _shown;
    private string? _trouble;

    public void Follow(Func<Watched?> next)
    {
        while (next() is { } watched)
        {
            foreach (EventDocument one in watched.Events)
            {
                if (one.Number > _seen)
                    Say(StatusLines.Event(one).Text);
                _seen = Math.Max(_seen, one.Number);
            }

            if (watched.Trouble is { } trouble && trouble != _trouble)
                Say($"{Now()} {trouble}");
            _trouble = watched.Trouble;
            if (watched.Status is not { } status || ReferenceEquals(status, _shown))
                continue;
            if (status.Run.LastEvent < _seen)
                _seen = status.Run.LastEvent; // the server was started anew
            _shown = status;
            Say($"{Now()} {StatusLines.Line(status.Run)}");
        }
    }

    private static void Say(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    private string Now() => time.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
}
