using System;
using System.Globalization;

namespace HpAsyncPs.Server;

/// <summary>
/// Rounds that wait for some of the workers, for some time: policy auto. A round begins with one snapshot for all who take part, and ends when they have pushed, or at
/// its deadline. Who is not waited for, or is late, goes on by itself: it gets a snapshot whenever it has pushed, and takes part again when a round
/// begins that would wait for it. A round may have two exchanges: with the first pushes half, all get a snapshot again, and the second pushes end it. Times are seconds; no clock, no I/O.
/// </summary>
internal sealed class Gathering
{
    // Another quorum must promise that much more.
    private const double Better = 1.15;

    // What a pass counts for where nobody waits, beside one under a barrier, where pushes are small steps: docs/algorithms.md.
    private const double WorthOfFree = 0.8;

    // Another way must promise that much more.
    private const double Loyalty = 1.1;

    // Rounds before anybody is left out: in the next one it is seen whether there are halves.
    private const int RoundsOfAll = 1;

    // A round has no more: who says half for ever does not hold up who waits for the next one.
    private const int MostHalves = 16;

    // What a time counts for after the next one.
    private const double Memory = 0.7; // of one worker's
    private const double MemoryOfAll = 0.8;

    // Steps whose passes differ by more are not compared.
    private const double OtherSize = 0.25;

    // Pushes of each worker in which it feels its way, and how late they are says nothing.
    private const int FirstPushes = 1;

    // Seconds of a second exchange, in passes, while none was seen.
    private const double FirstGuess = 4;

    private readonly double[] _weights;
    private readonly double[] _shares; // of those who are not gone
    private readonly QuorumChoice _choice;
    private readonly Speeds _speeds;
    private readonly Lateness _firsts = new(); // of what has a pass: first halves, and pushes of tasks that make none
    private readonly Lateness _completions = new(); // of what ends a round of two exchanges
    private readonly Standing[] _standing;
    private readonly bool[] _ready;
    private readonly bool[] _first;
    private readonly bool[] _chosen;
    private readonly double[] _seconds;
    private readonly double[] _passSeconds; // of a pass, where no halves are made
    private readonly double[] _passes; // of its last push
    private readonly double[] _halfSeconds; // of a first half
    private readonly double[] _secondSeconds; // of what ends a round of two exchanges
    private readonly bool[] _gone;
    private readonly Late[] _late;
    private int _computing;
    private int _waiting;
    private int _joining;
    private bool _isSecond;
    private bool _hasHalves; // pushed in this round
    private bool _everHalves;
    private int _exchanges; // of this round, that were halves
    private double _length; // of the deadline, from the beginning of an exchange on
    private double _second; // seconds of a second exchange
    private double _deadline = double.PositiveInfinity;
    private int _quorum;
    private int _rounds;
    private int _alike; // pushes that were as large as the last of the same worker
    private int _free; // pushes since it was thought about, where no round waits for anybody

    /// <param name="weights">Of the workers; read whenever it is thought about whom to wait for.</param>
    /// <param name="speeds">How long they take.</param>
    public Gathering(double[] weights, Speeds speeds)
    {
        int workers = weights.Length;
        (_weights, _shares, _speeds, _choice) = (weights, new double[workers], speeds, new QuorumChoice(workers));
        (_standing, _ready, _first, _chosen) = (new Standing[workers], new bool[workers], new bool[workers], new bool[workers]);
        (_seconds, _passSeconds, _halfSeconds, _secondSeconds) = (new double[workers], new double[workers], new double[workers], new double[workers]);
        (_gone, _late, _passes) = (new bool[workers], new Late[workers], new double[workers]);
        Array.Fill(_chosen, true);
        Array.Fill(_standing, Standing.Computing);
        _computing = _quorum = workers;
    }

    private enum Standing : byte
    {
        /// <summary>It goes on by itself.</summary>
        Outside,

        /// <summary>The round waits for its push.</summary>
        Computing,

        /// <summary>It has pushed in this round.</summary>
        Waiting,

        /// <summary>It will take part in the next one.</summary>
        Joining,
    }

    /// <summary>What a worker was late with, and has not pushed yet.</summary>
    private enum Late : byte
    {
        Nothing,
        First,
        Second,
    }

    /// <summary>Called with what was decided, and why.</summary>
    public required Action<string> Decided { get; init; }

    /// <summary>May this worker have a snapshot?</summary>
    public bool MayHave(int rank) => _ready[rank];

    /// <summary>Is its next snapshot the first of a round that others begin with too?</summary>
    public bool IsFirst(int rank) => _first[rank];

