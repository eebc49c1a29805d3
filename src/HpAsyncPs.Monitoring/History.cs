using System.Collections.Generic;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Monitoring;

/// <summary>
/// The whole run in <see cref="MostPoints"/> points at most: a point a second until they are used up, then every second one is dropped and the next come half as often. So a page that is
/// opened late has the curve from the start, in the memory of a short run.
/// </summary>
internal sealed class History
{
    /// <summary>Points that are kept.</summary>
    public const int MostPoints = 1024;

    private readonly List<Point> _points = new(MostPoints);
    private long _seen;
    private long _every = 1;

    /// <summary>How the run stands, once a second while it trains.</summary>
    /// <param name="run">The run.</param>
    public void Add(in RunView run)
    {
        if (run.Seconds <= 0)
            return;
        if (_seen++ % _every != 0)
            return;
        if (_points.Count == MostPoints)
            Halve();
        _points.Add(new Point(run.Seconds, run.Objective, run.TestRmse, run.Pushes, run.UplinkBytes, run.DownlinkBytes));
    }

    /// <summary>All of it.</summary>
    public HistoryDocument Document()
    {
        int count = _points.Count;
        var (seconds, objective, rmse, pushes, up, down) = (new double[count], new double?[count], new double?[count], new ulong[count], new long[count], new long[count]);
        for (int j = 0; j < count; j++)
        {
            Point point = _points[j];
            (seconds[j], objective[j], rmse[j], pushes[j], up[j], down[j]) = (
                point.Seconds, DocumentBuilder.Finite(point.Objective ?? double.NaN), DocumentBuilder.Finite(point.TestRmse ?? double.NaN), point.Pushes, point.Up, point.Down);
        }

        return new HistoryDocument { Seconds = seconds, Objective = objective, TestRmse = rmse, Pushes = pushes, UplinkBytes = up, DownlinkBytes = down };
    }

    private void Halve()
    {
        for (int j = 0; j < MostPoints / 2; j++)
            _points[j] = _points[2 * j];
        _points.RemoveRange(MostPoints / 2, MostPoints / 2);
        _every *= 2;
    }

    private readonly record struct Point(double Seconds, double? Objective, double? TestRmse, ulong Pushes, long Up, long Down);
}
