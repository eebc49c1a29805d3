using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server;

public sealed class AdmissionTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Start_parameters_and_numbers_are_the_largest_of_all()
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 2, Evaluates = false }, _time);
        WorkerSession a = network.Connect(new WorkerOptions { Parameters = 7, Weight = 1, Agreed = [1, -5] }, _time);
        WorkerSession b = network.Connect(new WorkerOptions { Parameters = 9, Weight = 3, Agreed = [0.5, -4] }, _time);
        network.DeliverAll();
        Assert.Equal((2, 9, 0.25), (a.Started!.Workers, a.Started.Parameters, a.Started.Share));
        Assert.Equal([1, -4], b.Started!.Agreed);
        Assert.NotEqual(a.Rank, b.Rank);
    }

    [Theory]
    [InlineData(0, 1, "0.5", "Rank 0 is taken")]
    [InlineData(5, 1, "0.5", "ranks are 0 to 1")]
    [InlineData(1, 99, "0.5", "larger --max-parameters")]
    [InlineData(1, 1, "0.7", "Setting l2 is 0.7 here and 0.5")]
    public void Join_that_does_not_fit_is_refused_with_the_reason(int rank, int parameters, string l2, string says)
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 2, MaxParameters = 50, Evaluates = false }, _time);
        WorkerSession a = network.Connect(Options(0, 1, "0.5"), _time);
        WorkerSession b = network.Connect(Options(rank, parameters, l2), _time);
        while (a.Rank < 0 || b.Failure is null)
            Assert.True(network.DeliverOne());
        if (a.Failure is null)
            Assert.Contains(says, b.Failure, StringComparison.Ordinal);
        Assert.Null(a.Failure);
        WorkerSession c = network.Connect(Options(1, 1, "0.5"), _time);
        network.DeliverAll();
        Assert.NotNull(c.Started);
    }

    [Fact]
    public void Join_of_one_too_many_is_refused()
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 1, Evaluates = false }, _time);
        network.Connect(Options(0, 1, "0.5"), _time);
        network.DeliverAll();
        WorkerSession late = network.Connect(Options(-1, 1, "0.5"), _time);
        network.DeliverAll();
        Assert.Contains("nobody else may join", late.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Tick_workers_missing_at_the_deadline_are_named()
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 3, JoinTimeout = TimeSpan.FromSeconds(10) }, _time);
        WorkerSession a = network.Connect(Options(1, 1, "0.5"), _time);
        network.DeliverAll();
        for (int second = 0; second < 12 && !network.Server.HasEnded; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            a.Tick(default);
            network.DeliverAll();
            network.Server.Tick();
        }

        network.DeliverAll();
        Assert.True(network.Server.HasEnded);
        Assert.Contains("missing: rank 0, 2", network.Server.Result().Failure, StringComparison.Ordinal);
        Assert.Contains("missing: rank 0, 2", a.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Closed_before_the_start_frees_the_rank()
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 2, Evaluates = false }, _time);
        WorkerSession a = network.Connect(Options(0, 40, "0.5"), _time);
        network.DeliverAll();
        a.Leave("changed my mind", default);
        network.DeliverAll();
        WorkerSession b = network.Connect(Options(0, 3, "0.5"), _time), c = network.Connect(Options(1, 4, "0.5"), _time);
        network.DeliverAll();
        Assert.Equal(4, b.Started!.Parameters);
        Assert.NotNull(c.Started);
    }

    [Fact]
    public void Tick_worker_that_is_silent_too_long_is_lost_and_named()
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 2, Evaluates = false, RejoinTimeout = TimeSpan.Zero }, _time);
        WorkerSession a = network.Connect(Options(0, 1, "0.5"), _time);
        network.Connect(Options(1, 1, "0.5"), _time);
        network.DeliverAll();
        for (int second = 0; second < 40 && !network.Server.HasEnded; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            a.Tick(default);
            network.DeliverAll();
            network.Server.Tick();
        }

        Assert.Contains("worker 1", network.Server.Result().Failure, StringComparison.Ordinal);
        Assert.Contains("10 s", network.Server.Result().Failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(11, true)] // held
    [InlineData(11, false)]
    [InlineData(2, true)] // silent, and asked twice
    public void Asked_to_stop_it_does_not_wait_for_who_is_lost(int silent, bool evaluates)
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 2, Evaluates = evaluates, OnWorkerLoss = WorkerLoss.Wait, RejoinTimeout = TimeSpan.FromHours(1), FinalTimeout = TimeSpan.FromHours(1) }, _time);
        WorkerSession a = network.Connect(Options(0, 1, "0.5"), _time), b = network.Connect(Options(1, 1, "0.5"), _time);
        network.DeliverAll();
        Assert.True(a.TryPush([1f], 1));
        Assert.True(b.TryPush([3f], 1));
        network.DeliverAll();
        for (int second = 0; second < silent; second++)
            Go();
        network.Server.RequestStop("stopped");
        if (silent < 10)
            network.Server.RequestStop("stopped");
        for (int second = 0; second < 8 && !network.Server.HasEnded; second++)
            Go();
        Assert.True(network.Server.HasEnded);
        Assert.Null(network.Server.Result().Failure);
        Assert.Equal("stopped", network.Server.Result().Reason);
        Assert.Equal([2f], network.Server.Result().Model!);

        void Go()
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            a.Tick(default);
            if (a.HasEvaluation)
            {
                a.TakeEvaluation();
                a.Answer([1]);
            }

            network.DeliverAll();
            network.Server.Tick();
            network.DeliverAll();
            if (a.HasEnded)
                a.Leave("stopped", default);
            network.DeliverAll();
        }
    }

    [Fact]
    public void Tick_server_that_is_silent_too_long_fails_the_worker()
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 1, Evaluates = false }, _time);
        WorkerSession a = network.Connect(Options(0, 1, "0.5"), _time);
        network.DeliverAll();
        bool wantsAnother = false;
        a.Disconnected = () => wantsAnother = true;
        _time.Advance(TimeSpan.FromSeconds(11));
        a.Tick(default);
        Assert.True(wantsAnother);
        Assert.False(a.HasEnded);
        _time.Advance(TimeSpan.FromSeconds(61));
        a.Tick(default);
        Assert.True(a.HasEnded);
        Assert.Contains("nothing was heard of it for 10 s", a.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Received_frames_that_do_not_fit_the_state_are_refused()
    {
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 2, Evaluates = false }, _time);
        foreach (FrameKind kind in new[] { FrameKind.Push, FrameKind.Pull, FrameKind.Start, FrameKind.Evaluated, FrameKind.Leave })
        {
            var sink = new Recorder();
            Peer peer = network.Server.Opened(sink);
            network.Server.Received(peer, new FrameHeader(kind), ReadOnlySequence<byte>.Empty);
            Assert.Equal([FrameKind.Refused], sink.Kinds);
            Assert.True(sink.IsClosed);
        }
    }

    private static WorkerOptions Options(int rank, int parameters, string l2) =>
        new() { Rank = rank, Parameters = parameters, Settings = [new("task", "logreg"), new("l2", l2)] };

    private sealed class Recorder : IFrameSink
    {
        public List<FrameKind> Kinds { get; } = [];

        public bool IsClosed { get; private set; }

        public string Peer => "recorder";

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            Kinds.Add(header.Kind);
            return true;
        }

        public void Close() => IsClosed = true;
    }
}
