using System;

namespace HpAsyncPs.Learning.Factorization;

/// <summary>
/// How much of its data a worker goes through before its next push, such that all workers push about as often, and how long its
/// steps are. A worker that makes fewer passes than the job is slower by that much; if it pushed whole passes, its old rows would hold
/// the average back, and one that pushes more often than the others replaces its own progress before they have taken it over.
/// The ratings of a slow worker are gone through less often while the schedule's step is long, so they get longer ones.
/// </summary>
internal sealed class Pace
{
    // Pushes a pass while nobody knows yet who is slow, for how many pushes that is, and at most.
    private const int FirstPushes = 16;
    private const int Probes = 2;
    private const int MostPushes = 64;

    // Added before the pushes a pass are rounded down: without it a worker whose pushes cost more than their computation would stay
    // at two a pass because it has made half the passes.
    private const double TowardsFewer = 0.2;

    // A worker that is slower than this gets longer steps: by this power of its slowness, and at most by so much.
    private const double NotableSlowness = 1.5;
    private const double LongerPower = 0.75;
    private const double Longest = 8;

    private Lag _lag;
    private int _steps;

    /// <summary>The next step.</summary>
    /// <param name="jobPasses">Passes of the whole job when the snapshot was sent.</param>
    /// <param name="lastStep">Passes over its data that this worker's last step took.</param>
    /// <returns>A whole part of a pass; and the factor on the step size.</returns>
    public (double Share, double Longer) Next(double jobPasses, double lastStep)
    {
        double slowness = _lag.Observe(jobPasses, lastStep);
        bool probes = _steps++ < Probes;
        double pushes = probes ? FirstPushes : Math.Clamp(Math.Floor(slowness + TowardsFewer), 1, MostPushes);
        double longer = !probes && slowness > NotableSlowness ? Math.Min(Longest, Math.Pow(slowness, LongerPower)) : 1;
        return (1 / pushes, longer);
    }
}
