using System.Collections.Generic;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>What differs between the runs of a comparison.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Codec">The codec.</param>
/// <param name="Workers">Number of workers.</param>
/// <param name="Solver">What a worker does between two pushes, or how many rows a gradient has; empty where the task has one way only.</param>
public sealed record ComparedSetting(string Policy, string Codec, int Workers, string Solver)
{
    /// <summary>In words, all of it.</summary>
    public override string ToString() => Name(hasCodec: true, hasWorkers: true, hasSolver: true);

    /// <summary>In words, but only what differs between some; the policy always.</summary>
    public string NameAmong(IReadOnlyList<ComparedSetting> all)
    {
        bool codec = false, workers = false, solver = false;
        foreach (ComparedSetting other in all)
        {
            codec |= other.Codec != Codec;
            workers |= other.Workers != Workers;
            solver |= other.Solver != Solver;
        }

        return Name(codec, workers, solver);
    }

    private string Name(bool hasCodec, bool hasWorkers, bool hasSolver)
    {
        string name = Policy;
        if (hasCodec)
            name += $", {Codec}";
        if (hasWorkers)
            name += Workers == 1 ? ", 1 worker" : $", {Workers} workers";
        return hasSolver && Solver.Length > 0 ? $"{name}, {Solver}" : name;
    }
}
