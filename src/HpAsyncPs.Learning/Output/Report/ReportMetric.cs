using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>A number that a report plots beside the objective.</summary>
/// <param name="Name">What the axis says.</param>
/// <param name="Of">The number at a sample; NaN where there is none.</param>
public sealed record ReportMetric(string Name, Func<TraceRow, double> Of)
{
    // Of factorisation: the objective, the squared error on held-out ratings and their number, each over the same weight.
    private const int FactorValues = 3;

    /// <summary>What a task has beside its objective, or null.</summary>
    public static ReportMetric? For(string task, IReadOnlyList<TraceRow> trace)
    {
        if (task != FactorTask.Name)
            return null;
        foreach (TraceRow row in trace)
        {
            if (row.Values.Count == FactorValues && row.Values[2] > 0)
                return new ReportMetric("held-out RMSE", HeldOutRmse);
        }

        return null;
    }

    private static double HeldOutRmse(TraceRow row) =>
        row.Values.Count == FactorValues && row.Values[2] > 0 ? Math.Sqrt(row.Values[1] / row.Values[2]) : double.NaN;
}
