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

    /// <summary>Set in the first line where there is a monitoring port: its http://HOST:PORT/.</summary>
    public string? Monitoring { get; init; }

    /// <summary>Something that somebody may have to do something about, and that has nothing to do with training.</summary>
    public string? Warning { get; init; }

    /// <summary>How the run stands.</summary>
    public RunStatus? Status { get; init; }

    /// <summary>Set in the last line.</summary>
    public RunSummary? Ended { get; init; }

    /// <summary>With it, under --count-allocations: what the shard's thread allocated from 0.2 s after the start of training until somebody left.</summary>
    public long? AllocatedBytes { get; init; }

    /// <summary>Collections of the server's process meanwhile.</summary>
    public int? Collections { get; init; }
}
