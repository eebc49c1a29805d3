using System;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Monitoring;

/// <summary>Where the monitoring port is, and who may read there.</summary>
public sealed record MonitorOptions
{
    /// <summary>HOST:PORT; port 0 takes a free one.</summary>
    public required string Address { get; init; }

    /// <summary>Of the job. Off loopback a reader shows <see cref="Token.MonitorKey"/>; null: there is none, and the port is on loopback only.</summary>
    public Token? Token { get; init; }

    /// <summary>Of the program, for documents.</summary>
    public required string Version { get; init; }

    /// <summary>Most connections at a time: browsers take two or three each, a scraper one.</summary>
    public int MostConnections { get; init; } = 64;

    /// <summary>Most pages with events open at a time.</summary>
    public int MostStreams { get; init; } = 32;

    /// <summary>From the connection to the end of the headers of its first request that is let in; and of each other request, from its first byte.</summary>
    public TimeSpan RequestTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest that an answer other than /events may take to be read.</summary>
    public TimeSpan AnswerTime { get; init; } = TimeSpan.FromSeconds(30);
}
