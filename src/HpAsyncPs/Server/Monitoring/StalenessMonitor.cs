using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>
/// How stale pushes are, how long each worker takes for them, and which workers have gone, stalled or become slow; and the events of the job, these and what others tell. docs/monitoring.md
/// has the rules. The times that policies go by are measured in <see cref="Speeds"/>, which tells what is recorded here. No clock and no I/O; recording a push allocates nothing.
/// </summary>
internal sealed class StalenessMonitor
{
    /// <summary>Nothing heard for so many heartbeats, which come every second: gone.</summary>
    public const double SilentHeartbeats = 2.5;

    /// <summary>Median seconds a pass of a slow worker over those of the others: at least.</summary>
    public const double SlowTimes = 2;

    /// <summary>The same of one that is slow no more: less.</summary>
    public const double RecoveredTimes = 1.5;

    // A worker that pushes after all, within so many times of what it was called stalled after, was not: then all are judged with that more patience, and half of it is left after an hour.
    private const double FalseAlarm = 3;
    private const double MorePatience = 1.5;
    private const double MostPatience = 4;
    private const double PatienceHalf = 3600;

    // Twice in a row, with as many pushes in between, or it is none.
    private const int PushesBetween = 16;
    private const double CompareInterval = 1;
    private const int LagPower = 20;

    private static readonly Comparison<double> Ascending = static (a, b) => a.CompareTo(b);

    private readonly WorkerTimes[] _times;
    private readonly Standing[] _standing;
    private readonly LagHistogram _allLags = new();
    private readonly WindowedQuantiles _lags = new(0, LagPower);
    private readonly Func<DateTimeOffset> _clock;
    private readonly double[] _medians;
    private readonly float[] _sorted = new float[WorkerTimes.Kept];
    private readonly double[] _logs = new double[WorkerTimes.Kept];
    private int _next; // to be studied
    private double _comparedAt = double.NegativeInfinity;
    private double _slowest; // median seconds of a push
    private double _secondSlowest;
    private int _slowestRank = -1;
    private double _patience = 1;
    private double _patientAt;

    /// <param name="workers">Of the job.</param>
    /// <param name="clock">The time of events, which is only shown.</param>
    public StalenessMonitor(int workers, Func<DateTimeOffset> clock)
    {
        (_clock, _medians, _standing, _times) = (clock, new double[workers], new Standing[workers], new WorkerTimes[workers]);
        for (int rank = 0; rank < workers; rank++)
            (_times[rank], _standing[rank]) = (new WorkerTimes(), new Standing());
        _sorted.AsSpan().Sort(WorkerTimes.Ascending); // what is made when it is first asked for is not made in the middle of training
        new double[2].AsSpan().Sort(Ascending);
    }

    /// <summary>Gets each event as it comes.</summary>
    public Action<MonitorEvent>? Happened { get; init; }

    /// <summary>The last events.</summary>
    public EventRing Events { get; } = new();

    /// <summary>Version lag of all pushes.</summary>
    public LagHistogram AllLags => _allLags;

    /// <summary>Version lag lately.</summary>
    public Quantiles Lags() => _lags.Read();

    /// <summary>How a worker stands.</summary>
    public WorkerState StateOf(int rank) => _standing[rank].State;

    /// <summary>Seconds of its own after which a worker counts as stalled.</summary>
    public double StalledAfter(int rank) => _patience * _times[rank].StalledAfter(rank == _slowestRank ? _secondSlowest : _slowest);

    /// <summary>Training begins, or goes on.</summary>
    public void Begin(double now)
    {
        foreach (Standing standing in _standing)
            standing.Be(WorkerState.Idle, null, now);
    }

    /// <summary>A snapshot goes out to a worker: its turn begins.</summary>
    public void Sent(int rank) => _times[rank].Sent();

    /// <summary>It has evaluated for some seconds of its turn.</summary>
    public void Evaluated(int rank, double seconds) => _times[rank].Evaluated(seconds);

    /// <summary>A push or a snapshot of a worker was under way for some seconds.</summary>
    public void Transferred(int rank, double seconds) => _times[rank].Transferred(seconds);

    /// <summary>A worker tells where its time went.</summary>
    public void Told(int rank, in ProgressMessage total, double now) => _times[rank].Told(total.BusySeconds, total.IdleSeconds, total.EvaluatingSeconds, now);

    /// <summary>A worker has another connection, or another process has taken its place.</summary>
    public void Returned(int rank) => _times[rank].BeginAnew();

