using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;
using HpAsyncPs.Codecs;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>The command lines of hpaps stress, and of the hidden command that its workers are.</summary>
internal static class StressCommand
{
    private const string Worker = "stress-worker";
    private const string DefaultBytes = "4K,64K,1M,16M";
    private const string DefaultBytesOfOne = "1M";
    private const int MostWorkers = 64;
    private const int MostIdle = 4000;
    private const int MostWindow = 1024;
    private const double MostSeconds = 600;
    private const int MostBytes = 1 << 30;
    private const double MostWire = 34; // in bytes it fits 32 bits

    private sealed record Common(Option<string> Mode, Option<string> Path, Option<string> Bytes, Option<int> Window, Option<double> Seconds, Option<double?> Wire, Option<string?> Codec)
    {
        public static Common Create()
        {
            var mode = new Option<string>("--mode") { HelpName = "MODE", Description = "push; pull; push-pull: each push with a pull of its result; trip: the same, one after the other.", DefaultValueFactory = _ => StressNames.Modes[0] };
            OneOf(mode, StressNames.Modes);
            var path = new Option<string>("--path") { HelpName = "PATH", Description = "What the server does with a push: sum: adds it (policy asp:sum); async: keeps each worker's vector and their sum in double (policy async).", DefaultValueFactory = _ => StressNames.Paths[0] };
            OneOf(path, StressNames.Paths);
            var bytes = new Option<string>("--bytes") { HelpName = "SIZE,...", Description = $"Sizes of a push and of a snapshot, measured one after the other: multiples of 4, with K or M (1024, 1024 x 1024) if you like; {DefaultBytes}, with --server {DefaultBytesOfOne}." };
            bytes.Validators.Add(result =>
            {
                if (result.Tokens is [var token] && !TryParseSizes(token.Value, out _))
                    result.AddError($"--bytes must be sizes of 4 bytes to 1024M, multiples of 4, separated by commas, as in 4K,64K,1M; it is '{token.Value}'.");
            });
            Option<int> window = new Option<int>("--window") { HelpName = "N", Description = $"Pushes, or pulls or pairs (at most {Limits.OpenPulls}), in flight at each worker.", DefaultValueFactory = _ => 8 }.Within(1, MostWindow);
            Option<double> seconds = new Option<double>("--seconds") { HelpName = "S", Description = "Measured time of each size, after 0.2 s of warm-up.", DefaultValueFactory = _ => 2 }.Within(0.01, MostSeconds);
            Option<double?> wire = new Option<double?>("--wire") { HelpName = "GBIT", Description = "Workers send no faster than a wire of so many Gbit/s would, over TCP: what is slower than loopback then shows." }.Within(0.001, MostWire);
            var codec = new Option<string?>("--codec") { HelpName = "NAME", Description = $"With --path async: workers make their deltas, and deltas and snapshots are coded: {CodecSpec.Help}. By default deltas are ready made, and go out as they are." };
            codec.Validators.Add(result =>
            {
                try
                {
                    if (result.Tokens is [var token] && CodecSpec.Parse(token.Value) == CodecSpec.Auto)
                        result.AddError("--codec auto is for training: give one of the others, which is what is measured.");
                }
                catch (FormatException e)
                {
                    result.AddError($"--codec: {e.Message}.");
                }
            });
            return new Common(mode, path, bytes, window, seconds, wire, codec);
        }
    }

