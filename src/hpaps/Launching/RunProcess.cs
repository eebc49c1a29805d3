using System;

namespace HpAsyncPs.Cli.Launching;

/// <summary>
/// The server, or a worker, of a run, through all its lives: a process that died can be started again, after a pause that doubles each time,
/// drawn at random from its upper half, so that what died together does not come back together.
/// </summary>
internal sealed class RunProcess : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Func<int, ChildProcess> _start;
    private readonly TimeProvider _time;
    private TimeSpan _pause = FirstPause;
    private TimeSpan _wait;
    private long _pausesSince;
    private bool _isSeenDead;
    private long _deadSince;
    private long? _processorTime;
    private int _words;

    /// <param name="start">Starts it, given how often it has died; throws what <see cref="ChildProcess.Start"/> throws.</param>
    /// <param name="time">The clock.</param>
    public RunProcess(Func<int, ChildProcess> start, TimeProvider time)
    {
        (_start, _time) = (start, time);
        Process = start(0);
    }

    /// <summary>The one that there is, or was last.</summary>
    public ChildProcess Process { get; private set; }

    /// <summary>How often it was started again.</summary>
    public int Restarts { get; private set; }

    /// <summary>It has died, and is started again after a while.</summary>
    public bool IsPausing { get; private set; }

    /// <summary>The pause is over.</summary>
    public bool IsDue => IsPausing && _time.GetElapsedTime(_pausesSince) >= _wait;

    /// <summary>It has died, and the run goes on without it.</summary>
    public bool IsWrittenOff { get; private set; }

    /// <summary>It has failed, and that is the run's failure.</summary>
    public bool HasFailed => !IsPausing && !IsWrittenOff && _isSeenDead;

    /// <summary>How long it has got no processor time and said nothing, though it lives.</summary>
    public TimeSpan SilentFor { get; private set; }

    /// <summary>The user has been told of its silence.</summary>
    public bool IsSaidSilent { get; set; }

    /// <summary>Looks whether it does anything.</summary>
    /// <param name="words">How often it has said something.</param>
    /// <param name="passed">Since the last look.</param>
    public void Note(int words, TimeSpan passed)
    {
        long? now = IsPausing || IsWrittenOff || Process.HasExited ? null : ProcessTime.Of(Process.Id);
        bool isSilent = now is not null && now == _processorTime && words == _words;
        (_processorTime, _words) = (now, words);
        SilentFor = isSilent ? SilentFor + passed : TimeSpan.Zero;
        IsSaidSilent &= isSilent;
    }

    /// <summary>It does not end by itself.</summary>
    public void KillTheSilent()
    {
        SilentFor = TimeSpan.Zero;
        Process.Kill();
    }

    /// <summary>Sees whether it has died: once a round, so that what is decided in that round is decided of all alike.</summary>
    public void Look() => _isSeenDead = Failure.Has(Process);

    /// <summary>How long ago it was first seen dead, by a call of this.</summary>
    public TimeSpan DeadFor()
    {
        if (_deadSince == 0)
            _deadSince = _time.GetTimestamp();
        return _time.GetElapsedTime(_deadSince);
    }

    /// <summary>Begins a pause, after which it is started again; returns how long it is.</summary>
    public TimeSpan Pause()
    {
        _wait = (_pause / 2) + (_pause / 2 * Random.Shared.NextDouble());
        _pause = _pause + _pause < LongestPause ? _pause + _pause : LongestPause;
        _pausesSince = _time.GetTimestamp();
        IsPausing = true;
        return _wait;
    }

    /// <summary>Starts it again, whether the pause is over or not.</summary>
    /// <exception cref="ClusterException">It cannot be started.</exception>
    public void StartAgain()
    {
        ChildProcess earlier = Process;
        Process = _start(++Restarts);
        earlier.Dispose();
        (IsPausing, _isSeenDead, _deadSince) = (false, false, 0);
    }

    /// <summary>The run goes on without it.</summary>
    public void WriteOff() => (IsPausing, IsWrittenOff) = (false, true);

    /// <inheritdoc/>
    public void Dispose() => Process.Dispose();
}
