using System;
using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>Who gets a connection's frames. Called on the connection's owner, one call at a time.</summary>
public interface IFrameHandler
{
    /// <summary>A whole frame came in; the payload is valid during the call only.</summary>
    void Received(in FrameHeader header, in ReadOnlySequence<byte> payload);

    /// <summary>The peer sent what is no frame. Nothing more will be read; tell it, and close.</summary>
    void Violated(string reason);

    /// <summary>The connection can take more after <see cref="IFrameSink.Send"/> had returned false.</summary>
    void Writable();

    /// <summary>The connection has ended. The last call.</summary>
    /// <param name="reason">What happened, or null when the peer closed it in order.</param>
    void Closed(string? reason);
}

/// <summary>
/// Frames over a socket, through two pipes of bounded size. The receive loop fills the one, and stops when the owner
/// lags; senders fill the other, and are told to stop when the peer lags. Frames are handled on the owner's scheduler. In
/// the steady state nothing is allocated.
/// </summary>
public sealed class Connection : IFrameSink
{
    /// <summary>Received bytes that wait for the owner: a whole frame must fit, and the next one should be on its way.</summary>
    public const int InputBytes = 2 * (Limits.ChunkBytes + FrameHeader.Bytes);

    /// <summary>Bytes on their way to the peer beyond which the owner is told to stop.</summary>
    public const int OutputBytes = Limits.ChunkBytes;

    /// <summary>Bytes on their way beyond which a peer that makes us answer but does not read is cut off.</summary>
    public const int MostOutputBytes = 4 * OutputBytes;

    /// <summary>The most blocks that one connection holds: both pipes full, and a block begun in each.</summary>
    public const int MostBlocks = ((InputBytes + OutputBytes + MostOutputBytes + (2 * Limits.ChunkBytes)) / SlabPool.BlockBytes) + 8;

    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;
    private readonly IFrameHandler _handler;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly Action _flushed;

    // A worker's frames come from the computing thread, and go on from the thread that saw the socket take them.
    private readonly object _sending = new();
    private ValueTask<FlushResult> _flush;
    private bool _flushing;
    private long _unflushed;
    private volatile bool _closing;
    private volatile string? _cutOff;

    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="pool">Memory of the pipes.</param>
    /// <param name="owner">Where the handler is called: the shard's thread, or inline.</param>
    /// <param name="peer">The other end, for messages.</param>
    /// <param name="makeHandler">Makes the handler; it may keep the sink but not send yet.</param>
    public Connection(Socket socket, SlabPool pool, PipeScheduler owner, string peer, Func<IFrameSink, IFrameHandler> makeHandler)
    {
        _socket = socket;
        Peer = peer;
        if (socket.AddressFamily != AddressFamily.Unix)
            socket.NoDelay = true;
        _input = new Pipe(new PipeOptions(pool, owner, PipeScheduler.Inline, InputBytes, InputBytes / 2,
            SlabPool.BlockBytes, useSynchronizationContext: false));
        _output = new Pipe(new PipeOptions(pool, PipeScheduler.Inline, owner, OutputBytes, OutputBytes / 2,
            SlabPool.BlockBytes, useSynchronizationContext: false));
        _flushed = Flushed;
        _handler = makeHandler(this);
        _ = ReceiveAsync();
        _ = SendAsync();
        owner.Schedule(static state => _ = ((Connection)state!).HandleAsync(), this);
    }

    /// <inheritdoc/>
    public string Peer { get; }

