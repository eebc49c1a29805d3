using System;
using System.Collections.Generic;
using System.Globalization;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>What a worker's pushes took lately.</summary>
/// <param name="BusySeconds">Computing, a push.</param>
/// <param name="UplinkBytes">Payload of a push, as it is coded now.</param>
/// <param name="DownlinkBytes">Payload of the snapshots of a push, as they are coded now.</param>
/// <param name="UplinkRate">Bytes a second that its link takes; infinite: it has none, or nobody knows.</param>
/// <param name="DownlinkRate">The same from the server to it.</param>
internal readonly record struct PushCost(double BusySeconds, double UplinkBytes, double DownlinkBytes, double UplinkRate, double DownlinkRate);

/// <summary>
/// <c>--codec auto</c>: picks, of fp32, int8 and int4, what brings the job to its target soonest: the time of a push (computing, coding, bytes over the
/// measured rate of the link) times the pushes that are needed. How many more those are with a codec is learned in this run: codecs between which it
/// matters are used in turn for some rounds, and what counts is how fast the objective falls. No I/O, no clock.
/// </summary>
internal sealed class CodecChooser
{
    /// <summary>Vectors of fewer bytes are not coded: their messages take the time of a message, not that of their bytes.</summary>
    public const int LeastBytes = Limits.SmallVectorBytes;

    // A coarser codec must promise that much to be preferred; a finer one may cost this.
    private const double Better = 0.95;
    private const double AsGood = 1.01;

    // A trial may cost that share of the rounds so far; the next one comes after four times as many.
    private const double ShareOfTrials = 0.05;
    private const int LeastRoundsOfTrial = 5;
    private const int MostRoundsOfTrial = 100;
    private const double TooSlow = 4; // a trial ends when its rounds take so many times as long
    private const int MostDwell = 20; // rounds between two changes of mind, at most; two at first
    private const int FirstTrial = 8;
    private const int BetweenTrials = 4;

    private static readonly string[] Names = ["fp32", "int8", "int4"];
    private static readonly CodecSpec[] Specs = Array.ConvertAll(Names, CodecSpec.Parse);
    private static readonly double[] BytesOfValue = [4, 1 + (2.0 / 64), 0.5 + (2.0 / 64)];

    private readonly CodingCosts _costs;
    private readonly long _parameters;
    private readonly double[] _slopes = [0, 0, 0]; // how fast the logarithm of the gap falls, a round; 0: not known
    private readonly ConvergenceMeter _meter = new();
    private int _current;
    private int _trialOf = -1; // what is compared with the one on trial
    private double _trialBegan;
    private double _trialEnds;
    private int _changes;
    private double _changesFrom;
    private double _nextTrial = FirstTrial;

    /// <param name="parameters">Of the model.</param>
    /// <param name="costs">Of coding, on this machine.</param>
    /// <param name="hasLinks">Some worker is behind a link whose rate can be measured.</param>
    public CodecChooser(long parameters, CodingCosts costs, bool hasLinks)
    {
        (_parameters, _costs) = (parameters, costs);
        IsIdle = parameters * sizeof(float) < LeastBytes;
        _current = hasLinks && !IsIdle ? 2 : 0; // whole vectors travel in the first round, over links of which nothing is known
    }

    /// <summary>There is nothing to choose.</summary>
    public bool IsIdle { get; }

    /// <summary>What is used.</summary>
    public CodecSpec Current => Specs[_current];

    /// <summary>The objective at an evaluated snapshot.</summary>
    /// <param name="rounds">Pushes of a worker, on average.</param>
    /// <param name="objective">The objective, or, where the optimum is known, the gap to it.</param>
    /// <param name="isGap">It is a gap.</param>
    public void Evaluated(double rounds, double objective, bool isGap) => _meter.Add(rounds, objective, isGap);

    /// <summary>Thinks again. Null: it stays as it is; else why another codec is used from now on.</summary>
    /// <param name="rounds">Pushes of a worker, on average.</param>
    /// <param name="workers">What their pushes took lately.</param>
    /// <param name="waits">Everybody waits for the slowest.</param>
    public string? Consider(double rounds, IReadOnlyList<PushCost> workers, bool waits)
    {
        if (IsIdle || workers.Count == 0)
            return null;
        Span<double> seconds = stackalloc double[Names.Length];
        for (int j = 0; j < Names.Length; j++)
            seconds[j] = SecondsOfRound(j, workers, waits);
        if (_trialOf >= 0)
        {
            bool goesOn = rounds < _trialEnds && !(_meter.HasSlope && rounds >= _trialBegan + LeastRoundsOfTrial) && seconds[_current] < TooSlow * seconds[_trialOf];
            return goesOn ? null : EndTrial(rounds, seconds);
        }

        int best = Best(seconds);
        if (best != _current && rounds >= _changesFrom && Predicted(best, seconds) < (best < _current ? AsGood : Better) * Predicted(_current, seconds))
            return Use(best, rounds, Reason(best, seconds, workers));
        return rounds >= _nextTrial ? TryBeginTrial(rounds, seconds) : null;
    }

