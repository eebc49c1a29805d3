using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
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
            lines.AddRange(StatusLines.Of(status, watched.Before, height - lines.Count - (events > 0 ? events + 1 : 0), width));
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
/// <param name="output">Gets them.</param>
/// <param name="time">The clock.</param>
internal sealed class PlainWatch(TextWriter output, TimeProvider time) : IWatchView
{
    private EventDocument? _said;
    private StatusDocument? _shown;
    private string? _trouble;

    public void Follow(Func<Watched?> next)
    {
        while (next() is { } watched)
        {
            for (int j = Said(watched.Events) + 1; j < watched.Events.Count; j++)
                Say(StatusLines.Event(_said = watched.Events[j]).Text);
            if (watched.Trouble is { } trouble && trouble != _trouble)
                Say($"{Now()} {trouble}");
            _trouble = watched.Trouble;
            if (watched.Status is not { } status || ReferenceEquals(status, _shown))
                continue;
            _shown = status;
            Say($"{Now()} {StatusLines.Line(status.Run)}");
        }
    }

    /// <summary>Where the last one is that was said, or -1.</summary>
    private int Said(IReadOnlyList<EventDocument> events)
    {
        int at = events.Count - 1;
        while (at >= 0 && !ReferenceEquals(events[at], _said))
            at--;
        return at;
    }

    private void Say(string line)
    {
        output.WriteLine(line);
        output.Flush();
    }

    private string Now() => time.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
}
