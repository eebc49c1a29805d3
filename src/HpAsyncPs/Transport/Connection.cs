using System;
using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>
/// Frames over a socket that never blocks. The loop's thread receives into a pipe and hands out the frames that are whole, so a pipe never
/// holds more than a frame and what came with it, and a shard that lags does not read. A frame that is sent goes to the
/// socket at once; what the socket does not take waits in a second pipe, and the sender is told to stop. In the steady state nothing is
/// allocated.
/// </summary>
public sealed partial class Connection : IFrameSink
{
    /// <summary>Bytes that wait for the peer beyond which it is cut off: it makes us answer and does not read.</summary>
    public const int MostOutputBytes = 4 * Limits.ChunkBytes;

    // Bytes that are received from one connection before it is the others' turn.
    private const int BytesOfATurn = 4 * Limits.ChunkBytes;

    // Header and payload up to this are sent together, from one piece of memory.
    private const int PieceBytes = (64 * 1024) + FrameHeader.Bytes;

    // Less room in a block than this is not worth a call to the system.
    private const int LeastReceiveBytes = SlabPool.BlockBytes / 4;

    // A frame that is not whole yet, in blocks that are left with less room than that, and the block being received into; what waits
    // to go out, and the frame that was one too many.
    private const int MostInputBlocks = ((Limits.ChunkBytes + FrameHeader.Bytes) / (SlabPool.BlockBytes - LeastReceiveBytes)) + 2;
    private const int MostOutputBlocks = ((MostOutputBytes + Limits.ChunkBytes + FrameHeader.Bytes) / SlabPool.BlockBytes) + 2;

    /// <summary>The most blocks that one connection holds.</summary>
    public const int MostBlocks = MostInputBlocks + MostOutputBlocks;

    [ThreadStatic]
    private static byte[]? t_piece;

    private readonly IFrameHandler _handler;
    private readonly OwnerLoop _loop;
    private readonly TimeProvider _time;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly int _slot;

    // A worker's frames come from the computing thread, and go on from the loop's when the socket can take more.
    private readonly object _sending = new();
    private Readiness _interest = Readiness.Readable;
    private long _waitingBytes;
    private bool _sendFailed;
    private string? _violation;

    /// <summary>On the loop's thread, or before it starts.</summary>
    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="pool">Memory of the pipes.</param>
    /// <param name="loop">Whose thread receives and calls the handler.</param>
    /// <param name="time">The clock.</param>
    /// <param name="peer">The other end, for messages.</param>
    /// <param name="makeHandler">Makes the handler; it may keep the sink but not send yet.</param>
    /// <param name="silence">How long the peer may take nothing of what is sent; 30 s if null.</param>
    public Connection(
        Socket socket, SlabPool pool, OwnerLoop loop, TimeProvider time, string peer, Func<IFrameSink, IFrameHandler> makeHandler, TimeSpan? silence = null)
    {
        Socket = socket;
        Peer = peer;
        _loop = loop;
        _time = time;
        socket.Blocking = false;
        TcpOptions.Set(socket, silence ?? TcpOptions.Silence);

        // Both pipes are filled and emptied by whoever holds them, and never waited for: their bounds are kept here.
        var options = new PipeOptions(pool, PipeScheduler.Inline, PipeScheduler.Inline, 0, 0, SlabPool.BlockBytes, useSynchronizationContext: false);
        _input = new Pipe(options);
        _output = new Pipe(options);
        _handler = makeHandler(this);
        _slot = loop.Register(this);
    }

    /// <inheritdoc/>
    public string Peer { get; }

    internal Socket Socket { get; }

