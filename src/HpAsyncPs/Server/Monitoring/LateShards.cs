using System;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>
/// Which of several servers the others wait for. A worker says for how long it has had all parts of a snapshot but one server's; the share of time in which that was so, over the last ten seconds or so, is
/// averaged over the workers. Whether that server has too much to do, or its link is slow, cannot be told from here.
/// </summary>
public sealed class LateShards
{
    /// <summary>Share of the workers' time from which on a server is late.</summary>
    public const double Late = 0.2;

    /// <summary>Share below which it is no more.</summary>
    public const double InTime = 0.1;

    private const double Memory = 10; // seconds

    private readonly double[][] _told; // for each worker and server: seconds in all
    private readonly double[][] _shares;
    private readonly double[] _toldAt;
    private readonly bool[] _isLate;
    private readonly double[] _means;

    /// <param name="workers">Of the job.</param>
    /// <param name="servers">Of the job.</param>
    public LateShards(int workers, int servers)
    {
        (_told, _shares, _toldAt) = (new double[workers][], new double[workers][], new double[workers]);
        (_isLate, _means) = (new bool[servers], new double[servers]);
        for (int rank = 0; rank < workers; rank++)
            (_told[rank], _shares[rank]) = (new double[servers], new double[servers]);
    }

    /// <summary>For each server the share of the workers' time in which they had all but its part.</summary>
    public ReadOnlySpan<double> Shares => _means;

    /// <summary>A worker tells for how long it has waited for each server alone, since its process began.</summary>
    /// <param name="rank">Which.</param>
    /// <param name="seconds">One for each server; of another number nothing is taken.</param>
    /// <param name="now">Seconds.</param>
    public void Told(int rank, ReadOnlySpan<double> seconds, double now)
    {
        double passed = now - _toldAt[rank];
        if (seconds.Length != _means.Length || !(passed > 0))
            return;
        double weight = 1 - Math.Exp(-passed / Memory);
        for (int server = 0; server < _means.Length; server++)
        {
            double more = Math.Max(0, seconds[server] - _told[rank][server]); // less: another process has taken its place
            double before = _shares[rank][server];
            _shares[rank][server] += weight * (Math.Min(1, more / passed) - before);
            _told[rank][server] = seconds[server];
            _means[server] += (_shares[rank][server] - before) / _told.Length;
        }

        _toldAt[rank] = now;
    }

    /// <summary>A worker has gone: it waits for nobody.</summary>
    /// <param name="rank">Which.</param>
    public void Forget(int rank)
    {
        for (int server = 0; server < _means.Length; server++)
            _means[server] -= _shares[rank][server] / _told.Length;
        Array.Clear(_shares[rank]);
        Array.Clear(_told[rank]);
    }

    /// <summary>A server that has become late, or is in time again; -1: none, look again later.</summary>
    /// <param name="isLate">Which of the two.</param>
    public int Change(out bool isLate)
    {
        for (int server = 0; server < _means.Length; server++)
        {
            isLate = _isLate[server] ? _means[server] >= InTime : _means[server] > Late;
            if (isLate == _isLate[server])
                continue;
            _isLate[server] = isLate;
            return server;
        }

        isLate = false;
        return -1;
    }
}
