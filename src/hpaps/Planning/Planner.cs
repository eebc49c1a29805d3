using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Policies;
using HpAsyncPs.Simulation;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Cli.Planning;

/// <summary>Simulates a measured run on other clusters.</summary>
internal sealed class Planner
{
    /// <summary>What TCP and IP over Ethernet leave of a link: 1448 of 1538 bytes.</summary>
    public const double LeftByHeaders = 1448.0 / 1538;

    /// <summary>What a message takes at each end besides its bytes: waking up, a call of the system, a header.</summary>
    public const double SecondsOfMessage = 10e-6;

    // Beyond it something else kept the run waiting.
    private const double MostCostScale = 3;

    // From this share of the run on, what messages took is known.
    private const double KnownShare = 0.1;

    private const int LeastCoded = 64 * 1024;
    private const int MostCoded = 4 * 1024 * 1024;

    private static readonly TimeSpan MostTime = TimeSpan.FromDays(10 * 365);

    private readonly MeasuredRun _run;
    private readonly PlanSettings _plan;
    private readonly TrainSettings _settings;
    private readonly TimeProvider _time;
    private readonly CodingCosts _coding;
    private readonly TrainSettings _measured;
    private readonly ClusterCosts _costs;
    private readonly Dictionary<CodecSettings, CodingTime> _coded = [];
    private readonly double _secondsOfExample;
    private readonly double _secondsOfEvaluation;

    private int _workers;
    private Func<SimulatedJob>? _job;
    private double _here; // seconds of an example in a local pass here, of as many workers as the run had; 0: no step was made
    private double _ratio = 1;
    private double _gradientPass = 1; // what a pass for the gradient takes of a local one
    private double _secondsOfLocal; // of an example in a local pass, in the run; 0: not measured yet

    /// <param name="run">What was measured.</param>
    /// <param name="plan">What is asked for.</param>
    /// <param name="measured">How it trained.</param>
    /// <param name="settings">How it trains in the plan.</param>
    /// <param name="time">The clock.</param>
    public Planner(MeasuredRun run, PlanSettings plan, TrainSettings measured, TrainSettings settings, TimeProvider time)
    {
        (_run, _plan, _measured, _settings, _time) = (run, plan, measured, settings, time);
        double secondsOfByte = TransferCost.SecondsOfByte(time);
        _coding = CodingCosts.Measure(time, secondsOfByte);
        _costs = new ClusterCosts { SecondsOfByte = secondsOfByte / 2, SecondsOfMessage = SecondsOfMessage };
        (_secondsOfExample, SecondsOfExampleMeasured) = run.SecondsOfExample(SecondsOfPush());
        _secondsOfEvaluation = run.SecondsOfEvaluation();
    }

    /// <summary>Seconds of a core that one example takes in one pass.</summary>
    public double SecondsOfExample => _secondsOfExample;

    /// <summary>The same with coding and sending, as measured.</summary>
    public double SecondsOfExampleMeasured { get; }

    /// <summary>How many times as long as measured alone messages take, so that the measured run is predicted; 0: not known yet.</summary>
    public double CostScale { get; private set; }

    /// <summary>Seconds that evaluating one takes.</summary>
    public double SecondsOfEvaluation => _secondsOfEvaluation;

