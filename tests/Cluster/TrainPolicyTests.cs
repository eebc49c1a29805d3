using System;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps train under ssp:S and asp, and until a plateau: small runs, and what is refused.</summary>
[Collection(Alone.Name)]
public sealed class TrainPolicyTests
{
    [Theory]
    [InlineData("ssp:0", null)]
    [InlineData("ssp:3", null)]
    [InlineData("asp", "sgd")]
    [InlineData("asp:adagrad", "0.1")]
    [InlineData("asp:adam", "0.02", "--rate", "0.02", "--batch", "16")]
    public void Train_under_a_policy_leaves_a_model_that_is_good(string policy, string? rate, params string[] more)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, ["train", "logreg", "--data", data, "--test", data, "--l2", "1e-2",
            "--workers", "3", "--policy", policy, "--passes", "100", "--slow", "0:3", "--out", "run", "--json", .. more]);
        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument printed = JsonDocument.Parse(train.Output);
        JsonElement summary = printed.RootElement;
        Assert.Equal(policy, summary.GetProperty("policy").GetString());
        Assert.Equal("passes", summary.GetProperty("reason").GetString());
        Assert.InRange(summary.GetProperty("test_accuracy").GetDouble(), 0.8, 1);
        Assert.True(summary.GetProperty("objective").GetDouble() < 0.68);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        JsonElement settings = summary.GetProperty("settings");
        Assert.Equal(rate is not null, settings.TryGetProperty("rate", out JsonElement used));
        Assert.Equal(rate is not null, settings.TryGetProperty("batch", out JsonElement batch));
        if (rate is null)
            return;
        Assert.Equal(more.Length > 0 ? "16" : "64", batch.GetString());
        if (rate == "sgd")
            Assert.InRange(double.Parse(used.GetString()!), 0.05, 2); // from the data
        else
            Assert.Equal(rate, used.GetString());
    }

    [Theory]
    [InlineData("logreg")]
    [InlineData("mf", "--holdout", "0.2")]
    public void Train_until_a_plateau_says_so(string task, params string[] more)
    {
        using var folder = new TempFolder();
        string data = task == "mf" ? Ratings(folder) : folder.Data();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, ["train", task, "--data", data, "--workers", "2",
            "--passes", "100000", "--time-limit", "60", "--plateau", "20:1e-3", "--out", "run", .. more]);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Matches("ended +on a plateau", train.Output);
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
        Assert.Equal("plateau", summary.RootElement.GetProperty("reason").GetString());
        Assert.InRange(summary.RootElement.GetProperty("passes").GetDouble(), 20, 99_999);
        Assert.Contains("ended on a plateau", File.ReadAllText(folder.In("run/report.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("logreg", "from 0 to 1000000", "--policy", "ssp:-1")]
    [InlineData("logreg", "as in ssp:3", "--policy", "ssp:x")]
    [InlineData("logreg", "use asp:sgd (which asp alone is), asp:adagrad or asp:adam", "--policy", "asp:foo")]
    [InlineData("logreg", "use one of async, auto, bsp, bsp:1, ssp:S, asp:sgd", "--policy", "bps")]
    [InlineData("logreg", "--rate is the learning rate of --policy asp", "--rate", "0.1")]
    [InlineData("logreg", "--batch is of --policy asp", "--policy", "bsp", "--batch", "8")]
    [InlineData("logreg", "--l1 needs --policy async, auto, bsp, bsp:1 or ssp:S", "--policy", "asp", "--l1", "1e-3")]
    [InlineData("logreg", "--solver needs --policy async, auto, bsp, bsp:1 or ssp:S", "--policy", "asp:adam", "--solver", "svrg")]
    [InlineData("logreg", "--rate must be", "--policy", "asp", "--rate", "0")]
    [InlineData("mf", "use async, auto, bsp, bsp:1 or ssp:S", "--policy", "asp:adam")]
    [InlineData("logreg", "trains nothing", "--policy", "asp:sum")]
    [InlineData("logreg", "as in 20 or 20:1e-4", "--plateau", "0")]
    [InlineData("logreg", "--restart is for processes that die", "--deterministic", "--restart", "on-failure:1")]
    [InlineData("mf", "--reassign is for processes that die", "--deterministic", "--reassign")]
    [InlineData("mf", "--on-worker-loss is for processes that die", "--deterministic", "--on-worker-loss", "keep")]
    [InlineData("logreg", "--durability is for processes that die", "--deterministic", "--durability", "always")]
    [InlineData("mf", "as in 20 or 20:1e-4", "--plateau", "5:2")]
    public void Train_that_does_not_fit_is_refused(string task, string says, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, ["train", task, "--data", "x", .. arguments]);
        Assert.Equal(2, train.ExitCode());
        Assert.Contains(says, train.Errors, StringComparison.Ordinal);
        Assert.Empty(folder.Entries());
    }

    [Theory]
    [InlineData("train", "logreg")]
    [InlineData("train", "mf")]
    [InlineData("server")]
    public void Help_names_the_policies_and_shows_a_plateau(params string[] command)
    {
        using var folder = new TempFolder();
        using RunningProgram help = command[0] == "server"
            ? RunningProgram.Run(Published.Server, folder.Path, "--help")
            : RunningProgram.Run(Published.Launcher, folder.Path, [.. command, "--help"]);
        Assert.Equal(0, help.ExitCode());
        foreach (string word in (string[])["ssp:S", "asp:adagrad", "--plateau", "[default: 1E+18]"])
            Assert.Contains(word, help.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bsp", "policy +bsp\\n")]
    [InlineData("auto", "policy +auto: .*waited for: ")]
    public void Result_names_the_policy_and_what_auto_decided(string policy, string pattern)
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", folder.Data(), "--workers", "3", "--deterministic",
            "--policy", policy, "--slow", "0:8", "--passes", "60", "--out", "run");
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Matches(pattern, train.Output);
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
        JsonElement decisions = summary.RootElement.GetProperty("policy_decisions");
        if (decisions.GetArrayLength() > 0)
            Assert.Contains($"auto: {decisions[decisions.GetArrayLength() - 1].GetProperty("reason").GetString()}", train.Output, StringComparison.Ordinal);
    }

    private static string Ratings(TempFolder folder)
    {
        var random = new Random(3);
        using var file = new StreamWriter(folder.In("ratings.csv"));
        for (int user = 0; user < 60; user++)
        {
            for (int item = 0; item < 40; item++)
            {
                if (random.Next(2) == 0)
                    file.WriteLine($"{user},{item},{1 + ((user + item + random.Next(2)) % 5)}");
            }
        }

        return folder.In("ratings.csv");
    }
}
