using System.Collections.Generic;
using System.Globalization;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Classification;

/// <summary>What logistic regression is trained with; the same at every worker.</summary>
public sealed record LogisticSettings
{
    /// <summary>Weight of |w|^2 / 2, at least 0.</summary>
    public double L2 { get; init; } = 1e-3;

    /// <summary>Weight of |w|_1, at least 0: above 0, weights that do not pay become exactly 0.</summary>
    public double L1 { get; init; }

    /// <summary>Adds a constant feature whose weight is not penalised.</summary>
    public bool Intercept { get; init; }

    /// <summary>The local solver: see <see cref="LocalSolver"/>.</summary>
    public LocalSolver Solver { get; init; } = LocalSolver.Svrg;

    /// <summary>Weight of |v - z|^2 / 2 in the local problem, unguarded: may diverge. 0: <see cref="Guard"/> decides.</summary>
    public double Rho { get; init; }

    /// <summary>Rows of each gradient, for <see cref="GradientTask"/>; 0 for <see cref="LogisticTask"/>.</summary>
    public int Batch { get; init; }

    /// <summary>A model to begin from, or null: from zero.</summary>
    public LogisticModel? WarmStart { get; init; }

    /// <summary>Of the split of the data.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Parts that one file is split into, or 1: each worker has a file of its own.</summary>
    public int Parts { get; init; } = 1;

    /// <summary><see cref="SparseRows.CutFrom"/> where the data is in parts, or null.</summary>
    public string? CutFrom { get; init; }

    /// <summary>As the workers compare them and model.json keeps them.</summary>
    internal KeyValuePair<string, string>[] Described() =>
    [
        new("task", LogisticTask.Name),
        new("l2", L2.ToString("R", CultureInfo.InvariantCulture)),
        new("l1", L1.ToString("R", CultureInfo.InvariantCulture)),
        new("intercept", Intercept ? "yes" : "no"),
        new("solver", (Batch > 0 ? LocalSolver.None : Solver).ToString()),
        .. Rho > 0 ? (KeyValuePair<string, string>[])[new("rho", Rho.ToString("R", CultureInfo.InvariantCulture))] : [],
        .. WarmStart is { } model ? (KeyValuePair<string, string>[])[new("warm_start", model.Checksum())] : [],
        .. Batch > 0 ? (KeyValuePair<string, string>[])[new("batch", Batch.ToString(CultureInfo.InvariantCulture))] : [],
        new("seed", Seed.ToString(CultureInfo.InvariantCulture)),
        new("parts", Parts.ToString(CultureInfo.InvariantCulture)),
        .. CutFrom is { } data ? (KeyValuePair<string, string>[])[new("data", data)] : [],
    ];
}
