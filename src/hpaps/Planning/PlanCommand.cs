using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HpAsyncPs.Cli.Comparing;
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
    private const int MostCores = 4096;
    private const string DefaultBandwidth = "1Gbit";
    private const string DefaultLatency = "100us";

    public static Command Create()
    {
        var run = new Argument<string>("run") { HelpName = "RUN", Description = "Folder of the measured run, of hpaps train --out or hpaps-server --out: best of fewer workers than that machine has processors." };
        Option<string?> data = new("--data") { HelpName = "FILE", Description = "The whole data of the run; by default the file that it was trained on, if hpaps train did." };
        Option<string?> test = new("--test") { HelpName = "FILE", Description = "Ratings that the RMSE is measured on, where the run's server was started by hand." };
        ListOption workers = new("--workers", "--workers", "Numbers of workers; by default that of the run.", static text => Whole(text, Limits.Workers));
        ListOption servers = new("--servers", "--servers", "Numbers of servers that share the keys; 1 by default. More than one is an assumption: they share work and bytes evenly.", static text => Whole(text, MostServers));
        ListOption bandwidths = new("--bandwidth", "--bandwidth", $"Of each worker's link, in each direction, a second: a number and kbit, Mbit, Gbit, or kB, MB, GB, or 'unlimited'; {DefaultBandwidth} by default. TCP and Ethernet take 6 % of it.", Rate);
        ListOption policies = new("--policies", "--policy", "Policies; by default that of the run.", Policy);
        ListOption codecs = new("--codecs", "--codec", $"Codecs; by default that of the run. There are {CodecSpec.Help}.", static text => CodecSpec.Parse(text).Name);
        Option<string?> serverBandwidth = Single("--server-bandwidth", "RATE", "Of each server's link, which all workers share; by default that of a worker's.", static text => SimulateOptions.TryParseBandwidth(text, out _), "a rate, as in 10Gbit or unlimited");
        Option<string?> latency = Single("--latency", "TIME", $"From the last byte of a message to its arrival; {DefaultLatency} by default.", static text => Durations.TryParse(text, out TimeSpan time) && time <= TimeSpan.FromDays(1), $"a number and its unit ({Durations.Units}), at most 24h, as in 100us or 0s");
        Option<string[]> slow = new("--slow") { HelpName = "RANK:FACTOR[@FROM-TO],...", Description = "Workers on slower machines, as with hpaps train; by default those of the run." };
        Option<int?> oneHost = new Option<int?>("--one-host") { HelpName = "CORES", Description = "All processes are on one host and share so many cores, as with hpaps train, and no link is between them unless one is given; by default each has a core of its own." }.Within(1, MostCores);
        Option<double?> passes = new Option<double?>("--passes") { HelpName = "N", Description = "Stop after this many passes over all data; by default where the run was to stop." }.Positive(Limits.Passes);
        Option<double?> target = new Option<double?>("--target") { HelpName = "F", Description = "Stop at this relative gap (logreg) or test RMSE (mf); by default where the run was to stop." }.Positive(double.MaxValue);
        Option<double?> reference = new Option<double?>("--reference") { HelpName = "F", Description = "The optimum that gaps are measured against; by default that of the run." }.Within(double.MinValue, double.MaxValue);
        Option<string?> prices = new("--prices") { HelpName = "FILE", Description = "JSON with currency, worker_per_hour, server_per_hour and per_gb (1e9 bytes, either way); tools/prices.example.json has made-up ones. Without it nothing is said of money." };
        Option<string?> output = new("--out") { HelpName = "DIR", Description = "Folder for plan.json, which replaces that of an earlier plan there; without it nothing is written." };
        Option<bool> json = new("--json") { Description = "Print the plan as one JSON object on standard output, and nothing else there." };
        var command = new Command("plan", CommonOptions.WithExamples(
            "Predicts time, bytes and money of a measured run on other clusters: trains it again on a virtual clock (see hpaps simulate), with the measured\n"
            + "times of computing and the times of coding and sending on this machine, over the links given. Every combination is one case, and each trains\n"
            + $"the whole job in this process; at most {PlanRun.MostCases}. Ctrl-C ends it and prints what is done; the exit code is 4 then.",
            "hpaps plan run --workers 2,4,8,16 --bandwidth 1Gbit,100Mbit",
            "hpaps plan run --workers 8 --servers 1,2,4 --codecs fp32,int8,int4 --policies async,bsp --prices prices.json",
            "hpaps plan run --workers 4 --slow 0:8 --target 0.86 --json"))
        {
            run, data, test, workers.Option, servers.Option, bandwidths.Option, serverBandwidth, latency, policies.Option, codecs.Option, oneHost, slow, passes, target, reference, prices, output, json,
        };
        command.SetAction(parsed => PlanRun.Run(
            new PlanSettings
            {
                Run = parsed.GetValue(run)!,
                Data = parsed.GetValue(data),
                Test = parsed.GetValue(test),
                Workers = Counts(workers.Of(parsed)),
                Servers = servers.Of(parsed) is { Count: > 0 } counts ? Counts(counts) : [1],
                Bandwidths = bandwidths.Of(parsed) is { Count: > 0 } rates ? rates : [parsed.GetValue(oneHost) is null ? DefaultBandwidth : "unlimited"],
                Policies = policies.Of(parsed),
                Codecs = codecs.Of(parsed),
                OneHost = parsed.GetValue(oneHost),
                ServerBandwidth = parsed.GetValue(serverBandwidth),
                Latency = parsed.GetValue(latency) ?? (parsed.GetValue(oneHost) is null ? DefaultLatency : "0s"),
                Slow = parsed.GetValue(slow) is { Length: > 0 } patterns ? SlowWorkers.Parse(patterns) : null,
                Passes = parsed.GetValue(passes),
                Target = parsed.GetValue(target),
                Reference = parsed.GetValue(reference),
                Prices = parsed.GetValue(prices),
                Output = parsed.GetValue(output),
                Json = parsed.GetValue(json),
            },
            TimeProvider.System));
        command.Validators.Add(result =>
        {
            if (result.GetResult(oneHost) is not { Implicit: false })
                return;
            if (result.GetResult(prices) is { Implicit: false })
                result.AddError("--one-host and --prices: prices are of a machine for each worker and each server, and one host is one machine: leave one of them out.");
            if (result.GetResult(servers.Option) is { Implicit: false, Tokens: not [{ Value: "1" }] })
                result.AddError("--one-host is for one server: several have a machine each; leave --servers out.");
        });
        slow.Validators.Add(result => SlowWorkers.Check(result, Limits.Workers, result.AddError));
        return command;
    }

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

    private static List<int> Counts(List<string> given)
    {
        var all = new List<int>();
        foreach (string one in given)
            all.Add(int.Parse(one, CultureInfo.InvariantCulture));
        return all;
    }

    private static string Whole(string text, int most) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= 1 && count <= most
        ? count.ToString(CultureInfo.InvariantCulture)
        : throw new FormatException($"'{text}' must be a whole number from 1 to {most}");

    private static string Rate(string text) => SimulateOptions.TryParseBandwidth(text, out _) ? text : throw new FormatException($"'{text}' must be a rate, as 1Gbit or 100Mbit, or unlimited");

    private static string Policy(string text)
    {
        string name = PolicyNames.Create(text).Name;
        return name != AspPolicy.Sum ? name : throw new FormatException($"'{AspPolicy.Sum}' only adds what is pushed, and trains nothing: use asp:sgd, asp:adagrad or asp:adam");
    }
}
