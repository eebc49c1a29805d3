using System;
using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>The hidden command that holds many connections of which each does little: one process, one loop. For hpaps stress --idle, and tools/measure-scale.sh.</summary>
internal static class IdleCommand
{
    /// <summary>The line on its standard input at which all leave.</summary>
    public const string LeaveLine = "leave";

    private const string Name = "stress-idle";
    private const int MostBytes = Limits.LeastChunkParameters * sizeof(float); // of a push: one chunk, however many workers there are
    private const double MostRate = 20; // a push a tick
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Forever = Timeout.InfiniteTimeSpan;

    public static Command Create()
    {
        var server = new Option<string>("--server") { Required = true };
        var path = new Option<string>("--path") { Required = true };
        var bytes = new Option<int>("--bytes") { Required = true };
        var connections = new Option<int>("--connections") { Required = true };
        var first = new Option<int>("--first-rank");
        Option<double?> rate = new Option<double?>("--rate") { Description = "Pushes of each in a second; by default none." }.Within(0.01, MostRate);
        var command = new Command(Name, "Connections that do little, for hpaps stress, which starts it. Prints when all have started, and what was acknowledged, with --rate once a second and else at the end.") { server, path, bytes, connections, first, rate };
        command.Hidden = true;
        SecurityOptions security = SecurityOptions.OfClient();
        command.Options.Add(security.TokenFile);
        command.Validators.Add(result =>
        {
            if (result.GetResult(rate) is not null && result.GetResult(bytes)?.Tokens is [var token] && int.TryParse(token.Value, CultureInfo.InvariantCulture, out int many) && many > MostBytes)
                result.AddError($"--bytes must be at most {MostBytes} with --rate: a push is one chunk.");
        });
        command.SetAction(parsed => Run(
            new StressJob { Path = StressNames.Path(parsed.GetValue(path)!), Bytes = parsed.GetValue(bytes), Rank = parsed.GetValue(first) },
            parsed.GetValue(server)!, parsed.GetValue(connections), parsed.GetValue(rate) is { } often ? TimeSpan.FromSeconds(1 / often) : null, security.TokenOf(parsed), TimeProvider.System));
        return command;
    }

    /// <summary>The arguments with which it is started: its ranks follow those of the workers.</summary>
    public static string[] Arguments(StressSettings settings, int bytes, string server) => [
        Name, "--server", server, "--path", StressNames.Of(settings.Path), "--bytes", bytes.ToString(CultureInfo.InvariantCulture),
        "--connections", settings.Idle.ToString(CultureInfo.InvariantCulture), "--first-rank", settings.Workers.ToString(CultureInfo.InvariantCulture),
    ];

    /// <exception cref="ClusterException">Nobody answered, or the server or a link failed.</exception>
    private static int Run(StressJob job, string server, int connections, TimeSpan? interval, Token? token, TimeProvider time)
    {
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static context => context.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, static context => context.Cancel = true);
        FileHandles.Need(connections);
        var crowd = new IdleCrowd(connections, tells: interval is not null, time);
        using var pool = new SlabPool(connections * Connection.MostBlocks(MostBytes));
        using var loop = new OwnerLoop("network", time, TickInterval, crowd.Tick);
        ProgramRun.EndWithStandardInput(line =>
        {
            if (line == LeaveLine)
                loop.Schedule(_ => crowd.Leave(), null);
        });
        loop.Start(); // the first show their token while the last connect
        Endpoint endpoint = Endpoint.Parse(server);
        for (int j = 0; j < connections && crowd.Failure is null; j++)
        {
#pragma warning disable CA2000 // the connection that is made of it owns it
            Socket socket = endpoint.Connect(ConnectTimeout, time, CancellationToken.None);
#pragma warning restore CA2000
            StressJob one = job with { Rank = job.Rank + j };
            loop.Schedule(_ => Begin(one, socket), null);
        }

        crowd.Connected();
        loop.Join(Forever); // bounded by the launcher, and by the silence of the server
        if (crowd.Failure is { } failure)
            throw new ClusterException($"{server}: {failure}");
        crowd.Print();
        return (int)ExitCode.Done;

        void Begin(StressJob one, Socket socket)
        {
            ulong session = SessionNumber.Draw();
            TokenBearer? bearer = null;
            IdleClient? client = null;
            _ = new Connection(socket, pool, loop, time, server, MostBytes, sink =>
            {
                client = new IdleClient(one, interval, session, time, sink);
                if (token is not null)
                    bearer = new TokenBearer(token, session, sink, client, client.Join);
                return (IFrameHandler?)bearer ?? client;
            });
            crowd.Add(client!);
            if (bearer is null)
                client!.Join();
            else
                bearer.Begin();
        }
    }
}
