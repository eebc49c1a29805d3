namespace HpAsyncPs;

/// <summary>How much a line of the log matters.</summary>
public enum LogLevel
{
    /// <summary>It goes on as it should.</summary>
    Info,

    /// <summary>It goes on, but somebody may have to do something: a worker is lost, a peer was refused.</summary>
    Warning,

    /// <summary>The job, or the program, has failed.</summary>
    Error,
}

/// <summary>What server and workers have to say, once in a while: never a line a push. A text alone is worth <see cref="LogLevel.Info"/>.</summary>
/// <param name="Text">What happened, and what to do if there is something to do.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Rank">The worker that it is about, or null.</param>
public readonly record struct LogLine(string Text, LogLevel Level = LogLevel.Info, int? Rank = null)
{
    /// <summary>A text that is worth no more.</summary>
    /// <param name="text">What happened.</param>
    public static implicit operator LogLine(string text) => new(text);

    /// <summary>A text that is worth no more.</summary>
    /// <param name="text">What happened.</param>
    public static LogLine FromString(string text) => new(text);

    /// <summary>Something that somebody may have to do something about.</summary>
    /// <param name="text">What happened.</param>
    /// <param name="rank">The worker that it is about, or null.</param>
    public static LogLine Warning(string text, int? rank = null) => new(text, LogLevel.Warning, rank);

    /// <summary>What an operator reads: the text alone.</summary>
    public override string ToString() => Text;
}
