using System;
using System.IO;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>The process of one worker: connects, lets the client run on the loop's thread, and prints how it stands.</summary>
internal static class StressWorker
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan NewsInterval = TimeSpan.FromMilliseconds(250);
    private const int MostLineBytes = 128;
    private const int SocketLevel = 1; // SOL_SOCKET of Linux
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <exception cref="ClusterException">Nobody answered, or the server or the link failed.</exception>
    public static int Run(StressJob job, string server, Token? token, Tls? tls, double? wire, TimeProvider time)
    {
        // The launcher decides when it ends: by its end of our standard input.
        ProgramRun.EndWithStandardInput(_ => { });
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static context => context.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, static context => context.Cancel = true);

        var endpoint = Endpoint.Parse(server);
        Socket socket = endpoint.Connect(ConnectTimeout, time, CancellationToken.None);
        if (wire is not null && !endpoint.IsUnix)
            Pace(socket, wire.Value);
        if (tls is not null)
            socket = TlsRelay.Connect(socket, tls, endpoint, ConnectTimeout, StressClient.LivenessTimeout, CancellationToken.None).End;
        using var wake = new AutoResetEvent(false);
        using var pool = new SlabPool(Connection.MostBlocks(Limits.ChunkBytes));
        pool.Reserve(Connection.MostBlocks(Limits.ChunkBytes)); // large pushes need it late
        var meter = new StressMeter(time, job.Seconds, wake);
        StressClient? client = null;
        using var loop = new OwnerLoop("network", time, TickInterval, () =>
        {
            client!.Tick();
            return !client.HasEnded;
        })
        {
            Spin = job.Spin,
        };
        TokenBearer? bearer = null;
        ulong session = SessionNumber.Draw();
        _ = new Connection(socket, pool, loop, time, server, Limits.ChunkBytes, Handle);
        if (bearer is null)
            client!.Join();
        else
            bearer.Begin();
        loop.Start();
        Follow(loop, wake, meter, StressClient.BytesOfMessage(job));
        if ((bearer?.Failure ?? client!.Failure) is { } failure)
            throw new ClusterException($"{server}: {failure}");
        Print(new StressNews
        {
            Measuring = true,
            Measured = true,
            Outcome = new StressOutcome
            {
                Messages = meter.Messages,
                Bytes = meter.Messages * StressClient.BytesOfMessage(job),
                Seconds = meter.Seconds,
                Pushes = client!.Pushes,
                CodedBytes = client.CodedBytes,
                Vectors = client.Vectors,
                Residual = client.Residual,
                Latencies = meter.Latencies(),
                ProcessorSeconds = meter.ProcessorSeconds,
                AllocatedBytes = meter.AllocatedBytes,
                Collections = meter.Collections,
                Verified = client!.Verified,
            },
        });
        return (int)ExitCode.Done;

        IFrameHandler Handle(IFrameSink sink)
        {
            client = new StressClient(job, session, time, meter, sink);
            if (token is not null)
                bearer = new TokenBearer(token, session, sink, client, client.Join);
            return (IFrameHandler?)bearer ?? client;
        }
    }

    /// <summary>The kernel sends no faster than this.</summary>
    private static void Pace(Socket socket, double gigabits)
    {
        const int MaxPacingRate = 47; // SO_MAX_PACING_RATE of asm-generic/socket.h: .NET has no name for it
        uint bytesPerSecond = (uint)(gigabits * 1e9 / 8);
        socket.SetRawSocketOption(SocketLevel, MaxPacingRate, MemoryMarshal.AsBytes(new Span<uint>(ref bytesPerSecond)));
    }

    private static void Follow(OwnerLoop loop, AutoResetEvent wake, StressMeter meter, long bytesOfMessage)
    {
        // Several times a second for as long as it takes: a line that allocated would end in a collection.
        Span<byte> line = stackalloc byte[MostLineBytes];
        using Stream output = Console.OpenStandardOutput();
        bool over = false;
        while (!loop.Join(over ? NewsInterval : TimeSpan.Zero))
        {
            if (over)
                continue;
            wake.WaitOne(NewsInterval);
            over = meter.IsOver;
            if (!meter.IsMeasuring)
                continue;
            StressNews.TryWrite(line, meter.Messages * bytesOfMessage, over, out int length);
            output.Write(line[..length]);
        }
    }

    private static void Print(StressNews line) => Console.Out.WriteLine(JsonSerializer.Serialize(line, StressJson.Default.StressNews));
}
