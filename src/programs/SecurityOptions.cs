using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.IO;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Programs;

/// <summary>The options of token and certificates, at a server and at who connects to one.</summary>
internal sealed class SecurityOptions
{
    /// <summary>Names the token file where --token-file does not.</summary>
    public const string TokenVariable = "HPAPS_TOKEN_FILE";

    private readonly bool _isServer;
    private readonly Option<string?> _token;
    private readonly Option<string?> _certificate;
    private readonly Option<string?> _key;
    private readonly Option<string?> _authority;

    private SecurityOptions(bool isServer, string token, string certificate, string authority)
    {
        _isServer = isServer;
        _token = new Option<string?>("--token-file") { HelpName = "FILE", Description = $"{token} By default the file that {TokenVariable} names, if it is set. Nobody else may read the file." };
        _certificate = new Option<string?>("--tls-cert") { HelpName = "FILE", Description = certificate };
        _key = new Option<string?>("--tls-key") { HelpName = "FILE", Description = "PEM file of the private key of --tls-cert. Nobody else may read the file." };
        _authority = new Option<string?>("--tls-ca") { HelpName = "FILE", Description = authority };
    }

    public Option[] All => [_token, _certificate, _key, _authority];

    /// <summary>--token-file alone, for who reads what only those who have the token may.</summary>
    public Option TokenFile => _token;

    public static SecurityOptions OfServer() => new(true,
        "Let only those in who prove that they have the token in FILE, 16 bytes or more.",
        "Speak TLS 1.3 with the certificate in this PEM file, and no other language.",
        "Let only those in who have a certificate of the CA in this PEM file, besides a token if there is one.");

    public static SecurityOptions OfClient() => new(false,
        "Prove that you have the token in FILE, and trust only a server that has it too.",
        "Show the certificate in this PEM file to a server that asks for one.",
        "Speak TLS 1.3 with a server whose certificate is of the CA in this PEM file and for the name or address in --server; trust nobody else.");

    /// <summary>For who reads the monitoring port: <see cref="TokenFile"/> alone.</summary>
    public static SecurityOptions OfReader() => new(false, "Show a key that is derived from the token in FILE, the job's: off loopback the port asks for it.", "", "");

    /// <summary>Errors for options that need each other.</summary>
    public void Check(CommandResult result)
    {
        bool certificate = IsGiven(result, _certificate), key = IsGiven(result, _key), authority = IsGiven(result, _authority);
        if (certificate != key)
            result.AddError("--tls-cert and --tls-key need each other: a certificate, and its private key.");
        else if (_isServer && authority && !certificate)
            result.AddError("--tls-ca asks for certificates of clients, over TLS: it needs --tls-cert and --tls-key as well.");
        else if (!_isServer && certificate && !authority)
            result.AddError("--tls-cert is shown to a server over TLS: it needs --tls-ca, to know the server by.");
    }

    /// <summary>The token, or null.</summary>
    /// <exception cref="InputException">Its file cannot be used.</exception>
    public Transport.Token? TokenOf(ParseResult parsed)
    {
        if (TokenFileOf(parsed) is not { } path)
            return null;
        if (!Directory.Exists(path))
            return Transport.Token.Read(path);
        string option = parsed.GetValue(_token) is null ? TokenVariable : _token.Name;
        string file = Path.Combine(path, "token");
        throw new InputException($"{option} '{path}' is a folder: name the file with the token, as in {file}; "
            + $"one is made with (umask 077; head -c 32 /dev/urandom | base64 > '{file}'), the same for server and workers.");
    }

    /// <summary>What there is for TLS, or null.</summary>
    /// <exception cref="InputException">A file cannot be used.</exception>
    public Tls? TlsOf(ParseResult parsed)
    {
        string? certificate = parsed.GetValue(_certificate), key = parsed.GetValue(_key), authority = parsed.GetValue(_authority);
        if (_isServer)
            return certificate is null ? null : Tls.ForServer(certificate, key!, authority);
        return authority is null ? null : Tls.ForWorker(authority, certificate, key);
    }

    /// <summary>Is there a certificate to show?</summary>
    public bool HasCertificate(ParseResult parsed) => parsed.GetValue(_certificate) is not null;

    /// <summary>The arguments that give another program the same files.</summary>
    public string[] Again(ParseResult parsed)
    {
        var arguments = new List<string>();
        foreach (Option<string?> option in (Option<string?>[])[_token, _certificate, _key, _authority])
        {
            if (parsed.GetValue(option) is { } path)
                arguments.AddRange([option.Name, path]);
        }

        return [.. arguments];
    }

    /// <summary>Is any of them given?</summary>
    public bool AnyGiven(CommandResult result) => IsGiven(result, _token) || IsGiven(result, _certificate) || IsGiven(result, _key) || IsGiven(result, _authority);

    private string? TokenFileOf(ParseResult parsed)
    {
        if (parsed.GetValue(_token) is { } given)
            return given;
        string? named = Environment.GetEnvironmentVariable(TokenVariable);
        return string.IsNullOrEmpty(named) ? null : named;
    }

    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };
}
