using System;
using HpAsyncPs.Buffers;

namespace HpAsyncPs.Server;

/// <summary>
/// What a rank's worker has of the aggregate, bit for bit: changes are coded against it, and what a codec leaves out travels later. Goes from a session
/// to the one that takes its place.
/// </summary>
internal sealed class Downlink(FloatBuffer values)
{
    /// <summary>As long as the model; meaningless unless <see cref="IsKnown"/>.</summary>
    public Span<float> Values => values.Span;

    /// <summary>The worker has what is here; else the next snapshot goes out as values.</summary>
    public bool IsKnown { get; set; }

    /// <summary>Snapshots that went out as changes.</summary>
    public ulong Changes { get; set; }
}
