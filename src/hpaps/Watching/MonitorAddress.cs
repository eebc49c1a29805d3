using System;
using System.CommandLine;
using System.Globalization;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Watching;

/// <summary>Where a monitoring port is, and what is shown there to be let in.</summary>
/// <param name="Host">Name or address, without brackets.</param>
/// <param name="Port">Its port.</param>
/// <param name="Key">Derived from the token, or null.</param>
internal sealed record MonitorAddress(string Host, int Port, string? Key)
{
    /// <summary>Where nobody says.</summary>
    public const string Default = "127.0.0.1:9464";

    private const int HttpPort = 80;

    /// <summary>HOST:PORT, as in a Host header.</summary>
    public string Authority => $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The argument of a command.</summary>
    public static Argument<string> Argument()
    {
        var argument = new Argument<string>("HOST:PORT") { Description = $"Where --monitor of hpaps train or hpaps-server is, or the address of its page (http://HOST:PORT/).", DefaultValueFactory = static _ => Default };
        argument.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && WrongOf(token.Value) is { } wrong)
                result.AddError(wrong);
        });
        return argument;
    }

    /// <summary>What was given.</summary>
    /// <param name="text">HOST:PORT, or an address.</param>
    /// <param name="token">Of the job, or null.</param>
    public static MonitorAddress Of(string text, Transport.Token? token)
    {
        Uri address = Parse(text)!;
        return new MonitorAddress(address.DnsSafeHost, address.Port, token?.MonitorKey());
    }

    private static Uri? Parse(string text) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}", UriKind.Absolute, out Uri? address) && address is { Host.Length: > 0, UserInfo.Length: 0 } ? address : null;

    private static string? WrongOf(string text)
    {
        if (text.StartsWith('-'))
            return $"there is no option '{text}'.";
        if (Parse(text) is not { } address)
            return $"'{text}' is no HOST:PORT and no address; give it as in {Default} or http://{Default}/.";
        if (address.Scheme != "http")
            return $"'{text}': the monitoring port speaks http; to read it over an untrusted network use ssh -L {address.Port.ToString(CultureInfo.InvariantCulture)}:localhost:{address.Port.ToString(CultureInfo.InvariantCulture)} and 127.0.0.1.";
        bool namesPort = text.EndsWith($":{address.Port.ToString(CultureInfo.InvariantCulture)}", StringComparison.Ordinal) || address.Port != HttpPort || text.Contains(":80/", StringComparison.Ordinal);
        return namesPort ? null : $"'{text}' names no port; give it as in {address.Host}:9464.";
    }
}
