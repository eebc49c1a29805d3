using System;
using System.CommandLine;
using System.IO;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Generating;

/// <summary>hpaps generate ratings.</summary>
internal static class GenerateRatingsCommand
{
    private static readonly RatingSettings Defaults = new();

    public static Command Create()
    {
        Option<string> output = new Option<string>("--out") { HelpName = "FILE", Description = "CSV file to write, gzip if its name ends in .gz.", Required = true }.NotEmpty();
        Option<long> ratings = new Option<long>("--ratings") { HelpName = "N", Description = "Ratings.", DefaultValueFactory = _ => Defaults.Ratings }
            .Within(RatingSettings.LeastRatings, RatingSettings.MostRatings);
        Option<int?> users = new Option<int?>("--users") { HelpName = "N", Description = $"Users; by default follows --ratings, {Defaults.Users} for a million." }
            .Within(1, RatingSettings.MostUsers);
        Option<int?> items = new Option<int?>("--items") { HelpName = "N", Description = $"Items; by default follows --ratings, {Defaults.Items} for a million." }
            .Within(RatingSettings.LeastItems, RatingSettings.MostItems);
        Option<int> rank = new Option<int>("--rank") { HelpName = "N", Description = "Planted factors.", DefaultValueFactory = _ => Defaults.Rank }
            .Within(1, RatingSettings.MostRank);
        Option<double> noise = new Option<double>("--noise") { HelpName = "F", Description = "Standard deviation of the noise; rounding to halves adds to it, 0.7 becomes 0.715.", DefaultValueFactory = _ => Defaults.Noise }
            .Within(0, RatingSettings.MostNoise);
        var seed = new Option<ulong>("--seed") { HelpName = "N", Description = "The same seed gives the same text on every machine.", DefaultValueFactory = _ => Defaults.Seed };
        Option<bool> force = GeneratedFile.Force();
        var command = new Command("ratings", CommonOptions.WithExamples(
            "Writes ratings userId,itemId,rating from 0.5 to 5 in halves, with a structure that a factorisation can find:\n"
            + "mean + b_user + b_item + p_user.q_item + noise, few users and items having most of the ratings.\n"
            + "No user rates an item twice. What it has written, and the error that no model can go below, is said on standard error.",
            "hpaps generate ratings --out ratings.csv",
            "hpaps generate ratings --out ratings.csv.gz --ratings 100000 --seed 7",
            "hpaps generate ratings --out ratings.csv --ratings 10000000 --users 70000 --items 10000 --rank 16 --noise 0.5"))
        {
            output, ratings, users, items, rank, noise, seed, force,
        };
        command.SetAction(parsed =>
        {
            long count = parsed.GetValue(ratings);
            var settings = new RatingSettings
            {
                Ratings = count,
                Users = parsed.GetValue(users) ?? RatingSettings.UsersFor(count),
                Items = parsed.GetValue(items) ?? RatingSettings.ItemsFor(count),
                Rank = parsed.GetValue(rank),
                Noise = parsed.GetValue(noise),
                Seed = parsed.GetValue(seed),
            };
            return GenerateCommand.Run(settings.Check, () => Run(settings, parsed.GetValue(output)!, parsed.GetValue(force)));
        });
        return command;
    }

    private static void Run(RatingSettings settings, string path, bool force)
    {
        GeneratedFile.Check("--out", path, force);
        long start = TimeProvider.System.GetTimestamp();
        var generator = new RatingGenerator(settings);
        using var signals = new StopSignals();
        RatingFacts? facts = null;
        GeneratedFile.Write(path, signals, (output, progress, cancel) => facts = generator.Write(output, progress, cancel));
        double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        Console.Error.Write(Lines(path, settings, facts!, seconds).ToString());
    }

    private static ResultLines Lines(string path, RatingSettings settings, RatingFacts facts, double seconds)
    {
        var lines = new ResultLines();
        lines.Add("file", $"{path}, {Show.Bytes(new FileInfo(path).Length)} in {Show.Duration(seconds)}");
        lines.Add("users", $"{Show.Count(facts.Users)}, the busiest with {Show.Count(facts.MostOfUser)} ratings");
        string unrated = facts.RatedItems < settings.Items ? $" of {Show.Count(settings.Items)}" : "";
        lines.Add("items", $"{Show.Count(facts.RatedItems)}{unrated}, the most popular with {Show.Count(facts.MostOfItem)} ratings");
        lines.Add("ratings", $"{Show.Count(facts.Ratings)}, mean {facts.Mean:0.000}");
        lines.Add("density", $"{100.0 * facts.Ratings / facts.Users / settings.Items:0.###} %");
        lines.Add("floor", $"RMSE {facts.Floor:0.0000}: noise and rounding, which no model can predict");
        lines.Add("without factors", $"RMSE {facts.WithoutFactors:0.0000}: mean and biases as planted");
        return lines;
    }
}