    public static Command Create()
    {
        Common common = Common.Create();
        Option<int> workers = new Option<int>("--workers") { HelpName = "N", Description = $"Processes that push or pull at the same time, {MostWorkers} at most; --idle holds many more connections.", DefaultValueFactory = _ => 1 }.Within(1, MostWorkers);
        Option<string?> server = new Option<string?>("--server") { HelpName = "HOST:PORT", Description = "A server that waits already, with --plain, the policy of --path and --workers as many; by default one of our own on this host." };
        var transport = new Option<string>("--transport") { HelpName = "NAME", Description = "How the workers reach a server of our own: tcp over loopback; unix: a Unix domain socket.", DefaultValueFactory = _ => StressNames.Transports[0] };
        OneOf(transport, StressNames.Transports);
        Option<int> idle = new Option<int>("--idle") { HelpName = "N", Description = "So many more workers join and do nothing while the others are measured; the server takes memory for each." }.Within(0, MostIdle);
        var verify = new Option<bool>("--verify") { Description = "Look whether the server's model at the end is exactly the sum of all that was acknowledged." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object, or an array for several sizes, on standard output, and nothing else there." };
        Option<string?> spin = CommonOptions.Spin("By default as long as workers and server are no more than this host's processors, and nobody else wants the cores.");
        SecurityOptions security = SecurityOptions.OfClient();
        var limits = new Option<string?>("--limits") { HelpName = "PROGRAM", Description = "Measures what plain sockets do here, before and after each size of push, pull and trip, for ratio_to_limit: takes 'push BYTES SECONDS WINDOW [unix] [spin]' (pull alike; trip without WINDOW) and prints JSON with gb_per_second. By default, with a server of our own, 'limits' beside this program, if it is there; none: no such program." };
        var command = new Command("stress", CommonOptions.WithExamples(
            "Measures throughput and latency of pushes and pulls, with a server and workers on this host.",
            "hpaps stress",
            "hpaps stress --mode pull --bytes 1M,16M --seconds 5 --json",
            "hpaps stress --mode trip --bytes 4K --transport unix",
            "hpaps stress --path async --workers 3 --verify",
            "hpaps stress --path async --codec int4 --bytes 16M --verify",
            "hpaps stress --bytes 4K --idle 1000 --limits none",
            "hpaps-server --plain --policy asp:sum & hpaps stress --server 127.0.0.1:7070 --bytes 64K"))
        {
            common.Mode, common.Bytes, workers, common.Window, common.Seconds, common.Path, common.Codec, common.Wire, transport, idle, server, spin, verify, json, limits,
        };
        foreach (Option option in security.All)
            command.Options.Add(option);
        command.Validators.Add(security.Check);
        server.Validators.Add(result =>
        {
            try
            {
                if (result.Tokens is [var token])
                    Transport.Endpoint.Parse(token.Value);
            }
            catch (InputException e)
            {
                result.AddError($"--server: {e.Message}");
            }
        });
        command.Validators.Add(result => Check(result, common, verify, workers, server));
        command.Validators.Add(result =>
        {
            if (result.GetResult(server) is not null && (result.GetResult(transport)?.Tokens.Count > 0 || result.GetResult(idle)?.Tokens.Count > 0))
                result.AddError("--transport and --idle are for a server of our own: leave them out, or --server.");
            if (result.GetResult(server) is null && security.AnyGiven(result))
                result.AddError("--token-file and --tls-... are for a server that runs: give --server too; one of our own needs none.");
        });
        command.SetAction(parsed =>
        {
            string? given = parsed.GetValue(server);
            _ = TryParseSizes(parsed.GetValue(common.Bytes) ?? (given is null ? DefaultBytes : DefaultBytesOfOne), out List<int> sizes);
            return StressRun.Run(
                new StressSettings
                {
                    Mode = StressNames.Mode(parsed.GetValue(common.Mode)!),
                    Path = StressNames.Path(parsed.GetValue(common.Path)!),
                    Bytes = sizes,
                    Workers = parsed.GetValue(workers),
                    Window = parsed.GetValue(common.Window),
                    Codec = parsed.GetValue(common.Codec) is { } codec ? CodecSpec.Parse(codec) : null,
                    Wire = parsed.GetValue(common.Wire),
                    Seconds = parsed.GetValue(common.Seconds),
                    Server = given,
                    Security = security.Again(parsed),
                    Spin = CommonOptions.SpinOf(parsed, spin),
                    Transport = given is null ? StressNames.Transport(parsed.GetValue(transport)!)
                        : Transport.Endpoint.Parse(given).IsUnix ? StressTransport.Unix : StressTransport.Tcp,
                    Idle = parsed.GetValue(idle),
                    Verify = parsed.GetValue(verify),
                    Json = parsed.GetValue(json),
                    Limits = parsed.GetValue(limits),
                },
                TimeProvider.System);
        });
        return command;
    }

    /// <summary>The command of one worker; what it prints is <see cref="StressNews"/>.</summary>
    public static Command CreateWorker()
    {
        Common common = Common.Create();
        var server = new Option<string>("--server") { Required = true };
        var index = new Option<int>("--index");
        var rank = new Option<int>("--worker-rank") { DefaultValueFactory = _ => -1 };
        var verify = new Option<bool>("--verify-by-pull");
        var spin = new Option<Transport.Spin>("--spins");
        var command = new Command(Worker, "A worker of hpaps stress, which starts it.")
        {
            common.Mode, common.Bytes, common.Window, common.Seconds, common.Path, common.Codec, common.Wire, server, index, rank, verify, spin,
        };
        SecurityOptions security = SecurityOptions.OfClient();
        foreach (Option option in security.All)
            command.Options.Add(option);
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            _ = TryParseSizes(parsed.GetValue(common.Bytes) ?? DefaultBytesOfOne, out List<int> sizes);
            return StressWorker.Run(
                new StressJob
                {
                    Mode = StressNames.Mode(parsed.GetValue(common.Mode)!),
                    Path = StressNames.Path(parsed.GetValue(common.Path)!),
                    Bytes = sizes[0],
                    Codec = parsed.GetValue(common.Codec) is { } codec ? CodecSpec.Parse(codec) : null,
                    Window = parsed.GetValue(common.Window),
                    Seconds = parsed.GetValue(common.Seconds),
                    Index = parsed.GetValue(index),
                    Rank = parsed.GetValue(rank),
                    VerifiesByPull = parsed.GetValue(verify),
                    Spin = parsed.GetValue(spin),
                },
                parsed.GetValue(server)!, security.TokenOf(parsed), security.TlsOf(parsed), parsed.GetValue(common.Wire), TimeProvider.System);
        });
        return command;
    }

    /// <summary>The arguments with which a worker is started.</summary>
    public static IReadOnlyList<string> WorkerArguments(StressSettings settings, int bytes, int index, string server)
    {
        List<string> arguments = [
            Worker, "--mode", StressNames.Of(settings.Mode), "--path", StressNames.Of(settings.Path), "--bytes", Text(bytes),
            "--window", Text(settings.Window), "--seconds", settings.Seconds.ToString("R", CultureInfo.InvariantCulture),
            "--server", server, "--index", Text(index), .. settings.Security,
        ];
        arguments.AddRange(["--spins", settings.WorkerSpin.ToString()]);
        if (settings.Wire is { } wire)
            arguments.AddRange(["--wire", wire.ToString("R", CultureInfo.InvariantCulture)]);
        if (settings.Codec is { } codec)
            arguments.AddRange(["--codec", codec.Name]);
        if (settings.Server is null)
            arguments.AddRange(["--worker-rank", Text(index)]);
        if (settings.Verify && (settings.Server is not null || settings.Codec is not null))
            arguments.Add("--verify-by-pull");
        return arguments;
    }

    private static void Check(CommandResult result, Common common, Option<bool> verify, Option<int> workers, Option<string?> server)
    {
        if (result.GetResult(common.Codec)?.Tokens.Count > 0 && result.GetResult(common.Path)?.Tokens is not [{ Value: "async" }])
            result.AddError("--codec needs --path async: of what is only added up nobody keeps what a codec leaves out.");
        bool pulls = result.GetResult(common.Mode)?.Tokens is [{ Value: "pull" or "push-pull" }];
        if (pulls && result.GetResult(common.Window)?.Tokens is [var token] && int.TryParse(token.Value, CultureInfo.InvariantCulture, out int window) && window > Limits.OpenPulls)
            result.AddError($"--window must be at most {Limits.OpenPulls} where workers pull: a server answers no more pulls of one at a time.");
        if (result.GetResult(server) is not null && result.GetResult(common.Bytes)?.Tokens is [{ Value: var sizes }] && sizes.Contains(',', StringComparison.Ordinal))
            result.AddError("--server takes one size in --bytes: a server ends when its workers have left.");
        if (result.GetResult(server) is not null && result.GetResult(verify) is not null && result.GetResult(workers)?.Tokens is [{ Value: not "1" }])
            result.AddError("--verify with --server takes one worker: no other could say what the model must be. Leave --server out to verify several.");
    }

    private static void OneOf(Option<string> option, string[] names)
    {
        option.CompletionSources.Add(names);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && Array.IndexOf(names, token.Value) < 0)
                result.AddError($"{option.Name} must be one of {string.Join(", ", names)}; it is '{token.Value}'.");
        });
    }

    private static bool TryParseSizes(string text, out List<int> sizes)
    {
        sizes = [];
        foreach (string part in text.Split(','))
        {
            int unit = part.EndsWith('K') ? 1 << 10 : part.EndsWith('M') ? 1 << 20 : 1;
            ReadOnlySpan<char> digits = unit == 1 ? part : part.AsSpan(0, part.Length - 1);
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number == 0
                || number > MostBytes / unit || number * unit % sizeof(float) != 0)
            {
                return false;
            }

            sizes.Add(number * unit);
        }

        return true;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
