using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Transport;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>A thousand workers that come at the same moment, with the limits for strangers as they are by default: all are admitted, and all get on.</summary>
[Collection(Alone.Name)]
public sealed class StormTests(ITestOutputHelper output)
{
    private const int Workers = 1000;
    private const int Parameters = 64;
    private const long Pushes = 20L * Workers; // of all of them
    private const ulong LeastPushes = 5;
    private static readonly int ChunkBytes = Limits.ChunkKeys(1, Workers) * sizeof(float);
    private static readonly TimeSpan Enough = TimeSpan.FromMinutes(2); // a lost worker must not hang the tests; nothing is gated on time
    private static readonly Token Secret = new("correct horse battery staple"u8);

    /// <summary>The second time each needs longer for its answer than a connection has that is in the way of others: it is far away, or its machine is busy.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(400)]
    public void Thousand_workers_that_connect_at_once_are_all_admitted_and_none_is_starved(int answersAfter)
    {
        Assert.True(answersAfter == 0 || TimeSpan.FromMilliseconds(answersAfter) > Gate.Grace);
        FileHandles.Need(2 * Workers);
        using var server = new LoopbackServer(
            new ServerOptions { Workers = Workers, Evaluates = false, Token = Secret, LivenessTimeout = Enough }, countsFailures: true);
        var crowd = new Crowd(server.Address, TimeSpan.FromMilliseconds(answersAfter));
        crowd.Storm();
        output.WriteLine($"{Workers} workers: all connected after {crowd.ConnectedAfter.TotalMilliseconds:0} ms, all admitted and told to start after {crowd.StartedAfter.TotalMilliseconds:0} ms");
        output.WriteLine($"{crowd.Acknowledged} pushes acknowledged, of one worker {crowd.Least} to {crowd.Most}");

        Assert.Empty(crowd.Failures);
        Assert.Equal((Workers, Workers), (crowd.Admitted, crowd.Started));
        foreach (HandshakeFailure failure in Enum.GetValues<HandshakeFailure>())
            Assert.Equal((failure, 0L), (failure, server.Host.Failed(failure)));
        Assert.InRange(crowd.Least, LeastPushes, crowd.Most);
        RunResult result = server.WaitForEnd();
        Assert.Null(result.Failure);
        Assert.Equal(Workers, result.Status.Workers.Count);
        Assert.Empty(result.Status.Lost);
        Assert.All(result.Model!, static value => Assert.Equal((float)Workers, value)); // the first push of each counts, once
    }

    /// <summary>The workers, all on one thread, each with a connection of its own.</summary>
    private sealed class Crowd(string address, TimeSpan answersAfter)
    {
        private readonly Stopwatch _watch = new();
        private readonly ManualResetEventSlim _over = new();
        private readonly List<One> _all = [];
        private readonly Queue<(TimeSpan At, Action Answer)> _answers = new();

        public List<string> Failures { get; } = [];

        public TimeSpan ConnectedAfter { get; private set; }

        public TimeSpan StartedAfter { get; private set; }

        public int Admitted { get; set; }

        public int Started { get; private set; }

        public long Acknowledged { get; set; }

        public ulong Least { get; private set; } = ulong.MaxValue;

        public ulong Most { get; private set; }

        /// <summary>They go on to push until all of them together have so many pushes acknowledged.</summary>
        public bool Pushes => Acknowledged < StormTests.Pushes;

        public void Storm()
        {
            using var pool = new SlabPool(Workers * Connection.MostBlocks(ChunkBytes));
            using (var loop = new OwnerLoop("workers", TimeProvider.System, TimeSpan.FromMilliseconds(5), Tick))
            {
                loop.Start();
                _watch.Start();
                Connect(socket => loop.Schedule(_ => _all.Add(new One(this, socket, pool, loop)), null));
                ConnectedAfter = _watch.Elapsed;
                Assert.True(_over.Wait(Enough), $"{Admitted} of {Workers} workers were admitted, {Started} were told to start, {Acknowledged} pushes were acknowledged");
            }

            foreach (One one in _all)
                (Least, Most) = (Math.Min(Least, one.Acknowledged), Math.Max(Most, one.Acknowledged));
        }

        /// <summary>What it does with a challenge, later.</summary>
        public void Later(Action answer) => _answers.Enqueue((_watch.Elapsed + answersAfter, answer));

        public void Start()
        {
            if (++Started == Workers)
                StartedAfter = _watch.Elapsed;
        }

