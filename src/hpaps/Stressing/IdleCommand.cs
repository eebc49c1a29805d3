using System;
using System.Collections.Generic;
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

/// <summary>The hidden command that holds the idle connections of a stress test: one process, one loop.</summary>
internal static class IdleCommand
{
    /// <summary>The line on its standard input at which all leave.</summary>
    public const string LeaveLine = "leave";

    private const string Name = "stress-idle";
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
        var command = new Command(Name, "The idle connections of hpaps stress, which starts it.") { server, path, bytes, connections, first };
        command.Hidden = true;
        SecurityOptions security = SecurityOptions.OfClient();
        command.SetAction(parsed => Run(
            new StressJob { Path = StressNames.Path(parsed.GetValue(path)!), Bytes = parsed.GetValue(bytes), Rank = parsed.GetValue(first) },
            parsed.GetValue(server)!, parsed.GetValue(connections), security.TokenOf(parsed), TimeProvider.System));
        return command;
    }

    /// <summary>The arguments with which it is started: its ranks follow those of the workers.</summary>
    public static IReadOnlyList<string> Arguments(StressSettings settings, int bytes, string server) => [
        Name, "--server", server, "--path", StressNames.Of(settings.Path), "--bytes", bytes.ToString(CultureInfo.InvariantCulture),
        "--connections", settings.Idle.ToString(CultureInfo.InvariantCulture), "--first-rank", settings.Workers.ToString(CultureInfo.InvariantCulture),
    ];

    /// <exception cref="ClusterException">Nobody answered, or the server or a link failed.</exception>
    private static int Run(StressJob job, string server, int connections, Token? token, TimeProvider time)
    {
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static context => context.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, static context => context.Cancel = true);
        FileHandles.Need(connections);
        var clients = new IdleClient[connections];
        using var pool = new SlabPool(connections * Connection.MostBlocks(Limits.LeastChunkParameters * sizeof(float)));
        using var loop = new OwnerLoop("network", time, TickInterval, () => Tick(clients, time.GetTimestamp()));
        ProgramRun.EndWithStandardInput(line =>
        {
            if (line == LeaveLine)
                loop.Schedule(_ => Array.ForEach(clients, static client => client.Leave()), null);
        });
        Endpoint endpoint = Endpoint.Parse(server);
        for (int j = 0; j < connections; j++)
        {
            int own = j;
            Socket socket = endpoint.Connect(ConnectTimeout, time, CancellationToken.None);
            ulong session = SessionNumber.Draw();
            StressJob one = job with { Rank = job.Rank + j };
            TokenBearer? bearer = null;
            _ = new Connection(socket, pool, loop, time, server, Limits.LeastChunkParameters * sizeof(float), sink =>
            {
                IdleClient client = clients[own] = new IdleClient(session, time, sink);
                if (token is not null)
                    bearer = new TokenBearer(token, session, sink, client, () => client.Join(one));
                return (IFrameHandler?)bearer ?? client;
            });
            if (bearer is null)
                clients[j].Join(one);
            else
                bearer.Begin();
        }

        loop.Start();
        loop.Join(Forever); // bounded by the launcher, and by the silence of the server
        foreach (IdleClient client in clients)
        {
            if (client.Failure is { } failure)
                throw new ClusterException($"{server}: {failure}");
        }

        return (int)ExitCode.Done;
    }

    /// <summary>False when all have ended, or one has failed.</summary>
    private static bool Tick(IdleClient[] clients, long now)
    {
        bool goesOn = false;
        foreach (IdleClient client in clients)
        {
            client.Tick(now);
            if (client.Failure is not null)
                return false;
            goesOn |= !client.HasEnded;
        }

        return goesOn;
    }
}
