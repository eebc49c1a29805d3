using System;
using System.IO;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;

namespace HpAsyncPs.Transport;

/// <summary>
/// What one end of a connection needs for TLS 1.3, the only version that is spoken. Nothing is trusted but the CA that is named: not those of
/// the system. What is revoked is not looked up: renew the CA.
/// </summary>
public sealed class Tls
{
    // A chain of a dozen certificates.
    private const int MostPemBytes = 128 * 1024;

    private readonly SslServerAuthenticationOptions? _server;
    private readonly SslClientAuthenticationOptions? _worker;

    private Tls(SslServerAuthenticationOptions? server, SslClientAuthenticationOptions? worker) => (_server, _worker) = (server, worker);

    /// <summary>For a server.</summary>
    /// <param name="certificate">PEM file of its certificate, and of those between it and its CA.</param>
    /// <param name="key">PEM file of its private key, which must be its owner's alone.</param>
    /// <param name="clients">PEM file of the CA of clients, who then must have a certificate; or null: they need none.</param>
    /// <exception cref="InputException">A file cannot be used.</exception>
    public static Tls ForServer(string certificate, string key, string? clients) => new(
        new SslServerAuthenticationOptions
        {
            EnabledSslProtocols = Version,
            ServerCertificateContext = Own(certificate, key),
            ClientCertificateRequired = clients is not null,
            CertificateChainPolicy = clients is null ? null : Trusting(clients),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowRenegotiation = false,
            AllowTlsResume = false,
        },
        null);

    /// <summary>For a worker.</summary>
    /// <param name="server">PEM file of the CA that the server's certificate is of.</param>
    /// <param name="certificate">PEM file of the worker's own, if the server asks for one; or null.</param>
    /// <param name="key">PEM file of its private key, which must be its owner's alone; or null.</param>
    /// <exception cref="InputException">A file cannot be used.</exception>
    public static Tls ForWorker(string server, string? certificate, string? key) => new(
        null,
        new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = Version,
            ClientCertificateContext = certificate is null || key is null ? null : Own(certificate, key),
            CertificateChainPolicy = Trusting(server),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowRenegotiation = false,
            AllowTlsResume = false,
        });

#pragma warning disable CA5398 // older versions are what must not be chosen; newer ones will be looked at
    private static SslProtocols Version => SslProtocols.Tls13;
#pragma warning restore CA5398

    /// <summary>A server that lets only those in who have a certificate of its CA.</summary>
    public bool DemandsCertificates => _server is { ClientCertificateRequired: true };

    /// <summary>Agrees with the other end, and verifies it: a server's chain and name, a worker's chain if it must have one.</summary>
    /// <param name="stream">Over the socket.</param>
    /// <param name="host">Name or address of the server, as the worker was given it; a server leaves it out.</param>
    /// <param name="cancellation">Gives up.</param>
    internal Task AuthenticateAsync(SslStream stream, string host, CancellationToken cancellation)
    {
        if (_server is not null)
            return stream.AuthenticateAsServerAsync(_server, cancellation);
        SslClientAuthenticationOptions worker = _worker!;
        worker.TargetHost = host;
        return stream.AuthenticateAsClientAsync(worker, cancellation);
    }

    private static SslStreamCertificateContext Own(string certificate, string key)
    {
        OpenSsl.Require("TLS");
        string secret = PrivateFile.ReadText(key, "key file", MostPemBytes, "Give --tls-key the PEM file of the certificate's private key.");
        string text = ReadText(certificate, "--tls-cert");
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(text);
#pragma warning disable CA2000 // the context keeps it as long as the program runs
            return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(text, secret), chain, offline: true);
#pragma warning restore CA2000
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InputException($"'{certificate}' and '{key}' are no certificate with its private key ({e.Message}): give --tls-cert and --tls-key PEM files that belong together; a key must not be encrypted.", e);
        }
    }

    private static X509ChainPolicy Trusting(string path)
    {
        OpenSsl.Require("TLS");
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        try
        {
            policy.CustomTrustStore.ImportFromPem(ReadText(path, "--tls-ca"));
        }
        catch (CryptographicException e)
        {
            throw new InputException($"'{path}' holds no certificate that can be read ({e.Message}): give --tls-ca the PEM file of the CA.", e);
        }

        return policy.CustomTrustStore.Count > 0 ? policy : throw new InputException($"'{path}' holds no certificate: give --tls-ca the PEM file of the CA.");
    }

    private static string ReadText(string path, string option)
    {
        try
        {
            return new FileInfo(path) is { Length: > MostPemBytes } ? throw new InputException($"{option} '{path}' has more than {MostPemBytes} bytes: is it another file?") : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"{option} '{path}' cannot be read: {(Directory.Exists(path) ? "it is a folder; name a PEM file" : e.Message)}", e);
        }
    }
}