        /// <summary>All ask at once; each goes on as soon as it is connected.</summary>
        private void Connect(Action<Socket> connected)
        {
            var under = new List<Socket>(Workers);
            var where = IPEndPoint.Parse(address);
            for (int j = 0; j < Workers; j++)
            {
                var socket = new Socket(where.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                under.Add(socket);
                try
                {
                    socket.Connect(where);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
                {
                    // as it should be
                }
            }

            for (; under.Count > 0 && _watch.Elapsed < Enough; Thread.Yield())
            {
                under.RemoveAll(socket =>
                {
                    bool isThere = socket.Poll(0, SelectMode.SelectWrite);
                    if (isThere)
                        connected(socket);
                    return isThere;
                });
            }
        }

        private bool Tick()
        {
            while (_answers.TryPeek(out (TimeSpan At, Action Answer) next) && next.At <= _watch.Elapsed)
                _answers.Dequeue().Answer();
            if (Failures.Count > 0)
                _over.Set();
            if (Pushes || _over.IsSet)
                return true;
            foreach (One one in _all)
            {
                if (!one.TryLeave())
                    return true;
            }

            _over.Set();
            return true;
        }
    }

    /// <summary>Shows its token, joins, and has one push after the other acknowledged. On the loop's thread.</summary>
    private sealed class One : IFrameHandler
    {
        private readonly Crowd _crowd;
        private readonly ulong _session = SessionNumber.Draw();
        private IFrameSink? _sink;
        private TokenBearer? _bearer;
        private ulong _pushed;
        private ulong _version;
        private bool _hasLeft;

        public One(Crowd crowd, Socket socket, SlabPool pool, OwnerLoop loop)
        {
            _crowd = crowd;
            _ = new Connection(socket, pool, loop, TimeProvider.System, "the server", ChunkBytes, sink =>
            {
                _bearer = new TokenBearer(Secret, _session, _sink = sink, new Member(this), Join);
                return this;
            });
            _bearer!.Begin();
        }

        public ulong Acknowledged { get; private set; }

        /// <summary>Whatever comes in goes to who bears the token first, a challenge after a while.</summary>
        public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
        {
            if (header.Kind != FrameKind.Challenge)
            {
                _bearer!.Received(header, payload);
                return;
            }

            FrameHeader kept = header;
            byte[] challenge = payload.ToArray();
            _crowd.Later(() => _bearer!.Received(kept, new ReadOnlySequence<byte>(challenge)));
        }

        public void Violated(string reason, FrameFault fault) => _bearer!.Violated(reason, fault);

        public void Writable()
        {
            // its pushes are small
        }

        public void Closed(string? reason) => _bearer!.Closed(reason);

        private void Heard(in FrameHeader header, in ReadOnlySequence<byte> payload)
        {
            switch (header.Kind)
            {
                case FrameKind.Admitted:
                    _crowd.Admitted++;
                    break;
                case FrameKind.Start:
                    _crowd.Start();
                    Push();
                    break;
                case FrameKind.Acknowledged:
                    _crowd.Acknowledged++;
                    (Acknowledged, _version) = (header.Sequence, header.ShardVersion);
                    if (_crowd.Pushes)
                        Push();
                    break;
                case FrameKind.Refused:
                    _crowd.Failures.Add(TextMessage.Read(payload).Text);
                    break;
            }
        }

        /// <summary>Says goodbye, once what it has pushed is acknowledged.</summary>
        public bool TryLeave()
        {
            if (_hasLeft || Acknowledged < _pushed)
                return _hasLeft;
            _hasLeft = true;
            Send(new FrameHeader(FrameKind.Leave), new TextMessage("done").Write);
            _sink!.Close();
            return true;
        }

        private void Join() => Send(new FrameHeader(FrameKind.Join), new JoinMessage(-1, Parameters, 1, Aggregate.Sum, 1, [], []).Write);

        /// <summary>It goes to ones with the first, and stays there.</summary>
        private void Push()
        {
            Span<float> delta = stackalloc float[Parameters];
            delta.Fill(_pushed == 0 ? 1 : 0);
            var header = new FrameHeader(FrameKind.Push) { Session = _session, Codec = CodecId.Fp32, Sequence = ++_pushed, ShardVersion = _version, KeyCount = Parameters, Flags = FrameFlags.Last };
            _sink!.Send(header, MemoryMarshal.AsBytes(delta));
        }

        private void Send(FrameHeader header, Action<IBufferWriter<byte>> write)
        {
            var payload = new ArrayBufferWriter<byte>();
            write(payload);
            header.Session = _session;
            _sink!.Send(header, payload.WrittenSpan);
        }

        /// <summary>What it is behind its token.</summary>
        private sealed class Member(One one) : IFrameHandler
        {
            public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload) => one.Heard(header, payload);

            public void Violated(string reason, FrameFault fault) => one._crowd.Failures.Add(reason);

            public void Writable()
            {
                // as above
            }

            public void Closed(string? reason)
            {
                if (!one._hasLeft)
                    one._crowd.Failures.Add(reason ?? "closed");
            }
        }
    }
}