    private string? TryBeginTrial(double rounds, ReadOnlySpan<double> seconds)
    {
        int needs = Math.Max(LeastRoundsOfTrial, (int)Math.Min(MostRoundsOfTrial + 1, _meter.RoundsOfSlope));
        if (needs > MostRoundsOfTrial)
            return null;
        Array.Clear(_slopes);
        Learn(rounds - (2 * needs)); // as it is now, and not as it was at the start
        for (int other = Names.Length - 1; other > 0; other--)
        {
            // Fp32 and int8 need the same pushes: what is tried is int4, or, where that is used, int8.
            bool isOpen = other != _current && (other == 2 || _current == 2) && (other < _current || seconds[other] < Better * seconds[_current]);
            double cost = needs * Math.Max(0, (seconds[other] / seconds[_current]) - 1);
            if (!isOpen || _slopes[_current] <= 0 || cost > ShareOfTrials * rounds)
                continue;
            _nextTrial = rounds * BetweenTrials;
            _trialOf = _current;
            (_trialBegan, _trialEnds) = (rounds, rounds + (2 * needs));
            return Use(other, rounds, $"for about {needs} rounds, to see how many more pushes {Names[Math.Max(other, _current)]} needs");
        }

        return null;
    }

    private string? EndTrial(double rounds, ReadOnlySpan<double> seconds)
    {
        Learn(rounds - MostRoundsOfTrial);
        int before = _trialOf;
        _trialOf = -1;
        int best = Best(seconds);
        if (best == _current)
            best = Predicted(best, seconds) < Better * Predicted(before, seconds) ? best : before;
        string learned = _slopes[2] > 0 && _slopes[1] + _slopes[0] > 0
            ? string.Create(CultureInfo.InvariantCulture, $"int4 needs {Factor(2):0.00} times the pushes")
            : "nothing was learned";
        if (best != _current)
            return Use(best, rounds, $"{learned}, a round takes {Show(seconds[best])} instead of {Show(seconds[_current])}");
        _meter.Begin(rounds);
        return null;
    }

    private string Use(int codec, double rounds, string reason)
    {
        _current = codec;
        _changesFrom = rounds + Math.Min(MostDwell, 2 * ++_changes);
        _meter.Begin(rounds);
        return reason;
    }

    private void Learn(double from)
    {
        if (_meter.Slope(from) is { } slope and > 0)
            _slopes[_current] = slope;
    }

    private double SecondsOfRound(int codec, IReadOnlyList<PushCost> workers, bool waits)
    {
        double shorter = BytesOfValue[codec] / BytesOfValue[_current], rates = 0, longest = 0;
        foreach (PushCost worker in workers)
        {
            double link = (worker.UplinkBytes * shorter * ((1 / worker.UplinkRate) + _costs.Byte)) + (worker.DownlinkBytes * shorter * ((1 / worker.DownlinkRate) + _costs.Byte));
            double all = Math.Max(1e-9, worker.BusySeconds + link + (_parameters * _costs.SecondsOfValue(codec)));
            rates += 1 / all;
            longest = Math.Max(longest, all);
        }

        return waits ? longest : workers.Count / rates;
    }

    /// <summary>Pushes that it needs for one of fp32.</summary>
    private double Factor(int codec)
    {
        double exact = Math.Max(_slopes[0], _slopes[1]); // int8 is as good as exact
        return codec < 2 ? 1 : _slopes[2] > 0 && exact > 0 ? Math.Clamp(exact / _slopes[2], 1, 100) : 1;
    }

    private double Predicted(int codec, ReadOnlySpan<double> seconds) => seconds[codec] * Factor(codec);

    private int Best(ReadOnlySpan<double> seconds)
    {
        int best = 0;
        for (int j = 1; j < seconds.Length; j++)
            best = Predicted(j, seconds) < Better * Predicted(best, seconds) ? j : best;
        return best;
    }

    private static string Reason(int codec, ReadOnlySpan<double> seconds, IReadOnlyList<PushCost> workers)
    {
        double slowest = double.PositiveInfinity;
        foreach (PushCost worker in workers)
            slowest = Math.Min(slowest, Math.Min(worker.UplinkRate, worker.DownlinkRate));
        string link = double.IsFinite(slowest) ? string.Create(CultureInfo.InvariantCulture, $"the slowest link takes {slowest / 1e6:0.#} MB/s; ") : "";
        return $"{link}a round takes {Show(seconds[codec])} (fp32 {Show(seconds[0])}, int8 {Show(seconds[1])}, int4 {Show(seconds[2])})";
    }

    private static string Show(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{(seconds < 1 ? seconds * 1e3 : seconds):g3} {(seconds < 1 ? "ms" : "s")}");
}
