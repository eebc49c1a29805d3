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

    private readonly MeasuredRun _run;
    private readonly PlanSettings _plan;
    private readonly TrainSettings _settings;
    private readonly TimeProvider _time;
    private readonly CodingCosts _coding;
    private readonly ClusterCosts _costs;
    private readonly double _secondsOfExample;
    private readonly double _secondsOfEvaluation;

    private int _workers;
    private Func<SimulatedJob>? _job;
    private double _here; // seconds of an example here, of as many workers as the run had; 0: not measured yet
    private double _ratio = 1;

    /// <param name="run">What was measured.</param>
    /// <param name="plan">What is asked for.</param>
    /// <param name="settings">How it trains.</param>
    /// <param name="time">The clock.</param>
    public Planner(MeasuredRun run, PlanSettings plan, TrainSettings settings, TimeProvider time)
    {
        (_run, _plan, _settings, _time) = (run, plan, settings, time);
        double secondsOfByte = TransferCost.SecondsOfByte(time);
        _coding = CodingCosts.Measure(time, secondsOfByte);
        _costs = new ClusterCosts { SecondsOfByte = secondsOfByte / 2, SecondsOfMessage = SecondsOfMessage };
        _secondsOfExample = run.SecondsOfExample(SecondsOfPush());
        _secondsOfEvaluation = run.SecondsOfEvaluation();
    }

    /// <summary>Seconds of a core that one example takes in one pass.</summary>
    public double SecondsOfExample => _secondsOfExample;

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
        ITask[] tasks = _job!().Tasks;
        var workers = new SimulatedWorker[tasks.Length];
        for (int rank = 0; rank < workers.Length; rank++)
        {
            Slowness slow = SlowOptions.Of(settings.Slow.GetValueOrDefault(rank), settings.SlowRandom, settings.Seed, rank);
            workers[rank] = new SimulatedWorker(tasks[rank], Time(_secondsOfExample * _ratio * tasks[rank].Weight), slow, Time(_secondsOfEvaluation * tasks[rank].Weight));
        }

        _ = Durations.TryParse(_plan.Latency, out TimeSpan latency); // checked before
        ClusterCosts costs = _costs with
        {
            Coding = CodingOf(CodecSpec.Parse(of.Codec), tasks[0].RowLength),
            ServerBytesPerSecond = BytesOf(_plan.ServerBandwidth ?? of.Bandwidth),
            Servers = of.Servers,
        };
        ServerOptions options = SimulatedTraining.OptionsOf(settings) with { CodingCosts = _coding };
        using var cluster = new SimulatedCluster(options, workers, new LinkSpeed(latency, BytesOf(of.Bandwidth)), null, costs);
        while (cluster.Next())
        {
            if (stop.IsCancellationRequested)
                return null;
        }

        RunResult result = cluster.Result();
        if (result.Failure is { } failure)
            throw new ClusterException($"{of}: {failure}");
        return Of(of, settings, cluster, result, prices, _time.GetElapsedTime(start).TotalSeconds);
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

    /// <summary>Reads the data for another number of workers, and measures how much longer an example takes then.</summary>
    private void Read(TrainSettings settings, CancellationToken stop)
    {
        if (_workers == settings.Workers)
            return;
        int measured = _run.Summary.Workers;
        if (_here == 0 && settings.Workers != measured)
            _here = StepTimer.SecondsOfExample(_settings.Simulation!.Read(_settings with { Workers = measured }, stop)().Tasks, Endless(settings), _time);
        _job = _settings.Simulation!.Read(settings, stop);
        _workers = settings.Workers;
        _ratio = settings.Workers == measured || _here == 0 ? 1 : StepTimer.SecondsOfExample(_job().Tasks, Endless(settings), _time) / _here;
    }

    private static ServerOptions Endless(TrainSettings settings) =>
        SimulatedTraining.OptionsOf(settings) with { Codec = CodecSpec.Fp32, Passes = null, Target = null, TargetRmse = null, TimeLimit = null, Plateau = null, Evaluates = false };

    /// <summary>What coding and sending a push took a worker of the run.</summary>
    private double SecondsOfPush()
    {
        if (_run.Summary.VirtualTime)
            return 0;
        int rowLength = _run.Summary.Settings.TryGetValue("rank", out string? rank) && int.TryParse(rank, out int factors) ? factors + 1 : 1;
        (double encode, _) = CodingCosts.Measure(_run.Codec.For(rowLength), _time);
        return (_run.Summary.Parameters * encode) + (_run.BytesOfPush * _costs.SecondsOfByte);
    }

    private Dictionary<CodecId, CodingTime> CodingOf(CodecSpec codec, int rowLength)
    {
        var all = new Dictionary<CodecId, CodingTime>();
        List<CodecSettings> used = [CodecSpec.Of(ValueCodec.Fp32).For(1), CodecSpec.Of(ValueCodec.Bf16).For(1), CodecSpec.Of(ValueCodec.Int8).For(1), CodecSpec.Of(ValueCodec.Int4).For(1), codec.For(rowLength)];
        foreach (CodecSettings one in used)
        {
            (double encode, double apply) = CodingCosts.Measure(one, _time);
            all[(CodecId)one.Codec] = new CodingTime(encode, apply);
        }

        return all;
    }

    private static double BytesOf(string bandwidth)
    {
        _ = SimulateOptions.TryParseBandwidth(bandwidth, out double bytesPerSecond); // checked before
        return bytesPerSecond * LeftByHeaders;
    }

    private static TimeSpan Time(double seconds) => TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond));
}
