using System;
using System.Collections.Generic;
using HpAsyncPs.Codecs;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>What hpaps stress was asked for.</summary>
internal sealed record StressSettings
{
    public StressMode Mode { get; init; }

    public StressPath Path { get; init; }

    /// <summary>Sizes, measured one after the other.</summary>
    public IReadOnlyList<int> Bytes { get; init; } = [];

    /// <summary>How deltas are made and coded; null: they are ready made, and go out as they are.</summary>
    public CodecSpec? Codec { get; init; }

    public int Workers { get; init; } = 1;

    public int Window { get; init; } = 8;

    public double Seconds { get; init; } = 2;

    /// <summary>A server that runs already, or null: one of our own.</summary>
    public string? Server { get; init; }

    /// <summary>What the workers need to be let in by it: options, and their files.</summary>
    public IReadOnlyList<string> Security { get; init; } = [];

    /// <summary>Whether workers, and a server of our own, spin before they sleep; null: if there is a processor for each.</summary>
    public bool? Spin { get; init; }

    /// <summary>What that comes to at the workers.</summary>
    public Spin WorkerSpin => Spin switch
    {
        null => Workers + 1 <= Environment.ProcessorCount ? HpAsyncPs.Transport.Spin.WhileAlone : HpAsyncPs.Transport.Spin.Never,
        true => HpAsyncPs.Transport.Spin.Always,
        false => HpAsyncPs.Transport.Spin.Never,
    };

    /// <summary>Gbit/s that a worker sends at most; null: as fast as it can.</summary>
    public double? Wire { get; init; }

    /// <summary>How the workers reach it.</summary>
    public StressTransport Transport { get; init; }

    /// <summary>Connections besides the workers' that do nothing.</summary>
    public int Idle { get; init; }

    public bool Verify { get; init; }

    public bool Json { get; init; }

    /// <summary>A program that measures what this host's loopback can do, or null: the one beside this program, if it is there.</summary>
    public string? Limits { get; init; }
}
