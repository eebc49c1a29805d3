using System;
using System.CommandLine;
using HpAsyncPs.Cli.Comparing;
using HpAsyncPs.Cli.Completing;
using HpAsyncPs.Cli.Configuring;
using HpAsyncPs.Cli.Converting;
using HpAsyncPs.Cli.Generating;
using HpAsyncPs.Cli.Models;
using HpAsyncPs.Cli.Planning;
using HpAsyncPs.Cli.Preparing;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Cli.Stressing;
using HpAsyncPs.Cli.Submitting;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Cli.Watching;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli;

/// <summary>The command line of hpaps.</summary>
internal static class CliCommand
{
    /// <param name="start">Timestamp of the start of the program.</param>
    public static RootCommand Create(long start)
    {
        var train = new Command("train", CommonOptions.WithExamples(
            "Trains a model with a server and workers on this host.",
            "hpaps train logreg --data train.svm",
            "hpaps train mf --data ratings.csv --holdout 0.1"));
        train.Subcommands.Add(TrainCommand.LogisticRegression(start));
        train.Subcommands.Add(TrainCommand.Factorization(start));
        var simulate = new Command("simulate", CommonOptions.WithExamples(
            "Simulates training on a cluster of any size, speeds and links, on a virtual clock in one process.",
            "hpaps simulate logreg --data train.svm --workers 32 --slow 0:8",
            "hpaps simulate mf --data ratings.csv --holdout 0.1 --workers 16 --latency 1ms --bandwidth 100Mbit"));
        simulate.Subcommands.Add(TrainCommand.LogisticRegression(start, new SimulateOptions()));
        simulate.Subcommands.Add(TrainCommand.Factorization(start, new SimulateOptions()));
        var root = new RootCommand(CommonOptions.WithExamples(
            "hpaps: trains models with an asynchronous parameter server, and uses them.",
            "hpaps inspect --data train.svm.gz",
            "hpaps train logreg --data train.svm.gz --test test.svm.gz --out run",
            "hpaps train logreg --data train.svm.gz --monitor 127.0.0.1:9464",
            "hpaps watch",
            "hpaps evaluate --model run --data test.svm.gz",
            "hpaps predict --model run --data new.svm --out predictions.txt",
            "hpaps train mf --data ratings.csv --holdout 0.1 --out recommender",
            "hpaps recommend --model recommender --user 42 --titles movies.csv"))
        {
            train, simulate, CompareCommand.Create(start), PlanCommand.Create(), EvaluateCommand.Create(), PredictCommand.Create(), RecommendCommand.Create(), InspectCommand.Create(),
            ConvertCommand.Create(), PrepareCommand.Create(), GenerateCommand.Create(), LaunchCommand.Create(), ReshardCommand.Create(), WatchCommands.Watch(), WatchCommands.Status(),
            StressCommand.Create(), StressCommand.CreateWorker(), IdleCommand.Create(), AttackCommand.Create(),
        };
        root.Subcommands.Add(ConfigCommand.Create(root));
        root.Subcommands.Add(CompletionCommand.Create(root));
        return root;
    }

    /// <summary>The value must be more than 0 and at most this.</summary>
    public static Option<double?> Positive(this Option<double?> option, double most)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 0 || CommonOptions.HasComma(result))
                return;
            double? value;
            try
            {
                value = result.GetValueOrDefault<double?>();
            }
            catch (InvalidOperationException)
            {
                return; // no number: the parser has said so
            }

            if (!(value > 0 && value <= most))
                result.AddError($"{option.Name} must be more than 0 and at most {most:R}; it is {value:R}.");
        });
        return option;
    }

    /// <summary>The value must not be empty.</summary>
    public static Option<string> NotEmpty(this Option<string> option)
    {
        option.Validators.Add(result =>
        {
            foreach (System.CommandLine.Parsing.Token token in result.Tokens)
            {
                if (token.Value.Length == 0)
                    result.AddError($"{option.Name} is empty; name a path.");
            }
        });
        return option;
    }
}