    /// <inheritdoc/>
    public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        lock (_sending)
        {
            if (_closing)
                return true;
            FrameWriter.Write(_output.Writer, header, payload);
            if (!_flushing)
            {
                Flush();
                return !_flushing;
            }

            _unflushed += FrameHeader.Bytes + payload.Length;
            if (_unflushed > MostOutputBytes)
            {
                _closing = true;
                _cutOff = $"it did not read {MostOutputBytes >> 20} MiB of answers";
                _socket.Dispose(); // the receive loop sees it, and tells the handler
            }

            return false;
        }
    }

    /// <inheritdoc/>
    public void Close()
    {
        lock (_sending)
        {
            if (_closing)
                return;
            _closing = true;
            if (!_flushing)
                _output.Writer.Complete();
        }

        _ = EndAfterLingerAsync();
    }

    private void Flush()
    {
        ValueTask<FlushResult> flush = _output.Writer.FlushAsync(CancellationToken.None);
        if (flush.IsCompleted)
        {
            _ = flush.Result;
            return;
        }

        _flushing = true;
        _flush = flush;
        flush.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_flushed);
    }

    private void Flushed()
    {
        lock (_sending)
        {
            _ = _flush.GetAwaiter().GetResult();
            _flushing = false;
            bool more = _unflushed > 0;
            _unflushed = 0;
            if (_closing)
                _output.Writer.Complete();
            else if (more)
                Flush();
            if (_flushing || _closing)
                return;
        }

        _handler.Writable(); // not under the lock: it may take the handler's own, which is taken before this one elsewhere
    }

    /// <summary>Socket to pipe.</summary>
    private async Task ReceiveAsync()
    {
        PipeWriter writer = _input.Writer;
        Exception? error = null;
        try
        {
            while (true)
            {
                int count = await _socket.ReceiveAsync(writer.GetMemory(1), SocketFlags.None, CancellationToken.None).ConfigureAwait(false);
                if (count == 0)
                    break;
                writer.Advance(count);
                FlushResult flushed = await writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                if (flushed.IsCompleted)
                    break;
            }
        }
        catch (Exception e)
        {
            error = e; // the handler is told, whatever it is
        }

        await writer.CompleteAsync(error).ConfigureAwait(false);
    }

    /// <summary>
    /// Pipe to owner. After a close it goes on reading, and throws away, until the peer has closed too: closing a socket
    /// with unread input would reset the connection, and the peer would never read our last words.
    /// </summary>
    private async Task HandleAsync()
    {
        PipeReader reader = _input.Reader;
        string? reason = null;
        try
        {
            while (true)
            {
                ReadResult result = await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = result.Buffer;
                reason ??= HandleFrames(ref buffer);
                if (result.IsCompleted)
                {
                    if (!buffer.IsEmpty && !_closing)
                        reason = "the connection ended in the middle of a frame";
                    break;
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        catch (Exception e)
        {
            reason ??= e.Message;
        }

        await reader.CompleteAsync().ConfigureAwait(false);
        _handler.Closed(_cutOff ?? reason);
        Close();
    }

    private string? HandleFrames(ref ReadOnlySequence<byte> buffer)
    {
        string? reason = null;
        try
        {
            while (!_closing && FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload))
                _handler.Received(header, payload);
        }
        catch (ProtocolException e)
        {
            reason = e.Message;
            _handler.Violated(reason);
            Close();
        }

        if (_closing)
            buffer = buffer.Slice(buffer.End);
        return reason;
    }

    /// <summary>Pipe to socket.</summary>
    private async Task SendAsync()
    {
        PipeReader reader = _output.Reader;
        try
        {
            while (true)
            {
                ReadResult result = await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                SequencePosition at = result.Buffer.Start;
                while (result.Buffer.TryGet(ref at, out ReadOnlyMemory<byte> memory))
                {
                    while (!memory.IsEmpty)
                    {
                        int sent = await _socket.SendAsync(memory, SocketFlags.None, CancellationToken.None).ConfigureAwait(false);
                        memory = memory[sent..];
                    }
                }

                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                    break;
            }

            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception)
        {
            _socket.Dispose(); // the receive loop sees it, and tells the handler
        }

        await reader.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>A peer that does not close within this time is cut off.</summary>
    private async Task EndAfterLingerAsync()
    {
        await Task.Delay(Linger).ConfigureAwait(false);
        _socket.Dispose();
    }
}
