using System;
using HpAsyncPs.Learning.Generation;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>Seconds of one push after the other of a worker whose median is 1.</summary>
internal sealed class Traces(string family, ulong seed, int rank)
{
    private SeededRandom _random = new(seed, (ulong)rank, 7);
    private bool _isSlow;

    public static string[] Families { get; } = ["lognormal 1", "lognormal 0.3", "exponential", "shifted exponential", "Weibull 2", "constant 1 %", "bursts"];

    /// <param name="share">Of the run that has passed.</param>
    public double Next(double share)
    {
        switch (family)
        {
            case "lognormal 1":
                return Math.Exp(_random.Normal());
            case "lognormal 0.3":
                return Math.Exp(0.3 * _random.Normal());
            case "exponential":
                return Exponential() / Math.Log(2);
            case "shifted exponential":
                return (1 + Exponential()) / (1 + Math.Log(2));
            case "Weibull 2":
                return Math.Sqrt(Exponential() / Math.Log(2));
            case "constant 1 %":
                return 1 + (0.01 * _random.Normal());
            case "bursts": // 8 times slower, for 20 pushes of 220 on average
                _isSlow = _isSlow ? _random.Uniform() > 1.0 / 20 : _random.Uniform() < 1.0 / 200;
                return (_isSlow ? 8 : 1) * Math.Exp(0.2 * _random.Normal());
            case "8 times slower midway":
                return (share > 0.5 && rank == 0 ? 8 : 1) * Math.Exp(0.3 * _random.Normal());
            default:
                throw new ArgumentException(family);
        }
    }

    private double Exponential() => -Math.Log(1 - _random.Uniform());
}
