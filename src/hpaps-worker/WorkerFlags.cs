using System;
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Programs;
using HpAsyncPs.Programs.Rendezvous;
using HpAsyncPs.Worker;

namespace HpAsyncPs.WorkerProgram;

/// <summary>The options that every task of hpaps-worker has.</summary>
internal sealed class WorkerFlags
{
    private readonly Option<string> _server = new Option<string>("--server") { Description = "HOST:PORT of the server, or unix:PATH; of several servers all, in the order of their --shard, with commas between them.", DefaultValueFactory = _ => "127.0.0.1:7070" }.Address(several: true);
    private readonly RendezvousOptions _rendezvous = new("this worker waits there, for --start-timeout, for the address of its server, and looks again when it has lost it.");
    private readonly Option<int> _rank = new Option<int>("--worker-rank") { Description = "Rank to ask for; -1 takes any free one.", DefaultValueFactory = _ => -1 }.Within(-1, Protocol.Limits.Workers - 1);
    private readonly Option<string> _data;
    private readonly Option<string?> _part;
    private readonly Option<ulong> _seed;
    private readonly Option<string?> _slow = new("--slow") { HelpName = "FACTOR[@FROM-TO],...", Description = "Act as a machine that is FACTOR times slower, by sleeping: always, or from FROM to TO since the start of training, as in 8@10s-20s." };
    private readonly Option<double> _slowRandom = new Option<double>("--slow-random") { HelpName = "SIGMA", Description = "Let each step take exp(SIGMA N(0, 1)) times as long, drawn from seed and rank; what would be shorter than it is stays as it is.", DefaultValueFactory = _ => 0 }.Within(0, SlowOptions.MostSigma);
    private readonly Option<double> _connectTimeout = new Option<double>("--connect-timeout") { Description = "Seconds to try to reach the server.", DefaultValueFactory = _ => 30 }.Within(0.1, 1e6);
    private readonly Option<double> _startTimeout = new Option<double>("--start-timeout") { Description = "Seconds to wait for the other workers; with --rendezvous, before that as long for the server.", DefaultValueFactory = _ => 180 }.Within(0.1, 1e6);
    private readonly Option<double> _livenessTimeout = new Option<double>("--liveness-timeout") { HelpName = "SECONDS", Description = "Seconds of silence of the server after which its connection is given up.", DefaultValueFactory = _ => 10 }.Within(2, 1e6);
    private readonly Option<double> _reconnectTimeout = new Option<double>("--reconnect-timeout") { HelpName = "SECONDS", Description = "How long to try to go on over another connection when one has gone; 0: not at all.", DefaultValueFactory = _ => 60 }.Within(0, 1e6);
    private readonly Option<string?> _spin = CommonOptions.Spin("By default never: another worker may need that core.");
    private readonly Option<string?> _pin = PinOption.Create();
    private readonly Option<bool> _checksum = CommonOptions.Checksum();
    private readonly SecurityOptions _security = SecurityOptions.OfClient();
    private readonly Option<bool> _supervised = new("--exit-with-stdin") { Description = "End when standard input ends. For launchers." };

    /// <param name="data">What --data is.</param>
    /// <param name="part">What --part takes of it.</param>
    /// <param name="seed">What the seed decides.</param>
    public WorkerFlags(string data, string part, string seed)
    {
        _data = new Option<string>("--data") { Description = data, Required = true };
        _part = new Option<string?>("--part") { Description = part };
        _seed = new Option<ulong>("--seed") { Description = seed, DefaultValueFactory = _ => 1 };
    }

