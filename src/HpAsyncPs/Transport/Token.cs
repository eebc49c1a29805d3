using System;
using System.IO;
using System.Security.Cryptography;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>
/// The secret that a server and its workers share. It never goes over the wire: each end proves that it has it, by an HMAC-SHA-256 over what
/// both have drawn for this connection. docs/protocol.md has the bytes.
/// </summary>
public sealed class Token
{
    /// <summary>Least bytes of a token, white space at its end left out.</summary>
    public const int LeastBytes = 16;

    /// <summary>Most bytes of a token file.</summary>
    public const int MostBytes = 4096;

    // What is proven over: label, version, prover's role, role of who said Hello, 5 zeros, session, nonce of who said Hello, server's nonce.
    private const int VersionAt = 16;
    private const int SessionAt = 24;
    private const int CallerNonceAt = 32;
    private const int ServerNonceAt = CallerNonceAt + Limits.NonceBytes;
    private const int ProvenBytes = ServerNonceAt + Limits.NonceBytes;

    private const UnixFileMode OfOthers = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly byte[] _key;

    /// <param name="secret">At least <see cref="LeastBytes"/>; white space at its end does not count.</param>
    /// <exception cref="InputException">It is too short or too long.</exception>
    public Token(ReadOnlySpan<byte> secret)
    {
        secret = secret.TrimEnd(" \t\r\n\v\f"u8);
        if (secret.Length is < LeastBytes or > MostBytes)
            throw new InputException($"a token has {LeastBytes} to {MostBytes} bytes, white space at its end left out; this one has {secret.Length}");
        _key = secret.ToArray();
    }

    private static ReadOnlySpan<byte> Label => "HpAsyncPs proof\0"u8;

    /// <summary>Reads a token file that nobody but its owner may read or write.</summary>
    /// <exception cref="InputException">It is missing, no file, open to others, too short or too long.</exception>
    public static Token Read(string path)
    {
        try
        {
            Span<byte> bytes = stackalloc byte[MostBytes + 1];
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            UnixFileMode mode = OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(file.SafeFileHandle); // of the file that is open, not of its name
            if ((mode & OfOthers) != 0)
                throw new InputException($"The token file '{path}' is open to others (mode {Convert.ToString((int)mode, 8).PadLeft(4, '0')}): chmod 600 '{path}'.");
            return new Token(bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)]);
        }
        catch (InputException e) when (e.InnerException is null && e.Message.StartsWith("a token", StringComparison.Ordinal))
        {
            throw new InputException($"The token file '{path}' cannot be used: {e.Message}. {Remedy(path)}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"The token file '{path}' cannot be read: {(Directory.Exists(path) ? "it is a folder" : e.Message)} {Remedy(path)}", e);
        }
    }

    /// <summary>The proof of one end of a connection.</summary>
    /// <param name="prover">Whose proof.</param>
    /// <param name="caller">What the end that said Hello is.</param>
    /// <param name="callerNonce">Drawn by that end.</param>
    /// <param name="serverNonce">Drawn by the server.</param>
    /// <param name="session">The session's number.</param>
    /// <param name="version">Of the protocol.</param>
    public byte[] Prove(PeerRole prover, PeerRole caller, ReadOnlySpan<byte> callerNonce, ReadOnlySpan<byte> serverNonce, ulong session, byte version = Limits.ProtocolVersion)
    {
        Span<byte> proven = stackalloc byte[ProvenBytes];
        proven.Clear();
        Label.CopyTo(proven);
        proven[VersionAt] = version;
        proven[VersionAt + 1] = (byte)prover;
        proven[VersionAt + 2] = (byte)caller;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(proven[SessionAt..], session);
        callerNonce.CopyTo(proven[CallerNonceAt..ServerNonceAt]);
        serverNonce.CopyTo(proven[ServerNonceAt..]);
        return HMACSHA256.HashData(_key, proven);
    }

    /// <summary>Whether this is the proof; it takes the same time whatever is wrong with it.</summary>
    /// <param name="code">What came.</param>
    /// <param name="prover">Whose proof it is to be.</param>
    /// <param name="caller">What the end that said Hello is.</param>
    /// <param name="callerNonce">Drawn by that end.</param>
    /// <param name="serverNonce">Drawn by the server.</param>
    /// <param name="session">The session's number.</param>
    public bool IsProof(ReadOnlySpan<byte> code, PeerRole prover, PeerRole caller, ReadOnlySpan<byte> callerNonce, ReadOnlySpan<byte> serverNonce, ulong session) =>
        CryptographicOperations.FixedTimeEquals(code, Prove(prover, caller, callerNonce, serverNonce, session));

    private static string Remedy(string path) => $"Make one with (umask 077; head -c 32 /dev/urandom | base64 > '{path}') and give server and workers the same.";
}
