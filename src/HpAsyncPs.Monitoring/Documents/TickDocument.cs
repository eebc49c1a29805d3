using System;
using System.Collections.Generic;

namespace HpAsyncPs.Monitoring.Documents;

/// <summary>
/// What goes out to all open pages once a second, as <c>event: status</c> of GET /events: the job, and a column for each of the things that are shown of workers. An element of a
/// column is that of the rank of its index. Numbers have three digits: a thousand workers take about 30 KB. GET /status has everything.
/// </summary>
public sealed record TickDocument
{
    /// <summary>Of the second that it is of.</summary>
    public required long Number { get; init; }

    /// <summary>Which server says so, as in the ids of its events: another one begins with other numbers.</summary>
    public required string Server { get; init; }

    /// <summary>When it was so, by the server's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The job.</summary>
    public required RunDocument Run { get; init; }

    /// <summary>A letter for each worker: (j)oining, (c)omputing, (i)dle, (e)valuating, (s)low, s(t)alled, (g)one, (l)eft.</summary>
    public required string States { get; init; }

    /// <summary>Median version lag of the pushes of each lately; null: it has none.</summary>
    public required IReadOnlyList<double?> LagVersionsP50 { get; init; }

    /// <summary>Pushes of each.</summary>
    public required IReadOnlyList<ulong> Pushes { get; init; }

    /// <summary>Median of its own seconds of a push, lately.</summary>
    public required IReadOnlyList<double?> PushSecondsP50 { get; init; }

    /// <summary>Since each was heard of.</summary>
    public required IReadOnlyList<double?> SecondsSinceHeard { get; init; }
}

/// <summary>An event: what GET /happened answers a list of, and <c>event: happened</c> of GET /events.</summary>
/// <param name="Number">From 1 on, without gaps.</param>
/// <param name="Time">When, by the server's clock.</param>
/// <param name="Seconds">Since training began; 0 before.</param>
/// <param name="Kind">state, phase, membership, policy, codec, evaluation, refusal, handshake or disagreement.</param>
/// <param name="Rank">Of the worker; null: of none.</param>
/// <param name="From">With state: before.</param>
/// <param name="To">With state: from then on.</param>
/// <param name="Reason">In words, with numbers.</param>
public sealed record EventDocument(long Number, DateTimeOffset Time, double Seconds, string Kind, int? Rank, string? From, string? To, string Reason);

/// <summary>What GET /happened answers.</summary>
/// <param name="Last">Number of the newest event.</param>
/// <param name="Id">Of the newest event: what to ask with next, as in /happened?after=ID. A server that was started since then answers with all of its own.</param>
/// <param name="Events">Those after the one that was asked with, as far as they are kept; the oldest first.</param>
public sealed record EventsDocument(long Last, string Id, IReadOnlyList<EventDocument> Events);

/// <summary>What GET /healthz and GET /readyz answer.</summary>
/// <param name="Status">ok, or not ok.</param>
/// <param name="Reason">Why not, and what to do; null: it is.</param>
public sealed record HealthDocument(string Status, string? Reason);

/// <summary>What GET /history answers: the whole run in columns, a point a second at first, and fewer as it gets longer.</summary>
public sealed record HistoryDocument
{
    /// <summary>Since training began.</summary>
    public required IReadOnlyList<double> Seconds { get; init; }

    /// <summary>Objective at the last evaluated snapshot; null: there was none.</summary>
    public required IReadOnlyList<double?> Objective { get; init; }

    /// <summary>Root mean squared error of held-out examples.</summary>
    public required IReadOnlyList<double?> TestRmse { get; init; }

    /// <summary>Pushes since the run began.</summary>
    public required IReadOnlyList<ulong> Pushes { get; init; }

    /// <summary>Received since the run began.</summary>
    public required IReadOnlyList<long> UplinkBytes { get; init; }

    /// <summary>Sent since the run began.</summary>
    public required IReadOnlyList<long> DownlinkBytes { get; init; }
}
