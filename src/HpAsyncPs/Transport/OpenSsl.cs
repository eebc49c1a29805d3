using System;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Transport;

/// <summary>The host's OpenSSL. The runtime loads it for HMAC, hashes and TLS, and ends the process where there is none: who is about to use those asks here first.</summary>
public static class OpenSsl
{
    // Names a version of its own to the runtime.
    private const string Override = "CLR_OPENSSL_VERSION_OVERRIDE";

    private static readonly string[] Names = ["libssl.so.3", "libssl.so.1.1"];

    /// <summary>Does nothing where it is.</summary>
    /// <param name="wanted">What needs it, for the message.</param>
    /// <exception cref="InputException">It is not there.</exception>
    public static void Require(string wanted)
    {
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Override)))
            return;
        foreach (string name in Names)
        {
            if (NativeLibrary.TryLoad(name, out _)) // and stays: the runtime is about to take it
                return;
        }

        throw new InputException($"{wanted} needs OpenSSL, and this host has no {Names[0]}; install it: apt-get install libssl3; Fedora: dnf install openssl-libs.");
    }
}
