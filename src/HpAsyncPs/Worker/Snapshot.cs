using System;
using HpAsyncPs.Buffers;

namespace HpAsyncPs.Worker;

/// <summary>A worker's copy of the aggregate at one version, and which of its own pushes each chunk contains.</summary>
internal sealed class Snapshot(FloatBuffer values, int chunkKeys) : IDisposable
{
    private readonly ulong[] _contains = new ulong[(values.Length + chunkKeys - 1) / chunkKeys];

    public Span<float> Values => values.Span;

    public ulong Version { get; set; }

    /// <summary>Passes over all data that the whole job had made.</summary>
    public double Passes { get; set; }

    /// <summary>Pushes of the worker that had made the fewest.</summary>
    public long Rounds { get; set; }

    /// <summary>Others were given the same one, and all wait for each other.</summary>
    public bool IsTogether { get; set; }

    /// <summary>The number of the evaluation, for a snapshot that is to be evaluated.</summary>
    public ulong Evaluation { get; set; }

    public int Chunks => _contains.Length;

    public ulong Contains(int chunk) => _contains[chunk];

    public void SetContains(int chunk, ulong sequence) => _contains[chunk] = sequence;

    /// <summary>The last push that every chunk contains.</summary>
    public ulong ContainsWhole()
    {
        ulong least = ulong.MaxValue;
        foreach (ulong sequence in _contains)
            least = Math.Min(least, sequence);
        return least;
    }

    public void Dispose() => values.Dispose();
}
