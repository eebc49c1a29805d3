using System;
using System.Text.Json;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Monitoring.Documents;

/// <summary>Names as they are in documents and labels: in snake_case.</summary>
public static class Naming
{
    /// <summary>Of the states of workers, by their number.</summary>
    public static readonly string[] States = Of<WorkerState>();

    /// <summary>A letter for each state, by its number: see <see cref="TickDocument.States"/>.</summary>
    public const string StateLetters = "jciestgl";

    internal static readonly string[] Kinds = Of<MonitorEventKind>();
    internal static readonly string[] Handshakes = Of<HandshakeFailure>();
    internal static readonly string[] Faults = Of<FrameFault>();
    internal static readonly string[] Codecs = Of<CodecId>();
    internal static readonly string[] Families = Of<TimeFamily>();

    /// <summary>A word of the code, such as Training, as it is in documents.</summary>
    /// <param name="word">In Pascal case.</param>
    public static string Snake(string word) => JsonNamingPolicy.SnakeCaseLower.ConvertName(word);

    // Of an enumeration whose values are 0, 1, 2, ...
    private static string[] Of<T>()
        where T : struct, Enum => Array.ConvertAll(Enum.GetNames<T>(), Snake);
}
