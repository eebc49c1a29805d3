using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Options from hpaps.toml and from variables: which value counts, and what the run and its processes make of it.</summary>
[Collection(Alone.Name)]
public sealed class ConfigurationTests
{
    private const string File = "hpaps.toml";

    private static string Names => Path.Combine(Repository.Root, "src", "programs", "Configuring", "options.txt");

    private static string Example => Path.Combine(Repository.Root, "tools", "hpaps.example.toml");

    [Theory]
    [InlineData("passes = 1", "", "", "1", "hpaps.toml:1")]
    [InlineData("passes = 1\n[train]\npasses = 2", "", "", "2", "hpaps.toml:3")]
    [InlineData("passes = 1\n[train.mf]\npasses = 3\n[train]\npasses = 2", "", "", "3", "hpaps.toml:3")]
    [InlineData("train.mf.passes = 3\ntrain.passes = 2", "", "", "3", "hpaps.toml:1")]
    [InlineData("[train]\nmf = { passes = 3 }", "", "", "3", "hpaps.toml:2")]
    [InlineData("[train.logreg]\npasses = 3", "", "", null, "default")]
    [InlineData("[train.mf]\npasses = 3", "HPAPS_PASSES=4", "", "4", "HPAPS_PASSES")]
    [InlineData("[train.mf]\npasses = 3", "HPAPS_PASSES=", "", "3", "hpaps.toml:2")]
    [InlineData("passes = 3", "HPAPS_CONFIG=none", "", null, "default")]
    [InlineData("passes = 3", "HPAPS_CONFIG=other.toml", "", "5", "other.toml:1")]
    [InlineData("passes = 3", "HPAPS_CONFIG=missing.toml", "--config=other.toml", "5", "other.toml:1")]
    [InlineData("passes = 3", "HPAPS_CONFIG=other.toml", "--config=none", null, "default")]
    public void More_special_ones_go_before(string text, string variable, string flag, string? value, string from)
    {
        using var folder = new TempFolder();
        System.IO.File.WriteAllText(folder.In(File), text);
        System.IO.File.WriteAllText(folder.In("other.toml"), "passes = 5");
        using RunningProgram show = Launch(folder, variable, ["config", "show", "train", "mf", "--json", .. flag.Length > 0 ? (string[])[flag] : []]);
        Assert.True(show.ExitCode() == 0, show.Errors);
        Assert.Equal((value, from, null), Option(show.Output, "--passes"));
    }

    [Theory]
    [InlineData("[train.mf]\nholdout = 0.1", "HPAPS_TEST=t.csv", "--holdout", "0", "default", "0.1 of hpaps.toml:2 is left out: --test t.csv (HPAPS_TEST)")]
    [InlineData("[train.mf]\nrestart = 'on-failure:3'", "HPAPS_DETERMINISTIC=1", "--restart", "never", "default", "on-failure:3 of hpaps.toml:2 is left out: --deterministic (HPAPS_DETERMINISTIC)")]
    [InlineData("[train.mf]\nreassign = true", "HPAPS_REASSIGN=0", "--reassign", "false", "HPAPS_REASSIGN", null)]
    [InlineData("[train]\nslow = ['0:8', '1:4']", "", "--slow", "0:8,1:4", "hpaps.toml:2", null)]
    [InlineData("log-format = 'json'", "", "--log-format", "json", "hpaps.toml:1", null)]
    public void Those_that_do_not_go_together(string text, string variable, string option, string value, string from, string? note)
    {
        using var folder = new TempFolder();
        System.IO.File.WriteAllText(folder.In(File), text);
        using RunningProgram show = Launch(folder, variable, "config", "show", "train", "mf", "--json");
        Assert.True(show.ExitCode() == 0, show.Errors);
        Assert.Equal((value, from, note), Option(show.Output, option));
    }

    [Fact]
    public void Names_are_those_of_the_commands()
    {
        using RunningProgram names = RunningProgram.Run(Published.Launcher, Path.GetTempPath(), "config", "names");
        Assert.True(names.Output == System.IO.File.ReadAllText(Names), $"after a change of options: out/bin/hpaps config names > {Names}");
    }

    [Fact]
    public void Example_can_be_used()
    {
        using var folder = new TempFolder();
        using RunningProgram check = RunningProgram.Run(Published.Launcher, folder.Path, "config", "check", Example);
        Assert.True(check.ExitCode() == 0, check.Errors);
        Assert.Contains("can be used", check.Output, StringComparison.Ordinal);

        // What is commented out in it can be used too.
        string[] lines = System.IO.File.ReadAllLines(Example);
        for (int j = 0; j < lines.Length; j++)
            lines[j] = lines[j].StartsWith('#') && !lines[j].StartsWith("# ", StringComparison.Ordinal) ? lines[j][1..] : lines[j];
        System.IO.File.WriteAllLines(folder.In("all.toml"), lines);
        Assert.NotEqual(System.IO.File.ReadAllText(Example), System.IO.File.ReadAllText(folder.In("all.toml")));
        using RunningProgram all = RunningProgram.Run(Published.Launcher, folder.Path, "config", "check", "all.toml");
        Assert.True(all.ExitCode() == 0, all.Errors);
    }

    [Fact]
    public void Everything_is_shown_for_people()
    {
        using var folder = new TempFolder();
        System.IO.File.WriteAllText(folder.In(File), "[server]\nliveness-timeout = 4.5\ntoken-file = 'token'");
        using RunningProgram show = Launch(folder, "HPAPS_WORKERS=3", "config", "show", "server");
        Assert.True(show.ExitCode() == 0, show.Errors);
        Assert.Matches("--liveness-timeout +4.5 +hpaps.toml:2", show.Output);
        Assert.Matches("--workers +3 +HPAPS_WORKERS", show.Output);
        Assert.Matches("--rejoin-timeout +60 +default", show.Output);
        Assert.Matches("--token-file +token +hpaps.toml:3", show.Output);
    }

