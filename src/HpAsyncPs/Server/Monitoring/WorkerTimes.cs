using System;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>
/// What is measured of one worker: its pushes lately, what the times between them are like, and after how long without one it counts as stalled. Recording a push takes the same few
/// instructions whatever came before, and allocates nothing; what takes longer is done in <see cref="Study"/>, now and then. No clock, no I/O.
/// </summary>
internal sealed class WorkerTimes
{
    /// <summary>Pushes that a distribution is fitted to.</summary>
    public const int Kept = 128;

    /// <summary>A worker whose times are as fitted is called stalled though it is not about once in so many seconds: 280 hours.</summary>
    public const double FalseAlarmSeconds = 1e6;

    /// <summary>Never is a worker stalled that has taken less than so many times its median.</summary>
    public const double LeastMedians = 12;

    /// <summary>Nor is one that has taken less than so many seconds.</summary>
    public const double LeastSeconds = 2;

    /// <summary>While too little is known of a worker: so many times the longest that it, or the median that the slowest other one, took.</summary>
    public const double UnknownTimes = 50;

    /// <summary>The same, at least in seconds.</summary>
    public const double UnknownSeconds = 10;

    private const double LeastProbability = 1e-9;
    private const double MostProbability = 1e-3;
    private const double StudyInterval = 1;
    private const double ShareMemory = 30; // seconds
    private const int LeastPower = -20; // a millionth
    private const int MostPower = 16; // of seconds, 18 hours; of versions, 65,536
    private const int PassesCompared = 64; // the last
    private const int LeastPassesCompared = 32;

    /// <summary>Made once: a native program makes one for each sort that is not given any.</summary>
    internal static readonly Comparison<float> Ascending = static (a, b) => a.CompareTo(b);

    private readonly float[] _times = new float[Kept];
    private readonly float[] _passTimes = new float[PassesCompared];
    private readonly WindowedQuantiles _lags = new(0, MostPower);
    private readonly WindowedQuantiles _pushes = new(LeastPower, MostPower);
    private readonly WindowedQuantiles _passes = new(LeastPower, MostPower);
    private long _recorded;
    private long _studied;
    private long _withPasses;
    private double _studiedAt = double.NegativeInfinity;
    private double _longest; // while there are few
    private double _withoutPasses; // seconds of pushes that made none
    private double _evaluated; // seconds of this turn
    private double _likely;
    private (double Busy, double Idle, double Evaluating) _told;
    private (double Busy, double Idle, double Evaluating, double Communicating, double All) _lately;
    private double _toldAt;

    /// <summary>Bytes that a worker takes here.</summary>
    public int Bytes => _lags.Bytes + _pushes.Bytes + _passes.Bytes + ((Kept + PassesCompared) * sizeof(float));

    /// <summary>When its last push was applied; NaN: never.</summary>
    public double PushedAt { get; private set; } = double.NaN;

    /// <summary>What the times between its pushes are like.</summary>
    public FittedTimes Fitted { get; private set; }

    /// <summary>Of a push, with 99 %.</summary>
    public double P99 { get; private set; } = double.NaN;

    /// <summary>Median seconds of its last 64 passes; NaN: not known, or it has made few.</summary>
    public double PassMedian { get; private set; } = double.NaN;

    /// <summary>A quarter of its passes took no longer.</summary>
    public double PassQuartile { get; private set; } = double.NaN;

    /// <summary>Pushes that were recorded.</summary>
    public long Recorded => _recorded;

    /// <summary>Its next push is the first since it joined: it may take longer.</summary>
    public bool IsNew { get; private set; } = true;

    /// <summary>Version lag lately.</summary>
    public Quantiles Lags() => _lags.Read();

    /// <summary>Seconds of a push lately.</summary>
    public Quantiles Pushes() => _pushes.Read();

    /// <summary>Seconds of a pass lately.</summary>
    public Quantiles Passes() => _passes.Read();

    /// <summary>A snapshot goes out: its turn begins.</summary>
    public void Sent() => _evaluated = 0;

    /// <summary>It evaluated in its turn: that is not time of its next push.</summary>
    public void Evaluated(double seconds) => _evaluated += Math.Max(0, seconds);

    /// <summary>Of the seconds of its turn, those that count.</summary>
    public double Own(double seconds) => Math.Max(0, seconds - _evaluated);

