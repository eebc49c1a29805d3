using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net.Sockets;
using HpAsyncPs.Codecs;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.ServerProgram;

/// <summary>The command line of hpaps-server.</summary>
internal static class ServerCommand
{
    /// <param name="run">What takes what was asked for; its result is the exit code.</param>
    public static RootCommand Create(Func<ServerOptions, ServerSettings, int> run)
    {
        Option<string> listen = new Option<string>("--listen") { Description = "HOST:PORT to listen at, a name at all its addresses, [::] at all of this host; port 0 takes a free one; or unix:PATH, a socket for processes of this user on this host.", DefaultValueFactory = _ => "127.0.0.1:7070" }.Address();
        var rendezvous = new RendezvousOptions("this server writes its address there, and listens, unless --listen says where, at all addresses of this host and a free port.");
        var bind = new Option<string?>("--bind") { HelpName = "IFACE|ADDRESS", Description = "Listen at the address of this network interface (IPv4 where it has one), or at this address, in place of --listen: at port 7070, with --rendezvous at a free one." };
        var insecure = new Option<bool>("--insecure") { Description = "Allow an address that is not loopback without a token or, by --tls-ca, certificates of workers, although anybody could join." };
        Option<int> workers = new Option<int>("--workers") { Description = "How many workers train together.", DefaultValueFactory = _ => 1 }.Within(1, Limits.Workers);
        Option<string> policy = new Option<string>("--policy") { HelpName = "NAME", Description = PolicyNames.Help, DefaultValueFactory = _ => "async" }.Policy();
        Option<double?> rate = new Option<double?>("--rate") { HelpName = "F", Description = "Learning rate, of policy asp alone: " + PolicyNames.RateHelp }.Within(1e-12, 1e6);
        Option<double?> passes = new Option<double?>("--passes") { Description = "Stop after this many passes over all data." }.Within(0, Limits.Passes);
        Option<double?> target = new Option<double?>("--target") { Description = "Stop when (objective - reference) / |reference| is at most this; needs --reference." }.Within(0, double.MaxValue);
        Option<double?> reference = new Option<double?>("--reference") { Description = "The optimum that gaps are measured against." }.Within(double.MinValue, double.MaxValue);
        Option<double?> targetRmse = new Option<double?>("--target-rmse") { Description = "Stop when the root mean squared error of held-out ratings is at most this." }.Within(0, double.MaxValue);
        Option<string?> plateau = CommonOptions.Plateau();
        Option<double?> timeLimit = new Option<double?>("--time-limit") { Description = "Stop after this many seconds of training." }.Within(0, 1e9);
        Option<int> maxParameters = new Option<int>("--max-parameters") { Description = "Refuse workers that need more.", DefaultValueFactory = _ => Limits.Parameters }.Within(1, Limits.Parameters);
        Option<string> codec = CommonOptions.Codec();
        Option<double> maxMagnitude = CommonOptions.MaxMagnitude();
        Option<double> joinTimeout = new Option<double>("--join-timeout") { Description = "Seconds to wait for all workers.", DefaultValueFactory = _ => 120 }.Within(0.1, 1e6);
        Option<double> livenessTimeout = new Option<double>("--liveness-timeout") { HelpName = "SECONDS", Description = "Seconds after which a worker that is not heard of is lost, connected or not.", DefaultValueFactory = _ => 10 }.Within(2, 1e6);
        Option<string> onLoss = CommonOptions.OnWorkerLoss();
        Option<double> rejoinTimeout = new Option<double>("--rejoin-timeout") { HelpName = "SECONDS", Description = "How long the job holds for a lost worker to return, or another in its place, before it fails.", DefaultValueFactory = _ => 60 }.Within(0, 1e6);
        Option<string?> state = new Option<string?>("--state") { HelpName = "DIR", Description = "Folder in which the server keeps what it needs to go on after a crash: a journal and checkpoints. One that is there is taken up." };
        Option<string?> durability = DurabilityOption.Create();
        Option<double> checkpointInterval = new Option<double>("--checkpoint-interval") { HelpName = "SECONDS", Description = "Between two checkpoints, with --state: so much at most of the journal is replayed after a crash.", DefaultValueFactory = _ => DurableState.DefaultCheckpointInterval.TotalSeconds }.Within(0.1, 1e6);
        Option<bool> reassign = CommonOptions.Reassign();
        var shard = new Option<string?>("--shard") { HelpName = "I/S", Description = "This is server I of S, which has that part of the model. The first, 0, is given the limits and --out; the others end with it. Workers get all, in this order." };
        shard.Validators.Add(result =>
        {
            if (result.Tokens is not [var token])
                return;
            try
            {
                ShardIndex.Parse(token.Value);
            }
            catch (FormatException e)
            {
                result.AddError($"--shard: {e.Message}");
            }
        });
        var plain = new Option<bool>("--plain") { Description = "Only push and pull: do not ask the workers to evaluate snapshots, and send values as they are unless a --codec is given. Ends when all have left." };
        Option<string?> spin = CommonOptions.Spin("By default as long as this server and the workers that are connected from this host are no more than its processors, and nobody else wants the core.");
        Option<string?> pin = PinOption.Create();
        Option<bool> checksum = CommonOptions.Checksum();
        var output = new Option<string?>("--out") { Description = "Folder for summary.json, trace.csv, report.html and model/." };
        Option<string?> monitor = CommonOptions.Monitor();
        var events = new Option<bool>("--events") { Description = "Print how the run stands as lines of JSON on standard output." };
        var counts = new Option<bool>("--count-allocations") { Description = "Say in the last event what was allocated, and nothing before that could allocate. For hpaps stress.", Hidden = true };
        var supervised = new Option<bool>("--exit-with-stdin") { Description = "End when standard input ends; a line 'stop' on it ends the run in order. For launchers." };

        SecurityOptions security = SecurityOptions.OfServer();
        var gate = new GateOptions();
        var alerts = new AlertOptions();

        var root = new RootCommand(CommonOptions.WithExamples(
            "hpaps-server: aggregates what workers push, and sends the result out.",
            "hpaps-server --workers 4 --passes 500 --out run",
            "hpaps-server --listen 10.0.0.1:7070 --token-file token --workers 8 --target 1e-3 --reference 0.33334 --out run",
            "hpaps-server --rendezvous /shared/job --token-file token --workers 8 --passes 500 --out run",
            "hpaps-server --workers 4 --policy ssp:3 --passes 500 --out run",
            "hpaps-server --workers 4 --policy asp:adam --rate 0.01 --passes 500 --out run",
            "hpaps-server --workers 4 --codec int4 --passes 500 --out run",
            "hpaps-server --workers 4 --passes 500 --monitor 127.0.0.1:9464",
            "hpaps-server --workers 4 --passes 500 --alert-command 'mail -s \"$HPAPS_ALERT_TEXT\" root'",
            "hpaps-server --listen 10.0.0.1:7070 --token-file token --workers 8 --passes 500 --out run --shard 0/2   # and at another host --shard 1/2",
            "hpaps-server --workers 3 --policy bsp --plain"))
        {
            listen, bind, insecure, rendezvous.Folder, rendezvous.Job, workers, shard, policy, codec, rate, passes, target, reference, targetRmse, plateau, timeLimit, maxParameters, maxMagnitude, joinTimeout,
            livenessTimeout, onLoss, rejoinTimeout, reassign, state, durability, checkpointInterval, plain, spin, pin, checksum, output, monitor, events, counts, supervised,
        };
        foreach (Option option in (Option[])[.. security.All, .. gate.All, .. alerts.All])
            root.Options.Add(option);
        root.Validators.Add(security.Check);
        root.Validators.Add(alerts.Check);
        root.Validators.Add(result =>
        {
            if (IsGiven(result, target) && !IsGiven(result, reference))
                result.AddError("--target needs --reference: the optimum that the gap is measured against.");
            CommonOptions.CheckReassign(result, reassign, onLoss);
            if (IsGiven(result, bind) && IsGiven(result, listen))
                result.AddError("--bind and --listen both say where to listen: give one of them.");
            if (IsGiven(result, rate) && !CommonOptions.TakesGradients(result.GetResult(policy)))
                result.AddError("--rate is the learning rate of --policy asp; no other policy has one.");
            DurabilityOption.Check(result, state, durability);
            if (IsGiven(result, checkpointInterval) && !IsGiven(result, state))
                result.AddError("--checkpoint-interval needs --state: the folder of the journal and the checkpoints.");
            if (result.GetResult(policy)?.Tokens is [{ Value: AspPolicy.Sum }] && !IsGiven(result, plain))
                result.AddError($"--policy {AspPolicy.Sum} only adds what is pushed, and trains nothing: it needs --plain; to train, use asp:sgd, asp:adagrad or asp:adam.");
        });
        reference.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && double.TryParse(token.Value, CultureInfo.InvariantCulture, out double value) && value == 0)
                result.AddError("--reference must not be 0: gaps are relative to it.");
        });
        root.SetAction(parsed => run(
            new ServerOptions
            {
                Workers = parsed.GetValue(workers),
                Shard = parsed.GetValue(shard) is { } which ? ShardIndex.Parse(which) : ShardIndex.Only,
                Policy = parsed.GetValue(policy)!,
                Codec = parsed.GetValue(plain) && parsed.GetResult(codec) is null or { Implicit: true } ? CodecSpec.Fp32 : CodecSpec.Parse(parsed.GetValue(codec)!),
                Rate = parsed.GetValue(rate),
                Passes = parsed.GetValue(passes),
                Target = parsed.GetValue(target),
                Reference = parsed.GetValue(reference),
                TargetRmse = parsed.GetValue(targetRmse),
                Plateau = CommonOptions.PlateauOf(parsed.GetValue(plateau)),
                TimeLimit = parsed.GetValue(timeLimit) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                MaxParameters = parsed.GetValue(maxParameters),
                MaxMagnitude = (float)parsed.GetValue(maxMagnitude),
                JoinTimeout = TimeSpan.FromSeconds(parsed.GetValue(joinTimeout)),
                LivenessTimeout = TimeSpan.FromSeconds(parsed.GetValue(livenessTimeout)),
                OnWorkerLoss = CommonOptions.WorkerLossOf(parsed.GetValue(onLoss)!),
                RejoinTimeout = TimeSpan.FromSeconds(parsed.GetValue(rejoinTimeout)),
                Reassigns = parsed.GetValue(reassign),
                Checksum = parsed.GetValue(checksum),
                Spin = CommonOptions.SpinOf(parsed, spin),
                Evaluates = !parsed.GetValue(plain),
                Token = security.TokenOf(parsed),
                Tls = security.TlsOf(parsed),
                Gate = gate.Of(parsed),
            },
            new ServerSettings(Where(parsed, listen, rendezvous), parsed.GetValue(insecure), parsed.GetValue(output), parsed.GetValue(monitor), parsed.GetValue(events),
                parsed.GetValue(counts), parsed.GetValue(supervised), DurabilityOption.FolderOf(parsed.GetValue(state)), DurabilityOption.Of(parsed.GetValue(durability), parsed.GetValue(state)) with { CheckpointInterval = TimeSpan.FromSeconds(parsed.GetValue(checkpointInterval)) },
                alerts.Settings(parsed), parsed.GetValue(rendezvous.Folder), parsed.GetValue(rendezvous.Folder) is null ? default : rendezvous.JobOf(parsed), parsed.GetValue(bind), parsed.GetValue(pin))));
        return root;
    }

    // Workers of other hosts are to reach one that they find by a folder, unless somebody says otherwise.
    private static string Where(ParseResult parsed, Option<string> listen, RendezvousOptions rendezvous)
    {
        if (parsed.GetValue(rendezvous.Folder) is null || parsed.GetResult(listen) is { Implicit: false })
            return parsed.GetValue(listen)!;
        return Socket.OSSupportsIPv6 ? "[::]:0" : "0.0.0.0:0";
    }

    // Not its value: that may be no number, which the parser says by itself.
    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };
}