    /// <summary>A snapshot goes out to it.</summary>
    public void Sent(int rank) => _ready[rank] = false;

    /// <summary>Its snapshot was cut off, and it asks again.</summary>
    public void Lacks(int rank) => _ready[rank] |= _standing[rank] is Standing.Outside or Standing.Computing;

    /// <summary>It begins anew, with a snapshot that nobody else is given.</summary>
    public void Welcomed(int rank, double now)
    {
        Stand(rank, Standing.Outside);
        (_ready[rank], _first[rank], _gone[rank], _late[rank]) = (false, false, false, Late.Nothing);
        EndIfAll(now);
    }

    /// <summary>The server was started again, and nobody knows what the workers wait for: each is answered, and all take part again when they have pushed.</summary>
    public void Restart()
    {
        for (int rank = 0; rank < _standing.Length; rank++)
        {
            Stand(rank, Standing.Outside);
            (_ready[rank], _first[rank]) = (true, false);
        }

        _deadline = double.PositiveInfinity;
    }

    /// <summary>A push is applied.</summary>
    /// <param name="rank">Whose.</param>
    /// <param name="isHalf">It is a first half.</param>
    /// <param name="passes">That it took.</param>
    /// <param name="took">Seconds since its snapshot.</param>
    /// <param name="now">Seconds.</param>
    public void Pushed(int rank, bool isHalf, double passes, double took, double now)
    {
        bool isInTime = _standing[rank] == Standing.Computing, completes = !isHalf && (isInTime ? _isSecond : _late[rank] == Late.Second);
        if (isInTime || _late[rank] != Late.Nothing || !_everHalves)
            Measure(rank, isHalf, completes, passes, took); // that of who is late too: it may be slower from now on
        (_gone[rank], _late[rank]) = (false, Late.Nothing);
        if (completes && isInTime)
            _second = _second > 0 ? (MemoryOfAll * _second) + ((1 - MemoryOfAll) * took) : took;
        if (isInTime)
        {
            _hasHalves |= isHalf && _exchanges < MostHalves;
            _everHalves |= isHalf;
            _ready[rank] = false;
            Stand(rank, Standing.Waiting);
        }
        else if (!isHalf && _chosen[rank])
        {
            _ready[rank] = false;
            Stand(rank, Standing.Joining);
        }
        else
        {
            (_ready[rank], _first[rank]) = (true, false);
            if (_quorum == 0 && ++_free >= _standing.Length)
                Choose();
        }

        EndIfAll(now);
    }

    /// <summary>Ends the round where its deadline has passed.</summary>
    public void Tick(double now)
    {
        if (now < _deadline || _waiting + _joining == 0)
            return;
        for (int rank = 0; rank < _standing.Length; rank++)
        {
            if (_standing[rank] != Standing.Computing)
                continue;
            Stand(rank, Standing.Outside);
            (_first[rank], _late[rank]) = (false, _isSecond ? Late.Second : Late.First); // it may not have been sent its snapshot yet
        }

        EndRound(now);
    }

    /// <summary>The job holds for somebody: no deadline passes meanwhile.</summary>
    public void Hold(double now) => _deadline = _length > 0 ? now + _length : _deadline;

    /// <summary>It left, or is lost.</summary>
    public void Gone(int rank, double now)
    {
        _ready[rank] |= _standing[rank] is Standing.Waiting or Standing.Joining; // should it return
        (_first[rank], _gone[rank], _late[rank]) = (false, true, Late.Nothing);
        Stand(rank, Standing.Outside);
        EndIfAll(now);
    }

    private void Measure(int rank, bool isHalf, bool completes, double passes, double took)
    {
        if (isHalf && passes > 0)
            Measure(_firsts, ref _halfSeconds[rank], took);
        else if (completes)
            Measure(_completions, ref _secondSeconds[rank], took);
        else if (!_everHalves && passes > 0)
        {
            bool isOfOneSize = Math.Abs(passes - _passes[rank]) <= OtherSize * _passes[rank]; // else what a message takes counts for more or less of it
            _passes[rank] = passes;
            Measure(_firsts, ref _passSeconds[rank], took / passes, isOfOneSize && ++_alike > FirstPushes * _standing.Length);
        }
    }

    private static void Measure(Lateness lateness, ref double usual, double took, bool isUsual = true)
    {
        if (usual > 0 && isUsual)
            lateness.Add(took / usual);
        usual = usual > 0 && isUsual ? (Memory * usual) + ((1 - Memory) * took) : took;
    }

    private void Stand(int rank, Standing standing)
    {
        Count(_standing[rank], -1);
        Count(_standing[rank] = standing, 1);
    }

