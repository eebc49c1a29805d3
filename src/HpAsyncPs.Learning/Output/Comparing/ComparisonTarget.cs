using System.Collections.Generic;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>What the runs of a comparison are timed to.</summary>
/// <param name="Metric">relative_gap, objective or test_rmse, a column of trace.csv.</param>
/// <param name="Value">What it must not be above.</param>
/// <param name="Words">Where that comes from.</param>
public sealed record ComparisonTarget(string Metric, double Value, string Words)
{
    /// <summary>Of <see cref="Metric"/>.</summary>
    public const string Gap = "relative_gap";

    /// <summary>Of <see cref="Metric"/>.</summary>
    public const string Objective = "objective";

    /// <summary>Of <see cref="Metric"/>.</summary>
    public const string Rmse = "test_rmse";

    /// <summary>For people.</summary>
    public string Text => Metric switch
    {
        Gap => $"relative gap {Show.Gap(Value)}",
        Rmse => $"test RMSE {Value:0.0000}",
        _ => $"objective {Value:0.000000}",
    };

    /// <summary>
    /// The seconds of the first sample that is at the target and after which none is above it; null where the last sample is above, or
    /// there is none. One that only dips below the target has not reached it.
    /// </summary>
    public double? SecondsTo(IReadOnlyList<TraceRow> trace) => FirstOf(trace) is { } first ? trace[first].Seconds : null;

    /// <summary>The seconds of the sample before that, which was above: the truth is between the two. 0 where there is none; null where it was not reached.</summary>
    public double? SecondsBefore(IReadOnlyList<TraceRow> trace) => FirstOf(trace) switch
    {
        null => null,
        0 => 0,
        { } first => trace[first - 1].Seconds,
    };

    private int? FirstOf(IReadOnlyList<TraceRow> trace)
    {
        int? first = null;
        for (int j = trace.Count - 1; j >= 0; j--)
        {
            double? value = Metric switch
            {
                Gap => trace[j].RelativeGap,
                Rmse => trace[j].TestRmse,
                _ => trace[j].Objective,
            };
            if (!(value <= Value))
                break;
            first = j;
        }

        return first;
    }
}
