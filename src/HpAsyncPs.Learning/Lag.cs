namespace HpAsyncPs.Learning;

/// <summary>
/// How many times slower than the job this worker has been lately: passes of the whole job over passes of its own. Speeds that change are
/// seen within a few steps. It needs no clock, so it is the same in processes and on a virtual one.
/// </summary>
internal struct Lag
{
    // What a step counts for after the next one.
    private const double Memory = 0.7;

    private double _ownRecent;
    private double _jobRecent;
    private double _jobPasses;

    /// <summary>Tells what has happened since the last call, and gives the ratio: above 1 where this worker is slower than most.</summary>
    /// <param name="jobPasses">Passes of the whole job when the snapshot was sent.</param>
    /// <param name="lastStep">Passes over its data that this worker's last step took.</param>
    public double Observe(double jobPasses, double lastStep)
    {
        _ownRecent = (Memory * _ownRecent) + lastStep;
        _jobRecent = (Memory * _jobRecent) + jobPasses - _jobPasses;
        _jobPasses = jobPasses;
        return _jobRecent / _ownRecent;
    }
}
