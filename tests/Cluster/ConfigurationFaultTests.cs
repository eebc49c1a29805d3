using System;
using System.IO;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>What is wrong with a configuration file or a variable is said with its place, and what to do.</summary>
public sealed class ConfigurationFaultTests
{
    [Theory]
    [InlineData("[server]\nlivenes-timeout = 4", 3, "hpaps.toml:2: there is no option 'livenes-timeout' in [server]; did you mean 'liveness-timeout'?")]
    [InlineData("--log_format = 1", 3, "hpaps.toml:1: there is no option '--log_format'; did you mean 'log-format'?")]
    [InlineData("log_format = 'text'", 3, "hpaps.toml:1: there is no option 'log_format'; did you mean 'log-format'?")]
    [InlineData("[server]\nrank = 4", 3, "hpaps.toml:2: there is no option 'rank' in [server]: it is one of [train.mf]")]
    [InlineData("[traim.mf]\nrank = 4", 3, "hpaps.toml:1: there is no table [traim.mf]; did you mean [train.mf]?")]
    [InlineData("train.xyz.rank = 4", 3, "hpaps.toml:1: there is no table [train.xyz]")]
    [InlineData("[[train]]\npasses = 4", 3, "hpaps.toml:1: [[train]] is a list of tables")]
    [InlineData("events = true", 3, "hpaps.toml:1: there is no option 'events'")]
    [InlineData("config = 'x'", 3, "hpaps.toml:1: there is no option 'config'")]
    [InlineData("seed = 1\nseed = 2", 3, "hpaps.toml:2: column 1: The key `seed` is already defined")]
    [InlineData("seed = \n", 3, "hpaps.toml:1: column 8:")]
    [InlineData("[train]\n[server]\n[train]\n", 3, "hpaps.toml:3: column 1: The key `train` is already defined")]
    [InlineData("\nworkers = '4'", 3, "hpaps.toml:2: workers must be a number, without quotes, and it is a text: write, for example, workers = 4")]
    [InlineData("plain = 'yes'", 3, "hpaps.toml:1: plain must be true or false, without quotes, and it is a text: write, for example, plain = true")]
    [InlineData("policy = 4", 3, "hpaps.toml:1: policy must be a text in quotes, and it is a number: write, for example, policy = \"4\"")]
    [InlineData("policy = ['async', 'bsp']", 3, "hpaps.toml:1: policy must be a text in quotes, and it is a list")]
    [InlineData("passes = 1979-05-27", 3, "hpaps.toml:1: passes must be a number, without quotes, and it is a date or time")]
    [InlineData("[server]\nworkers = 0", 2, "--workers must be 1 to 4096; it is 0. (--workers is from hpaps.toml:2)")]
    [InlineData("workers = 2.5", 2, "Cannot parse argument '2.5' for option '--workers': it must be a whole number. (--workers is from hpaps.toml:1)")]
    [InlineData("passes = nan", 2, "--passes must be 0 to")]
    [InlineData("policy = 'bps'", 2, "(--policy is from hpaps.toml:1)")]
    [InlineData("[server]\nrate = 1", 2, "--rate is the learning rate of --policy asp; no other policy has one. (--rate is from hpaps.toml:2)")]
    [InlineData("[server]\nout = ''", 2, "--out")]
    [InlineData("seed = 1\nout = 'run'", 3, "hpaps.toml:2: 'out' says what is written, or written over, and is not for all commands at once: put it in the table of one, as [train]")]
    [InlineData("force = true", 3, "hpaps.toml:1: 'force' says what is written, or written over, and is not for all commands at once: put it in the table of one, as [compare]")]
    [InlineData("[server]\nmonitor = '9464'", 2, "--monitor: '9464' is no address: write HOST:PORT, as in 127.0.0.1:9464 or, for a free port, 127.0.0.1:0. (--monitor is from hpaps.toml:2)")]
    public void Is_said(string text, int code, string message)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("hpaps.toml"), text);
        Refuses(folder, code, message, Published.Server, "--listen", "127.0.0.1:0");
    }

    [Fact]
    public void Several_are_said_at_once()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("hpaps.toml"), "sed = 1\n[train]\npases = 3");
        string said = Refuses(folder, 3, "hpaps.toml:1: there is no option 'sed'; did you mean 'seed'?", Published.Launcher, "train", "logreg", "--data", "x");
        Assert.Contains("hpaps.toml:3: there is no option 'pases' in [train]; did you mean 'passes'?", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_are_none()
    {
        using var folder = new TempFolder();
        Refuses(folder, 3, "--config missing.toml: there is no such file", Published.Server, "--config", "missing.toml");
        Refuses(folder, 3, "HPAPS_CONFIG missing.toml: there is no such file", "/usr/bin/env", "HPAPS_CONFIG=missing.toml", Published.Server);
        Refuses(folder, 3, "--config .: this is a folder", Published.Server, "--config", ".");
        Refuses(folder, 2, "--config is empty", Published.Server, "--config", "");
        Refuses(folder, 3, "is larger than 1048576 bytes", Published.Server, "--config", "/dev/zero");
        File.WriteAllBytes(folder.In("latin.toml"), [.. "out = 'r"u8, 0xFC, .. "n'"u8]);
        Refuses(folder, 3, "latin.toml: is not UTF-8 text (byte 8)", Published.Server, "--config", "latin.toml");
        File.WriteAllText(folder.In("deep.toml"), "out = " + new string('[', 100_000));
        Refuses(folder, 3, "deep.toml: The maximum depth of 64 has been exceeded. The file is TOML", Published.Server, "--config", "deep.toml");
    }

    [Fact]
    public void Variables_too()
    {
        using var folder = new TempFolder();
        Refuses(folder, 3, "HPAPS_PLAIN must be true or false, for --plain; it is 'yes'.", "/usr/bin/env", "HPAPS_PLAIN=yes", Published.Server);
        Refuses(folder, 2, "--workers must be 1 to 4096; it is 0. (--workers is from HPAPS_WORKERS)", "/usr/bin/env", "HPAPS_WORKERS=0", Published.Server);
    }

    [Fact]
    public void Files_that_a_value_names()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("hpaps.toml"), "[inspect]\ndata = 'missing.svm'");
        string said = Refuses(folder, 3, "--data missing.svm: there is no such file", Published.Launcher, "inspect");
        Assert.Contains("(--data is from hpaps.toml:2)", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_finds_what_is_wrong_for_any_command()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("some.toml"), "[worker.mf]\nrank = 0\n[stress]\nseconds = 1e9");
        string said = Refuses(folder, 2, "--rank must be 1 to", Published.Launcher, "config", "check", "some.toml");
        Assert.Contains("(--rank is from some.toml:2)", said, StringComparison.Ordinal);
        Assert.Contains("(--seconds is from some.toml:4)", said, StringComparison.Ordinal);
        Refuses(folder, 3, "there is no hpaps.toml here", Published.Launcher, "config", "check");
        Refuses(folder, 3, "there is no command 'tran mf'; did you mean 'train mf'?", Published.Launcher, "config", "show", "tran", "mf");
    }

    private static string Refuses(TempFolder folder, int code, string message, string program, params string[] arguments)
    {
        using RunningProgram run = RunningProgram.Run(program, folder.Path, arguments);
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.True(run.ExitCode() == code, $"exit code {run.ExitCode()}: {run.Errors}");
        Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
        return run.Errors;
    }
}
