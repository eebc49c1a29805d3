using System;
using System.Buffers;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Threading;
using System.Threading.Tasks;

namespace HpAsyncPs.Transport;

/// <summary>
/// TLS outside the loop: it speaks TLS on the socket to the peer, and what is said goes through a pair of sockets, of which a
/// <see cref="Connection"/> owns the other end and knows nothing of it. The end of one direction is passed on; when both have ended,
/// or one has failed, both sockets are closed. It runs on the threads of the runtime's pool.
/// </summary>
#pragma warning disable CA1001 // it ends by itself, with the sockets
public sealed class TlsRelay
#pragma warning restore CA1001
{
    // Two records of TLS. Each direction takes one buffer, once a peer was agreed with.
    private const int BufferBytes = 32 * 1024;

    // After our side has closed, a peer that takes nothing for so long is not waited for.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    // What the runtime says, in part.
    private const string NoTls = "frame size";
    private const string NoCertificate = "RemoteCertificateNotAvailable";
    private const string OtherName = "RemoteCertificateNameMismatch";
    private const string OtherAuthority = "RemoteCertificateChainErrors";
    private const string Chain = "certificate chain";

    private readonly Socket _outer;
    private readonly Socket _inner;
    private readonly SslStream _stream;
    private volatile string? _failure;

    private TlsRelay(Socket outer, Socket inner, Socket end)
    {
        outer.Blocking = true; // as streams want it
        (_outer, _inner, End) = (outer, inner, end);
        _stream = new SslStream(new NetworkStream(outer, ownsSocket: true), leaveInnerStreamOpen: false);
    }

    /// <summary>What a <see cref="Connection"/> is made of.</summary>
    public Socket End { get; }

    /// <summary>What is between the two hosts.</summary>
    public Socket Link => _outer;

    /// <summary>Why it ended, if it ended badly.</summary>
    public string? Failure => _failure;

    /// <summary>At a server: agrees with a peer in the background and goes on until the end. Closing <see cref="End"/> ends it.</summary>
    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="tls">Certificates.</param>
    /// <param name="limit">For the handshake.</param>
    /// <param name="silence">How long the peer may take nothing of what is sent.</param>
    /// <param name="failed">Called with the reason when the handshake failed; on any thread.</param>
    /// <exception cref="SocketException">The system has no more sockets.</exception>
    public static TlsRelay Accept(Socket socket, Tls tls, TimeSpan limit, TimeSpan silence, Action<string> failed)
    {
        TlsRelay relay = Over(socket, silence);
        _ = relay.ServeAsync(tls, limit, failed);
        return relay;
    }

    /// <summary>At a worker: agrees with the server, and goes on in the background.</summary>
    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="tls">Certificates.</param>
    /// <param name="server">The server, as the worker was given it: its certificate must be for that name or address.</param>
    /// <param name="limit">For the handshake.</param>
    /// <param name="silence">How long the server may take nothing of what is sent.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ClusterException">The server is not to be trusted, or does not speak TLS 1.3.</exception>
    public static TlsRelay Connect(Socket socket, Tls tls, Endpoint server, TimeSpan limit, TimeSpan silence, CancellationToken cancellation)
    {
        TlsRelay relay = Over(socket, silence);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(limit);
        try
        {
            tls.AuthenticateAsync(relay._stream, server.Host, late.Token).GetAwaiter().GetResult();
        }
        catch (Exception e) when (IsExpected(e))
        {
            relay.Close();
            relay.End.Dispose();
            cancellation.ThrowIfCancellationRequested();
            throw new ClusterException($"TLS with the server {server} failed ({Reason(e)}): {AtWorker(Reason(e))}", e);
        }

        _ = relay.RunAsync(Task.CompletedTask);
        return relay;
    }

    private static TlsRelay Over(Socket socket, TimeSpan silence)
    {
        TcpOptions.Set(socket, silence);
        (Socket inner, Socket end) = SocketCalls.NewPair();
        return new TlsRelay(socket, inner, end);
    }

    private async Task ServeAsync(Tls tls, TimeSpan limit, Action<string> failed)
    {
        using var late = new CancellationTokenSource(limit);
#pragma warning disable CA2025 // what is cancelled too late says so, and is caught
        Task firstWord = WaitForWordAsync(late);
#pragma warning restore CA2025
        try
        {
            await tls.AuthenticateAsync(_stream, "", late.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsExpected(e))
        {
            _failure = AtServer(Reason(e));
            if (!firstWord.IsCompleted)
                failed(_failure); // else it was given up from our side, which has said so
            Close();
            await firstWord.ConfigureAwait(false);
            return;
        }

        await RunAsync(firstWord).ConfigureAwait(false);
    }

    /// <summary>Until our side has something to say, or has closed: before the peer was agreed with, that is its end.</summary>
    private async Task WaitForWordAsync(CancellationTokenSource late)
    {
        try
        {
            _ = await _inner.ReceiveAsync(new byte[1], SocketFlags.Peek, CancellationToken.None).ConfigureAwait(false);
            await late.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // it has ended
        }
    }

    private async Task RunAsync(Task firstWord)
    {
        try
        {
            Task outward = SendAsync(firstWord), inward = ReceiveAsync();
            if (await Task.WhenAny(outward, inward).ConfigureAwait(false) == outward)
                await LingerAsync(inward).ConfigureAwait(false);
            else
                await outward.WaitAsync(Connection.LongestLinger).ConfigureAwait(false); // our side closes when it has said what it has to
        }
        catch (Exception e) when (IsExpected(e))
        {
            _failure ??= Reason(e);
        }

        Close();
    }

    /// <summary>All is said: the peer is given time to take it, as long as it does, and to close.</summary>
    private async Task LingerAsync(Task inward)
    {
        long taken = -1, now;
        for (TimeSpan left = Connection.LongestLinger; !inward.IsCompleted && left > TimeSpan.Zero && (now = TcpOptions.AcknowledgedBytes(_outer)) > taken; left -= Linger)
        {
            taken = now;
            await Task.WhenAny(inward, Task.Delay(Linger)).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(Task firstWord)
    {
        await firstWord.ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = await _inner.ReceiveAsync(buffer, SocketFlags.None).ConfigureAwait(false)) > 0)
                await _stream.WriteAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
            await _stream.ShutdownAsync().ConfigureAwait(false);
            _outer.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (IsExpected(e))
        {
            _failure ??= Reason(e);
            Close(); // what cannot be sent cannot be answered
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task ReceiveAsync()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = await _stream.ReadAsync(buffer).ConfigureAwait(false)) > 0)
            {
                for (int sent = 0; sent < count;)
                    sent += await _inner.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None).ConfigureAwait(false);
            }

            _inner.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Our side has closed: what it said last still goes out.
        }
        catch (Exception e) when (IsExpected(e))
        {
            _failure ??= Reason(e);
            Close();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Close()
    {
        _stream.Dispose(); // with the socket
        _inner.Dispose();
    }

    private static string Reason(Exception e) => e is OperationCanceledException ? "it took too long" : e.InnerException is AuthenticationException or IOException ? e.InnerException.Message : e.Message;

    /// <summary>What a worker can do about it.</summary>
    private static string AtWorker(string reason)
    {
        if (reason.Contains(NoTls, StringComparison.Ordinal))
            return "what answers there does not speak TLS: is it started with --tls-cert and --tls-key? If it is not to speak TLS, leave --tls-ca out here.";
        if (reason.Contains(OtherName, StringComparison.Ordinal))
            return "its certificate is for another name or address than the one in --server: write it as the certificate has it, or give the server one for it.";
        if (reason.Contains(Chain, StringComparison.Ordinal) || reason.Contains(OtherAuthority, StringComparison.Ordinal))
            return "its certificate is not of the CA in --tls-ca, or no longer valid: give --tls-ca the CA of the server's certificate.";
        return "is it started with --tls-cert, is --tls-ca the CA of its certificate, and is that for the name or address in --server?";
    }

    /// <summary>The reason, and what can be done about it.</summary>
    private static string AtServer(string reason)
    {
        if (reason.Contains(NoTls, StringComparison.Ordinal))
            return $"{reason.TrimEnd('.')}: it does not speak TLS; a worker needs --tls-ca, the CA of this server's certificate";
        if (reason.Contains(NoCertificate, StringComparison.Ordinal))
            return $"{reason.TrimEnd('.')}: it showed no certificate; a worker needs --tls-cert and --tls-key, of the CA in --tls-ca here";
        if (reason.Contains(Chain, StringComparison.Ordinal) || reason.Contains(OtherAuthority, StringComparison.Ordinal))
            return $"{reason.TrimEnd('.')}: its --tls-cert is not of the CA in --tls-ca here, or no longer valid";
        return reason;
    }

    private static bool IsExpected(Exception e) => e is IOException or AuthenticationException or SocketException or ObjectDisposedException or OperationCanceledException or TimeoutException or InvalidOperationException;
}
