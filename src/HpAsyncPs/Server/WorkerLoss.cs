namespace HpAsyncPs.Server;

/// <summary>What becomes of the job when a worker is lost. docs/algorithms.md says what each does to the optimum.</summary>
public enum WorkerLoss
{
    /// <summary>The job holds until the worker returns, or another takes its place; no worker gets a snapshot meanwhile.</summary>
    Wait,

    /// <summary>The others go on, and what it has contributed stays as it is.</summary>
    Keep,

    /// <summary>The others go on, what it has contributed is taken out, and their weights are made to sum to one.</summary>
    Evict,
}
