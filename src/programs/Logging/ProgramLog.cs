using System;
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HpAsyncPs.Programs;

/// <summary>
/// What a program says on standard error: lines that begin with its name or, with --log-format json, an object a line. There is one for the process, as there is one
/// standard error.
/// </summary>
internal static class ProgramLog
{
    // A log is read by people too, and is no page: quotes in texts and letters of all languages stay as they are.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string s_program = "hpaps";
    private static JsonErrors? s_json;

    /// <summary>Whether lines are objects.</summary>
    public static bool IsJson => s_json is not null;

    /// <summary>The rank of the worker that this process is, once that is known.</summary>
    public static int? Rank { get; set; }

    /// <summary>From here on all that is written to standard error has this form.</summary>
    /// <param name="program">Name of the program.</param>
    /// <param name="isJson">Objects, else text.</param>
    public static void Begin(string program, bool isJson)
    {
        s_program = program;
        if (!isJson || IsJson)
            return;
        s_json = new JsonErrors(Console.Error, program);
        Console.SetError(s_json);
    }

    /// <summary>Says something.</summary>
    public static void Write(LogLine line) => WriteFormed(Form(line));

    /// <summary>A line as it is written; its time is now.</summary>
    public static string Form(LogLine line)
    {
        if (!IsJson)
            return $"{s_program}: {line.Text}";
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Readable))
        {
            json.WriteStartObject();
            json.WriteString("time", TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", line.Level switch { LogLevel.Error => "error", LogLevel.Warning => "warning", _ => "info" });
            json.WriteString("program", s_program);
            if ((line.Rank ?? Rank) is { } rank and >= 0)
                json.WriteNumber("rank", rank);
            json.WriteString("message", line.Text);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>Writes what <see cref="Form"/> has made, here or in another program.</summary>
    public static void WriteFormed(string line)
    {
        if (s_json is { } json)
            json.WriteFormed(line);
        else
            Console.Error.WriteLine(line);
    }

    /// <summary>The message and level of a line of another program, or null where it is no such object.</summary>
    public static (string Message, bool IsError)? Read(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("message", out JsonElement message) && message.ValueKind == JsonValueKind.String
                ? (message.GetString()!, root.TryGetProperty("level", out JsonElement level) && level.ValueEquals("error"))
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
