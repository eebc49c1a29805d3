using System;

namespace HpAsyncPs.Server.Policies;

/// <summary>The policies by name.</summary>
public static class PolicyNames
{
    /// <summary>Every name, for help texts.</summary>
    public static string[] All { get; } = ["async", "auto", "bsp", "bsp:1", "ssp:S", "asp:sgd", "asp:adagrad", "asp:adam", AspPolicy.Sum];

    /// <summary>Those that reach the optimum, for messages: all but asp.</summary>
    public const string Exact = "async, auto, bsp, bsp:1 or ssp:S";

    /// <summary>What they do, for help texts.</summary>
    public const string Help = "async: nobody waits; auto: measures how fast each worker is, and has the fast ones wait for a slow one only as long as that makes training faster; bsp: a barrier every round; bsp:1: the same with one exchange a round where bsp has two; ssp:S: at most S pushes ahead of the slowest, as ssp:3; "
        + "asp:sgd, asp:adagrad, asp:adam: plain gradients, applied by the server; asp:sum: it adds what is pushed, for hpaps stress.";

    /// <summary>Learning rates, for help texts.</summary>
    public const string RateHelp = "by default 1 / (workers x the data's smoothness) for sgd, 0.1 for adagrad, 0.001 for adam, 1 for sum.";

    /// <summary>Makes a policy.</summary>
    /// <exception cref="InputException">There is none of that name.</exception>
    public static IPolicy Create(string name) => name switch
    {
        "async" => new AsyncPolicy(),
        "auto" => new AutoPolicy(),
        "bsp" => new BspPolicy(),
        "bsp:1" => new BspPolicy(exchanges: 1),
        _ when name.StartsWith(SspPolicy.Prefix, StringComparison.Ordinal) => SspPolicy.Parse(name),
        _ when AspPolicy.IsNamed(name) => AspPolicy.Parse(name),
        _ => throw new InputException($"There is no policy '{name}': use one of {string.Join(", ", All)}."),
    };
}
