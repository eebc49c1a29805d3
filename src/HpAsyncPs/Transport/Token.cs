using System;
using System.Buffers.Binary;
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

    private readonly byte[] _key;

    /// <param name="secret">At least <see cref="LeastBytes"/>; white space at its end does not count.</param>
    public Token(ReadOnlySpan<byte> secret)
    {
        secret = secret.TrimEnd(WhiteSpace);
        ArgumentOutOfRangeException.ThrowIfLessThan(secret.Length, LeastBytes, nameof(secret));
        _key = secret.ToArray();
    }

    private static ReadOnlySpan<byte> Label => "HpAsyncPs proof\0"u8;

    private static ReadOnlySpan<byte> MonitorLabel => "HpAsyncPs monitor"u8;

    private static ReadOnlySpan<byte> WhiteSpace => " \t\r\n\v\f"u8;

    /// <summary>Reads a token file that nobody but its owner may read or write.</summary>
    /// <exception cref="InputException">It is missing, no file, open to others, too short or too long.</exception>
    public static Token Read(string path)
    {
        OpenSsl.Require("A token");
        string remedy = $"Make one with (umask 077; head -c 32 /dev/urandom | base64 > '{path}') and give server and workers the same.";
        byte[] secret = PrivateFile.Read(path, "token file", MostBytes, remedy);
        int length = secret.AsSpan().TrimEnd(WhiteSpace).Length;
        return length >= LeastBytes ? new Token(secret)
            : throw new InputException($"The token file '{path}' has {length} bytes, white space at its end left out; a token has at least {LeastBytes}. {remedy}");
    }

    /// <summary>
    /// What a reader of the monitoring port shows: an HMAC-SHA-256 of the token, in hexadecimal. Who learns it can read the monitoring, and has neither the token nor a way into the job.
    /// <c>printf 'HpAsyncPs monitor' | openssl dgst -sha256 -hmac "$(cat token)" -r</c> says the same.
    /// </summary>
    public string MonitorKey() => Convert.ToHexStringLower(HMACSHA256.HashData(_key, MonitorLabel));

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
        BinaryPrimitives.WriteUInt64LittleEndian(proven[SessionAt..], session);
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
}
