using System;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using HpAsyncPs.Protocol;
using HpAsyncPs.Tests.Cluster;

namespace HpAsyncPs.Tests;

/// <summary>A CA of a test's own, and certificates of it as PEM files.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly TempFolder _folder;
    private readonly string _name;
    private readonly X509Certificate2 _authority;
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();

    public Certificates(TempFolder folder, string name = "ca")
    {
        (_folder, _name) = (folder, name);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(_now.AddHours(-1), _now.AddHours(1));
        File.WriteAllText(Authority, _authority.ExportCertificatePem());
    }

    /// <summary>Of the CA.</summary>
    public string Authority => _folder.In($"{_name}.pem");

    /// <summary>A certificate for 127.0.0.1 and a name.</summary>
    public (string Certificate, string Key) Issue(string name, bool forLoopback = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (forLoopback)
            names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(_authority, _now.AddHours(-1), _now.AddMinutes(30), RandomBytes.Draw(8));
        (string Certificate, string Key) paths = (_folder.In($"{_name}-{name}.pem"), _folder.In($"{_name}-{name}.key"));
        File.WriteAllText(paths.Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(paths.Key, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(paths.Key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return paths;
    }

    public void Dispose() => _authority.Dispose();
}
