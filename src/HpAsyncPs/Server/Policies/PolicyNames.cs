using System;

namespace HpAsyncPs.Server.Policies;

/// <summary>The policies by name.</summary>
public static class PolicyNames
{
    /// <summary>Every name, for help texts.</summary>
    public static string[] All { get; } = ["async", "bsp", "ssp:S"];

    /// <summary>Makes a policy.</summary>
    /// <exception cref="InputException">There is none of that name.</exception>
    public static IPolicy Create(string name) => name switch
    {
        "async" => new AsyncPolicy(),
        "bsp" => new BspPolicy(),
        _ when name.StartsWith(SspPolicy.Prefix, StringComparison.Ordinal) => SspPolicy.Parse(name),
        _ => throw new InputException($"There is no policy '{name}': use one of {string.Join(", ", All)}."),
    };
}