    /// <summary>A push is applied.</summary>
    /// <param name="rank">Whose.</param>
    /// <param name="lag">Versions since the snapshot that it was computed from.</param>
    /// <param name="passes">That it made.</param>
    /// <param name="took">Seconds of its turn, as <see cref="Speeds"/> says.</param>
    /// <param name="now">Seconds.</param>
    /// <param name="isMeasured">Its time and passes are those of this push alone.</param>
    public void Pushed(int rank, long lag, double passes, double took, double now, bool isMeasured)
    {
        _allLags.Record(lag);
        _lags.Record(lag, now);
        bool wasStalled = _standing[rank].Trouble == WorkerState.Stalled;
        double own = wasStalled ? _times[rank].Own(took) : 0;
        if (own > 0)
            Learn(own / StalledAfter(rank), now);
        _times[rank].Pushed(lag, passes, took, now, isMeasured);
        if (wasStalled)
            Change(rank, null, WorkerState.Idle, now, $"it has pushed again, after {Show(own)}");
    }

    /// <summary>Its connection has ended, and it had not said goodbye.</summary>
    public void Disconnected(int rank, string reason, double now)
    {
        if (_standing[rank].Trouble is not (WorkerState.Gone or WorkerState.Left))
            Change(rank, WorkerState.Gone, WorkerState.Idle, now, reason);
    }

    /// <summary>It has said goodbye, or the job goes on without it.</summary>
    public void Left(int rank, string reason, double now)
    {
        if (_standing[rank].Trouble != WorkerState.Left)
            Change(rank, WorkerState.Left, WorkerState.Idle, now, reason);
    }

    /// <summary>Fits the times of one worker, and of another one with each call; now and then all are compared.</summary>
    /// <param name="now">Seconds.</param>
    /// <returns>The rank of that worker.</returns>
    public int Study(double now)
    {
        int rank = _next;
        _next = (_next + 1) % _times.Length;
        _times[rank].Study(_sorted, _logs, now);
        if (now - _comparedAt >= CompareInterval)
        {
            _patience = 1 + ((_patience - 1) * Math.Pow(0.5, (now - _patientAt) / PatienceHalf));
            (_comparedAt, _patientAt) = (now, now);
            Compare();
        }

        return rank;
    }

    /// <summary>Looks at a worker: what has changed becomes an event.</summary>
    public void Look(int rank, in Sight sight, double now)
    {
        Standing standing = _standing[rank];
        WorkerState activity = sight.IsEvaluating ? WorkerState.Evaluating : sight.IsItsTurn ? WorkerState.Computing : WorkerState.Idle;
        double own = _times[rank].Own(sight.TurnSeconds);
        WorkerState? trouble = null;
        if (sight.HasLeft)
            trouble = WorkerState.Left;
        else if (!sight.IsConnected || (standing.Trouble == WorkerState.Gone ? sight.UnheardSeconds : sight.SilentSeconds) > SilentHeartbeats)
            trouble = WorkerState.Gone;
        else if (activity == WorkerState.Computing && (standing.Trouble == WorkerState.Stalled || own > StalledAfter(rank))) // once it is, until it pushes
            trouble = WorkerState.Stalled;
        else if (standing.IsSlow)
            trouble = WorkerState.Slow;
        if (trouble == standing.Trouble)
            standing.Be(activity, trouble, now);
        else
            Change(rank, trouble, activity, now, Explain(rank, trouble, sight, own));
    }

    /// <summary>Something happened or was decided.</summary>
    /// <param name="kind">What it is about.</param>
    /// <param name="rank">Of the worker, or null.</param>
    /// <param name="reason">In words.</param>
    /// <param name="now">Seconds.</param>
    public void Tell(MonitorEventKind kind, int? rank, string reason, double now) => Add(kind, rank, null, null, reason, now);

    /// <summary>What is known here of a worker.</summary>
    /// <param name="rank">Which.</param>
    /// <param name="turnSeconds">Since its turn began; NaN: it is not its turn.</param>
    /// <param name="now">Seconds.</param>
    public WorkerView View(int rank, double turnSeconds, double now)
    {
        (WorkerTimes times, Standing standing) = (_times[rank], _standing[rank]);
        (double computing, double idle, double evaluating, double communicating) = times.Shares();
        double own = times.Own(turnSeconds);
        return new WorkerView
        {
            Rank = rank,
            State = standing.State,
            StateSinceSeconds = standing.Since,
            Reason = standing.Reason,
            LagVersions = times.Lags(),
            PushSeconds = times.Pushes(),
            PassSeconds = times.Passes(),
            SecondsSincePush = now - times.PushedAt,
            Times = times.Fitted,
            NextPushSeconds = times.Fitted.Median - own,
            NextPushP99Seconds = times.P99 - own,
            StalledInSeconds = StalledAfter(rank) - own,
            ComputingShare = computing,
            IdleShare = idle,
            EvaluatingShare = evaluating,
            CommunicatingShare = communicating,
        };
    }

