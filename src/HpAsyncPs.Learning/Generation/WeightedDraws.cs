using System;
using System.Numerics;

namespace HpAsyncPs.Learning.Generation;

/// <summary>
/// Draws without replacement, each with a probability that is proportional to the weight of what is left: a binary tree of
/// sums, in integers, so that putting back restores it exactly. A draw costs the depth of the tree, however many were drawn.
/// </summary>
internal sealed class WeightedDraws
{
    // Node n has the children 2n and 2n + 1; the leaves are the last half.
    private readonly ulong[] _sums;
    private readonly int _leaves;
    private readonly ulong[] _weights;

    /// <param name="weights">Each 1 or more.</param>
    public WeightedDraws(ulong[] weights)
    {
        _weights = weights;
        _leaves = (int)BitOperations.RoundUpToPowerOf2((uint)weights.Length);
        _sums = new ulong[2 * _leaves];
        weights.CopyTo(_sums, _leaves);
        for (int node = _leaves - 1; node > 0; node--)
            _sums[node] = _sums[2 * node] + _sums[(2 * node) + 1];
    }

    /// <summary>Draws distinct indices, at most as many as there are, sorts them, and puts them all back.</summary>
    public void Draw(ref SeededRandom random, Span<int> drawn)
    {
        ulong[] sums = _sums;
        for (int j = 0; j < drawn.Length; j++)
        {
            ulong at = random.Below(sums[1]);
            int node = 1;
            while (node < _leaves)
            {
                ulong left = sums[2 * node];
                bool right = at >= left;
                at -= right ? left : 0;
                node = (2 * node) + (right ? 1 : 0);
            }

            drawn[j] = node - _leaves;
            ulong weight = sums[node];
            for (; node > 0; node >>= 1)
                sums[node] -= weight;
        }

        foreach (int index in drawn)
        {
            for (int node = index + _leaves; node > 0; node >>= 1)
                sums[node] += _weights[index];
        }

        drawn.Sort();
    }
}
