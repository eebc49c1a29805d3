using System;
using System.Collections.Generic;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>A number that a report plots beside the objective.</summary>
/// <param name="Name">What the axis says.</param>
/// <param name="Of">The number at a sample; NaN where there is none.</param>
public sealed record ReportMetric(string Name, Func<TraceRow, double> Of)
{
    /// <summary>What a run has beside its objective, or null.</summary>
    public static ReportMetric? For(IReadOnlyList<TraceRow> trace)
    {
        foreach (TraceRow row in trace)
        {
            if (row.TestRmse is not null)
                return new ReportMetric("test RMSE", static row => row.TestRmse ?? double.NaN);
        }

        return null;
    }
}
