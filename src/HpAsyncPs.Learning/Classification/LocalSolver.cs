using System;
using System.Globalization;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// Which local solver: "svrg" (the default), "gradient:Q" (Q gradient steps on the local problem), or "gradient" (none: each push is
/// one gradient step from the aggregate, and one vector travels instead of two).
/// </summary>
/// <param name="GradientSteps">Steps, 0 for none; -1 for SVRG.</param>
public readonly record struct LocalSolver(int GradientSteps)
{
    private const string SvrgName = "svrg";
    private const string GradientName = "gradient";
    private const int MostGradientSteps = (int)Limits.PassesOfAPush - 2; // and one pass for the gradient

    /// <summary>SVRG.</summary>
    public static LocalSolver Svrg { get; } = new(-1);

    /// <summary>None.</summary>
    public static LocalSolver None { get; } = new(0);

    /// <summary>Vectors that travel: the model's, and with a local solver the gradient's.</summary>
    public int Vectors => GradientSteps == 0 ? 1 : 2;

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string text, out LocalSolver solver)
    {
        solver = Svrg;
        if (text == SvrgName)
            return true;
        if (!text.StartsWith(GradientName, StringComparison.Ordinal))
            return false;
        ReadOnlySpan<char> rest = text.AsSpan(GradientName.Length);
        int steps = 0;
        if (rest.Length > 0 && (rest[0] != ':' || !int.TryParse(rest[1..], NumberStyles.None, CultureInfo.InvariantCulture, out steps) || steps > MostGradientSteps))
            return false;
        solver = new LocalSolver(steps);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => GradientSteps switch
    {
        < 0 => SvrgName,
        0 => GradientName,
        _ => string.Create(CultureInfo.InvariantCulture, $"{GradientName}:{GradientSteps}"),
    };
}
