using System;
using System.Collections.Generic;
using System.Globalization;

namespace HpAsyncPs.Cli.Launching;

/// <summary>Finds, among processes that failed one after the other, the one that was the cause.</summary>
internal static class Failure
{
    /// <summary>How sure it is that a process failed by itself and not because of another.</summary>
    private enum Blame
    {
        None,

        // Its peer went away, probably.
        WorkerLostTheServer,

        // It names the worker that it lost, or says what went wrong.
        ServerFailed,

        // Ended by a signal, or broken: nobody else does that to it.
        Died,

        // Bad input: its message is all the user needs.
        BadInput,
    }

    /// <summary>It has failed by itself, not because of another: no need to wait for what others say.</summary>
    public static bool IsCertain(ChildProcess child) => Of(child, isServer: false) >= Blame.Died;

    /// <summary>Whether it has failed.</summary>
    public static bool Has(ChildProcess child) => child.HasExited && child.ExitCode != 0;

    /// <summary>What to tell.</summary>
    /// <param name="server">The server.</param>
    /// <param name="workers">The workers, and the servers after the first.</param>
    /// <param name="when">How far the run was, for the message.</param>
    /// <param name="mayRestart">What died could have been started again, had that been asked for.</param>
    public static Exception Explain(ChildProcess server, IReadOnlyList<ChildProcess> workers, string when, bool mayRestart = false)
    {
        ChildProcess worst = server;
        Blame blame = Of(server, isServer: true);
        foreach (ChildProcess worker in workers)
        {
            Blame its = Of(worker, IsServer(worker));
            if (its > blame)
                (worst, blame) = (worker, its);
        }

        worst.Drain();
        string program = IsServer(worst) ? "hpaps-server" : "hpaps-worker";
        string said = worst.Errors(program);
        string who = Who(worst);
        if (blame == Blame.BadInput)
            return new InputException(said.Length > 0 ? said : $"{who} found its input unusable and did not say why");
        if (worst.Signal is { } signal)
        {
            string remedy = signal == Signals.Kill
                ? "if nobody did that on purpose, the kernel may have run out of memory: see dmesg, use fewer workers"
                : "train again; if it happens again, report it with the data that does it";
            if (mayRestart)
                remedy += ". With --restart on-failure:N it would have been started again, and the run gone on";
            return new ClusterException($"{who} was killed by signal {signal}{Signals.Name(signal)} {when}; {remedy}{Quoted(said)}");
        }

        return worst.ExitCode switch
        {
            (int)ExitCode.ClusterFailure => new ClusterException(
                $"{who} failed {when}: {(said.Length > 0 ? said : "it did not say why")}{WordsOfTheLost(said, workers)}"),
            (int)ExitCode.Usage => new ClusterException($"{who} did not understand its command line; are the three programs of one release? "
                + $"Run tools/publish.sh again{Quoted(said)}"),
            _ => new ClusterException($"{who} ended with exit code {worst.ExitCode} {when}; train again{Quoted(said)}"),
        };
    }

    /// <summary>Name and number of a process, and how often it was started again.</summary>
    public static string Who(ChildProcess child) => string.Create(CultureInfo.InvariantCulture,
        $"{child.Name} (pid {child.Id}{(child.Restarts > 0 ? $", started again {(child.Restarts == 1 ? "once" : $"{child.Restarts} times")}" : "")})");

    /// <summary>How a process ended that has failed, in words.</summary>
    public static string How(ChildProcess child) => child.Signal is { } signal
        ? $"was killed by signal {signal}{Signals.Name(signal)}"
        : $"ended with exit code {child.ExitCode}";

    /// <summary>Is it of use to start a process again that ended so? Not where the same command line and data would fail again.</summary>
    public static bool MayPass(ChildProcess child) => Has(child) && child.ExitCode is not ((int)ExitCode.Usage or (int)ExitCode.BadInput);

    /// <summary>What the worker said that the server names as lost, if it could still say something.</summary>
    private static string WordsOfTheLost(string said, IReadOnlyList<ChildProcess> workers)
    {
        foreach (ChildProcess worker in workers)
        {
            if (!Has(worker) || !said.StartsWith(worker.Name + " ", StringComparison.Ordinal))
                continue;
            worker.Drain();
            string its = worker.Errors("hpaps-worker");
            return its.Length > 0 && !its.Contains(said, StringComparison.Ordinal) ? $"\n{worker.Name} (pid {worker.Id}) said: {its}" : "";
        }

        return "";
    }

    private static bool IsServer(ChildProcess child) => child.Name.StartsWith("server", StringComparison.Ordinal);

    private static Blame Of(ChildProcess child, bool isServer)
    {
        if (!Has(child))
            return Blame.None;
        return child.ExitCode switch
        {
            (int)ExitCode.BadInput => Blame.BadInput,
            (int)ExitCode.ClusterFailure => isServer ? Blame.ServerFailed : Blame.WorkerLostTheServer,
            _ => Blame.Died,
        };
    }

    private static string Quoted(string said) => said.Length > 0 ? $"\n{said}" : "";
}

/// <summary>Numbers of signals on Linux.</summary>
internal static class Signals
{
    public const int Kill = 9;

    public static string Name(int signal) => signal switch
    {
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        Kill => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    };
}
