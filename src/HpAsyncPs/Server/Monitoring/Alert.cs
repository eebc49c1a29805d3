using System;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>What somebody may want to be told of at once. The names in lower case are those of --alert-on.</summary>
public enum AlertKind
{
    /// <summary>The connection of a worker has gone, or nothing is heard of it.</summary>
    Gone,

    /// <summary>A worker lives and pushes nothing.</summary>
    Stalled,

    /// <summary>A worker has become slow.</summary>
    Slow,

    /// <summary>A frame of a worker was not accepted.</summary>
    Refused,

    /// <summary>Somebody was not let in.</summary>
    Handshake,

    /// <summary>Two ends had different vectors.</summary>
    Disagreement,

    /// <summary>The journal is not brought to disk as fast as it should be.</summary>
    Journal,

    /// <summary>The objective does not fall.</summary>
    Objective,

    /// <summary>The job has failed.</summary>
    Failed,

    /// <summary>The job has ended, and has not failed.</summary>
    Ended,
}

/// <summary>Something to tell somebody.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Event">What has happened; its number is 0 where it is none of the job's events, but seen by a rule.</param>
/// <param name="HeldBack">Alerts of this kind and worker since the last one, that came too soon after it.</param>
/// <param name="Missed">Events since the last alert that nobody has looked at, for there were too many at once.</param>
public sealed record Alert(AlertKind Kind, MonitorEvent Event, long HeldBack, long Missed)
{
    /// <summary>Name of a kind, as in --alert-on.</summary>
    /// <param name="kind">The kind.</param>
    public static string NameOf(AlertKind kind) => kind switch
    {
        AlertKind.Gone => "gone",
        AlertKind.Stalled => "stalled",
        AlertKind.Slow => "slow",
        AlertKind.Refused => "refused",
        AlertKind.Handshake => "handshake",
        AlertKind.Disagreement => "disagreement",
        AlertKind.Journal => "journal",
        AlertKind.Objective => "objective",
        AlertKind.Failed => "failed",
        AlertKind.Ended => "ended",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
