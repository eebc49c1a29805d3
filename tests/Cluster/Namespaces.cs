using System;
using System.Collections.Generic;
using System.Diagnostics;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>
/// Two network namespaces with a cable between them, and what can be done to it. Needs root and the programs ip, tc and iptables; where one is
/// missing, <see cref="Need"/> skips the test and says why. All is removed at the end.
/// </summary>
public sealed class Namespaces : IDisposable
{
    private const int Server = 0;

    // An interface's name has 15 characters at most.
    private static readonly string[] Names = [$"hp{Environment.ProcessId}s", $"hp{Environment.ProcessId}w"];
    private static readonly string[] Addresses = ["10.213.47.1", "10.213.47.2"];

    private readonly string? _lacks;

    public Namespaces()
    {
        foreach (string name in Names)
            _lacks ??= Run("ip", "netns", "add", name);
        _lacks ??= Run("ip", "link", "add", Names[0], "netns", Names[0], "type", "veth", "peer", "name", Names[1], "netns", Names[1]);
        for (int side = 0; side < Names.Length; side++)
        {
            _lacks ??= Run("ip", "-n", Names[side], "address", "add", $"{Addresses[side]}/24", "dev", Names[side]);
            _lacks ??= Run("ip", "-n", Names[side], "link", "set", Names[side], "up");
        }

        _lacks ??= Lose(1, Names); // and iptables has the statistic, and tc the bucket
        _lacks ??= Narrow("10mbit");
        Mend();
    }

    /// <summary>Address of the server's end.</summary>
    public static string Address => Addresses[Server];

    /// <summary>Skips the test where there can be no namespaces.</summary>
    public void Need() => Assert.SkipWhen(_lacks is not null, $"no network of its own can be made here (it takes root, ip and tc of iproute2, and iptables): {_lacks}");

    /// <summary>A program at one end.</summary>
    internal static RunningProgram Start(bool atServer, string file, string folder, params string[] arguments) =>
        RunningProgram.Start("ip", folder, ["netns", "exec", Names[atServer ? Server : 1], file, .. arguments]);

    /// <summary>Pulls the cable, or plugs it in.</summary>
    public void Plug(bool isIn) => Must(Run("ip", "-n", Names[Server], "link", "set", Names[Server], isIn ? "up" : "down"));

    /// <summary>Loses so many of a hundred packets, at random, in each direction.</summary>
    public void Lose(int percent) => Must(Lose(percent, Names));

    /// <summary>Lets no more bits a second through, in each direction.</summary>
    public void Slow(string rate) => Must(Narrow(rate));

    /// <summary>Nothing is wrong with the cable any more.</summary>
    public void Mend()
    {
        foreach (string name in Names)
        {
            _ = Run("ip", "netns", "exec", name, "iptables", "-F");
            _ = Run("tc", "-n", name, "qdisc", "del", "dev", name, "root"); // there may be none
            _ = Run("ip", "-n", name, "link", "set", name, "up");
        }
    }

    public void Dispose()
    {
        foreach (string name in Names)
            _ = Run("ip", "netns", "del", name); // the cable goes with it
    }

    private static string? Lose(int percent, IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            if (Run("ip", "netns", "exec", name, "iptables", "-A", "INPUT", "-m", "statistic", "--mode", "random", "--probability", $"{percent / 100.0}", "-j", "DROP") is { } why)
                return why;
        }

        return null;
    }

    private static string? Narrow(string rate)
    {
        foreach (string name in Names)
        {
            if (Run("tc", "-n", name, "qdisc", "add", "dev", name, "root", "tbf", "rate", rate, "burst", "32kbit", "latency", "400ms") is { } why)
                return why;
        }

        return null;
    }

    private static void Must(string? why) => Assert.True(why is null, why);

    /// <summary>What the program complains of, or null.</summary>
    internal static string? Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : $"{program} {string.Join(' ', arguments)}: {error.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return $"{program}: {e.Message}";
        }
    }
}
