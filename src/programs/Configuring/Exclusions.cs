using System;
using System.Collections.Generic;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>
/// Options that do not go together. Where both are given in one place, that is an error, which the commands find. Where one comes from a place that goes before the
/// other's (a flag and a file), the other is left out: otherwise nobody could give the one while the file has the other.
/// </summary>
internal static class Exclusions
{
    private static readonly string[] OfProcesses = ["restart", "durability", "on-worker-loss", "rejoin-timeout", "liveness-timeout", "reassign", "monitor"];

    private static readonly string[] Alerts = ["alert-command", "alert-webhook", "alert-interval", "alert-on"];

    private static readonly Rule[] Rules =
    [
        new("test", Always, ["holdout"]),
        new("holdout", Always, ["test"]),
        new("part", Always, ["worker-rank"]),
        new("worker-rank", Always, ["part"]),
        new("rendezvous", Always, ["server"]),
        new("server", Always, ["rendezvous"]),
        new("bind", Always, ["listen"]),
        new("listen", Always, ["bind"]),
        new("deterministic", Always, [.. OfProcesses, .. Alerts]),
        new("simulate", Always, [.. OfProcesses, "runs"]),
        new("policy", static text => !AspPolicy.IsNamed(text), ["rate", "batch"]),
        new("policy", AspPolicy.IsNamed, ["l1", "solver", "warm-start"]),
        new("restart", static text => text == "never", ["durability"]),
        new("durability", static text => text == DurabilityOption.None, ["state", "checkpoint-interval"]),
        new("on-worker-loss", static text => text != "wait", ["reassign"]),
        new("reassign", Always, ["on-worker-loss"]),
    ];

    // For the options of a server that runs, or of one of its own: shared values that cannot be for this call.
    private static readonly string[] OfAServer = ["token-file", "tls-cert", "tls-key", "tls-ca"];
    private static readonly string[] OfItsOwn = ["transport", "idle"];

    /// <summary>Marks what is left out.</summary>
    /// <param name="command">The command, words with points between them.</param>
    /// <param name="settings">Its options.</param>
    public static void Apply(string command, List<Setting> settings)
    {
        foreach (Rule rule in Rules)
        {
            if (settings.Find(one => one.Key == rule.By) is { Text: { } text, LeftOut: null, Precedence: > Setting.Default } by && rule.When(text))
                LeaveOut(settings, rule.Out, by.Precedence, $"{by.Option.Name}{(text.Length > 0 ? " " : "")}{text} ({by.Origin})");
        }

        if (command != "stress")
            return;
        bool isOwn = settings.Find(static one => one.Key == "server") is not { Precedence: > Setting.Default };
        LeaveOut(settings, isOwn ? OfAServer : OfItsOwn, Setting.Flag, isOwn ? "no --server" : "--server");
    }

    private static void LeaveOut(List<Setting> settings, string[] names, int below, string because)
    {
        for (int j = 0; j < settings.Count; j++)
        {
            Setting one = settings[j];
            if (one.Precedence > Setting.Default && one.Precedence < below && Array.IndexOf(names, one.Key) >= 0)
                settings[j] = one with { LeftOut = because };
        }
    }

    private static bool Always(string text) => true;

    /// <param name="By">The option that keeps others out.</param>
    /// <param name="When">With which value.</param>
    /// <param name="Out">The others.</param>
    private sealed record Rule(string By, Func<string, bool> When, string[] Out);
}