    /// <summary>Trains on one cluster.</summary>
    /// <param name="of">The cluster.</param>
    /// <param name="prices">What it costs, or null.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Null when it was given up.</returns>
    /// <exception cref="InputException">The data cannot be used.</exception>
    public Prediction? Predict(PlannedCase of, Prices? prices, CancellationToken stop)
    {
        long start = _time.GetTimestamp();
        TrainSettings settings = _settings with { Workers = of.Workers, Policy = of.Policy, Codec = of.Codec };
        Read(settings, stop);
        if (CostScale == 0)
            CostScale = Calibrated(stop);
        _ = Durations.TryParse(_plan.Latency, out TimeSpan latency); // checked before
        string auto = CodecSpec.Auto.Name, charged = of.Codec == auto ? CodecSpec.Of(ValueCodec.Int4).Name : of.Codec;
        using SimulatedCluster? first = Simulated(charged);
        string chosen = of.Codec == auto && first?.Status().CodecDecisions is [.., var last] ? last.Codec : charged;
        using SimulatedCluster? second = chosen == charged ? null : Simulated(chosen); // a frame of rows does not say how their values are coded, which takes time
        if ((second ?? first) is not { } cluster || stop.IsCancellationRequested)
            return null;
        RunResult result = cluster.Result();
        if (result.Failure is { } failure)
            throw new ClusterException($"{of}: {failure}");
        return Of(of, settings, cluster, result, prices, _time.GetElapsedTime(start).TotalSeconds);

        SimulatedCluster? Simulated(string codec)
        {
            ClusterCosts costs = Costs(CostScale, codec) with { ServerBytesPerSecond = BytesOf(_plan.ServerBandwidth ?? of.Bandwidth), Servers = of.Servers, SharedCores = _plan.OneHost ?? 0 };
            return Simulate(_job!, settings, _ratio, costs, new LinkSpeed(latency, BytesOf(of.Bandwidth)), stop);
        }
    }

    /// <summary>
    /// Messages take more in a run than what is measured of them alone, as nothing is in caches and threads are to be woken: as many times more as makes the plan of the
    /// measured run as long as it was. Only where the launcher ran it, with no link between; else 1.
    /// </summary>
    private double Calibrated(CancellationToken stop)
    {
        RunSummary summary = _run.Summary;
        if (summary.VirtualTime || !_run.IsOwn || summary is not { WorkerRestarts: 0, ServerRestarts: 0, LostWorkers.Count: 0 })
            return 1;
        TrainSettings own = _measured with { Passes = summary.Passes, Target = null, TargetRmse = null, Plateau = null, TimeLimit = null };
        Func<SimulatedJob> job = own.Simulation!.Read(own, stop);
        double with = Seconds(Costs(1, _run.Codec.Name)), without = Seconds(new ClusterCosts());
        if (with <= without)
            return 1;
        double scale = Math.Clamp((summary.TrainSeconds - without) / (with - without), 1, MostCostScale), share = (with - without) / summary.TrainSeconds;
        return 1 + ((scale - 1) * Math.Min(1, share / KnownShare)); // where messages were a small part of it, what is left says little of them

        double Seconds(ClusterCosts costs)
        {
            using SimulatedCluster? cluster = Simulate(job, own, 1, costs with { SharedCores = summary.Processors }, LinkSpeed.Unlimited, stop);
            return cluster?.Result().Status.Seconds ?? throw new OperationCanceledException();
        }
    }

    /// <summary>Null when it was given up.</summary>
    private SimulatedCluster? Simulate(Func<SimulatedJob> job, TrainSettings settings, double ratio, ClusterCosts costs, LinkSpeed link, CancellationToken stop)
    {
        ITask[] tasks = job().Tasks;
        Check(tasks);
        var workers = new SimulatedWorker[tasks.Length];
        for (int rank = 0; rank < workers.Length; rank++)
        {
            Slowness slow = SlowOptions.Of(settings.Slow.GetValueOrDefault(rank), settings.SlowRandom, settings.Seed, rank);
            workers[rank] = new SimulatedWorker(tasks[rank], Time(_secondsOfLocal * ratio * tasks[rank].Weight), slow, Time(_secondsOfEvaluation * tasks[rank].Weight), _gradientPass);
        }

        ServerOptions options = SimulatedTraining.OptionsOf(settings) with { CodingCosts = _coding };
        var cluster = new SimulatedCluster(options, workers, link, null, costs);
        try
        {
            while (cluster.Next() && !stop.IsCancellationRequested)
            {
                if (cluster.Elapsed > MostTime)
                    throw new InputException($"a run would take more than {MostTime.Days / 365} years: ask for faster links, or for fewer passes");
            }
        }
        catch
        {
            cluster.Dispose();
            throw;
        }

        if (!stop.IsCancellationRequested)
            return cluster;
        cluster.Dispose();
        return null;
    }