    /// <summary>Who is slow beside the others, and who is slowest.</summary>
    private void Compare()
    {
        int known = 0;
        (_slowest, _secondSlowest, _slowestRank) = (0, 0, -1);
        for (int rank = 0; rank < _times.Length; rank++)
        {
            bool isThere = _standing[rank].Trouble is not (WorkerState.Gone or WorkerState.Left);
            double median = _times[rank].Fitted.Median;
            if (median > _slowest)
                (_secondSlowest, _slowest, _slowestRank) = (_slowest, median, rank);
            else if (median > _secondSlowest)
                _secondSlowest = median;
            if (isThere && _times[rank].PassMedian > 0)
                _medians[known++] = _times[rank].PassMedian;
        }

        Span<double> sorted = _medians.AsSpan(0, known);
        sorted.Sort(Ascending);
        for (int rank = 0; rank < _times.Length; rank++)
        {
            double median = _times[rank].PassMedian;
            int place = sorted.BinarySearch(median);
            if (known < 2 || !(median > 0) || place < 0)
                continue;
            int middle = (known - 2) / 2; // of the others: the lower one, if there are two
            _standing[rank].Judge(_times[rank], sorted[middle >= place ? middle + 1 : middle]);
        }
    }

    /// <summary>A worker that was called stalled has pushed.</summary>
    private void Learn(double late, double now)
    {
        if (late > FalseAlarm)
            return; // it was
        (_patience, _patientAt) = (Math.Min(MostPatience, MorePatience * _patience * Math.Max(1, late)), now);
    }

    private string Explain(int rank, WorkerState? trouble, in Sight sight, double own)
    {
        WorkerTimes times = _times[rank];
        Standing standing = _standing[rank];
        switch (trouble)
        {
            case WorkerState.Left:
                return "the job goes on without it";
            case WorkerState.Gone when !sight.IsConnected:
                return sight.GoneBecause;
            case WorkerState.Gone:
                return $"nothing was heard of it for {Show(sight.SilentSeconds)}; it should say every second that it is there";
            case WorkerState.Stalled when times.Fitted.Family != TimeFamily.Unknown:
                return $"it is heard of, and has not pushed for {Show(own)} of its own; its last {times.Fitted.Samples} pushes took {Show(times.Fitted.Median)} each (median; {times.Fitted.Name}), and it should have by {Show(StalledAfter(rank))}";
            case WorkerState.Stalled:
                return $"it is heard of, and has not pushed for {Show(own)} of its own, {WorkerTimes.UnknownTimes:0} times what another, or it, has taken; more is not known of it";
            case WorkerState.Slow:
                return $"a pass takes it {Show(times.PassMedian)}, and the others {Show(standing.Peers)} (medians of the last 64)";
            default:
                return standing.Trouble switch
                {
                    WorkerState.Slow => $"a pass takes it {Show(times.PassMedian)} again, and the others {Show(standing.Peers)}",
                    WorkerState.Stalled => "it has pushed again, or waits for others",
                    _ => "it is heard of again",
                };
        }
    }

    private void Change(int rank, WorkerState? trouble, WorkerState activity, double now, string reason)
    {
        Standing standing = _standing[rank];
        WorkerState before = standing.State;
        standing.Be(activity, trouble, now);
        standing.Reason = reason;
        Add(MonitorEventKind.State, rank, before, standing.State, reason, now);
    }

    private void Add(MonitorEventKind kind, int? rank, WorkerState? from, WorkerState? to, string reason, double now)
    {
        var one = new MonitorEvent(Events.Last + 1, _clock(), now, kind, rank, from, to, reason);
        Events.Add(one);
        Happened?.Invoke(one);
    }

    private static string Show(double seconds) => seconds < 1 ? $"{seconds * 1e3:g3} ms" : seconds < 100 ? $"{seconds:g3} s" : $"{seconds:0} s";

    /// <summary>How a worker stands.</summary>
    private sealed class Standing
    {
        private long _judgedAt; // pushes
        private bool _seemed;

        /// <summary>Slow, stalled, gone or left; null: none of them.</summary>
        public WorkerState? Trouble { get; private set; }

        public WorkerState State { get; private set; }

        public double Since { get; private set; }

        public string Reason { get; set; } = "";

        public bool IsSlow { get; private set; }

        /// <summary>Median seconds a pass of the others.</summary>
        public double Peers { get; private set; }

        public void Be(WorkerState activity, WorkerState? trouble, double now)
        {
            WorkerState state = trouble ?? activity;
            if (state != State)
                Since = now;
            (State, Trouble) = (state, trouble);
        }

        /// <summary>Slow is whose median is twice that of the others, and three quarters of whose passes take longer than it, at two looks with new pushes between them.</summary>
        public void Judge(WorkerTimes times, double peers)
        {
            if (IsSlow)
            {
                IsSlow = times.PassMedian >= RecoveredTimes * peers;
                (Peers, _seemed) = (peers, false);
                return;
            }

            if (times.Recorded - _judgedAt < PushesBetween)
                return;
            bool seems = times.PassMedian > SlowTimes * peers && times.PassQuartile > peers;
            IsSlow = seems && _seemed;
            (_judgedAt, _seemed, Peers) = (times.Recorded, seems, peers);
        }
    }
}