    /// <summary>A command with these options and those of the task alone.</summary>
    /// <param name="name">Of the task.</param>
    /// <param name="description">Of the task.</param>
    /// <param name="run">Reads the data and trains.</param>
    /// <param name="own">Options of the task alone.</param>
    public Command Command(string name, string description, Action<Given> run, params Option[] own)
    {
        var command = new Command(name, description);
        foreach (Option option in (Option[])[_server, .. _rendezvous.All, _rank, _data, _part, .. own, _seed, _slow, _slowRandom, _connectTimeout, _startTimeout, _livenessTimeout, _reconnectTimeout, _spin, _pin, _checksum, .. _security.All, _supervised])
            command.Options.Add(option);
        _part.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !PartOfRank.IsAuto(result.Tokens[0].Value, out _) && !TryParsePart(result.Tokens[0].Value, 0, out _))
                result.AddError("--part must be I/N with I from 0 to N - 1, as in 0/4; or auto, by the rank that srun or mpirun gives; or auto:K, where the first K ranks are servers.");
        });
        _slow.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !Slowness.TryParse(token.Value, out _, out string error))
                result.AddError($"--slow {token.Value}: {error}.");
        });
        command.Validators.Add(_security.Check);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_part) is { Implicit: false } && result.GetResult(_rank) is { Implicit: false })
                result.AddError("--part already says the rank: leave --worker-rank out.");
            if (result.GetResult(_rendezvous.Folder) is { Implicit: false } && result.GetResult(_server) is { Implicit: false })
                result.AddError("--rendezvous already says where the server is: leave --server out.");
        });
        command.SetAction(parsed =>
        {
            using var stop = new CancellationTokenSource();
            bool supervised = parsed.GetValue(_supervised);
            using PosixSignalRegistration interrupt = StopOn(PosixSignal.SIGINT, stop, supervised);
            using PosixSignalRegistration terminate = StopOn(PosixSignal.SIGTERM, stop, supervised); // the launcher ends the job in order
            using PosixSignalRegistration hangUp = StopOn(PosixSignal.SIGHUP, stop, supervised);
            if (supervised)
                ProgramRun.EndWithStandardInput(_ => { });
            PinOption.Apply(parsed.GetValue(_pin));
            WorkerOptions options = Options(parsed); // before the data are read: a file that is missing is said at once
            JobIdentity job = parsed.GetValue(_rendezvous.Folder) is null ? default : _rendezvous.JobOf(parsed);
            ServerChoice server = ServerChoice.Find(parsed.GetValue(_server)!, parsed.GetValue(_rendezvous.Folder), job, options.Tls is not null, options.StartTimeout, stop.Token);
            options = options with { Locate = server.Locate };
            RowPart part = RowPart.All;
            if (parsed.GetValue(_part) is { } text && PartOfRank.IsAuto(text, out int? servers))
            {
                (int index, int count) = server.PartOf(servers);
                part = new RowPart(index, count, parsed.GetValue(_seed));
            }
            else if (parsed.GetValue(_part) is { } said)
            {
                TryParsePart(said, parsed.GetValue(_seed), out part);
            }

            if (parsed.GetValue(_rank) is >= 0 and var rank)
                ProgramLog.Rank = rank;
            else if (parsed.GetValue(_part) is not null)
                ProgramLog.Rank = part.Index;
            AdoptedParts? adopted = null;
            void Run(RowPart which, Action trained) => run(new Given(parsed, which, parsed.GetValue(_data)!, parsed.GetValue(_seed),
                task =>
                {
                    Train(parsed, server.Address, which, task, options with { Adopt = adopted!.Take }, stop.Token);
                    trained();
                },
                stop.Token));
            adopted = new AdoptedParts(part, parsed.GetValue(_part) is not null, Run);
            Run(part, () => { });
            adopted.Finish();
            return (int)ExitCode.Done;
        });
        return command;
    }

    private WorkerOptions Options(ParseResult parsed) => new()
    {
        Checksum = parsed.GetValue(_checksum),
        Token = _security.TokenOf(parsed),
        Tls = _security.TlsOf(parsed),
        Spin = CommonOptions.SpinOf(parsed, _spin) ?? false,
        ConnectTimeout = TimeSpan.FromSeconds(parsed.GetValue(_connectTimeout)),
        StartTimeout = TimeSpan.FromSeconds(parsed.GetValue(_startTimeout)),
        LivenessTimeout = TimeSpan.FromSeconds(parsed.GetValue(_livenessTimeout)),
        ReconnectTimeout = TimeSpan.FromSeconds(parsed.GetValue(_reconnectTimeout)),
        Log = ProgramLog.Write,
    };

    private void Train(ParseResult parsed, string server, RowPart part, ITask task, WorkerOptions options, CancellationToken stop)
    {
        int wanted = parsed.GetValue(_rank) < 0 && parsed.GetValue(_part) is not null ? part.Index : parsed.GetValue(_rank);
        Slowness slowness = SlowOptions.Of(parsed.GetValue(_slow), parsed.GetValue(_slowRandom), parsed.GetValue(_seed), Math.Max(0, wanted));
        if (!slowness.IsNone)
            task = new SlowTask(task, slowness, TimeProvider.System);
        bool supervised = parsed.GetValue(_supervised);
        string reason;
        try
        {
            reason = WorkerRun.Run(server, wanted, task, options, stop);
        }
        catch (ClusterException e)
        {
            throw new ClusterException(LostServer.Explain(e.Message, options, supervised, _security.HasCertificate(parsed)), e);
        }

        if (!supervised)
            ProgramLog.Write($"the run ended ({reason})");
    }

    private static bool TryParsePart(string text, ulong seed, out RowPart part)
    {
        part = RowPart.All;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || index >= count)
        {
            return false;
        }

        part = new RowPart(index, count, seed);
        return true;
    }

    private static PosixSignalRegistration StopOn(PosixSignal signal, CancellationTokenSource stop, bool ignore) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            if (!ignore)
                stop.Cancel();
        });

    /// <summary>What was given, and how to train with it.</summary>
    /// <param name="Parsed">The command line.</param>
    /// <param name="Part">This worker's part.</param>
    /// <param name="Data">Path of the data.</param>
    /// <param name="Seed">The seed.</param>
    /// <param name="Train">Trains a task to the end of the job.</param>
    /// <param name="Stop">Cancelled when the worker is to stop.</param>
    internal sealed record Given(ParseResult Parsed, RowPart Part, string Data, ulong Seed, Action<ITask> Train, CancellationToken Stop);
}
