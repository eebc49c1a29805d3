using System.Collections.Generic;

namespace HpAsyncPs.Learning.Data;

/// <summary>A label and the line where it was first seen.</summary>
/// <param name="Label">As in the file.</param>
/// <param name="Line">1-based line of the file, 0 if not known.</param>
public readonly record struct SeenLabel(float Label, long Line);

/// <summary>Range of the labels and the first few distinct ones, counted while rows are read.</summary>
internal sealed class LabelTally
{
    // Three distinct labels are enough: whatever two are supported, one of the three is not, and its line is known.
    private const int Kept = 3;

    private readonly List<SeenLabel> _distinct = new(Kept);
    private float _last = float.NaN;

    public float Min { get; private set; } = float.PositiveInfinity;

    public float Max { get; private set; } = float.NegativeInfinity;

    public IReadOnlyList<SeenLabel> Distinct => _distinct;

    public void Add(float label, long line)
    {
        if (label == _last)
            return;
        _last = label;
        if (label < Min)
            Min = label;
        if (label > Max)
            Max = label;
        if (_distinct.Count == Kept)
            return;
        foreach (SeenLabel seen in _distinct)
        {
            if (seen.Label == label)
                return;
        }

        _distinct.Add(new SeenLabel(label, line));
    }
}
