using System;
using System.CommandLine;
using System.IO;
using HpAsyncPs.Cli.Generating;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data.Prepared;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Preparing;

/// <summary>hpaps prepare logreg.</summary>
internal static class PrepareRowsCommand
{
    public static Command Create()
    {
        Option<string> data = new Option<string>("--data") { HelpName = "FILE", Description = "LIBSVM/SVMlight file, plain or gzip, or a folder of such files.", Required = true }.NotEmpty();
        Option<string> output = new Option<string>("--out") { HelpName = "FILE", Description = "Prepared file to write.", Required = true }.NotEmpty();
        var seed = new Option<ulong>("--seed") { HelpName = "N", Description = "Seed of the order of the rows. The same rows and seed give the same order on every machine.", DefaultValueFactory = _ => 1 };
        Option<bool> force = GeneratedFile.Force();
        var command = new Command(LogisticTask.Name, CommonOptions.WithExamples(
            "Writes the rows of LIBSVM text in random order in binary blocks, with checksums. Whatever takes the text with --data\n"
            + "takes the prepared file too; of N workers each reads an N-th of it, so no worker waits for others' rows to be parsed.\n"
            + "The order is that of --seed here; the --seed of training has no say in it. Numbers are kept in single precision, as\n"
            + "training takes them: 8 bytes an entry. It needs up to three times the text in memory; where that is more than a quarter\n"
            + "of what this machine has, it reads the text several times instead. What it has written is said on standard error.",
            "hpaps prepare logreg --data train.svm.gz --out train.hpr",
            "hpaps prepare logreg --data train.svm --out /shared/train.hpr --seed 7",
            "hpaps prepare logreg --data parts/ --out train.hpr",
            "hpaps-worker logreg --server node1:7070 --data /shared/train.hpr --part 3/64"))
        {
            data, output, seed, force,
        };
        command.SetAction(parsed =>
        {
            Run(parsed.GetValue(data)!, parsed.GetValue(output)!, parsed.GetValue(seed), parsed.GetValue(force));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Run(string data, string path, ulong seed, bool force)
    {
        InputFile.CheckRows("--data", data, 1);
        PreparedOutput.Check(path, data, force);
        if (Directory.Exists(data) && InputFile.IsSame(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.TrimEndingDirectorySeparator(data)))
            throw new InputException($"--out {path}: would be a file of the folder of --data, with all its rows once more; name another place");
        long start = TimeProvider.System.GetTimestamp();
        using var signals = new StopSignals();
        int passes = RowPreparation.Passes(data);
        if (passes > 1)
            Console.Error.WriteLine($"hpaps: {data} is large for this machine's memory: it is read {passes} times");
        PreparedFacts? facts = null;
        GeneratedFile.Write(path, signals, (stream, progress, cancel) => facts = RowPreparation.Write(data, seed, passes, stream, progress, cancel));

        var lines = new ResultLines();
        lines.Add("file", $"{path}, {Show.Bytes(new FileInfo(path).Length)}");
        lines.Add("rows", $"{Show.Count(facts!.Rows)} in {Show.Count(facts.Blocks)} block{(facts.Blocks == 1 ? "" : "s")}, in the order of seed {seed}");
        lines.Add("features", Show.Count(facts.Features));
        lines.Add("nonzeros", Show.Count(facts.Entries));
        lines.Add("time", Show.Duration(TimeProvider.System.GetElapsedTime(start).TotalSeconds));
        Console.Error.Write(lines.ToString());
    }
}
