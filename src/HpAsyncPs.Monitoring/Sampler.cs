using System;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Monitoring;

/// <summary>What is the same for all readers of one second.</summary>
/// <param name="Number">Of the second.</param>
/// <param name="Tick">Its <see cref="TickDocument"/>, in UTF-8; empty: no page was open.</param>
internal sealed record Sample(long Number, ReadOnlyMemory<byte> Tick);

/// <summary>
/// Reads the job once a second, whoever watches, and keeps what is the same for all readers: nobody makes the shard's thread do more. A page costs no serialisation of its own, for there is one
/// a second for all, and none while no page is open.
/// </summary>
internal sealed class Sampler : IAsyncDisposable
{
    private const int StepsOfSecond = 10;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1000 / StepsOfSecond);

    private readonly IMonitorSource _source;
    private readonly TimeProvider _time;
    private readonly string _version;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new(); // of all below but the last
    private readonly MonitorView _view;
    private readonly MonitorView _asking; // what it was asked with: of no second
    private readonly History _history = new();
    private bool _hasView;
    private long _number;
    private long _takenAt;
    private Rates _rates = new(double.NaN, double.NaN, double.NaN);
    private (ulong Pushes, long Up, long Down) _before;
    private (long Number, byte[] Status) _status;
    private Sample _newest = new(0, default);
    private long _lastEvent;
    private TaskCompletionSource _news = NewSource();
    private int _pages;
    private Task? _running;

    public Sampler(IMonitorSource source, TimeProvider time, string version)
    {
        (_source, _time, _version) = (source, time, version);
        (_view, _asking, Ids) = (source.NewView(), source.NewView(), new EventIds(source.Events));
    }

    /// <summary>Of the job's events.</summary>
    public EventIds Ids { get; }

    /// <summary>The newest second.</summary>
    public Sample Newest => Volatile.Read(ref _newest);

    /// <summary>Ends when there is another second, or another event.</summary>
    public Task News => Volatile.Read(ref _news).Task;

    public void Start() => _running = RunAsync();

    /// <summary>A page is opened; another second is made for it at once.</summary>
    public void Open()
    {
        Interlocked.Increment(ref _pages);
        TakeSample(isExtra: true);
    }

    public void Close() => Interlocked.Decrement(ref _pages);

    /// <summary>A <see cref="StatusDocument"/> in UTF-8, of this second; null: there is none yet.</summary>
    public byte[]? Status()
    {
        lock (_gate)
        {
            if (!_hasView)
                return null;
            if (_status.Number != _number)
                _status = (_number, JsonSerializer.SerializeToUtf8Bytes(DocumentBuilder.Status(_view, _number, _time.GetUtcNow(), _version, _rates), MonitorJson.Default.StatusDocument));
            return _status.Status;
        }
    }

    /// <summary>The whole run, in UTF-8.</summary>
    public byte[] WholeRun()
    {
        lock (_gate)
            return JsonSerializer.SerializeToUtf8Bytes(_history.Document(), MonitorJson.Default.HistoryDocument);
    }

    /// <summary>Calls a method with the view of this second, which may not keep it. False: there is none yet.</summary>
    /// <param name="use">What to do with it.</param>
    public bool With(Action<MonitorView> use)
    {
        lock (_gate)
        {
            if (_hasView)
                use(_view);
            return _hasView;
        }
    }

    /// <summary>How the job stands now that it has ended: the last second.</summary>
    public void TakeLast() => TakeSample(isExtra: false);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_running is not null)
            await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Step, _time);
        try
        {
            for (int step = 0; await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false); step = (step + 1) % StepsOfSecond)
            {
                if (step == StepsOfSecond - 1 || !_hasView)
                    TakeSample(isExtra: false);
                else if (step == StepsOfSecond - 2)
                    Ask();
                else if (_source.Events.Last != _lastEvent)
                    Tell();
            }
        }
        catch (OperationCanceledException)
        {
            // It is disposed.
        }
    }

    /// <summary>The source shows a newer view when it was asked for one: that is there a step later.</summary>
    private void Ask()
    {
        lock (_gate)
            _source.Read(_asking);
    }

    private void TakeSample(bool isExtra)
    {
        lock (_gate)
        {
            if (!(isExtra && _hasView) && !_source.Read(_view)) // what is extra is of the same second
                return;
            _hasView = true;
            if (!isExtra)
            {
                Measure();
                _history.Add(_view.Run);
                _number++;
            }

            bool isWanted = Volatile.Read(ref _pages) > 0;
            if (isExtra && _newest.Number == _number && _newest.Tick.Length > 0)
                return;
            byte[] tick = isWanted ? JsonSerializer.SerializeToUtf8Bytes(DocumentBuilder.Tick(_view, _number, Ids.Server, _time.GetUtcNow(), _rates), MonitorJson.Default.TickDocument) : [];
            Volatile.Write(ref _newest, new Sample(_number, tick));
        }

        Tell();
    }

    private void Measure()
    {
        long now = _time.GetTimestamp();
        RunView run = _view.Run;
        double seconds = _time.GetElapsedTime(_takenAt, now).TotalSeconds;
        if (_takenAt != 0 && seconds > 0 && run.Pushes >= _before.Pushes)
            _rates = new Rates((run.Pushes - _before.Pushes) / seconds, Math.Max(0, run.UplinkBytes - _before.Up) / seconds, Math.Max(0, run.DownlinkBytes - _before.Down) / seconds);
        (_takenAt, _before) = (now, (run.Pushes, run.UplinkBytes, run.DownlinkBytes));
    }

    private void Tell()
    {
        _lastEvent = _source.Events.Last;
        Interlocked.Exchange(ref _news, NewSource()).TrySetResult();
    }
}
