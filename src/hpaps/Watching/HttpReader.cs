using System;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;

namespace HpAsyncPs.Cli.Watching;

/// <summary>What was answered is not what a monitoring port answers, or nothing was; the message says what, and what to do.</summary>
internal sealed class MonitorException(string message, bool mayPass = false, bool isNotYet = false) : Exception(message)
{
    /// <summary>The port is there, and has nothing to say yet.</summary>
    public bool IsNotYet => isNotYet;

    /// <summary>It may be otherwise in a while.</summary>
    public bool MayPass => mayPass;
}

/// <summary>
/// Reads one answer of the monitoring port: HTTP/1.0, so that a body ends with its length or with the connection, and a few hundred lines of a client do. Each wait and each length is bounded.
/// </summary>
internal sealed class HttpReader : IDisposable
{
    private const int MostHeaderBytes = 16 * 1024;
    private const int MostReasonBytes = 2000;
    private const int BufferBytes = 64 * 1024;
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);

    private readonly MonitorAddress _address;
    private readonly string _path;
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _begin;
    private int _end;
    private long? _length; // of the body, as it was said
    private long _left = long.MaxValue; // of it, to come

    private HttpReader(MonitorAddress address, string path, Socket socket) => (_address, _path, _socket) = (address, path, socket);

    /// <summary>Asks for something.</summary>
    /// <param name="address">Whom.</param>
    /// <param name="path">For what, as in /status.</param>
    /// <param name="type">Content type that it must have.</param>
    /// <param name="silence">How long nothing may come.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="MonitorException">That is not what is there.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static HttpReader Get(MonitorAddress address, string path, string type, TimeSpan silence, CancellationToken stop)
    {
#pragma warning disable CA2000 // the reader owns it
        Socket socket = Connect(address, stop);
#pragma warning restore CA2000
        var reader = new HttpReader(address, path, socket);
        try
        {
            socket.ReceiveTimeout = socket.SendTimeout = (int)silence.TotalMilliseconds;
            string key = address.Key is { } shown ? $"Authorization: Bearer {shown}\r\n" : "";
            socket.Send(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.0\r\nHost: {address.Authority}\r\nAccept: {type}\r\nUser-Agent: hpaps\r\n{key}\r\n"));
            reader.ReadHeaders(type);
            return reader;
        }
        catch (SocketException e)
        {
            reader.Dispose();
            throw reader.Lost(e);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>All of the body.</summary>
    /// <param name="most">Bytes that it may have.</param>
    /// <param name="limit">How long that may take.</param>
    /// <exception cref="MonitorException">It is longer, takes longer, or the connection was lost.</exception>
    public byte[] ReadAll(int most, TimeSpan limit)
    {
        var body = new MemoryStream();
        long start = TimeProvider.System.GetTimestamp();
        while (Fill())
        {
            body.Write(_buffer, _begin, _end - _begin);
            _begin = _end;
            if (body.Length > most)
                throw new MonitorException($"{_address.Authority}{_path} answers more than {most >> 20} MiB: that is no monitoring port of hpaps");
            if (TimeProvider.System.GetElapsedTime(start) > limit)
                throw new MonitorException($"{_address.Authority}{_path} took more than {limit.TotalSeconds:0} s to answer: the server's machine or the network is overloaded; try again", mayPass: true);
        }

        if (_length is not null && _left > 0)
            throw new MonitorException($"the connection to {_address.Authority} was lost in the middle of an answer", mayPass: true);
        return body.ToArray();
    }

    /// <summary>The next line of the body, without its end; null: the body has ended.</summary>
    /// <param name="most">Bytes that it may have.</param>
    /// <exception cref="MonitorException">It is longer, or the connection was lost.</exception>
    public string? ReadLine(int most)
    {
        var line = new MemoryStream();
        while (Fill())
        {
            int at = Array.IndexOf(_buffer, (byte)'\n', _begin, _end - _begin);
            line.Write(_buffer, _begin, (at < 0 ? _end : at) - _begin);
            if (line.Length > most)
                throw new MonitorException($"{_address.Authority}{_path} answers a line of more than {most >> 10} KiB: that is no monitoring port of hpaps");
            _begin = at < 0 ? _end : at + 1;
            if (at >= 0)
                return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length).TrimEnd('\r');
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static Socket Connect(MonitorAddress address, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(ConnectTime);
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            client.ConnectAsync(address.Host, address.Port, limit.Token).AsTask().GetAwaiter().GetResult();
            return client;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            client.Dispose();
            stop.ThrowIfCancellationRequested();
            string why = e is SocketException ? e.Message : $"no answer within {ConnectTime.TotalSeconds:0} s";
            throw new MonitorException($"nobody answers at {address.Authority} ({why}): is the job running, and was it started with --monitor {address.Authority}?", mayPass: true);
        }
    }

    private void ReadHeaders(string type)
    {
        string first = HeaderLine(0, out int bytes);
        if (!first.StartsWith("HTTP/1.", StringComparison.Ordinal) || first.Length < "HTTP/1.1 200".Length || !int.TryParse(first.AsSpan("HTTP/1.1 ".Length, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int code))
            throw new MonitorException($"{_address.Authority} does not speak HTTP: is that the port of --listen? Give that of --monitor");
        string given = "", line;
        while ((line = HeaderLine(bytes, out bytes)).Length > 0)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string name = colon < 0 ? line : line[..colon], value = colon < 0 ? "" : line[(colon + 1)..].Trim();
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
                given = value;
            else if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long length))
                _length = length;
            else if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                throw new MonitorException($"{_address.Authority} answers in pieces (Transfer-Encoding: {Printable.Of(value)}), which an HTTP/1.0 request forbids: that is no monitoring port of hpaps");
        }

        if (_length is { } known)
        {
            _end = (int)Math.Min(_end, _begin + known);
            _left = known - (_end - _begin);
        }

        if (code == 200 && given.StartsWith(type, StringComparison.OrdinalIgnoreCase))
            return;
        if (code == 200)
            throw new MonitorException($"{_address.Authority}{_path} answers {(given.Length == 0 ? "something" : Printable.Of(given))} instead of {type}: that is no monitoring port of hpaps; give that of --monitor");
        string reason = given.StartsWith("text/plain", StringComparison.OrdinalIgnoreCase) ? $": {Printable.Of(ReadLine(MostReasonBytes) ?? "")}" : "";
        throw code switch
        {
            401 => new MonitorException($"{_address.Authority} lets only those in who have the job's token: give --token-file FILE, the same as the server's" + (_address.Key is null ? "" : "; the one that was given is another")),
            503 => new MonitorException($"{_address.Authority} answers 503{reason}", mayPass: true, isNotYet: true),
            _ => new MonitorException($"{_address.Authority}{_path} answers {code}{reason}; is that the port of --monitor?"),
        };
    }

    private string HeaderLine(int before, out int bytes)
    {
        string line = ReadLine(MostHeaderBytes) ?? throw new MonitorException($"{_address.Authority} closed the connection without an answer: is that the port of --monitor?", mayPass: true);
        bytes = before + line.Length;
        return bytes <= MostHeaderBytes ? line : throw new MonitorException($"{_address.Authority} answers more than {MostHeaderBytes >> 10} KiB of headers: that is no monitoring port of hpaps");
    }

    /// <summary>There is something in the buffer; else the body has ended.</summary>
    private bool Fill()
    {
        if (_begin < _end)
            return true;
        if (_left == 0)
            return false;
        try
        {
            (_begin, _end) = (0, _socket.Receive(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, _left))));
            _left -= _end;
        }
        catch (SocketException e)
        {
            throw Lost(e);
        }
        catch (ObjectDisposedException)
        {
            throw new OperationCanceledException(); // it was stopped meanwhile
        }

        return _end > 0;
    }

    private MonitorException Lost(SocketException e) => new(
        e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock ? $"{_address.Authority} connects and says nothing: the server's machine is overloaded, or that is not the port of --monitor"
            : $"the connection to {_address.Authority} was lost ({e.Message})", mayPass: true);
}
