using System;
using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Programs;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>The hidden command that plays a stranger who means harm, or the sink that he is measured against. For tools/measure-hostile.sh.</summary>
internal static class AttackCommand
{
    private const double MostRate = 100_000;
    private const double MostSeconds = 3600;

    public static Command Create()
    {
        var server = new Option<string?>("--server") { Description = "HOST:PORT that is attacked." };
        Option<double> rate = new Option<double>("--rate") { Description = "Connections a second.", DefaultValueFactory = _ => 200 }.Within(0.1, MostRate);
        Option<double> seconds = new Option<double>("--seconds") { Description = "How long.", DefaultValueFactory = _ => 5 }.Within(0.1, MostSeconds);
        var from = new Option<string?>("--from") { Description = "Address of this host to come from." };
        var sink = new Option<bool>("--sink") { Description = "Be the sink: say where, read what comes, until standard input ends." };
        var command = new Command("stress-attack", "Opens connections at a rate, with nonsense, wrong proofs, silence and single bytes in turn.") { server, rate, seconds, from, sink };
        command.Hidden = true;
        command.Validators.Add(result =>
        {
            if (result.GetResult(server) is null == (result.GetResult(sink) is null))
                result.AddError("stress-attack needs --server HOST:PORT, or --sink.");
            if (result.GetResult(from) is { Tokens: [var token] } && !IPAddress.TryParse(token.Value, out _))
                result.AddError($"--from must be an address, as 127.0.0.2; it is '{token.Value}'.");
        });
        command.SetAction(parsed => parsed.GetValue(sink) ? Sink() : Attack(
            parsed.GetValue(server)!, parsed.GetValue(from) is { } address ? IPAddress.Parse(address) : null, parsed.GetValue(rate), parsed.GetValue(seconds), TimeProvider.System));
        return command;
    }

    /// <summary>Prints the rate that was reached, and what became of the connections; SIGTERM ends it before its time.</summary>
    private static int Attack(string server, IPAddress? from, double rate, double seconds, TimeProvider time)
    {
        bool isOver = false;
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            Volatile.Write(ref isOver, true);
        });
        using var attacker = new Attacker(Endpoint.Parse(server).Resolve()[0], from);
        long start = time.GetTimestamp();
        double elapsed;
        while ((elapsed = time.GetElapsedTime(start).TotalSeconds) < seconds && !Volatile.Read(ref isOver))
        {
            if (attacker.Opened < elapsed * rate)
                attacker.Open();
            else
                Thread.Sleep(1);
            attacker.Drip(elapsed);
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{{\"connections\":{attacker.Opened},\"per_second\":{attacker.Opened / elapsed:0.0},\"failed\":{attacker.Failed}}}"));
        return (int)ExitCode.Done;
    }

    private static int Sink()
    {
        ProgramRun.EndWithStandardInput(_ => { });
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(Attacker.MostHeld * 8);
        Console.Out.WriteLine(listener.LocalEndPoint);
        var held = new Socket[Attacker.MostHeld];
        byte[] bytes = new byte[4096];
        for (int next = 0; ; next = (next + 1) % held.Length)
        {
            held[next]?.Dispose();
            Socket socket = held[next] = listener.Accept();
            socket.Blocking = false;
            _ = socket.Receive(bytes, SocketFlags.None, out _);
        }
    }
}
