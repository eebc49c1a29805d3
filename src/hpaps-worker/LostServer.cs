using System;
using HpAsyncPs.Worker;

namespace HpAsyncPs.WorkerProgram;

/// <summary>What a worker adds to its last words when the server has gone: what could have prevented that.</summary>
internal static class LostServer
{
    private const string WentAway = " went away (";
    private const string Waited = "did not admit this worker within";

    /// <summary>The message, with what may help.</summary>
    /// <param name="message">Why the session failed.</param>
    /// <param name="options">How the worker joined.</param>
    /// <param name="isSupervised">A launcher has started it.</param>
    /// <param name="hasCertificate">It has one to show.</param>
    public static string Explain(string message, WorkerOptions options, bool isSupervised, bool hasCertificate)
    {
        if (!message.Contains(WentAway, StringComparison.Ordinal) || message.Contains("TLS ended", StringComparison.Ordinal))
            return message; // it says what helps
        if (isSupervised)
            return $"{message} hpaps train --restart on-failure:N starts a server again that has died.";
        bool waits = options.ReconnectTimeout > TimeSpan.Zero;
        if (waits && !message.Contains(Waited, StringComparison.Ordinal))
            return $"{message} {Stranger(options, hasCertificate)}"; // it was never admitted
        return $"{message} A server with --state goes on when it is started again with the same arguments, and its workers with it, {(waits ? "within their --reconnect-timeout" : "if --reconnect-timeout is not 0")}.";
    }

    private static string Stranger(WorkerOptions options, bool hasCertificate)
    {
        if (options.Tls is null)
            return "If it was started with --tls-cert, it speaks TLS alone: give this worker --tls-ca, the CA of its certificate.";
        return hasCertificate
            ? "If it was started with --tls-ca: is this worker's --tls-cert of that CA?"
            : "If it was started with --tls-ca, it admits only who shows a certificate of that CA: give this worker --tls-cert and --tls-key.";
    }
}
