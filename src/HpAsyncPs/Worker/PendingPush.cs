using System;
using HpAsyncPs.Buffers;

namespace HpAsyncPs.Worker;

/// <summary>A delta that the worker's newest snapshot does not contain yet.</summary>
internal sealed class PendingPush(FloatBuffer delta) : IDisposable
{
    public FloatBuffer Delta { get; } = delta;

    /// <summary>The first key that is not encoded yet.</summary>
    public int Encoded { get; set; }

    public ulong Sequence { get; set; }

    public ulong FromVersion { get; set; }

    public uint PassesQ8 { get; set; }

    /// <summary>It asks for a snapshot too.</summary>
    public bool Pulls { get; set; }

    public void Dispose() => Delta.Dispose();
}
