using System;
using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading;
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
    // Chunks that wait for the peer beyond which it is cut off: it makes us answer and does not read.
    internal const int MostOutputChunks = 4;

    // Bytes that are received from one connection before it is the others' turn.
    private const int BytesOfATurn = 4 * Limits.ChunkBytes;

    // Payloads up to this are copied behind their header and sent with it in one call; for larger ones a second call costs less than the copy.
    private const int CopiedBytes = 16 * 1024;

    // Less room in a block than this is not worth a call to the system.
    internal const int LeastReceiveBytes = SlabPool.BlockBytes / 4;

    [ThreadStatic]
    private static byte[]? t_piece;

    private readonly IFrameHandler _handler;
    private readonly OwnerLoop _loop;
    private readonly TimeProvider _time;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly int _slot;
    private readonly int _chunkBytes;
    private readonly int _mostOutputBytes;
    private int _mostPayload;
    private bool _isCold = true; // its pipes are not warmed up for the largest payload

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
    /// <param name="chunkBytes">The largest payload of a frame here.</param>
    /// <param name="makeHandler">Makes the handler; it may keep the sink but not send yet.</param>
    /// <param name="silence">How long the peer may take nothing of what is sent; 30 s if null.</param>
    /// <param name="firstPayload">The largest payload until <see cref="Widen"/>; null: <paramref name="chunkBytes"/> at once.</param>
    /// <param name="mostOutputBytes">What may wait for a peer that does not read; null: <see cref="MostOutputChunks"/> of the largest payload.</param>
    public Connection(
        Socket socket, SlabPool pool, OwnerLoop loop, TimeProvider time, string peer, int chunkBytes, Func<IFrameSink, IFrameHandler> makeHandler, TimeSpan? silence = null,
        int? firstPayload = null, int? mostOutputBytes = null)
    {
        Socket = socket;
        Peer = peer;
        _chunkBytes = chunkBytes;
        _mostPayload = Math.Min(firstPayload ?? chunkBytes, chunkBytes);
        _mostOutputBytes = mostOutputBytes ?? MostOutputChunks * chunkBytes;
        _loop = loop;
        _time = time;
        socket.Blocking = false;
        TcpOptions.Set(socket, silence ?? TcpOptions.Silence);

        // Both pipes are filled and emptied by whoever holds them, and never waited for: their bounds are kept here.
        var options = new PipeOptions(pool, PipeScheduler.Inline, PipeScheduler.Inline, 0, 0, SlabPool.BlockBytes, useSynchronizationContext: false);
        _input = new Pipe(options);
        _output = new Pipe(options);
        if (firstPayload is null)
            WarmUp();
        _handler = makeHandler(this);
        _slot = loop.Register(this);
    }

    /// <inheritdoc/>
    public string Peer { get; }

    /// <summary>Whether what is sent carries a checksum of its payload. What comes in with one is always verified.</summary>
    public bool HasChecksums { get; init; }

    /// <inheritdoc/>
    public bool HasLink => (Link ?? Socket).AddressFamily != AddressFamily.Unix;

    /// <inheritdoc/>
    public double BytesPerSecond => TcpOptions.BytesPerSecond(Link ?? Socket);

    /// <inheritdoc/>
    public long RetransmittedSegments => TcpOptions.RetransmittedSegments(Link ?? Socket);

    /// <summary>What is between the two hosts, where that is not the socket itself; null: it is.</summary>
    internal Socket? Link { get; init; }

    internal Socket Socket { get; }

    /// <summary>The most blocks that one connection holds, if no frame has a larger payload than this.</summary>
    public static int MostBlocks(int chunkBytes) => PipeBlocks.Input(chunkBytes) + PipeBlocks.Output((MostOutputChunks + 1) * chunkBytes);

    /// <inheritdoc/>
    public bool Send(FrameHeader header, ReadOnlySpan<byte> payload) => Send(header, payload, moreFollows: false);

    /// <inheritdoc/>
    public bool SendFollowed(FrameHeader header, ReadOnlySpan<byte> payload) => Send(header, payload, moreFollows: true);

    /// <summary>The peer is admitted: from now on frames may have the largest payload. On the loop's thread.</summary>
    internal void Widen() => _mostPayload = _chunkBytes;

    private bool Send(FrameHeader header, ReadOnlySpan<byte> payload, bool moreFollows)
    {
        lock (_sending)
        {
            if (_closing)
                return true;
            if (HasChecksums)
                header.PayloadChecksum = Crc32C.Of(payload);
            if (_waitingBytes == 0)
            {
                SendAtOnce(header, payload, moreFollows);
            }
            else
            {
                FrameWriter.Write(_output.Writer, header, payload);
                Keep(FrameHeader.Bytes + payload.Length);
            }

            if (_waitingBytes > _mostOutputBytes)
            {
                _cutOff = $"it did not read {_mostOutputBytes >> 10} KiB of answers";
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
            Span<byte> room = _input.Writer.GetSpan(LeastReceiveBytes);
            int count = Socket.Receive(room, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
                return;
            if (count == 0)
            {
                EndInput(error == SocketError.Success ? null : new SocketException((int)error).Message);
                return;
            }

            received += count;
            _input.Writer.Advance(count);
            PipeBlocks.Flush(_input);
            HandleFrames();
            if (count < room.Length)
                return; // it was all there was: epoll says when there is more
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
            while (!IsClosing && FrameReader.TryRead(ref buffer, _mostPayload, out FrameHeader header, out ReadOnlySequence<byte> payload))
                _handler.Received(header, payload);
        }
        catch (ProtocolException e)
        {
            _violation = e.Message;
            _handler.Violated(e.Message, e.Fault);
            Close();
        }

        bool isEmpty = IsClosing || buffer.IsEmpty;
        _input.Reader.AdvanceTo(isEmpty ? buffer.End : buffer.Start, buffer.End);
        if (_isCold && isEmpty && _mostPayload == _chunkBytes && !IsClosing)
            WarmUp();
    }

    /// <summary>Of pipes that hold nothing: what waits to go out has time until the next frame comes in.</summary>
    private void WarmUp()
    {
        lock (_sending)
        {
            if (_waitingBytes > 0)
                return;
            _isCold = false;
            PipeBlocks.WarmUp(_output, PipeBlocks.Output(_chunkBytes));
        }

        PipeBlocks.WarmUp(_input, PipeBlocks.Input(_chunkBytes));
    }

    private void SendAtOnce(FrameHeader header, ReadOnlySpan<byte> payload, bool moreFollows)
    {
        byte[] piece = t_piece ??= new byte[FrameHeader.Bytes + CopiedBytes];
        int copied = payload.Length <= CopiedBytes ? payload.Length : 0;
        header.PayloadLength = (uint)payload.Length;
        header.Write(piece);
        payload[..copied].CopyTo(piece.AsSpan(FrameHeader.Bytes));
        ReadOnlySpan<byte> first = piece.AsSpan(0, FrameHeader.Bytes + copied), rest = payload[copied..];
        first = first[TrySend(first, moreFollows || !rest.IsEmpty)..];
        if (first.IsEmpty && !rest.IsEmpty)
            rest = rest[TrySend(rest, moreFollows)..];
        if (!_sendFailed && !(first.IsEmpty && rest.IsEmpty))
        {
            _output.Writer.Write(first);
            _output.Writer.Write(rest);
            Keep(first.Length + rest.Length);
        }
    }

    /// <summary>What the socket takes now. After a failure, which the receiving side sees too, everything is swallowed.</summary>
    private int TrySend(ReadOnlySpan<byte> bytes, bool moreFollows)
    {
        int sent = _sendFailed ? -1 : SocketCalls.Send(Socket, bytes, moreFollows);
        _sendFailed = sent < 0;
        return _sendFailed ? bytes.Length : sent;
    }

    /// <summary>Bytes have been put into the pipe for later.</summary>
    private void Keep(int bytes)
    {
        _waitingBytes += bytes;
        PipeBlocks.Flush(_output);
        Want(_interest | Readiness.Writable);
    }

    /// <summary>Sends what waits in the pipe. False when the socket does not take all of it.</summary>
    private bool TrySendWaiting()
    {
        while (_waitingBytes > 0 && !_ended && _output.Reader.TryRead(out ReadResult result))
        {
            ReadOnlySpan<byte> first = result.Buffer.FirstSpan;
            int sent = TrySend(first, moreFollows: false);
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
}
