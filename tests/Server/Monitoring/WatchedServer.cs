using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;
using Microsoft.Extensions.Time.Testing;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>A server on a virtual clock, and workers whose frames a test writes: one that lives says so each second.</summary>
internal sealed class WatchedServer
{
    private readonly FakeTimeProvider _time = new();
    private readonly Worker[] _workers;
    private long _ticks;

    public WatchedServer(int workers, string policy = "async", WorkerLoss loss = WorkerLoss.Wait, bool evaluates = false)
    {
        Server = new ParameterServer(new ServerOptions { Workers = workers, Policy = policy, Evaluates = evaluates, OnWorkerLoss = loss, JoinTimeout = TimeSpan.FromDays(1) }, _time, 1UL << 32)
        {
            Log = line => Log.Add(line.Text),
            Happened = Events.Add,
        };
        _workers = new Worker[workers];
        for (int rank = 0; rank < workers; rank++)
            _workers[rank] = new Worker { Session = (ulong)rank + 1 };
        for (int rank = 0; rank < workers; rank++)
            Connect(rank);
    }

    public ParameterServer Server { get; }

    public List<string> Log { get; } = [];

    public List<MonitorEvent> Events { get; } = [];

    public double Seconds => _ticks * 0.005;

    public WorkerView View(int rank)
    {
        MonitorView view = Server.NewView();
        Server.Fill(view);
        return view.Workers[rank];
    }

    public RunView Run()
    {
        MonitorView view = Server.NewView();
        Server.Fill(view);
        return view.Run;
    }

    /// <summary>Changes of a worker's state, in order.</summary>
    public List<MonitorEvent> Changes(int rank) => Events.FindAll(one => one.Kind == MonitorEventKind.State && one.Rank == rank);

    public void Connect(int rank)
    {
        Worker worker = _workers[rank];
        worker.Attempt++;
        worker.Connection = Server.Opened(worker);
        worker.IsSilent = false;
        var join = new ArrayBufferWriter<byte>();
        new JoinMessage(rank, 1, 1, Aggregate.Mean, 1, [], []) { Attempt = worker.Attempt, Generation = 1, Pushed = worker.Pushed }.Write(join);
        Send(rank, FrameKind.Join, join.WrittenSpan.ToArray());
    }

    /// <summary>Pushes, and asks for a snapshot.</summary>
    public void Push(int rank, uint passesQ8 = 256)
    {
        Worker worker = _workers[rank];
        worker.PassesQ8 += passesQ8;
        Receive(rank, new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, Sequence = ++worker.Pushed, KeyCount = 1, Flags = FrameFlags.Last | FrameFlags.Pull, ShardVersion = worker.Version, PassesQ8 = worker.PassesQ8 }, new byte[sizeof(float)]);
    }

    public void Evaluated(int rank, ulong number, double value)
    {
        var answer = new ArrayBufferWriter<byte>();
        new EvaluatedMessage(number, [value]).Write(answer);
        Send(rank, FrameKind.Evaluated, answer.WrittenSpan.ToArray());
    }

    /// <summary>The number of the evaluation that it was sent last; 0: none.</summary>
    public ulong EvaluationAt(int rank) => _workers[rank].Evaluation;

    public void Leave(int rank)
    {
        var text = new ArrayBufferWriter<byte>();
        new TextMessage("done").Write(text);
        Send(rank, FrameKind.Leave, text.WrittenSpan.ToArray());
    }

    /// <summary>Its connection is reset.</summary>
    public void Reset(int rank)
    {
        _workers[rank].IsSilent = true;
        Server.Closed(_workers[rank].Connection!, "Connection reset by peer");
    }

    /// <summary>It says nothing any more, or again.</summary>
    public void Silence(int rank, bool isSilent) => _workers[rank].IsSilent = isSilent;

    /// <summary>The server is ticked every 5 ms for so long.</summary>
    public void Pass(double seconds, Action? each = null)
    {
        for (long end = _ticks + (long)Math.Round(seconds / 0.005); _ticks < end;)
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            _ticks++;
            for (int rank = 0; rank < _workers.Length; rank++)
            {
                if (!_workers[rank].IsSilent && _ticks % 200 == rank % 200)
                    Send(rank, FrameKind.Heartbeat, []);
            }

            each?.Invoke();
            Server.Tick();
        }
    }

    /// <summary>The server itself gets no processor for so long, and what was sent meanwhile arrives a little after.</summary>
    public void StandStill(double seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));

    private void Send(int rank, FrameKind kind, byte[] payload) => Receive(rank, new FrameHeader(kind) { PayloadLength = (uint)payload.Length }, payload);

    private void Receive(int rank, FrameHeader header, byte[] payload)
    {
        header.Session = _workers[rank].Session;
        header.PayloadLength = (uint)payload.Length;
        Server.Received(_workers[rank].Connection!, header, new ReadOnlySequence<byte>(payload));
    }

    private sealed class Worker : IFrameSink
    {
        public ulong Session { get; init; }

        public Peer? Connection { get; set; }

        public ulong Pushed { get; set; }

        public uint PassesQ8 { get; set; }

        public uint Attempt { get; set; }

        public bool IsSilent { get; set; }

        public ulong Version { get; private set; }

        public ulong Evaluation { get; private set; }

        public string Peer => "a worker";

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (header.Kind != FrameKind.Snapshot)
                return true;
            Version = header.ShardVersion;
            Evaluation = header.Flags.HasFlag(FrameFlags.Evaluate) ? header.Sequence : Evaluation;
            return true;
        }

        public void Close()
        {
        }
    }
}