    /// <summary>What messages take, so many times as much as measured alone.</summary>
    private ClusterCosts Costs(double scale, string codec)
    {
        var coding = new Dictionary<CodecId, CodingTime>();
        foreach ((CodecId id, CodingTime time) in CodingOf(CodecSpec.Parse(codec), RowLength))
            coding[id] = new CodingTime(time.Encode * scale, time.Apply * scale);
        return _costs with { Coding = coding, SecondsOfByte = _costs.SecondsOfByte * scale, SecondsOfMessage = _costs.SecondsOfMessage * scale };
    }

    private static Prediction Of(PlannedCase of, TrainSettings settings, SimulatedCluster cluster, RunResult result, Prices? prices, double took)
    {
        RunSummary summary = RunSummary.Of(result, settings.Policy, took);
        double busy = 0;
        foreach (double share in summary.WorkerBusyFraction)
            busy = Math.Max(busy, share);
        ClusterUse use = cluster.Use;
        return new Prediction
        {
            Workers = of.Workers,
            Servers = of.Servers,
            Bandwidth = of.Bandwidth,
            Policy = of.Policy,
            Codec = of.Codec,
            Seconds = summary.TrainSeconds,
            Reason = result.Reason,
            MetTarget = settings is { Target: null, TargetRmse: null } ? null : result.Reason == "target" || summary.RelativeGap <= settings.Target || summary.TestRmse <= settings.TargetRmse,
            Passes = summary.Passes,
            Pushes = summary.Pushes,
            UplinkBytes = summary.UplinkBytes,
            DownlinkBytes = summary.DownlinkBytes,
            Objective = summary.Objective,
            RelativeGap = summary.RelativeGap,
            TestRmse = summary.TestRmse,
            Cost = prices?.Of(of.Workers, of.Servers, summary.TrainSeconds, summary.UplinkBytes + summary.DownlinkBytes),
            ServerBusy = use.Server,
            ServerLinkBusy = use.ServerLink,
            LinkBusy = use.Link,
            WorkerBusy = busy,
            SimulatedInSeconds = took,
        }.WithLimit();
    }

    /// <exception cref="InputException">It is other data than that of the run.</exception>
    private void Check(ITask[] tasks)
    {
        RunSummary run = _run.Summary;
        double examples = 0;
        int parameters = 0;
        foreach (ITask task in tasks)
            (examples, parameters) = (examples + task.Weight, Math.Max(parameters, task.Parameters)); // a part may lack the last features
        string? wrong = run.Parameters > 0 && parameters != run.Parameters ? $"a model of it has {parameters} parameters, and that of the run had {run.Parameters}"
            : run.LostWorkers.Count == 0 && Math.Abs(examples - run.Examples) > 1e-6 * examples ? $"it has {examples:0} examples to train on, and the run had {run.Examples:0}" : null;
        foreach ((string key, string value) in tasks[0].Settings)
        {
            if (key == "data" && run.Settings.TryGetValue(key, out string? measured) && measured != value)
                wrong = "what is read of it, and of what is held out, has another fingerprint than in the run";
        }

        if (wrong is not null)
            throw new InputException($"{_settings.Data}: is not what the run was trained on: {wrong}; say with --data (and with --test, if it had one) where that is, or measure a run with this");
    }

    /// <summary>Reads the data for another number of workers, and measures how much longer an example takes then.</summary>
    private void Read(TrainSettings settings, CancellationToken stop)
    {
        if (_workers == settings.Workers)
            return;
        (_job, _workers) = (null, settings.Workers); // data of two numbers of workers may be more than there is room for
        int measured = _run.Summary.Workers;
        if (_secondsOfLocal == 0)
        {
            Func<SimulatedJob> own = _settings.Simulation!.Read(_settings with { Workers = measured }, stop);
            MeasureHere(own, stop);
            _job = settings.Workers == measured ? own : null;
        }

        _job ??= _settings.Simulation!.Read(settings, stop);
        _ratio = settings.Workers == measured || _here == 0 ? 1 : TimedStep.SecondsOfExample(Steps(_job, _measured with { Workers = settings.Workers }), _gradientPass) / _here;
    }

