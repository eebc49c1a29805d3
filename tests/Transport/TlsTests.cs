using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>TLS alone and with a token, over real sockets.</summary>
[Collection(Alone.Name)]
public sealed class TlsTests : IDisposable
{
    private static readonly Token Secret = new("correct horse battery staple"u8);
    private readonly TempFolder _folder = new();
    private readonly Certificates _ours;
    private readonly Certificates _others;
    private readonly (string Certificate, string Key) _server;

    public TlsTests()
    {
        _ours = new Certificates(_folder);
        _others = new Certificates(_folder, "other");
        _server = _ours.Issue("server");
    }

    public void Dispose()
    {
        _ours.Dispose();
        _others.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Pushes_and_snapshots_come_whole(bool withToken, bool withClientCertificates)
    {
        const int parameters = 3_000_000;
        (string Certificate, string Key)? own = withClientCertificates ? _ours.Issue("worker") : null;
        using (LoopbackServer server = Serve(withToken, withClientCertificates))
        {
            using (WorkerClient worker = Connect(server, parameters, withToken ? Secret : null, _ours.Authority, own))
            {
                float[] x = new float[parameters];
                for (int push = 1; push <= 5; push++)
                {
                    for (int j = 0; j < parameters; j++)
                        x[j] = (push * 1000) + (j % 777);
                    worker.Push(x);
                    worker.Pull();
                    worker.Wait();
                    Assert.True(worker.Snapshot.SequenceEqual(x), $"the snapshot after push {push} is another");
                }
            }

            Assert.Null(server.WaitForEnd().Failure);
        }
    }

    [Fact]
    public void Server_of_another_authority_or_name_is_not_trusted()
    {
        using LoopbackServer server = Serve(withToken: false, withClientCertificates: false);
        Assert.Contains($"TLS with the server {server.Address} failed", Assert.Throws<ClusterException>(() => Connect(server, 1, null, _others.Authority, null)).Message, StringComparison.Ordinal);

        (string certificate, string key) = _ours.Issue("elsewhere", forLoopback: false);
        using var named = new LoopbackServer(new ServerOptions { Evaluates = false, Tls = Tls.ForServer(certificate, key, null) });
        ClusterException error = Assert.Throws<ClusterException>(() => Connect(named, 1, null, _ours.Authority, null));
        Assert.Contains("NameMismatch", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Worker_without_a_certificate_of_the_authority_is_refused(bool hasOther)
    {
        using LoopbackServer server = Serve(withToken: false, withClientCertificates: true);
        (string Certificate, string Key)? own = hasOther ? _others.Issue("worker") : null;
        Assert.Throws<ClusterException>(() => Connect(server, 1, null, _ours.Authority, own));
        Eventually.Holds(() => server.Host.Failed(HandshakeFailure.Tls) >= 1, () => "no failure of TLS was counted");
        Eventually.Holds(() => server.Host.Connections == 0, () => "its connection is still there");
    }

    [Fact]
    public void Token_is_wanted_inside_of_TLS()
    {
        using LoopbackServer server = Serve(withToken: true, withClientCertificates: false);
        ClusterException error = Assert.Throws<ClusterException>(() => Connect(server, 1, null, _ours.Authority, null));
        Assert.Contains("--token-file", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ClusterException>(() => Connect(server, 1, new Token("another token than this"u8), _ours.Authority, null));
        Assert.Contains("another than the server's", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Worker_and_server_do_not_fall_back_to_plain()
    {
        using (LoopbackServer server = Serve(withToken: false, withClientCertificates: false))
        {
            Assert.Throws<ClusterException>(() => server.Connect(1));
            Eventually.Holds(() => server.Host.Failed(HandshakeFailure.Tls) >= 1, () => "no failure of TLS was counted");
        }

        using var plain = new LoopbackServer(new ServerOptions { Evaluates = false });
        Assert.Contains("is it started with --tls-cert", Assert.Throws<ClusterException>(() => Connect(plain, 1, null, _ours.Authority, null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Older_versions_are_refused()
    {
        using LoopbackServer server = Serve(withToken: false, withClientCertificates: false);
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        using var stream = new SslStream(new NetworkStream(peer.Socket));
#pragma warning disable CA5359, CA5398 // an old client that trusts everybody
        var options = new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", EnabledSslProtocols = SslProtocols.Tls12, RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359, CA5398
        Exception? error = Record.Exception(() => stream.AuthenticateAsClient(options));
        Assert.True(error is AuthenticationException or IOException, error?.ToString());
    }

    /// <summary>What is silent, speaks something else, or breaks off leaves nothing behind.</summary>
    [Fact]
    public void Broken_handshakes_leave_no_handle_and_no_block()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Tls = Tls.ForServer(_server.Certificate, _server.Key, null), Gate = new GateLimits { HandshakeTime = TimeSpan.FromMilliseconds(300) } });
        Break(server, 20);
        Eventually.Holds(() => server.Host.Connections == 0, () => "a connection has stayed of the first rounds");
        int before = Handles();
        Break(server, 300);
        Eventually.Holds(() => server.Host is { Connections: 0, LeasedBlocks: 0 } && Handles() <= before, () => $"{server.Host.Connections} connections, {server.Host.LeasedBlocks} blocks, {Handles()} handles, {before} before");
        using WorkerClient worker = Connect(server, 1, null, _ours.Authority, null);
        worker.Push([1]);
    }

    /// <summary>Its handshake is given up with it, and not only when the time for handshakes is over.</summary>
    [Fact]
    public void Who_is_displaced_in_the_middle_of_a_handshake_is_cut_off()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Tls = Tls.ForServer(_server.Certificate, _server.Key, null), Gate = new GateLimits { HalfOpen = 1, HandshakeTime = TimeSpan.FromMinutes(5) } });
        using RawPeer silent = RawPeer.ConnectTo(server.Address);
        using WorkerClient worker = Connect(server, 1, null, _ours.Authority, null);
        Assert.True(silent.IsClosedByPeer());
        Assert.Equal(1, server.Host.Failed(HandshakeFailure.Displaced));
        Assert.Equal(0, server.Host.Failed(HandshakeFailure.Tls)); // that would count against its address
        worker.Push([1]);
    }

    [Fact]
    public void Files_that_do_not_fit_are_named()
    {
        File.SetUnixFileMode(_server.Key, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<InputException>(() => Tls.ForServer(_server.Certificate, _server.Key, null)).Message, StringComparison.Ordinal);
        File.SetUnixFileMode(_server.Key, UnixFileMode.UserRead);
        (_, string otherKey) = _others.Issue("x");
        Assert.Contains("belong together", Assert.Throws<InputException>(() => Tls.ForServer(_server.Certificate, otherKey, null)).Message, StringComparison.Ordinal);
        Assert.Contains("--tls-ca", Assert.Throws<InputException>(() => Tls.ForWorker(_server.Key, null, null)).Message, StringComparison.Ordinal);
        Assert.Contains("missing", Assert.Throws<InputException>(() => Tls.ForWorker(_folder.In("missing"), null, null)).Message, StringComparison.Ordinal);
    }

    private LoopbackServer Serve(bool withToken, bool withClientCertificates) => new(new ServerOptions
    {
        Evaluates = false,
        Token = withToken ? Secret : null,
        Tls = Tls.ForServer(_server.Certificate, _server.Key, withClientCertificates ? _ours.Authority : null),
    });

    private static WorkerClient Connect(LoopbackServer server, int parameters, Token? token, string authority, (string Certificate, string Key)? own) => WorkerClient.Connect(
        server.Address, new WorkerOptions { Parameters = parameters, Token = token, Tls = Tls.ForWorker(authority, own?.Certificate, own?.Key), ConnectTimeout = TimeSpan.FromSeconds(10), StartTimeout = TimeSpan.FromSeconds(10) });

    private static void Break(LoopbackServer server, int times)
    {
        var random = new Random(5);
        for (int round = 0; round < times; round++)
        {
            using RawPeer peer = RawPeer.ConnectTo(server.Address);
            byte[] bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (round % 2 == 0)
                new byte[] { 22, 3, 1, 0, (byte)Math.Max(0, bytes.Length - 5) }.AsSpan(0, Math.Min(5, bytes.Length)).CopyTo(bytes); // a record of TLS
            try
            {
                peer.Socket.Send(bytes);
                if (round % 3 == 0)
                    peer.Socket.Shutdown(SocketShutdown.Send);
                if (round % 10 == 0)
                    peer.IsClosedByPeer();
            }
            catch (SocketException)
            {
                // it may be thrown out while it sends
            }
        }
    }

    private static int Handles() => Directory.GetFiles("/proc/self/fd").Length;
}