    [Fact]
    public void Run_is_as_the_file_says_and_can_be_made_again()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        // Were the file or a variable read by the server or a worker, they would fail: there is no such folder, and no such server.
        System.IO.File.WriteAllText(folder.In(File), $"data = '{data}'\nworkers = 2\npasses = 400\nseed = 9\n[train]\nout = 'run'\npasses = 30\n[train.logreg]\nl2 = 1e-2\n"
            + "[server]\nstate = '/dev/null/state'\n[worker]\nserver = '127.0.0.1:1'\ntoken-file = 'missing'");
        using RunningProgram train = Launch(folder, "HPAPS_CODEC=int8", ["env", "HPAPS_MAX_PARAMETERS=1", "HPAPS_CONNECT_TIMEOUT=0.1", Published.Launcher, "train", "logreg", "--passes", "40", "--json"]);
        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(System.IO.File.ReadAllText(folder.In("run/summary.json")));
        JsonElement of = summary.RootElement;
        Assert.Equal(("int8", 2, 9), (of.GetProperty("codec").GetString(), of.GetProperty("workers").GetInt32(), of.GetProperty("seed").GetInt32()));
        Assert.InRange(of.GetProperty("passes").GetDouble(), 40, 80);
        Assert.Equal("0.01", of.GetProperty("settings").GetProperty("l2").GetString());
        string command = of.GetProperty("command").GetString()!;
        Assert.Equal($"hpaps train logreg --passes 40 --json '--data={data}' --l2=0.01 --workers=2 --codec=int8 --seed=9 --out=run", command);

        System.IO.File.Delete(folder.In(File));
        using RunningProgram plan = RunningProgram.Run(Published.Launcher, folder.Path, "plan", "run", "--workers", "2", "--json");
        Assert.True(plan.ExitCode() == 0, plan.Errors);
    }

    [Fact]
    public void What_counts_of_a_file_that_nobody_named_is_said()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        System.IO.File.WriteAllText(folder.In(File), $"data = '{data}'\nseed = 7\nlog-format = 'text'\nworkers = 3\n[train]\nalert-webhook = 'http://127.0.0.1:1/secret'\n[inspect]\njson = true");
        using RunningProgram inspect = RunningProgram.Run(Published.Launcher, folder.Path, "inspect");
        Assert.True(inspect.ExitCode() == 0, inspect.Errors);
        Assert.Equal($"hpaps: options from hpaps.toml: '--data={data}' --json --log-format=text\n", inspect.Errors);
        using JsonDocument alone = JsonDocument.Parse(inspect.Output); // standard output is as it was
        using RunningProgram secret = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--passes", "1", "--workers", "1", "--alert-on", "failed", "--out", "run");
        Assert.True(secret.ExitCode() == 0, secret.Errors);
        Assert.StartsWith($"hpaps: options from hpaps.toml: '--data={data}' --seed=7 --alert-webhook=... --log-format=text\n", secret.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", secret.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hpaps-server: options", secret.Errors, StringComparison.Ordinal);

        foreach (string[] quiet in (string[][])[["inspect", "--config", File], ["inspect", "--config", "none", "--data", data], ["config", "show", "inspect"]])
        {
            using RunningProgram none = RunningProgram.Run(Published.Launcher, folder.Path, quiet);
            Assert.True(none.ExitCode() == 0, none.Errors);
            Assert.Equal("", none.Errors);
        }
    }

    [Fact]
    public void Server_and_worker_read_it_by_hand()
    {
        using var folder = new TempFolder();
        System.IO.File.WriteAllText(folder.In(File), $"[server]\nlisten = 'unix:{folder.In("s")}'\nworkers = 1\npasses = 20\nout = 'run'\n[worker]\nserver = 'unix:{folder.In("s")}'\n[worker.logreg]\ndata = '{folder.Data()}'");
        using RunningProgram server = RunningProgram.Start(Published.Server, folder.Path);
        using RunningProgram worker = RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--log-format", "text");
        Assert.True(worker.ExitCode() == 0, worker.Errors);
        Assert.True(server.ExitCode() == 0, server.Errors);
        using JsonDocument summary = JsonDocument.Parse(System.IO.File.ReadAllText(folder.In("run/summary.json")));
        Assert.Equal($"hpaps-server --listen=unix:{folder.In("s")} --workers=1 --passes=20 --out=run", summary.RootElement.GetProperty("command").GetString());
    }

    private static RunningProgram Launch(TempFolder folder, string variable, params string[] arguments)
    {
        List<string> words = variable.Length > 0 ? [variable] : [];
        words.AddRange(arguments is ["env", .. var rest] ? rest : [Published.Launcher, .. arguments]);
        return RunningProgram.Run("/usr/bin/env", folder.Path, [.. words]);
    }

    private static (string? Value, string? From, string? Note) Option(string json, string name)
    {
        using JsonDocument reports = JsonDocument.Parse(json);
        foreach (JsonElement option in reports.RootElement[0].GetProperty("options").EnumerateArray())
        {
            if (option.GetProperty("option").GetString() == name)
                return (option.GetProperty("value").GetString(), option.GetProperty("from").GetString(), option.GetProperty("note").GetString());
        }

        throw new InvalidOperationException($"no {name} in {json}");
    }
}
