using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Codecs;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Policies;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Cli.Planning;

/// <summary>The command line of hpaps plan.</summary>
internal static class PlanCommand
{
    private const int MostServers = 64;
    private const string DefaultBandwidth = "1Gbit";
    private const string DefaultLatency = "100us";

    public static Command Create()
    {
        var run = new Argument<string>("run") { HelpName = "RUN", Description = "Folder of the measured run, of hpaps train --out or hpaps-server --out: best of fewer workers than that machine has processors." };
        Option<string?> data = new("--data") { HelpName = "FILE", Description = "The whole data of the run; by default the file that it was trained on, if hpaps train did." };
        Option<string?> test = new("--test") { HelpName = "FILE", Description = "Ratings that the RMSE is measured on, where the run's server was started by hand." };
        Option<string?> workers = List("--workers", "N,...", "Numbers of workers; by default that of the run.", text => IsCount(text, Limits.Workers), $"whole numbers from 1 to {Limits.Workers}");
        Option<string?> servers = List("--servers", "N,...", "Numbers of servers that share the keys; 1 by default. More than one is an assumption: they share work and bytes evenly.", static text => IsCount(text, MostServers), $"whole numbers from 1 to {MostServers}");
        Option<string?> bandwidths = List("--bandwidth", "RATE,...", $"Of each worker's link, in each direction, a second: a number and kbit, Mbit, Gbit, or kB, MB, GB, or 'unlimited'; {DefaultBandwidth} by default. TCP and Ethernet take 6 % of it.", static text => SimulateOptions.TryParseBandwidth(text, out _), "rates, as in 1Gbit,100Mbit or unlimited");
        Option<string?> policies = List("--policies", "NAME,...", "Policies; by default that of the run.", IsPolicy, "policies, as in async,bsp,ssp:3");
        Option<string?> codecs = List("--codecs", "NAME,...", "Codecs; by default that of the run.", IsCodec, $"codecs: {CodecSpec.Help}");
        Option<string?> serverBandwidth = Single("--server-bandwidth", "RATE", "Of each server's link, which all workers share; by default that of a worker's.", static text => SimulateOptions.TryParseBandwidth(text, out _), "a rate, as in 10Gbit or unlimited");
        Option<string?> latency = Single("--latency", "TIME", $"From the last byte of a message to its arrival; {DefaultLatency} by default.", static text => Durations.TryParse(text, out TimeSpan time) && time <= TimeSpan.FromDays(1), $"a number and its unit ({Durations.Units}), at most 24h, as in 100us or 0s");
        Option<string[]> slow = new("--slow") { HelpName = "RANK:FACTOR[@FROM-TO],...", Description = "Workers on slower machines, as with hpaps train; by default those of the run." };
        Option<double?> passes = new Option<double?>("--passes") { HelpName = "N", Description = "Stop after this many passes over all data; by default where the run was to stop." }.Positive(Limits.Passes);
        Option<double?> target = new Option<double?>("--target") { HelpName = "F", Description = "Stop at this relative gap (logreg) or test RMSE (mf); by default where the run was to stop." }.Positive(double.MaxValue);
        Option<double?> reference = new Option<double?>("--reference") { HelpName = "F", Description = "The optimum that gaps are measured against; by default that of the run." }.Within(double.MinValue, double.MaxValue);
        Option<string?> prices = new("--prices") { HelpName = "FILE", Description = "JSON with currency, worker_per_hour, server_per_hour and per_gb (1e9 bytes, either way); tools/prices.example.json has made-up ones. Without it nothing is said of money." };
        Option<string?> output = new("--out") { HelpName = "DIR", Description = "Folder for plan.json; without it nothing is written." };
        Option<bool> json = new("--json") { Description = "Print the plan as one JSON object on standard output, and nothing else there." };
        var command = new Command("plan", CommonOptions.WithExamples(
            "Predicts time, bytes and money of a measured run on other clusters: trains it again on a virtual clock (see hpaps simulate), with the measured\n"
            + "times of computing and the times of coding and sending on this machine, over the links given. Every combination is one case, and each trains\n"
            + $"the whole job in this process; at most {PlanRun.MostCases}. Ctrl-C ends it and prints what is done.",
            "hpaps plan run --workers 2,4,8,16 --bandwidth 1Gbit,100Mbit",
            "hpaps plan run --workers 8 --servers 1,2,4 --codecs fp32,int8,int4 --policies async,bsp --prices prices.json",
            "hpaps plan run --workers 4 --slow 0:8 --target 0.86 --json"))
        {
            run, data, test, workers, servers, bandwidths, serverBandwidth, latency, policies, codecs, slow, passes, target, reference, prices, output, json,
        };
        command.SetAction(parsed => PlanRun.Run(
            new PlanSettings
            {
                Run = parsed.GetValue(run)!,
                Data = parsed.GetValue(data),
                Test = parsed.GetValue(test),
                Workers = Counts(parsed.GetValue(workers)),
                Servers = parsed.GetValue(servers) is { } counts ? Counts(counts) : [1],
                Bandwidths = (parsed.GetValue(bandwidths) ?? DefaultBandwidth).Split(','),
                Policies = parsed.GetValue(policies)?.Split(',') ?? [],
                Codecs = parsed.GetValue(codecs)?.Split(',') ?? [],
                ServerBandwidth = parsed.GetValue(serverBandwidth),
                Latency = parsed.GetValue(latency) ?? DefaultLatency,
                Slow = parsed.GetValue(slow) is { Length: > 0 } patterns ? SlowWorkers.Parse(patterns) : null,
                Passes = parsed.GetValue(passes),
                Target = parsed.GetValue(target),
                Reference = parsed.GetValue(reference),
                Prices = parsed.GetValue(prices),
                Output = parsed.GetValue(output),
                Json = parsed.GetValue(json),
            },
            TimeProvider.System));
        slow.Validators.Add(result => SlowWorkers.Check(result, Limits.Workers, result.AddError));
        return command;
    }

    private static Option<string?> List(string name, string help, string description, Func<string, bool> isGood, string form) =>
        Single(name, help, description, text => Array.TrueForAll(text.Split(','), one => isGood(one)), $"{form}, separated by commas");

    private static Option<string?> Single(string name, string help, string description, Func<string, bool> isGood, string form)
    {
        var option = new Option<string?>(name) { HelpName = help, Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !isGood(token.Value))
                result.AddError($"{name} must be {form}; it is '{token.Value}'.");
        });
        return option;
    }

    private static List<int> Counts(string? text)
    {
        var all = new List<int>();
        foreach (string one in text?.Split(',') ?? [])
            all.Add(int.Parse(one, CultureInfo.InvariantCulture));
        return all;
    }

    private static bool IsCount(string text, int most) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= 1 && count <= most;

    private static bool IsPolicy(string text)
    {
        try
        {
            PolicyNames.Create(text);
            return text != AspPolicy.Sum;
        }
        catch (InputException)
        {
            return false;
        }
    }

    private static bool IsCodec(string text)
    {
        try
        {
            CodecSpec.Parse(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
