using System;
using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading;

namespace HpAsyncPs.Transport;

/// <content>How a connection ends: in order, as long as the peer takes what waits for it, or cut off.</content>
public sealed partial class Connection
{
    /// <summary>The longest that a connection which is being closed lives on, however steadily the peer reads.</summary>
    public static readonly TimeSpan LongestLinger = TimeSpan.FromSeconds(30);

    // A connection that is being closed and of whose output nothing moves for so long is cut off.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private bool _closing;
    private bool _inputEnded;
    private bool _ended;
    private long _overdueAt = long.MaxValue;
    private long _endBy;
    private long _moved;
    private string? _cutOff;

    /// <summary>It is on its way to its end.</summary>
    internal bool IsClosing => Volatile.Read(ref _closing);

    /// <inheritdoc/>
    public void Close()
    {
        lock (_sending)
        {
            if (_closing)
                return;
            _closing = true;
            long now = _time.GetTimestamp();
            _endBy = now + Ticks(LongestLinger);
            if (_waitingBytes == 0)
                EndOutput();
            _moved = Moved();
            Volatile.Write(ref _overdueAt, now + Ticks(Linger)); // the last: the loop's thread looks at it without the lock
        }
    }

    /// <summary>Cuts it off if it is being closed and the peer takes nothing more, or takes too long. On the loop's thread.</summary>
    internal void CutOffIfOverdue(long now)
    {
        if (now < Volatile.Read(ref _overdueAt))
            return;
        if (now < _endBy && IsMoving())
            Volatile.Write(ref _overdueAt, now + Ticks(Linger));
        else
            CutOff(null);
    }

    /// <summary>Ends it at once. On the loop's thread.</summary>
    internal void CutOff(string? reason)
    {
        lock (_sending)
            _closing = true;
        EndInput(reason);
        End();
    }

    /// <summary>The peer has taken something since the last look.</summary>
    private bool IsMoving()
    {
        long before = _moved;
        lock (_sending)
            _moved = Moved();
        return _moved > before;
    }

    /// <summary>
    /// Grows with what the socket takes, and with what the peer acknowledges: when all is in the socket's buffer, megabytes may still be on
    /// their way, and a socket that is closed with input that nobody has read throws them away.
    /// </summary>
    private long Moved() => TcpOptions.AcknowledgedBytes(Socket) - _waitingBytes;

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    /// <summary>The peer sends no more, or what it sends is not wanted: the handler is told, and the connection closes when all has gone out.</summary>
    private void EndInput(string? reason)
    {
        if (_inputEnded)
            return;
        _inputEnded = true;
        bool cut = reason is null && !IsClosing && _input.Reader.TryRead(out ReadResult rest) && !rest.Buffer.IsEmpty;
        _handler.Closed(_cutOff ?? _violation ?? reason ?? (cut ? "the connection ended in the middle of a frame" : null));
        Close();
        lock (_sending)
            Want(_interest & ~Readiness.Readable);
    }

    private void EndOutput()
    {
        try
        {
            if (!_ended)
                Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            _sendFailed = true; // the peer has gone: the receiving side sees it
        }
    }

    private void End()
    {
        lock (_sending)
        {
            if (_ended)
                return;
            _ended = true;
            _output.Writer.Complete();
            _output.Reader.Complete();
            _input.Writer.Complete();
            _input.Reader.Complete();
            Socket.Dispose();
        }

        _loop.Unregister(_slot);
    }
}
