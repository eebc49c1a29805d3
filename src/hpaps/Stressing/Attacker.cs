using System;
using System.Buffers;
using System.Net;
using System.Net.Sockets;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>
/// Connections of a stranger: by turns one sends nonsense, one Hello with a proof that is wrong, one Hello alone, and one Hello byte by byte. The newest
/// are held open, as long as the other end lets them be.
/// </summary>
/// <param name="target">Whom it attacks.</param>
/// <param name="from">Its own address, or null: any.</param>
internal sealed class Attacker(EndPoint target, IPAddress? from) : IDisposable
{
    /// <summary>Connections that are held.</summary>
    public const int MostHeld = 64;

    private const int Kinds = 4;
    private const int Dripping = 3;
    private const int MostNonsense = 300;
    private const double SecondsBetweenDrips = 0.02;

    private readonly Random _random = new(1);
    private readonly (Socket? Socket, int Kind, int Sent)[] _held = new (Socket?, int, int)[MostHeld];
    private double _drippedAt;

    /// <summary>Connections so far.</summary>
    public long Opened { get; private set; }

    /// <summary>Of these, those that the other end did not take.</summary>
    public long Failed { get; private set; }

    /// <summary>Opens another one, and lets go of the oldest.</summary>
    public void Open()
    {
        int kind = (int)(Opened % Kinds);
        ref (Socket? Socket, int Kind, int Sent) place = ref _held[Opened++ % MostHeld];
        place.Socket?.Dispose();
#pragma warning disable CA2000 // its place owns it
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
#pragma warning restore CA2000
        place = (socket, kind, 1);
        try
        {
            if (from is not null)
                socket.Bind(new IPEndPoint(from, 0));
            socket.Connect(target);
            socket.Blocking = false; // whoever does not read does not stop the others
            byte[] hello = Frame(FrameKind.Hello, new HelloMessage(PeerRole.Worker, Drawn(Limits.NonceBytes)).Write);
            socket.Send(kind switch
            {
                0 => Drawn(_random.Next(1, MostNonsense)),
                1 => [.. hello, .. Frame(FrameKind.Proof, new ProofMessage(Drawn(Limits.ProofBytes)).Write)],
                Dripping => hello[..1],
                _ => hello,
            });
        }
        catch (SocketException)
        {
            Failed++;
        }
    }

    /// <summary>Sends one more byte where single bytes are sent, now and then.</summary>
    /// <param name="now">In seconds.</param>
    public void Drip(double now)
    {
        if (now - _drippedAt < SecondsBetweenDrips)
            return;
        _drippedAt = now;
        byte[] hello = Frame(FrameKind.Hello, new HelloMessage(PeerRole.Worker, new byte[Limits.NonceBytes]).Write);
        for (int j = 0; j < _held.Length; j++)
        {
            ref (Socket? Socket, int Kind, int Sent) one = ref _held[j];
            if (one.Kind == Dripping && one.Socket is { Connected: true } && one.Sent < hello.Length)
                one.Socket.Send(hello.AsSpan(one.Sent++, 1), SocketFlags.None, out _);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((Socket? socket, _, _) in _held)
            socket?.Dispose();
    }

    private byte[] Drawn(int count)
    {
        byte[] bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Frame(FrameKind kind, Action<IBufferWriter<byte>> write)
    {
        var payload = new ArrayBufferWriter<byte>();
        write(payload);
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, new FrameHeader(kind) { Session = 1 }, payload.WrittenSpan);
        return output.WrittenSpan.ToArray();
    }
}