    /// <inheritdoc/>
    public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        lock (_sending)
        {
            if (_closing)
                return true;
            if (_waitingBytes == 0)
            {
                SendAtOnce(header, payload);
            }
            else
            {
                FrameWriter.Write(_output.Writer, header, payload);
                Keep(FrameHeader.Bytes + payload.Length);
            }

            if (_waitingBytes > MostOutputBytes)
            {
                _cutOff = $"it did not read {MostOutputBytes >> 20} MiB of answers";
                _closing = true;
                _overdueAt = 0; // the loop's thread ends it
            }

            return _waitingBytes == 0;
        }
    }

    /// <summary>The socket is ready for something. On the loop's thread.</summary>
    internal void Handle(Readiness what)
    {
        try
        {
            if ((what & Readiness.Writable) != 0)
                SendWaiting();
            if ((what & ~Readiness.Writable) != 0 && !_ended && !_inputEnded)
                Receive();
        }
        catch (Exception e)
        {
            EndInput(e.Message); // the handler is told, whatever it is
        }

        if (_inputEnded && ((what & (Readiness.HungUp | Readiness.Failed)) != 0 || _waitingBytes == 0))
            End();
    }

    private void Receive()
    {
        for (int received = 0; received < BytesOfATurn && !_inputEnded;)
        {
            int count = Socket.Receive(_input.Writer.GetSpan(LeastReceiveBytes), SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
                return;
            if (count == 0)
            {
                EndInput(error == SocketError.Success ? null : new SocketException((int)error).Message);
                return;
            }

            received += count;
            _input.Writer.Advance(count);
            Flush(_input);
            HandleFrames();
        }
    }

    /// <summary>
    /// After a close it goes on reading, and throws away, until the peer has closed too: closing a socket with unread input would reset
    /// the connection, and the peer would never read our last words.
    /// </summary>
    private void HandleFrames()
    {
        if (!_input.Reader.TryRead(out ReadResult result))
            return;
        ReadOnlySequence<byte> buffer = result.Buffer;
        try
        {
            while (!IsClosing && FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload))
                _handler.Received(header, payload);
        }
        catch (ProtocolException e)
        {
            _violation = e.Message;
            _handler.Violated(e.Message);
            Close();
        }

        _input.Reader.AdvanceTo(IsClosing ? buffer.End : buffer.Start, buffer.End);
    }

    private void SendAtOnce(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        byte[] piece = t_piece ??= new byte[PieceBytes];
        int count = Math.Min(payload.Length, PieceBytes - FrameHeader.Bytes);
        header.PayloadLength = (uint)payload.Length;
        header.Write(piece);
        payload[..count].CopyTo(piece.AsSpan(FrameHeader.Bytes));
        count += FrameHeader.Bytes;
        ReadOnlySpan<byte> first = piece.AsSpan(0, count), rest = payload[(count - FrameHeader.Bytes)..];
        first = first[TrySend(first)..];
        if (first.IsEmpty && !rest.IsEmpty)
            rest = rest[TrySend(rest)..];
        if (!_sendFailed && !(first.IsEmpty && rest.IsEmpty))
        {
            _output.Writer.Write(first);
            _output.Writer.Write(rest);
            Keep(first.Length + rest.Length);
        }
    }

    /// <summary>What the socket takes now. After a failure, which the receiving side sees too, everything is swallowed.</summary>
    private int TrySend(ReadOnlySpan<byte> bytes)
    {
        if (_sendFailed)
            return bytes.Length;
        int sent = Socket.Send(bytes, SocketFlags.None, out SocketError error);
        if (error is SocketError.Success or SocketError.WouldBlock)
            return sent;
        _sendFailed = true;
        return bytes.Length;
    }

    /// <summary>Bytes have been put into the pipe for later.</summary>
    private void Keep(int bytes)
    {
        _waitingBytes += bytes;
        Flush(_output);
        Want(_interest | Readiness.Writable);
    }

    /// <summary>Sends what waits in the pipe. False when the socket does not take all of it.</summary>
    private bool TrySendWaiting()
    {
        while (_waitingBytes > 0 && !_ended && _output.Reader.TryRead(out ReadResult result))
        {
            ReadOnlySpan<byte> first = result.Buffer.FirstSpan;
            int sent = TrySend(first);
            bool all = sent == first.Length;
            _output.Reader.AdvanceTo(result.Buffer.GetPosition(sent));
            _waitingBytes -= sent;
            if (!all)
                return false;
        }

        return true;
    }

    private void SendWaiting()
    {
        lock (_sending)
        {
            if (!TrySendWaiting() || (_interest & Readiness.Writable) == 0)
                return;
            Want(_interest & ~Readiness.Writable);
            if (_closing)
            {
                EndOutput();
                return;
            }
        }

        _handler.Writable(); // not under the lock: it may take the handler's own, which is taken before this one elsewhere
    }

    private void Want(Readiness interest)
    {
        if (_ended || _interest == interest)
            return;
        _interest = interest;
        _loop.Change(this, _slot, interest);
    }

    private static void Flush(Pipe pipe)
    {
        ValueTask<FlushResult> flush = pipe.Writer.FlushAsync(CancellationToken.None);
        if (!flush.IsCompletedSuccessfully)
            throw new InvalidOperationException("A pipe without a bound waited.");
        _ = flush.Result;
    }
}
