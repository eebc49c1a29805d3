using System;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Server;

/// <summary>How a job is run. Every wait and every queue of the server has its limit here or in <see cref="Limits"/>.</summary>
public sealed record ServerOptions
{
    /// <summary>How many workers must join before training starts.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>
    /// Which of the job's servers this is. One after the first has no limits and no target of its own: it evaluates what the workers ask for, and ends when they say that the first has ended the job.
    /// </summary>
    public ShardIndex Shard { get; init; } = ShardIndex.Only;

    /// <summary>Who gets a new snapshot when: one of <see cref="Policies.PolicyNames.All"/>.</summary>
    public string Policy { get; init; } = "async";

    /// <summary>Learning rate of a policy whose server applies gradients (asp); null: the optimiser's default.</summary>
    public double? Rate { get; init; }

    /// <summary>How deltas are coded, both ways; <see cref="CodecSpec.Auto"/>: as links, processors and the course of training make best.</summary>
    public CodecSpec Codec { get; init; } = CodecSpec.Fp32;

    /// <summary>What coding takes here, for <see cref="CodecSpec.Auto"/>.</summary>
    public CodingCosts CodingCosts { get; init; } = CodingCosts.Ordinary;

    /// <summary>Most parameters the server accepts; a worker that asks for more is refused.</summary>
    public int MaxParameters { get; init; } = Limits.Parameters;

    /// <summary>
    /// Largest magnitude that a parameter of a worker's vector may take, or, where the server applies gradients, one of the model or of a gradient. A push
    /// that goes beyond is refused.
    /// </summary>
    public float MaxMagnitude { get; init; } = Limits.Magnitude;

    /// <summary>Stop after this many passes over all data (a worker's passes count by its weight); null: no limit.</summary>
    public double? Passes { get; init; }

    /// <summary>Stop when (objective - reference) / |reference| is at most this; needs <see cref="Reference"/>.</summary>
    public double? Target { get; init; }

    /// <summary>The optimum that gaps are measured against.</summary>
    public double? Reference { get; init; }

    /// <summary>Stop when the root mean squared error of the held-out examples is at most this; the task must have some.</summary>
    public double? TargetRmse { get; init; }

    /// <summary>Stop when the error of held-out examples, or the objective where none are held out, gets better no more; null: never.</summary>
    public PlateauRule? Plateau { get; init; }

    /// <summary>Stop after this long; null: no limit.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>Whether snapshots are evaluated at the workers while they train. Off for plain push and pull.</summary>
    public bool Evaluates { get; init; } = true;

    /// <summary>How long to wait for all workers to join.</summary>
    public TimeSpan JoinTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>What workers must have to be let in; null: nothing.</summary>
    public Token? Token { get; init; }

    /// <summary>How connections are encrypted; null: not at all.</summary>
    public Tls? Tls { get; init; }

    /// <summary>What strangers may cost.</summary>
    public GateLimits Gate { get; init; } = new();

    /// <summary>How long a connection may take to ask for admission where there is no gate, as in simulations; else <see cref="GateLimits.HandshakeTime"/> counts.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A worker that is not heard of for this long is lost, whether its connection has gone or not.</summary>
    public TimeSpan LivenessTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What becomes of the job when a worker is lost.</summary>
    public WorkerLoss OnWorkerLoss { get; init; } = WorkerLoss.Wait;

    /// <summary>How long the job holds for a worker that is lost to return, or another in its place; then it fails.</summary>
    public TimeSpan RejoinTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// With <see cref="WorkerLoss.Wait"/>: when a worker does not return, another is asked to take over its part, and the job holds for
    /// <see cref="RejoinTimeout"/> once more.
    /// </summary>
    public bool Reassigns { get; init; }

    /// <summary>How long the workers may take for the last evaluation; one that is lost is noticed by <see cref="LivenessTimeout"/>.</summary>
    public TimeSpan FinalTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Whether the shard's thread looks for frames for a short time before it sleeps; null: as long as the server and the workers that
    /// are connected from this host are no more than its processors (where there are such workers, with the job's other servers), and nobody else wants the core.
    /// </summary>
    public bool? Spin { get; init; }

    /// <summary>Whether what the server sends carries a checksum of its payload.</summary>
    public bool Checksum { get; init; }

    /// <summary>Most keys of a chunk, for tests: small models then have several. The same at the workers.</summary>
    internal int MostChunkKeys { get; init; } = Limits.ChunkParameters;

    /// <summary>How long workers may take to leave after the end.</summary>
    public TimeSpan LeaveTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
