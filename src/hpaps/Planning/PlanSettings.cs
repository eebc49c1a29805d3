using System.Collections.Generic;
using HpAsyncPs.Cli.Training;

namespace HpAsyncPs.Cli.Planning;

/// <summary>What a plan is asked for.</summary>
internal sealed record PlanSettings
{
    // One that never gets to its target would go on forever.
    private const double MostPassesToTarget = 2000;

    /// <summary>Folder of the measured run.</summary>
    public required string Run { get; init; }

    /// <summary>Where its data is, or null: where the run says.</summary>
    public string? Data { get; init; }

    /// <summary>What its RMSE is measured on, or null: what the run says.</summary>
    public string? Test { get; init; }

    /// <summary>Empty: as many as the run had; likewise policies and codecs.</summary>
    public IReadOnlyList<int> Workers { get; init; } = [];

    public IReadOnlyList<int> Servers { get; init; } = [1];

    public IReadOnlyList<string> Bandwidths { get; init; } = [];

    public IReadOnlyList<string> Policies { get; init; } = [];

    public IReadOnlyList<string> Codecs { get; init; } = [];

    public required string Latency { get; init; }

    /// <summary>Of each server; null: that of a worker's link.</summary>
    public string? ServerBandwidth { get; init; }

    /// <summary>Cores of the one host that all processes share; null: each has a core of its own.</summary>
    public int? OneHost { get; init; }

    /// <summary>By rank; null: as in the run.</summary>
    public IReadOnlyDictionary<int, string>? Slow { get; init; }

    public double? Passes { get; init; }

    public double? Target { get; init; }

    public double? Reference { get; init; }

    /// <summary>A price file, or null.</summary>
    public string? Prices { get; init; }

    public string? Output { get; init; }

    public bool Json { get; init; }

    /// <summary>Training as the run did it, until where the plan says, and not for ever.</summary>
    public TrainSettings Of(TrainSettings run)
    {
        run = run with { Passes = Passes ?? run.Passes, Slow = Slow ?? run.Slow, Reference = Reference ?? run.Reference };
        if (Target is { } target)
            run = run.HasLabels ? run with { Target = target } : run with { TargetRmse = target };
        if (run is not { Passes: null, TimeLimit: null })
            return run;
        return run with { Passes = run is { Target: null, TargetRmse: null } ? run.DefaultPasses : run.HasLabels ? MostPassesToTarget : TrainCommand.FactorTargetPasses };
    }

    /// <summary>All cases, those of the same number of workers together.</summary>
    public List<PlannedCase> Cases(TrainSettings run)
    {
        var all = new List<PlannedCase>();
        foreach (int workers in Workers.Count > 0 ? Workers : [run.Workers])
        {
            foreach (string bandwidth in Bandwidths)
            {
                foreach (int servers in Servers)
                {
                    foreach (string policy in Policies.Count > 0 ? Policies : [run.Policy])
                    {
                        foreach (string codec in Codecs.Count > 0 ? Codecs : [run.Codec])
                            all.Add(new PlannedCase(workers, servers, bandwidth, policy, codec));
                    }
                }
            }
        }

        return all;
    }
}