    private void Count(Standing standing, int by)
    {
        _computing += standing == Standing.Computing ? by : 0;
        _waiting += standing == Standing.Waiting ? by : 0;
        _joining += standing == Standing.Joining ? by : 0;
    }

    private void EndIfAll(double now)
    {
        if (_computing == 0 && _waiting + _joining > 0)
            EndRound(now);
    }

    private void EndRound(double now)
    {
        _isSecond = _hasHalves && _waiting > 0;
        _exchanges = _isSecond ? _exchanges + 1 : 0;
        _hasHalves = false;
        if (!_isSecond && ++_rounds > RoundsOfAll)
            Choose();
        int together = 0;
        for (int rank = 0; rank < _standing.Length; rank++)
        {
            bool takesPart = _standing[rank] == Standing.Waiting || (!_isSecond && _standing[rank] == Standing.Joining);
            if (!takesPart)
                continue;
            bool stays = _isSecond || _chosen[rank];
            Stand(rank, stays ? Standing.Computing : Standing.Outside);
            (_ready[rank], _first[rank]) = (true, stays && !_isSecond);
            together += stays ? 1 : 0;
        }

        double longest = 0;
        for (int rank = 0; rank < _standing.Length; rank++)
        {
            if (_standing[rank] != Standing.Computing)
                continue;
            _first[rank] &= together > 1;
            longest = Math.Max(longest, _halfSeconds[rank] > 0 ? _halfSeconds[rank] : _seconds[rank]);
            longest = _isSecond ? Math.Max(longest, _secondSeconds[rank]) : longest; // what comes now may be another half
        }

        double times = _firsts.Of(together, _everHalves);
        _length = longest * (_isSecond ? Math.Max(times, _completions.Of(together, _everHalves)) : times);
        _deadline = _length > 0 ? now + _length : double.PositiveInfinity;
    }

    /// <summary>Whom the rounds wait for from now on.</summary>
    private void Choose()
    {
        _free = 0;
        double slowest = 0, all = 0;
        for (int rank = 0; rank < _seconds.Length; rank++)
            all += _gone[rank] ? 0 : _weights[rank];
        for (int rank = 0; rank < _seconds.Length; rank++)
        {
            _shares[rank] = _gone[rank] || !(all > 0) ? 0 : _weights[rank] / all;
            _seconds[rank] = _gone[rank] ? 0 : _halfSeconds[rank] > 0 ? _halfSeconds[rank] : _speeds.OfPass(rank);
            slowest = _chosen[rank] && !_gone[rank] ? Math.Max(slowest, _seconds[rank]) : slowest;
        }

        if (!_everHalves)
        {
            ChooseAllOrNone();
            return;
        }

        double second = _second > 0 ? _second : FirstGuess * _speeds.Pace();
        QuorumChoice.Quorum best = _choice.Best(_seconds, _shares, second), now = QuorumChoice.Weigh(_seconds, _shares, slowest, second);
        if (best.Rate < Better * now.Rate)
            best = now;
        Use(best.Slowest, best.Round, now.Round);
    }

    /// <summary>
    /// Where a push is one small step it says little of the optimum by itself, and those who are late hold the others' steps back: it is a barrier or nothing.
    /// </summary>
    private void ChooseAllOrNone()
    {
        double worth = WorthOfFree * (_quorum == 0 ? Loyalty : 1);
        (double round, bool isWorth) = _firsts.Barrier(_seconds, _shares, worth);
        Use(isWorth ? double.PositiveInfinity : -1, isWorth ? round : 0, round);
    }

    private void Use(double slowest, double round, double before)
    {
        int quorum = 0, present = 0;
        bool isAnother = false;
        for (int rank = 0; rank < _seconds.Length; rank++)
        {
            bool isChosen = _seconds[rank] <= slowest;
            isAnother |= isChosen != _chosen[rank] && !_gone[rank];
            _halfSeconds[rank] = isChosen ? _halfSeconds[rank] : 0; // it makes none any more, and may be faster one day
            _chosen[rank] = isChosen;
            quorum += isChosen && !_gone[rank] ? 1 : 0;
            present += _gone[rank] ? 0 : 1;
        }

        if (!isAnother)
            return;
        _quorum = quorum;
        Decided(quorum == 0 ? $"nobody is waited for: a round of all would take {Show(before)}"
            : quorum == present ? $"all {quorum} workers are waited for: a round takes {Show(round)}"
            : $"{quorum} of {present} workers are waited for: a round takes {Show(round)} instead of {Show(before)}");
    }

    private static string Show(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{(seconds < 1 ? seconds * 1e3 : seconds):g3} {(seconds < 1 ? "ms" : "s")}");
}