    /// <summary>Steps that are made here as they were in the run, and what a pass for the gradient takes of a local one where there are such: policies differ in how many of both they have.</summary>
    private void MeasureHere(Func<SimulatedJob> own, CancellationToken stop)
    {
        RunSummary run = _run.Summary;
        List<TimedStep> steps = Steps(own, _measured);
        if (_settings.HasLabels && !AspPolicy.IsNamed(_measured.Policy) && !run.VirtualTime)
        {
            // Only where workers have a barrier are there steps that are one or the other.
            TrainSettings together = _settings with { Policy = new BspPolicy().Name, Workers = Math.Max(2, run.Workers) };
            try
            {
                _gradientPass = TimedStep.GradientPass(Steps(run.Workers > 1 ? own : _settings.Simulation!.Read(together, stop), together));
            }
            catch (InputException)
            {
                // There are no rows for two: they count alike.
            }
        }

        double pushes = 0, passes = 0;
        for (int rank = 0; rank < run.Workers; rank++)
            (pushes, passes) = (pushes + run.WorkerPushes[rank], passes + run.WorkerPasses[rank]);
        bool repeats = PolicyNames.Create(run.Policy).Exchanges > 1 && _run.Codec.Name != CodecSpec.Fp32.Name; // a push that says again what was left out has no step of its own
        double share = repeats ? TimedStep.ShareOfGradients(steps) : Math.Min(1, TimedStep.GradientsOfStep(steps) * pushes / passes);
        _here = TimedStep.SecondsOfExample(steps, _gradientPass);
        _secondsOfLocal = _secondsOfExample / (1 - (share * (1 - _gradientPass)));
    }

    private List<TimedStep> Steps(Func<SimulatedJob> job, TrainSettings settings) => StepTimer.Measure(job().Tasks, Endless(settings), _time);

    private static ServerOptions Endless(TrainSettings settings) =>
        SimulatedTraining.OptionsOf(settings) with { Codec = CodecSpec.Fp32, Passes = null, Target = null, TargetRmse = null, TimeLimit = null, Plateau = null, Evaluates = false };

    private int RowLength => _run.Summary.Settings.TryGetValue("rank", out string? rank) && int.TryParse(rank, out int factors) ? factors + 1 : 1;

    /// <summary>Coding is measured with as many values as the model has, for what does not fit into caches takes longer.</summary>
    private int CodedValues => Math.Clamp(_run.Summary.Parameters, LeastCoded, MostCoded);

    /// <summary>What coding and sending a push took a worker of the run.</summary>
    private double SecondsOfPush()
    {
        if (_run.Summary.VirtualTime)
            return 0;
        (double encode, _) = CodingCosts.Measure(_run.Codec.For(RowLength), _time, CodedValues);
        return (_run.Summary.Parameters * encode) + (_run.BytesOfPush * _costs.SecondsOfByte);
    }

    private Dictionary<CodecId, CodingTime> CodingOf(CodecSpec codec, int rowLength)
    {
        var all = new Dictionary<CodecId, CodingTime>();
        List<CodecSettings> used = [CodecSpec.Of(ValueCodec.Fp32).For(1), CodecSpec.Of(ValueCodec.Bf16).For(1), CodecSpec.Of(ValueCodec.Int8).For(1), CodecSpec.Of(ValueCodec.Int4).For(1), codec.For(rowLength)];
        foreach (CodecSettings one in used)
        {
            if (!_coded.TryGetValue(one, out CodingTime coded)) // once: cases must not differ by what disturbs this machine
            {
                (double encode, double apply) = CodingCosts.Measure(one, _time, CodedValues);
                _coded[one] = coded = new CodingTime(encode, apply);
            }

            all[(CodecId)one.Codec] = coded;
        }

        return all;
    }

    private static double BytesOf(string bandwidth)
    {
        _ = SimulateOptions.TryParseBandwidth(bandwidth, out double bytesPerSecond); // checked before
        return bytesPerSecond * LeftByHeaders;
    }

    private static TimeSpan Time(double seconds) => TimeSpan.FromTicks((long)Math.Round(Math.Min(seconds, MostTime.TotalSeconds) * TimeSpan.TicksPerSecond));
}
