using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output;

/// <summary>
/// One line of JSON that hpaps-server prints with --events: first where it listens, then how the run stands a few times a
/// second, at last how it ended.
/// </summary>
public sealed record ServerEvent
{
    /// <summary>Set in the first line: HOST:PORT.</summary>
    public string? Listening { get; init; }

    /// <summary>How the run stands.</summary>
    public RunStatus? Status { get; init; }

    /// <summary>Set in the last line.</summary>
    public RunSummary? Ended { get; init; }
}
