using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Cli.Training;

/// <summary>The command line of hpaps train.</summary>
internal static class TrainCommand
{
    /// <summary>Passes after which a run stops that was given no limit at all.</summary>
    public const double DefaultPasses = 500;

    private const double MostSlow = 1e6;

    /// <summary>One worker a core, but few enough to leave room on a large host, and more than one.</summary>
    private static readonly int DefaultWorkers = Math.Clamp(Environment.ProcessorCount, 2, 4);

    /// <param name="start">Timestamp of the start of the program.</param>
    public static Command LogisticRegression(long start)
    {
        Option<string> data = new Option<string>("--data") { HelpName = "FILE", Description = "LIBSVM/SVMlight file to train on, plain or gzip.", Required = true }.NotEmpty();
        Option<string> test = new Option<string>("--test") { HelpName = "FILE", Description = "File to measure the accuracy of the trained model on." }.NotEmpty();
        Option<double> l2 = new Option<double>("--l2") { HelpName = "F", Description = "L2 regularisation: l2/2 |w|^2 is added to the mean loss.", DefaultValueFactory = _ => 1e-3 }.Within(0, 1e9);
        Option<int> workers = new Option<int>("--workers") { HelpName = "N", Description = "Worker processes; by default the number of processors, but 2 to 4.", DefaultValueFactory = _ => DefaultWorkers }.Within(1, Limits.Workers);
        var policy = new Option<string>("--policy") { Description = "async: nobody waits; bsp: a barrier every round.", DefaultValueFactory = _ => "async" };
        policy.AcceptOnlyFromAmong(PolicyNames.All);
        Option<double?> passes = new Option<double?>("--passes") { HelpName = "N", Description = $"Stop after this many passes over all data; {DefaultPasses:0} if no other limit is given." }.Positive(Limits.Passes);
        Option<double?> target = new Option<double?>("--target") { HelpName = "GAP", Description = "Stop when (objective - reference) / |reference| is at most this; needs --reference." }.Positive(double.MaxValue);
        Option<double?> reference = new Option<double?>("--reference") { HelpName = "F", Description = "The optimum that gaps are measured against." }.Within(double.MinValue, double.MaxValue);
        Option<double?> timeLimit = new Option<double?>("--time-limit") { HelpName = "SECONDS", Description = "Stop after this many seconds of training." }.Positive(1e9);
        var seed = new Option<ulong>("--seed") { HelpName = "N", Description = "Seed of the split of the data among the workers.", DefaultValueFactory = _ => 1 };
        var slow = new Option<string[]>("--slow") { Description = "Let a worker act as a machine that is FACTOR times slower; may be given for several.", HelpName = "RANK:FACTOR" };
        Option<string> output = new Option<string>("--out") { HelpName = "DIR", Description = "Folder for summary.json, trace.csv, report.html and model/, which replace those of an earlier run there; by default runs/logreg-DATE-TIME." }.NotEmpty();
        var json = new Option<bool>("--json") { Description = "Print the summary as one JSON object on standard output, and nothing else there." };
        var command = new Command("logreg", CommonOptions.WithExamples(
            "Trains L2-regularised logistic regression with a server and workers on this host.\n"
            + "Ctrl-C ends training in order: the model as it stands is saved. A second Ctrl-C ends everything at once.",
            "hpaps train logreg --data train.svm.gz",
            "hpaps train logreg --data train.svm --test test.svm --workers 8 --passes 200 --out run",
            "hpaps train logreg --data train.svm --target 1e-3 --reference 0.33334 --policy bsp --slow 0:8"))
        {
            data, test, l2, workers, policy, passes, target, reference, timeLimit, seed, slow, output, json,
        };
        reference.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && double.TryParse(token.Value, CultureInfo.InvariantCulture, out double value) && value == 0)
                result.AddError("--reference must not be 0: gaps are relative to it.");
        });
        command.Validators.Add(result =>
        {
            if (Has(result, target) && !Has(result, reference))
                result.AddError("--target needs --reference: the optimum that the gap is measured against.");
            if (result.GetResult(slow) is { } given && TryCount(result, workers) is { } count)
                CheckSlow(given, count, result.AddError);
        });
        command.SetAction(parsed => TrainRun.Run(
            new TrainSettings
            {
                Data = parsed.GetValue(data)!,
                Test = parsed.GetValue(test),
                L2 = parsed.GetValue(l2),
                Workers = parsed.GetValue(workers),
                Policy = parsed.GetValue(policy)!,
                Passes = parsed.GetValue(passes),
                Target = parsed.GetValue(target),
                Reference = parsed.GetValue(reference),
                TimeLimit = parsed.GetValue(timeLimit),
                Seed = parsed.GetValue(seed),
                Slow = ParseSlow(parsed.GetValue(slow) ?? []),
                Output = parsed.GetValue(output),
                Json = parsed.GetValue(json),
            },
            start,
            TimeProvider.System));
        return command;
    }

    private static bool Has(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>The number of workers, or null where it is no number, which the parser says.</summary>
    private static int? TryCount(CommandResult result, Option<int> workers)
    {
        if (!Has(result, workers))
            return DefaultWorkers; // defaults are not there yet when options are checked
        try
        {
            return result.GetValue(workers);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static void CheckSlow(OptionResult given, int workers, Action<string> error)
    {
        var seen = new HashSet<int>();
        foreach (Token token in given.Tokens)
        {
            if (!TryParseSlow(token.Value, out int rank, out double factor))
                error($"--slow must be RANK:FACTOR with a FACTOR of 1 to {MostSlow:0}, as in 0:8; it is '{token.Value}'.");
            else if (rank >= workers)
                error($"--slow {token.Value}: there is no worker {rank}; the ranks of {workers} workers are 0 to {workers - 1}.");
            else if (!seen.Add(rank))
                error($"--slow {token.Value}: worker {rank} was given twice.");
            _ = factor;
        }
    }

    private static Dictionary<int, double> ParseSlow(string[] given)
    {
        var slow = new Dictionary<int, double>();
        foreach (string text in given)
        {
            if (TryParseSlow(text, out int rank, out double factor))
                slow[rank] = factor;
        }

        return slow;
    }

    private static bool TryParseSlow(string text, out int rank, out double factor)
    {
        factor = 0;
        rank = 0;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            && int.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out rank)
            && double.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out factor)
            && factor is >= 1 and <= MostSlow;
    }
}
