using System;
using System.Buffers;
using System.Text;
using System.Text.Json;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.ServerProgram.Alerts;

/// <summary>Where alerts come from.</summary>
/// <param name="Server">Where the server listens.</param>
/// <param name="Host">Name of the machine.</param>
/// <param name="Process">Number of the process.</param>
internal sealed record AlertOrigin(string Server, string Host, int Process);

/// <summary>An alert as text and as JSON. docs/monitoring.md has the keys.</summary>
internal static class AlertJson
{
    // What peers say gets into reasons: they must not make a command's variables long, or several lines of them.
    private const int MostText = 2000;

    /// <summary>A line for people.</summary>
    public static string Text(Alert alert, AlertOrigin origin)
    {
        string who = alert.Event.Rank is { } rank ? $"worker {rank}: " : "";
        string more = (alert.HeldBack > 0 ? $" ({alert.HeldBack} more of these since the last one)" : "") + (alert.Missed > 0 ? $" ({alert.Missed} events were missed)" : "");
        return $"hpaps {origin.Host} {origin.Server}: {Alert.NameOf(alert.Kind)}: {who}{Line(alert.Event.Reason)}{more}";
    }

    /// <summary>One object, in UTF-8.</summary>
    public static byte[] Of(Alert alert, AlertOrigin origin)
    {
        MonitorEvent one = alert.Event;
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("alert", Alert.NameOf(alert.Kind));
            json.WriteString("text", Text(alert, origin));
            json.WriteString("server", origin.Server);
            json.WriteString("host", origin.Host);
            json.WriteNumber("process", origin.Process);
            if (one.Number > 0)
                json.WriteNumber("number", one.Number);
            else
                json.WriteNull("number");
            json.WriteString("time", one.Time);
            json.WriteNumber("seconds", one.Seconds);
            if (one.Rank is { } rank)
                json.WriteNumber("rank", rank);
            else
                json.WriteNull("rank");
            State(json, "from", one.From);
            State(json, "to", one.To);
            json.WriteString("reason", Line(one.Reason));
            json.WriteNumber("held_back", alert.HeldBack);
            json.WriteNumber("missed", alert.Missed);
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static void State(Utf8JsonWriter json, string key, WorkerState? state)
    {
        if (state is { } known)
            json.WriteString(key, JsonNamingPolicy.SnakeCaseLower.ConvertName(known.ToString()));
        else
            json.WriteNull(key);
    }

    private static string Line(string reason)
    {
        var line = new StringBuilder(reason.Length);
        foreach (char c in reason)
        {
            if (line.Length == MostText)
                return line.Append("...").ToString();
            line.Append(char.IsControl(c) ? ' ' : c);
        }

        return line.ToString();
    }
}
