using System;
using System.Net;
using System.Net.Sockets;

namespace HpAsyncPs.Transport;

/// <summary>What the two ends of a TCP connection have to do for a byte, on this machine.</summary>
public static class TransferCost
{
    private const int Block = 64 * 1024;
    private const int Blocks = 16;
    private const int Repetitions = 5;

    /// <summary>Seconds of a core that sending a byte and receiving it takes: over loopback, one after the other. 0 where there is no loopback. Takes some milliseconds.</summary>
    /// <param name="time">The clock.</param>
    public static double SecondsOfByte(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        byte[] block = new byte[Block];
        TimeSpan least = TimeSpan.MaxValue;
        try
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(1);
            using var sender = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = 2 * Block, SendTimeout = 1000, ReceiveTimeout = 1000 };
            sender.Connect(listener.LocalEndPoint!);
            using Socket receiver = listener.Accept();
            (receiver.ReceiveTimeout, receiver.ReceiveBufferSize) = (1000, 2 * Block);
            for (int repetition = 0; repetition < Repetitions; repetition++)
            {
                long start = time.GetTimestamp();
                for (int j = 0; j < Blocks; j++)
                    Move(sender, receiver, block);
                TimeSpan took = time.GetElapsedTime(start);
                least = took < least ? took : least;
            }
        }
        catch (SocketException)
        {
            return 0;
        }

        return least.TotalSeconds / (Block * Blocks);
    }

    private static void Move(Socket sender, Socket receiver, byte[] block)
    {
        int sent = 0, received = 0;
        while (received < block.Length)
        {
            sent += sent < block.Length ? sender.Send(block, sent, Math.Min(block.Length - sent, Block / 4), SocketFlags.None) : 0;
            int more = receiver.Receive(block, received, Math.Max(1, sent - received), SocketFlags.None);
            received = more > 0 ? received + more : throw new SocketException((int)SocketError.ConnectionReset);
        }
    }
}
