using System.Collections.Generic;

namespace HpAsyncPs.Learning.Data;

/// <summary>A label and the line where it was first seen.</summary>
/// <param name="Label">As in the file.</param>
/// <param name="Line">1-based line of the file, 0 if not known; where lines were not counted, minus the offset of its first byte.</param>
/// <param name="File">The file of a folder, or null: the rows' only one.</param>
public readonly record struct SeenLabel(float Label, long Line, string? File = null);

/// <summary>Range of the labels and the first few distinct ones, counted while rows are read.</summary>
internal sealed class LabelTally
{
    // Three distinct labels are enough: whatever two are supported, one of the three is not, and its line is known.
    private const int Kept = 3;

    private readonly List<SeenLabel> _distinct = new(Kept);
    private float _last = float.NaN;

    /// <summary>The file of a folder that labels are from, or null.</summary>
    public string? File { get; set; }

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

        _distinct.Add(new SeenLabel(label, line, File));
    }
}
