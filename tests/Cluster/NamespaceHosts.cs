using System;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>
/// Three network namespaces as hosts, each with a cable to a switch, and what can be done to it. Needs root and the programs ip and tc; where one is missing, <see cref="Need"/> skips the test and
/// says why. All is removed at the end.
/// </summary>
public sealed class NamespaceHosts : IDisposable
{
    public const int Count = 3;

    private static readonly string Switch = $"hp{Environment.ProcessId}x";

    private readonly string? _lacks;

    public NamespaceHosts()
    {
        _lacks = Namespaces.Run("ip", "netns", "add", Switch) ?? Namespaces.Run("ip", "-n", Switch, "link", "add", "br0", "type", "bridge") ?? Namespaces.Run("ip", "-n", Switch, "link", "set", "br0", "up");
        for (int host = 0; host < Count; host++)
        {
            string name = NameOf(host);
            _lacks ??= Namespaces.Run("ip", "netns", "add", name);
            _lacks ??= Namespaces.Run("ip", "link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", Port(host), "netns", Switch);
            _lacks ??= Namespaces.Run("ip", "-n", Switch, "link", "set", Port(host), "master", "br0", "up");
            _lacks ??= Namespaces.Run("ip", "-n", name, "address", "add", $"{AddressOf(host)}/24", "dev", "eth0");
            _lacks ??= Namespaces.Run("ip", "-n", name, "link", "set", "eth0", "up");
            _lacks ??= Namespaces.Run("ip", "-n", name, "link", "set", "lo", "up");
            _lacks ??= Narrow(host, "1gbit");
        }
    }

    public static string AddressOf(int host) => $"10.213.48.{host + 1}";

    /// <summary>Skips the test where there can be no namespaces.</summary>
    public void Need() => Assert.SkipWhen(_lacks is not null, $"no network of its own can be made here (it takes root, and ip and tc of iproute2): {_lacks}");

    /// <summary>A program at a host.</summary>
    internal static RunningProgram Start(int host, string file, string folder, params string[] arguments) =>
        RunningProgram.Start("ip", folder, ["netns", "exec", NameOf(host), file, .. arguments]);

    /// <summary>Pulls a host's cable, or plugs it in.</summary>
    public void Plug(int host, bool isIn) => Must(Namespaces.Run("ip", "-n", Switch, "link", "set", Port(host), isIn ? "up" : "down"));

    /// <summary>Lets no more bits a second through a host's cable, in each direction.</summary>
    public void Slow(int host, string rate) => Must(Narrow(host, rate));

    public void Dispose()
    {
        for (int host = 0; host < Count; host++)
            _ = Namespaces.Run("ip", "netns", "del", NameOf(host)); // the cable goes with it
        _ = Namespaces.Run("ip", "netns", "del", Switch);
    }

    private static string NameOf(int host) => $"hp{Environment.ProcessId}h{host}";

    private static string Port(int host) => $"port{host}";

    private static string? Narrow(int host, string rate) =>
        Namespaces.Run("tc", "-n", NameOf(host), "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "64kb", "latency", "200ms")
            ?? Namespaces.Run("tc", "-n", Switch, "qdisc", "replace", "dev", Port(host), "root", "tbf", "rate", rate, "burst", "64kb", "latency", "200ms");

    private static void Must(string? why) => Assert.True(why is null, why);
}
