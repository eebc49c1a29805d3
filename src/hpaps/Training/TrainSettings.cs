using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Programs;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Training;

/// <summary>What the user asked for.</summary>
internal sealed record TrainSettings
{
    public required string Task { get; init; }

    /// <summary>Where it stops that was given no limit at all.</summary>
    public required double DefaultPasses { get; init; }

    public required string Data { get; init; }

    public string? Test { get; init; }

    public int Workers { get; init; }

    /// <summary>Servers, each with a shard of the model.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>Which cores the processes use: cores, none, or null: nobody says.</summary>
    public string? Pin { get; init; }

    public required string Policy { get; init; }

    /// <summary>How deltas are coded.</summary>
    public required string Codec { get; init; }

    /// <summary>Learning rate of policy asp, or null.</summary>
    public double? Rate { get; init; }

    public double? Passes { get; init; }

    /// <summary>Relative gap to stop at.</summary>
    public double? Target { get; init; }

    public double? Reference { get; init; }

    /// <summary>Error of the held-out ratings to stop at.</summary>
    public double? TargetRmse { get; init; }

    /// <summary>When it gets better no more, or null: never.</summary>
    public PlateauRule? Plateau { get; init; }

    public double? TimeLimit { get; init; }

    /// <summary>Pushes that take a parameter beyond it are refused; null: the server's default.</summary>
    public double? MaxMagnitude { get; init; }

    public ulong Seed { get; init; }

    /// <summary>By rank, how slow the workers are that act as slow machines.</summary>
    public IReadOnlyDictionary<int, string> Slow { get; init; } = new Dictionary<int, string>();

    /// <summary>Each step takes exp(this times N(0, 1)) times as long.</summary>
    public double SlowRandom { get; init; }

    /// <summary>What becomes of it when a process dies.</summary>
    public LossSettings Loss { get; init; } = new();

    /// <summary>Where the server is to answer how the job stands, or null.</summary>
    public string? Monitor { get; init; }

    /// <summary>Who is told when something is wrong.</summary>
    public AlertSettings Alerts { get; init; } = new();

    /// <summary>Reads the data, for training in this process; what it returns makes a job of them.</summary>
    public Func<TrainSettings, CancellationToken, Func<SimulatedJob>>? Read { get; init; }

    /// <summary>Trains in this process, on a virtual clock; null: in processes.</summary>
    public SimulationPlan? Simulation { get; init; }

    /// <summary>Folder of the results, or null: one that is named by the time.</summary>
    public string? Output { get; init; }

    public bool Json { get; init; }

    /// <summary>The command line that the results name; null: that of this process.</summary>
    public string? Command { get; init; }

    /// <summary>Arguments of the workers that the task alone has.</summary>
    public IReadOnlyList<string> TaskArguments { get; init; } = [];

    /// <summary>What the title says of the task.</summary>
    public string Title { get; init; } = "";

    /// <summary>Files are LIBSVM, and the test file is for this program; else the workers measure on it.</summary>
    public bool HasLabels { get; init; }

    /// <summary>Workers add to the model what only they have.</summary>
    public bool WorkersWrite { get; init; }
}
