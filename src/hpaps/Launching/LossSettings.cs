using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Launching;

/// <summary>What becomes of a run when one of its processes dies.</summary>
internal sealed record LossSettings
{
    /// <summary>How often each process is started again.</summary>
    public int Restarts { get; init; }

    /// <summary>What the server does when a worker is lost.</summary>
    public WorkerLoss OnWorkerLoss { get; init; } = WorkerLoss.Wait;

    /// <summary>Seconds that the job holds for a lost worker; null: the server's default.</summary>
    public double? RejoinTimeout { get; init; }

    /// <summary>Seconds of silence after which the server gives a worker up; null: the server's default.</summary>
    public double? LivenessTimeout { get; init; }

    /// <summary>Another worker takes over the part of one that is lost.</summary>
    public bool Reassigns { get; init; }

    /// <summary>What a server that is started again goes on from, as its --durability; null: it has nothing, and the workers tell it what they have.</summary>
    public string? Durability { get; init; }

    /// <summary>The model is at the server alone: one that is started again begins at zero.</summary>
    public bool ServerHasTheModel { get; init; }

    /// <summary>A worker that is not started again does not end the run.</summary>
    public bool GoesOnWithout => Reassigns || OnWorkerLoss != WorkerLoss.Wait;
}
