using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Worker;

/// <summary>How a worker joins.</summary>
public sealed record WorkerOptions
{
    /// <summary>The rank to ask for, or -1: any free one.</summary>
    public int Rank { get; init; } = -1;

    /// <summary>The session's number that its frames carry; 0: the one that admission gives. <see cref="WorkerClient"/> draws one.</summary>
    public ulong Session { get; init; }

    /// <summary>The token that the server is to have as well; null: it must ask for none.</summary>
    public Token? Token { get; init; }

    /// <summary>How the connection is encrypted; null: not at all.</summary>
    public Tls? Tls { get; init; }

    /// <summary>How many parameters this worker needs; the most of all workers is what everybody gets.</summary>
    public int Parameters { get; init; } = 1;

    /// <summary>Parameters that belong together: only rows that changed travel. Divides the number of parameters.</summary>
    public int RowLength { get; init; } = 1;

    /// <summary>What the server makes of the workers' vectors; the same at every worker.</summary>
    public Aggregate Aggregate { get; init; } = Aggregate.Mean;

    /// <summary>Its weight in a mean: its number of examples.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Numbers of which all workers need the largest of all.</summary>
    public double[] Agreed { get; init; } = [];

    /// <summary>How much of what it pushes falls on each of so many equal slices of the rows, <see cref="Protocol.Limits.LoadSlices"/> at most; empty: evenly. By them a model is cut for several servers.</summary>
    public double[] Loads { get; init; } = [];

    /// <summary>What must be the same at every worker; the server refuses who differs.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>How long to try to connect.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait for the other workers.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>Whether the network's thread looks for frames for a short time before it sleeps: where it has a core beside the computing thread's.</summary>
    public bool Spin { get; init; }

    /// <summary>Whether what this worker sends carries a checksum of its payload.</summary>
    public bool Checksum { get; init; }

    /// <summary>A connection over which the server is not heard of for this long is given up.</summary>
    public TimeSpan LivenessTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long to try to go on over another connection when one has gone; zero: not at all.</summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Asked before each try to connect again where a server, that of this shard, is now: one that was started anew may be elsewhere. Null, or an answer of null: where it was. On the thread of the
    /// reconnector, so it may take its time, but ends when it is told to.
    /// </summary>
    public Func<int, CancellationToken, Endpoint?>? Locate { get; init; }

    /// <summary>Called with a line for the log when a connection has gone or is there again; on the network's thread.</summary>
    public Action<LogLine>? Log { get; init; }

    /// <summary>Most keys of a chunk, for tests: small models then have several. The same at the server.</summary>
    internal int MostChunkKeys { get; init; } = Limits.ChunkParameters;

    /// <summary>
    /// Called when the server asks this worker to take over the part of a rank whose worker is lost: to join with that rank, in another session.
    /// On the network's thread, so it returns at once, and maybe more than once for a rank. Null: it has no data but its own.
    /// </summary>
    public Action<int>? Adopt { get; init; }
}
