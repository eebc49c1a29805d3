using System;
using System.Threading;

namespace HpAsyncPs.Worker;

/// <summary>What a worker knows when it begins a step.</summary>
/// <param name="aggregate">The aggregate z, with what this worker pushed and the server had not applied yet added in its share.</param>
/// <param name="own">This worker's vector as it counts in <paramref name="aggregate"/>: the reconstruction that both ends hold.</param>
/// <param name="jobPasses">Passes over all data that the whole job had made when the aggregate was sent: for schedules.</param>
/// <param name="rounds">Pushes of the worker that had made the fewest by then: when it grows, every worker has been heard again.</param>
/// <param name="share">This worker's factor in the aggregate now; it changes when a worker is evicted or comes anew.</param>
/// <param name="lag">Seconds that this worker takes for a pass over those of the worker that sets the pace: 1 or more; 0 where the server does not tell.</param>
/// <param name="isTogether">Others begin from the same aggregate, and all wait for each other: a task may exchange twice (<see cref="ITask.IsHalf"/>).</param>
/// <param name="interrupt">When cancelled, the step may return early; its result is then thrown away.</param>
public readonly ref struct StepInput(
    ReadOnlySpan<float> aggregate, ReadOnlySpan<float> own, double jobPasses, long rounds = 0, double share = 1, double lag = 0, bool isTogether = false, CancellationToken interrupt = default)
{
    /// <summary>The aggregate.</summary>
    public ReadOnlySpan<float> Aggregate { get; } = aggregate;

    /// <summary>This worker's part of it.</summary>
    public ReadOnlySpan<float> Own { get; } = own;

    /// <summary>Passes of the whole job.</summary>
    public double JobPasses { get; } = jobPasses;

    /// <summary>Pushes of the worker that has made the fewest.</summary>
    public long Rounds { get; } = rounds;

    /// <summary>This worker's factor in the aggregate.</summary>
    public double Share { get; } = share;

    /// <summary>How slow this worker is; 0: not told.</summary>
    public double Lag { get; } = lag;

    /// <summary>Others begin from the same aggregate.</summary>
    public bool IsTogether { get; } = isTogether;

    /// <summary>Ends the step early.</summary>
    public CancellationToken Interrupt { get; } = interrupt;
}
