using System;
using System.Diagnostics;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>A worker on a thread of the test's that pushes whole numbers, and keeps account of them.</summary>
internal sealed class PushingWorker : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WorkerClient _client;
    private readonly Random _random;
    private readonly float[] _vector;
    private readonly bool _areGradients;
    private readonly Thread _thread;
    private volatile bool _stops;
    private Exception? _failure;

    public PushingWorker(string server, int rank, int parameters, Aggregate aggregate)
    {
        _random = new Random(rank);
        _areGradients = aggregate == Aggregate.Optimized;
        _vector = new float[parameters];
        _client = WorkerClient.Connect(server, new WorkerOptions
        {
            Rank = rank,
            Parameters = parameters,
            Aggregate = aggregate,
            LivenessTimeout = TimeSpan.FromSeconds(2),
            ReconnectTimeout = Patience,
        });
        _thread = new Thread(Run) { Name = $"pushing worker {rank}", IsBackground = true };
    }

    /// <summary>All that it has pushed; for gradients.</summary>
    public PushedNumbers Pushed { get; } = new();

    /// <summary>What it has pushed last.</summary>
    public ReadOnlySpan<float> Vector => _vector;

    public WorkerSession Session => _client.Session;

    public ulong Acknowledged
    {
        get
        {
            lock (Session.Gate)
                return Session.Acknowledged;
        }
    }

    public void Start() => _thread.Start();

    /// <summary>Ends the pushing, and waits until the server has all of it.</summary>
    public void Finish()
    {
        _stops = true;
        Assert.True(_thread.Join(Patience), "it still pushes");
        Assert.True(_failure is null, _failure?.ToString());
        UntilAcknowledged();
        lock (Session.Gate)
            Pushed.Follow(Session.Generation, Session.Pushed);
    }

    /// <summary>Pushes once more and pulls; when all others have finished, that is what the server has.</summary>
    public ReadOnlySpan<float> Pull()
    {
        bool isOpen = true;
        while (isOpen) // the answer to a pull that is open already may lack what is pushed now
        {
            PushOnce();
            UntilAcknowledged();
            Eventually.Holds(() => !Session.IsPulling, () => "a pull is not answered");
            lock (Session.Gate)
            {
                _ = _client.Snapshot;
                PushOnce();
                isOpen = Session.IsPulling || Session.HasNewer;
            }
        }

        UntilAcknowledged();
        _client.Pull();
        _client.Wait(Patience);
        return _client.Snapshot;
    }

    /// <summary>Waits until something that was pushed from now on is acknowledged.</summary>
    public void UntilItGoesOn()
    {
        long reconnects = Session.Reconnects;
        ulong acknowledged = Acknowledged;
        var watch = Stopwatch.StartNew();
        while (Acknowledged == acknowledged && _failure is null)
        {
            Assert.True(watch.Elapsed < Patience, $"it does not go on: push {acknowledged} of {Session.Pushed} is acknowledged, {Session.Reconnects} reconnects, {Session.Failure}");
            Thread.Sleep(5);
        }

        Assert.True(_failure is null, $"after {reconnects} reconnects: {_failure}");
    }

    public void Dispose()
    {
        _stops = true;
        _client.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_stops)
                PushOnce();
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }

    private void PushOnce()
    {
        float[] row = PushedNumbers.Row((ulong)_random.NextInt64());
        PushedNumbers.Fill(_vector, row);
        lock (Session.Gate)
        {
            _client.Push(_vector, Patience); // waits without the lock; when it returns nothing has come in since the push was made
            Pushed.Follow(Session.Generation, Session.Pushed - 1);
            if (_areGradients)
                Pushed.Add(Session.Pushed, row);
        }
    }

    private void UntilAcknowledged()
    {
        var watch = Stopwatch.StartNew();
        while (Acknowledged < Session.Pushed)
        {
            Assert.True(watch.Elapsed < Patience, $"push {Session.Pushed} was not acknowledged, {Acknowledged} was: {Session.Failure}");
            Thread.Sleep(1);
        }
    }
}
