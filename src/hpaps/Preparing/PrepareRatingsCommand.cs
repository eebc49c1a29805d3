using System;
using System.CommandLine;
using System.IO;
using HpAsyncPs.Cli.Generating;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Factorization.Prepared;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Preparing;

/// <summary>hpaps prepare mf.</summary>
internal static class PrepareRatingsCommand
{
    private const int MostBlocks = 1 << 20;

    public static Command Create()
    {
        Option<string> data = new Option<string>("--data") { HelpName = "FILE", Description = "Ratings, plain or gzip: user, item, rating.", Required = true }.NotEmpty();
        Option<string> output = new Option<string>("--out") { HelpName = "FILE", Description = "Prepared file to write.", Required = true }.NotEmpty();
        Option<double> holdout = new FactorOptions().Holdout;
        var seed = new Option<ulong>("--seed") { HelpName = "N", Description = "Seed of what is held out.", DefaultValueFactory = _ => 1 };
        Option<int> blocks = new Option<int>("--blocks") { HelpName = "N", Description = "Blocks of users; a worker takes as many as another, or one more, so give several for each.", DefaultValueFactory = _ => RatingsPreparation.DefaultBlocks }.Within(1, MostBlocks);
        Option<bool> force = GeneratedFile.Force();
        var command = new Command(FactorTask.Name, CommonOptions.WithExamples(
            "Writes ratings in binary blocks of users, with checksums. Of N workers each reads its own users' ratings, and the ids and\n"
            + "numbers of ratings of all items. hpaps train mf, simulate mf and hpaps-worker mf take the file with --data, with the same\n"
            + "--holdout (and then --seed) that it was prepared with; other commands take the text. It needs about 60 bytes of memory\n"
            + "a rating. What it has written is said on standard error.",
            "hpaps prepare mf --data ratings.csv.gz --holdout 0.1 --out ratings.hpm",
            "hpaps train mf --data ratings.hpm --holdout 0.1 --workers 4",
            "hpaps prepare mf --data ratings.csv --out /shared/ratings.hpm --blocks 8192   # for hundreds of workers"))
        {
            data, output, holdout, seed, blocks, force,
        };
        command.SetAction(parsed =>
        {
            Run(parsed.GetValue(data)!, parsed.GetValue(output)!, parsed.GetValue(holdout), parsed.GetValue(seed), parsed.GetValue(blocks), parsed.GetValue(force));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Run(string data, string path, double holdout, ulong seed, int blocks, bool force)
    {
        InputFile.Check("--data", data);
        PreparedOutput.Check(path, data, force);
        long start = TimeProvider.System.GetTimestamp();
        using var signals = new StopSignals();
        PreparedRatingsFacts? facts = null;
        GeneratedFile.Write(path, signals, (stream, progress, cancel) => facts = RatingsPreparation.Write(data, holdout, seed, blocks, stream, progress, cancel));

        var lines = new ResultLines();
        lines.Add("file", $"{path}, {Show.Bytes(new FileInfo(path).Length)}");
        lines.Add("users", $"{Show.Count(facts!.Users)} in {Show.Count(facts.Blocks)} block{(facts.Blocks == 1 ? "" : "s")}");
        lines.Add("items", Show.Count(facts.Items));
        lines.Add("ratings", $"{Show.Count(facts.Ratings)}{(facts.HeldOut > 0 ? $", and {Show.Count(facts.HeldOut)} that are held out" : "")}");
        lines.Add("time", Show.Duration(TimeProvider.System.GetElapsedTime(start).TotalSeconds));
        Console.Error.Write(lines.ToString());
    }
}
