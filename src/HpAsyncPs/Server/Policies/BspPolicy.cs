using System;

namespace HpAsyncPs.Server.Policies;

/// <summary>
/// A barrier every round: a snapshot goes out when every worker has pushed since the last one.
/// Source: Valiant, A Bridging Model for Parallel Computation, CACM 33(8), 1990.
/// </summary>
public sealed class BspPolicy : IPolicy
{
    /// <inheritdoc/>
    public string Name => "bsp";

    /// <inheritdoc/>
    public bool WorkersWait => true;

    /// <inheritdoc/>
    public bool MayRelease(ReadOnlySpan<ulong> clocks, ReadOnlySpan<ulong> atRelease)
    {
        for (int rank = 0; rank < clocks.Length; rank++)
        {
            if (clocks[rank] != IPolicy.HasLeft && clocks[rank] == atRelease[rank])
                return false;
        }

        return true;
    }
}
