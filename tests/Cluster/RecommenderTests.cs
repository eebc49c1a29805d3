using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps train mf, and what is done with its model, as a user runs it.</summary>
[Collection(Alone.Name)]
public sealed partial class RecommenderTests
{
    private const ulong Seed = 3;

    [Theory]
    [InlineData("async", 1)]
    [InlineData("async", 3)]
    [InlineData("bsp", 2)]
    public void Saved_model_has_the_error_that_the_summary_says(string policy, int workers)
    {
        using var folder = new TempFolder();
        string data = Generate(folder);
        using RunningProgram train = Train(folder, data, "--workers", $"{workers}", "--policy", policy, "--holdout", "0.1", "--out", "a run", "--json");
        Assert.True(train.ExitCode() == 0, train.Errors);

        using JsonDocument printed = JsonDocument.Parse(train.Output);
        JsonElement summary = printed.RootElement;
        Assert.Equal("mf", summary.GetProperty("task").GetString());
        Assert.InRange(summary.GetProperty("passes").GetDouble(), 10, 20);
        double said = summary.GetProperty("test_rmse").GetDouble();
        Assert.Equal(Rmse(folder.In("a run"), data, heldOut: true), said, 1e-5);
        Assert.True(said < 0.97, $"{said}: no better than biases");
        Assert.True(Rmse(folder.In("a run"), data, heldOut: false) < said);
        Assert.Equal("seconds,passes,objective,relative_gap,test_rmse,pushes,uplink_bytes,downlink_bytes,staleness_p50,staleness_max",
            File.ReadLines(folder.In("a run/trace.csv")).First());
        Assert.Contains("<h2>Test RMSE</h2>", File.ReadAllText(folder.In("a run/report.html")), StringComparison.Ordinal);
        Assert.Contains("train mf", summary.GetProperty("command").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Target_of_the_error_ends_training_with_the_model_that_met_it()
    {
        using var folder = new TempFolder();
        string data = Generate(folder);
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "mf", "--data", data, "--seed", $"{Seed}",
            "--workers", "2", "--holdout", "0.1", "--target", "1.02", "--time-limit", "30", "--slow", "0:3", "--out", "run", "--json");
        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal("target", summary.RootElement.GetProperty("reason").GetString());
        double said = summary.RootElement.GetProperty("test_rmse").GetDouble();
        Assert.InRange(said, 0.7, 1.02);
        Assert.Equal(Rmse(folder.In("run"), data, heldOut: true), said, 1e-5);
    }

    [Fact]
    public void Test_file_is_measured_on_and_its_unknown_users_and_items_are_predicted_from_biases()
    {
        using var folder = new TempFolder();
        string data = Generate(folder);
        string[] lines = File.ReadAllLines(data);
        File.WriteAllLines(folder.In("test.csv"), [.. lines[1..200], "nobody,0,3", $"{lines[1].Split(',')[0]},no such item,3"]);
        using RunningProgram train = Train(folder, data, "--workers", "2", "--test", "test.csv", "--out", "run", "--json");
        Assert.True(train.ExitCode() == 0, train.Errors);
        using RunningProgram evaluate = RunningProgram.Run(Published.Launcher, folder.Path, "evaluate", "--model", "run", "--data", "test.csv", "--json");
        Assert.True(evaluate.ExitCode() == 0, evaluate.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output), quality = JsonDocument.Parse(evaluate.Output);
        Assert.Equal(summary.RootElement.GetProperty("test_rmse").GetDouble(), quality.RootElement.GetProperty("rmse").GetDouble(), 1e-5);
        Assert.Equal(201, quality.RootElement.GetProperty("ratings").GetInt32());
        Assert.Equal(1, quality.RootElement.GetProperty("unknown_users").GetInt32());
        Assert.Equal(2, quality.RootElement.GetProperty("unknown_items").GetInt32()); // item 0 of nobody is one, too

        File.WriteAllText(folder.In("pairs.csv"), $"user,item\n{lines[5]}\nnobody,nothing\n");
        using RunningProgram predict = RunningProgram.Run(Published.Launcher, folder.Path, "predict", "--model", "run", "--data", "pairs.csv");
        Assert.True(predict.ExitCode() == 0, predict.Errors);
        FactorModel model = FactorModel.Read(folder.In("run"));
        double[] predicted = [.. predict.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(double.Parse)];
        string[] pair = lines[5].Split(',');
        Assert.Equal(model.Predict(Find(model.Users, pair[0]), Find(model.Items, pair[1])), predicted[0], 1e-5);
        Assert.Equal(model.Mean, predicted[1], 1e-5);
        Assert.Contains("1 pairs have a user without ratings", predict.Errors, StringComparison.Ordinal);
        Assert.Contains("1 pairs have an item without ratings", predict.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_films_are_recommended_by_name()
    {
        string ratings = DataFolder.PathOf("ml-latest-small/ratings.csv"), titles = DataFolder.PathOf("ml-latest-small/movies.csv");
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "mf", "--data", ratings, "--holdout", "0.1", "--workers", "4", "--out", "run", "--json");
        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.InRange(summary.RootElement.GetProperty("test_rmse").GetDouble(), 0.80, 0.85);

        using RunningProgram recommend = RunningProgram.Run(Published.Launcher, folder.Path, "recommend", "--model", "run", "--user", "42", "--titles", titles, "--json");
        Assert.True(recommend.ExitCode() == 0, recommend.Errors);
        using JsonDocument found = JsonDocument.Parse(recommend.Output);
        Assert.True(found.RootElement.GetProperty("known_user").GetBoolean());
        JsonElement[] films = [.. found.RootElement.GetProperty("items").EnumerateArray()];
        Assert.Equal(10, films.Length);
        var rated = File.ReadLines(ratings).Where(line => line.StartsWith("42,", StringComparison.Ordinal)).Select(line => line.Split(',')[1]).ToHashSet();
        FactorModel model = FactorModel.Read(folder.In("run"));
        double before = double.PositiveInfinity;
        foreach (JsonElement film in films)
        {
            string id = film.GetProperty("item").GetString()!;
            Assert.DoesNotContain(id, rated);
            Assert.Matches(@"\(\d{4}\)$", film.GetProperty("title").GetString());
            double rating = film.GetProperty("rating").GetDouble();
            Assert.Equal(model.Predict(Find(model.Users, "42"), Find(model.Items, id)), rating, 1e-5);
            Assert.True(rating <= before);
            before = rating;
        }

        using RunningProgram stranger = RunningProgram.Run(Published.Launcher, folder.Path, "recommend", "--model", "run", "--user", "Zoë", "--top", "3");
        Assert.True(stranger.ExitCode() == 0, stranger.Errors);
        Assert.Contains("user Zoë has no ratings in the model", stranger.Errors, StringComparison.Ordinal);
        Assert.Equal(4, stranger.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Processes_started_by_hand_make_one_model()
    {
        using var folder = new TempFolder();
        string data = Generate(folder);
        var processes = new List<RunningProgram>();
        try
        {
            RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--workers", "2", "--passes", "10", "--out", "run");
            processes.Add(server);
            server.Until(() => Address().IsMatch(server.Errors), "the server listened");
            for (int part = 0; part < 2; part++)
            {
                processes.Add(RunningProgram.Start(Published.Worker, folder.Path, "mf", "--server", Address().Match(server.Errors).Groups[1].Value, "--data", data,
                    "--part", $"{part}/2", "--holdout", "0.1", "--seed", $"{Seed}", "--out", part == 0 ? "run/model" : "elsewhere"));
            }

            foreach (RunningProgram process in processes)
                Assert.True(process.ExitCode() == 0, process.Errors);
        }
        finally
        {
            foreach (RunningProgram process in processes)
                process.Dispose();
        }

        string missing = Assert.Throws<InputException>(() => FactorModel.Read(folder.In("run"))).Message;
        Assert.Contains("users-1.json is missing", missing, StringComparison.Ordinal);
        foreach (string file in Directory.GetFiles(folder.In("elsewhere")))
            File.Move(file, Path.Combine(folder.In("run/model"), Path.GetFileName(file)), overwrite: true); // each writes the items, the same
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
        Assert.Equal(summary.RootElement.GetProperty("test_rmse").GetDouble(), Rmse(folder.In("run"), data, heldOut: true), 1e-5);

        // Users of another run must not be taken for those of this one.
        using RunningProgram again = Train(folder, data, "--workers", "2", "--out", "other");
        Assert.True(again.ExitCode() == 0, again.Errors);
        foreach (string extension in (string[])["json", "npy", "txt"])
            File.Copy(folder.In($"other/model/users-1.{extension}"), folder.In($"run/model/users-1.{extension}"), overwrite: true);
        Assert.Contains("belongs to other weights", Assert.Throws<InputException>(() => FactorModel.Read(folder.In("run"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(15, true)] // timeout signals its child and then the whole group
    public void Request_to_stop_leaves_a_whole_model(int signal, bool all)
    {
        Assert.SkipWhen(signal == 2 && TrainEndTests.InterruptIsIgnored(), "SIGINT is ignored here, as in the background of a script: programs inherit that");
        using var folder = new TempFolder();
        string data = Generate(folder);
        using RunningProgram train = RunningProgram.Start(Published.Launcher, folder.Path, "train", "mf", "--data", data, "--seed", $"{Seed}", "--workers", "2",
            "--holdout", "0.1", "--passes", "1000000", "--slow", "0:5", "--out", "run");
        train.Until(() => train.Errors.Contains(" passes", StringComparison.Ordinal) && train.Errors.Contains("objective", StringComparison.Ordinal), "it trained");
        int[] children = all ? [.. train.Children().Keys] : [];
        train.Signal(signal);
        foreach (int child in children)
            RunningProgram.Signal(child, signal);
        if (all && !train.HasExited)
            train.Signal(signal);
        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
        Assert.Equal("stopped", summary.RootElement.GetProperty("reason").GetString());
        Assert.Equal(summary.RootElement.GetProperty("test_rmse").GetDouble(), Rmse(folder.In("run"), data, heldOut: true), 1e-5);
    }

    [Fact]
    public void Run_that_fails_leaves_the_model_of_an_earlier_one()
    {
        using var folder = new TempFolder();
        string data = Generate(folder);
        using RunningProgram good = Train(folder, data, "--workers", "2", "--holdout", "0.1", "--out", "run");
        Assert.True(good.ExitCode() == 0, good.Errors);
        double before = Rmse(folder.In("run"), data, heldOut: true);
        using RunningProgram diverges = Train(folder, data, "--workers", "2", "--holdout", "0.1", "--step", "1", "--out", "run");
        Assert.True(diverges.ExitCode() == 4, diverges.Errors);
        Assert.Contains("step size", diverges.Errors, StringComparison.Ordinal);

        // One of the workers dies in the middle.
        using RunningProgram dies = RunningProgram.Start(Published.Launcher, folder.Path, "train", "mf", "--data", data, "--workers", "2", "--passes", "1000000", "--slow", "0:20", "--out", "run");
        dies.Until(() => dies.Errors.Contains(" passes, objective", StringComparison.Ordinal), "it trained");
        RunningProgram.Signal(dies.Children().First(child => child.Value.Contains("hpaps-worker", StringComparison.Ordinal)).Key, 9);
        Assert.True(dies.ExitCode() == 4, dies.Errors);
        Assert.Contains("killed by signal 9", dies.Errors, StringComparison.Ordinal);
        Assert.Contains("No model was saved", dies.Errors, StringComparison.Ordinal);
        Assert.Equal(before, Rmse(folder.In("run"), data, heldOut: true));
    }

    [Theory]
    [InlineData(2, "give one of them", "--test", "r.csv", "--holdout", "0.1")]
    [InlineData(2, "--target needs --test or --holdout", "--target", "0.9")]
    [InlineData(2, "--rank must be 1 to 512", "--rank", "0")]
    [InlineData(2, "--decay must be 0.0001 to 10", "--decay", "0")]
    [InlineData(2, "--holdout must be 0 to 0.99", "--holdout", "1")]
    [InlineData(2, "--step must be 1E-09 to 1", "--step", "2")]
    [InlineData(3, "r.csv:3: the rating is not a finite number ('good')")]
    [InlineData(3, "there is no such file", "--test", "absent.csv")]
    public void Bad_input_ends_with_a_message_and_leaves_nothing(int code, string expected, params string[] arguments)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("r.csv"), "1,2,3\n2,2,4\n1,3,good\n");
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, ["train", "mf", "--data", "r.csv", "--workers", "2", "--out", "run", .. arguments]);
        Assert.True(train.ExitCode() == code, train.Errors);
        Assert.Contains(expected, train.Errors, StringComparison.Ordinal);
        Assert.Equal(["r.csv"], folder.Entries());
    }

    [Fact]
    public void Model_of_another_task_is_refused()
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", folder.Data(), "--passes", "3", "--workers", "1", "--out", "run");
        Assert.True(train.ExitCode() == 0, train.Errors);
        using RunningProgram recommend = RunningProgram.Run(Published.Launcher, folder.Path, "recommend", "--model", "run", "--user", "1");
        Assert.Equal(3, recommend.ExitCode());
        Assert.Contains("the model is of task 'logreg'", recommend.Errors, StringComparison.Ordinal);
    }

    private static string Generate(TempFolder folder)
    {
        using RunningProgram generate = RunningProgram.Run(Published.Launcher, folder.Path, "generate", "ratings", "--ratings", "40000", "--out", "the ratings.csv");
        Assert.True(generate.ExitCode() == 0, generate.Errors);
        return folder.In("the ratings.csv");
    }

    private static RunningProgram Train(TempFolder folder, string data, params string[] arguments) => RunningProgram.Run(Published.Launcher, folder.Path,
        ["train", "mf", "--data", data, "--seed", $"{Seed}", "--passes", "10", .. arguments]);

    /// <summary>Computed from the files of the model alone.</summary>
    private static double Rmse(string run, string data, bool heldOut)
    {
        FactorModel model = FactorModel.Read(run);
        Ratings ratings = RatingsReader.Read(data, new IdTable(), new IdTable(), needsRatings: true, CancellationToken.None);
        double squares = 0;
        int count = 0;
        for (int r = 0; r < ratings.Count; r++)
        {
            if (ratings.IsHeldOut(r, 0.1, Seed) != heldOut)
                continue;
            double error = ratings.Values[r] - model.Predict(
                model.Users.Find(ratings.Users[ratings.UserOf[r]]), model.Items.Find(ratings.Items[ratings.ItemOf[r]]));
            squares += error * error;
            count++;
        }

        return Math.Sqrt(squares / count);
    }

    private static int Find(IdTable ids, string id) => ids.Find(System.Text.Encoding.UTF8.GetBytes(id));

    [GeneratedRegex(@"listening at (\S+)")]
    private static partial Regex Address();
}