    /// <summary>A push is applied.</summary>
    /// <param name="lag">Versions.</param>
    /// <param name="passes">That it made.</param>
    /// <param name="took">Seconds of its turn.</param>
    /// <param name="now">Seconds.</param>
    /// <param name="isMeasured">False: its time says nothing, for it had to be told its vector anew.</param>
    public void Pushed(long lag, double passes, double took, double now, bool isMeasured)
    {
        _lags.Record(lag, now);
        PushedAt = now;
        took = Own(took);
        _evaluated = 0;
        IsNew = false;
        if (!isMeasured)
            return;
        _pushes.Record(took, now);
        _times[_recorded++ % Kept] = (float)Math.Max(1e-7, took);
        _longest = _recorded == 1 ? took : Math.Max(took, _longest);
        _withoutPasses += took;
        if (!(passes > 0))
            return;
        _passes.Record(_withoutPasses / passes, now);
        _passTimes[_withPasses++ % PassesCompared] = (float)(_withoutPasses / passes);
        _withoutPasses = 0;
    }

    /// <summary>It tells where its time went, since its process began or longer.</summary>
    public void Told(double busy, double idle, double evaluating, double now)
    {
        double more = Math.Max(0, now - _toldAt), kept = Math.Exp(-more / ShareMemory);
        Keep(kept);
        _lately.Busy += Math.Clamp(busy - _told.Busy, 0, double.MaxValue);
        _lately.Idle += Math.Clamp(idle - _told.Idle, 0, double.MaxValue);
        _lately.Evaluating += Math.Clamp(evaluating - _told.Evaluating, 0, double.MaxValue);
        _lately.All += more;
        (_told, _toldAt) = ((busy, idle, evaluating), now);
    }

    /// <summary>A push or a snapshot was under way for some time.</summary>
    public void Transferred(double seconds) => _lately.Communicating += Math.Max(0, seconds);

    /// <summary>Shares of the time lately, of what was told; NaN: nothing was.</summary>
    public (double Computing, double Idle, double Evaluating, double Communicating) Shares()
    {
        double told = _lately.Busy + _lately.Idle + _lately.Evaluating;
        double communicating = _lately.All > 0 ? Math.Min(1, _lately.Communicating / _lately.All) : double.NaN;
        return told > 0 ? (_lately.Busy / told, _lately.Idle / told, _lately.Evaluating / told, communicating) : (double.NaN, double.NaN, double.NaN, communicating);
    }

    /// <summary>Another process, or another connection: what it did before the loss says little of the first push to come.</summary>
    public void BeginAnew()
    {
        IsNew = true;
        _evaluated = 0;
    }

    /// <summary>Fits a distribution to the last pushes, if there are new ones and it was not done within a second.</summary>
    /// <param name="sorted">Room for <see cref="Kept"/> numbers.</param>
    /// <param name="logs">The same.</param>
    /// <param name="now">Seconds.</param>
    /// <returns>Was it done?</returns>
    public bool Study(Span<float> sorted, Span<double> logs, double now)
    {
        if (_recorded == _studied || now - _studiedAt < StudyInterval)
            return false;
        (_studied, _studiedAt) = (_recorded, now);
        Span<float> times = sorted[..(int)Math.Min(_withPasses, PassesCompared)];
        if (times.Length >= LeastPassesCompared)
        {
            _passTimes.AsSpan(0, times.Length).CopyTo(times);
            times.Sort(Ascending);
            (PassMedian, PassQuartile) = (times[times.Length / 2], times[times.Length / 4]);
        }

        times = sorted[..(int)Math.Min(_recorded, Kept)];
        _times.AsSpan(0, times.Length).CopyTo(times);
        times.Sort(Ascending);
        double mean = 0;
        foreach (float time in times)
            mean += time / times.Length;
        Fitted = FittedTimes.Of(times, logs, Math.Clamp(mean / FalseAlarmSeconds, LeastProbability, MostProbability), out double exceeded);
        if (Fitted.Family == TimeFamily.Unknown)
            return true;
        P99 = Fitted.ExceededWith(0.01);
        _likely = Math.Max(Math.Max(LeastSeconds, LeastMedians * times[times.Length / 2]), exceeded);
        return true;
    }

    /// <summary>Seconds of its own without a push after which it counts as stalled; infinite: too little is known.</summary>
    /// <param name="slowest">The longest median of the others; 0: none is known.</param>
    public double StalledAfter(double slowest)
    {
        if (_likely > 0 && !IsNew)
            return _likely;
        double known = UnknownTimes * Math.Max(_likely > 0 ? Fitted.Median : _longest, slowest);
        return known > 0 ? Math.Max(Math.Max(UnknownSeconds, _likely), known) : double.PositiveInfinity;
    }

    private void Keep(double share)
    {
        _lately.Busy *= share;
        _lately.Idle *= share;
        _lately.Evaluating *= share;
        _lately.Communicating *= share;
        _lately.All *= share;
    }
}
