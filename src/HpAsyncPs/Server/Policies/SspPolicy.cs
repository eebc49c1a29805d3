using System;
using System.Globalization;

namespace HpAsyncPs.Server.Policies;

/// <summary>
/// Bounded staleness: a worker begins a step only if it has completed at most S pushes more than the slowest worker that has not
/// left. S = 0 is a barrier every round. Source: Ho et al., More Effective Distributed ML via a Stale Synchronous Parallel Parameter
/// Server, NIPS 2013.
/// </summary>
/// <param name="staleness">S, at most <see cref="MostStaleness"/>.</param>
public sealed class SspPolicy(uint staleness) : IPolicy
{
    /// <summary>The largest S: beyond it the bound bounds nothing.</summary>
    public const uint MostStaleness = 1_000_000;

    /// <summary>What its names begin with.</summary>
    public const string Prefix = "ssp:";

    /// <inheritdoc/>
    public string Name => Prefix + staleness.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public bool WorkersWait => true;

    /// <inheritdoc/>
    public bool MayHave(ulong clock, ulong rounds, ulong seenRounds) => clock <= rounds + staleness;

    /// <summary>Makes it from ssp:S.</summary>
    /// <exception cref="InputException">S is none.</exception>
    public static SspPolicy Parse(string name)
    {
        ReadOnlySpan<char> given = name.AsSpan(Prefix.Length);
        return uint.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out uint staleness) && staleness <= MostStaleness
            ? new SspPolicy(staleness)
            : throw new InputException($"'{name}': the staleness must be a whole number from 0 to {MostStaleness}, the pushes that a worker may be "
                + "ahead of the slowest; write it as in ssp:3.");
    }
}
