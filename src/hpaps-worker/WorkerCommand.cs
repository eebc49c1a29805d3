using System.CommandLine;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.WorkerProgram;

/// <summary>The command line of hpaps-worker.</summary>
internal static class WorkerCommand
{
    public static RootCommand Create()
    {
        var root = new RootCommand(CommonOptions.WithExamples(
            "hpaps-worker: trains on its part of the data against an hpaps-server, until the server ends the run.",
            "hpaps-worker logreg --server 127.0.0.1:7070 --data train.svm --part 0/4",
            "hpaps-worker logreg --server node1:7070 --data /local/rows-of-this-node.svm.gz --l2 1e-4",
            "hpaps-worker logreg --rendezvous /shared/job --token-file token --data train.svm --part auto   # the same for every rank of srun or mpirun",
            "hpaps-worker mf --server node1:7070 --data ratings.csv --part 0/4 --holdout 0.1 --out run/model"));
        root.Subcommands.Add(LogisticRegression());
        root.Subcommands.Add(Factorization());
        return root;
    }

    private static Command LogisticRegression()
    {
        var flags = new WorkerFlags("LIBSVM/SVMlight file, plain, gzip or prepared (hpaps prepare), or a folder of such files.",
            "I/N: train on random shard I of N of the file, or on the files J of the folder with J mod N = I; or auto: by the rank that srun or mpirun gives; without it, on all of it. Makes I the rank asked for.",
            "Seed of the split into parts; the same at every worker.");
        var own = new LogisticOptions();
        Command command = flags.Command(LogisticTask.Name,
            CommonOptions.WithExamples("Regularised logistic regression.",
                "hpaps-worker logreg --server 127.0.0.1:7070 --data train.svm --part 0/4",
                "hpaps-worker logreg --server node1:7070 --data /local/rows-of-this-node.svm.gz --l2 1e-4",
                "hpaps-worker logreg --server node1:7070 --data /shared/train.svm --part 0/64 --cut bytes   # reads a 64th of it",
                "hpaps-worker logreg --server node1:7070 --data train.svm --part 0/4 --batch 64   # for hpaps-server --policy asp"),
            given =>
            {
                SparseRows rows = LibsvmReader.Read(given.Data, given.Part, own.Cut(given.Parsed), given.Stop);
                LogisticSettings settings = own.Settings(given.Parsed) with { Seed = given.Seed, Parts = given.Part.Count };
                given.Train(LogisticOptions.Task(rows, settings));
            },
            own.All);
        command.Validators.Add(result => own.Check(result, pushesGradients: false));
        return command;
    }

    private static Command Factorization()
    {
        var own = new FactorOptions();
        var flags = new WorkerFlags("Ratings, plain or gzip: user, item, rating; or prepared (hpaps prepare), of which each worker reads its part. The same file at every worker.",
            "I/N: train on the ratings of part I of N of the users, or auto: by the rank that srun or mpirun gives; without it, on all. Makes I the rank asked for.",
            "Seed of the start, the order, and what is held out; the same at every worker.");
        var test = new Option<string?>("--test") { Description = "Ratings to measure the RMSE on; the same file at every worker." };
        var output = new Option<string?>("--out") { Description = "Folder of the model, to which this worker adds its users at the end: model/ in the server's --out." };
        return flags.Command(FactorTask.Name,
            CommonOptions.WithExamples("Matrix factorisation. Users stay with their worker; only rows of items travel.",
                "hpaps-worker mf --server 127.0.0.1:7070 --data ratings.csv --part 0/4 --holdout 0.1 --out run/model",
                "hpaps-worker mf --server node1:7070 --data ratings.csv.gz --part 3/4 --rank 64 --out /shared/run/model"),
            given =>
            {
                FactorSettings settings = own.Settings(given.Parsed, given.Seed);
                string? folder = given.Parsed.GetValue(output);
                if (folder is not null)
                    RunFolder.Probe(folder);
                FactorRun.Run(given, settings, own.Model(given.Parsed), given.Parsed.GetValue(test), given.Parsed.GetValue(own.Holdout), folder);
            },
            [test, .. own.All, output]);
    }
}
