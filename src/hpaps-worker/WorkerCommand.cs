using System;
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Programs;
using HpAsyncPs.Worker;

namespace HpAsyncPs.WorkerProgram;

/// <summary>The command line of hpaps-worker.</summary>
internal static class WorkerCommand
{
    public static RootCommand Create()
    {
        var root = new RootCommand(CommonOptions.WithExamples(
            "hpaps-worker: trains on its part of the data against an hpaps-server, until the server ends the run.",
            "hpaps-worker logreg --server 127.0.0.1:7070 --data train.svm --part 0/4",
            "hpaps-worker logreg --server node1:7070 --data /local/rows-of-this-node.svm.gz --l2 1e-4"));
        root.Subcommands.Add(LogisticRegression());
        return root;
    }

    private static Command LogisticRegression()
    {
        Option<string> server = new Option<string>("--server") { Description = "HOST:PORT of the server.", DefaultValueFactory = _ => "127.0.0.1:7070" }.Address();
        Option<int> rank = new Option<int>("--rank") { Description = "Rank to ask for; -1 takes any free one.", DefaultValueFactory = _ => -1 }.Within(-1, Protocol.Limits.Workers - 1);
        var data = new Option<string>("--data") { Description = "LIBSVM/SVMlight file, plain or gzip.", Required = true };
        var part = new Option<string?>("--part") { Description = "I/N: train on random shard I of N of the file; without it, on all of it. Makes I the rank asked for." };
        Option<double> l2 = new Option<double>("--l2") { Description = "L2 regularisation: l2/2 |w|^2 is added to the mean loss.", DefaultValueFactory = _ => 1e-3 }.Within(0, 1e9);
        var seed = new Option<ulong>("--seed") { Description = "Seed of the split into parts; the same at every worker.", DefaultValueFactory = _ => 1 };
        Option<double> slow = new Option<double>("--slow") { Description = "Act as a machine that is this many times slower, by sleeping.", DefaultValueFactory = _ => 1 }.Within(1, 1e6);
        Option<double> connectTimeout = new Option<double>("--connect-timeout") { Description = "Seconds to try to reach the server.", DefaultValueFactory = _ => 30 }.Within(0.1, 1e6);
        Option<double> startTimeout = new Option<double>("--start-timeout") { Description = "Seconds to wait for the other workers.", DefaultValueFactory = _ => 180 }.Within(0.1, 1e6);
        var supervised = new Option<bool>("--exit-with-stdin") { Description = "End when standard input ends. For launchers." };
        var command = new Command("logreg", "L2-regularised logistic regression.")
        {
            server, rank, data, part, l2, seed, slow, connectTimeout, startTimeout, supervised,
        };
        part.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !TryParsePart(result.Tokens[0].Value, 0, out _))
                result.AddError("--part must be I/N with I from 0 to N - 1, as in 0/4.");
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(part) is { Implicit: false } && result.GetResult(rank) is { Implicit: false })
                result.AddError("--part already says the rank: leave --rank out.");
        });
        command.SetAction(parsed =>
        {
            using var stop = new CancellationTokenSource();
            using PosixSignalRegistration interrupt = StopOn(PosixSignal.SIGINT, stop, parsed.GetValue(supervised));
            using PosixSignalRegistration terminate = StopOn(PosixSignal.SIGTERM, stop, ignore: false);
            using PosixSignalRegistration hangUp = StopOn(PosixSignal.SIGHUP, stop, parsed.GetValue(supervised));
            if (parsed.GetValue(supervised))
                ProgramRun.EndWithStandardInput(_ => { });
            RowPart rows = RowPart.All;
            if (parsed.GetValue(part) is { } text)
                TryParsePart(text, parsed.GetValue(seed), out rows);
            SparseRows read = LibsvmReader.Read(parsed.GetValue(data)!, rows, stop.Token);
            ITask task = new LogisticTask(read, parsed.GetValue(l2), parsed.GetValue(seed), rows.Count);
            double factor = parsed.GetValue(slow);
            if (factor > 1)
                task = new SlowTask(task, factor, TimeProvider.System);
            var options = new WorkerOptions
            {
                Parameters = task.Parameters,
                ConnectTimeout = TimeSpan.FromSeconds(parsed.GetValue(connectTimeout)),
                StartTimeout = TimeSpan.FromSeconds(parsed.GetValue(startTimeout)),
            };
            int wanted = parsed.GetValue(rank) < 0 && parsed.GetValue(part) is not null ? rows.Index : parsed.GetValue(rank);
            string reason = WorkerRun.Run(parsed.GetValue(server)!, wanted, task, options, stop.Token);
            if (!parsed.GetValue(supervised))
                Console.Error.WriteLine($"hpaps-worker: the run ended ({reason})");
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static bool TryParsePart(string text, ulong seed, out RowPart part)
    {
        part = RowPart.All;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || index >= count)
        {
            return false;
        }

        part = new RowPart(index, count, seed);
        return true;
    }

    private static PosixSignalRegistration StopOn(PosixSignal signal, CancellationTokenSource stop, bool ignore) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            if (!ignore)
                stop.Cancel();
        });
}
