using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Programs.Rendezvous;

/// <summary>What a server says of itself in a folder that its workers see too, as one JSON object.</summary>
internal sealed record RendezvousFile
{
    /// <summary>A file of another version is refused.</summary>
    public const int Format = 1;

    /// <summary>A longer file is refused.</summary>
    public const int MostBytes = 16384;

    /// <summary>More addresses than this are refused.</summary>
    public const int MostAddresses = 32;

    private const int MostText = 256;

    /// <summary>Which of the job's servers.</summary>
    public int Server { get; init; }

    /// <summary>How many servers the job has.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>HOST:PORT as others reach it, at least one.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>The job that it serves.</summary>
    public required JobIdentity Job { get; init; }

    /// <summary>For how many workers it waits.</summary>
    public required int Workers { get; init; }

    /// <summary>Name of its host.</summary>
    public required string Host { get; init; }

    /// <summary>Its process there.</summary>
    public required int Process { get; init; }

    /// <summary>Another text each time that a server starts.</summary>
    public required string Incarnation { get; init; }

    /// <summary>When it was written, by the server's clock: for people.</summary>
    public required DateTimeOffset Written { get; init; }

    /// <summary>Which process it is of those started with it; null: it was started alone.</summary>
    public Placement? Place { get; init; }

    /// <summary>Name of the file of a server.</summary>
    /// <param name="server">Which.</param>
    public static string NameOf(int server) => $"server-{server}.json";

    /// <summary>Reads a file, all of it before any of it counts.</summary>
    /// <param name="bytes">What it has.</param>
    /// <param name="path">Where it is, for messages.</param>
    /// <exception cref="InputException">It is none of this format.</exception>
    public static RendezvousFile Parse(ReadOnlyMemory<byte> bytes, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            JsonElement root = document.RootElement;
            int format = Number(root, "hpaps_rendezvous", 1, int.MaxValue);
            if (format != Format)
                throw new FormatException($"its format is {format}, and this program reads {Format}: the server is of another version");
            var addresses = new List<string>();
            foreach (JsonElement address in Property(root, "addresses", JsonValueKind.Array).EnumerateArray())
                addresses.Add(Address(address));
            if (addresses.Count is 0 or > MostAddresses)
                throw new FormatException($"it has {addresses.Count} addresses; 1 to {MostAddresses} are possible");
            string job = Text(root, "job", mayBeEmpty: true);
            int servers = Number(root, "servers", 1, Limits.Workers);
            return new RendezvousFile
            {
                Servers = servers,
                Server = Number(root, "server", 0, servers - 1),
                Addresses = addresses,
                Job = new JobIdentity(job.Length == 0 ? null : job, Number(root, "restarts", 0, int.MaxValue)),
                Workers = Number(root, "workers", 1, Limits.Workers),
                Host = Text(root, "host"),
                Process = Number(root, "process", 1, int.MaxValue),
                Incarnation = Text(root, "incarnation"),
                Written = DateTimeOffset.TryParse(Text(root, "written"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset written)
                    ? written : throw new FormatException("'written' is no time"),
                Place = root.TryGetProperty("launch", out JsonElement launch) ? PlaceOf(launch) : null,
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw new InputException($"'{path}' is no rendezvous file: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public byte[] ToBytes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("hpaps_rendezvous", Format);
            json.WriteNumber("server", Server);
            json.WriteNumber("servers", Servers);
            json.WriteStartArray("addresses");
            foreach (string address in Addresses)
                json.WriteStringValue(address);
            json.WriteEndArray();
            json.WriteString("job", Job.Name ?? "");
            json.WriteNumber("restarts", Job.Restarts);
            json.WriteNumber("workers", Workers);
            json.WriteString("host", Host);
            json.WriteNumber("process", Process);
            json.WriteString("incarnation", Incarnation);
            json.WriteString("written", Written.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            if (Place is not null)
            {
                json.WriteStartObject("launch");
                json.WriteString("launcher", Place.Launcher);
                json.WriteString("id", Place.Launch ?? "");
                json.WriteNumber("rank", Place.Rank);
                json.WriteNumber("size", Place.Size);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>For messages: which server that is.</summary>
    public override string ToString() => $"the server of {Job}, process {Process} on {Host}, started {Written.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC, at {string.Join(" or ", Addresses)}";

    private static Placement PlaceOf(JsonElement launch)
    {
        int size = Number(launch, "size", 1, int.MaxValue);
        string id = Text(launch, "id", mayBeEmpty: true);
        return new Placement(Text(launch, "launcher"), Number(launch, "rank", 0, size - 1), size, null, id.Length == 0 ? null : id, []);
    }

    private static string Address(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String)
            throw new FormatException("an address is no text");
        string text = Clean(element.GetString()!, "an address");
        try
        {
            return Endpoint.Parse(text) is { IsUnix: false, Port: > 0 } ? text : throw new FormatException($"'{text}' is no address that others reach");
        }
        catch (InputException e)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static JsonElement Property(JsonElement root, string name, JsonValueKind kind) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out JsonElement one) && one.ValueKind == kind
            ? one : throw new FormatException($"it has no '{name}' of kind {kind}");

    private static int Number(JsonElement root, string name, int least, int most) =>
        Property(root, name, JsonValueKind.Number).TryGetInt32(out int number) && number >= least && number <= most
            ? number : throw new FormatException($"'{name}' is no number from {least} to {most}");

    private static string Text(JsonElement root, string name, bool mayBeEmpty = false)
    {
        string text = Clean(Property(root, name, JsonValueKind.String).GetString()!, $"'{name}'");
        return text.Length > 0 || mayBeEmpty ? text : throw new FormatException($"'{name}' is empty");
    }

    /// <summary>Texts come into messages and logs: nothing of them may be more than text.</summary>
    private static string Clean(string text, string what)
    {
        if (text.Length > MostText)
            throw new FormatException($"{what} has more than {MostText} characters");
        foreach (char c in text)
        {
            if (char.IsControl(c) || char.IsSurrogate(c))
                throw new FormatException($"{what} has a character that is none of a text");
        }

        return text;
    }
}
