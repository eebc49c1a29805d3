using System;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Protocol;

/// <summary>What a frame is. Byte 5 of the header.</summary>
public enum FrameKind : byte
{
    /// <summary>Control, worker to server: asks for admission, or to go on with a session (<see cref="JoinMessage"/>).</summary>
    Join = 1,

    /// <summary>Control, server to worker: its rank, and where the session stands (<see cref="AdmittedMessage"/>).</summary>
    Admitted = 2,

    /// <summary>Control, server to worker: all have joined, train (<see cref="StartMessage"/>).</summary>
    Start = 3,

    /// <summary>Control, server to worker: refused, with the reason; the connection closes (<see cref="TextMessage"/>).</summary>
    Refused = 4,

    /// <summary>Data, worker to server: a chunk of a delta.</summary>
    Push = 5,

    /// <summary>Header only, server to worker: pushes up to this sequence are applied.</summary>
    Acknowledged = 6,

    /// <summary>Header only, worker to server: send me a snapshot newer than this version.</summary>
    Pull = 7,

    /// <summary>Data, server to worker: a chunk of a snapshot.</summary>
    Snapshot = 8,

    /// <summary>Control, worker to server: values at an evaluated snapshot (<see cref="EvaluatedMessage"/>).</summary>
    Evaluated = 9,

    /// <summary>Control, worker to server: seconds spent computing, waiting and evaluating (<see cref="ProgressMessage"/>).</summary>
    Progress = 10,

    /// <summary>Control, server to worker: the job has ended, leave (<see cref="TextMessage"/>).</summary>
    Stop = 11,

    /// <summary>Control, worker to server: goodbye, with the reason (<see cref="TextMessage"/>).</summary>
    Leave = 12,

    /// <summary>Header only, both ways: I am alive.</summary>
    Heartbeat = 13,

    /// <summary>Control, server to worker: its share has changed (<see cref="MembersMessage"/>).</summary>
    Members = 14,

    /// <summary>Control, worker to server: who asks for entry, before anything else where a token is wanted (<see cref="HelloMessage"/>).</summary>
    Hello = 15,

    /// <summary>Control, server to worker: prove that you have the token (<see cref="ChallengeMessage"/>).</summary>
    Challenge = 16,

    /// <summary>Control, worker to server: the proof (<see cref="ProofMessage"/>).</summary>
    Proof = 17,

    /// <summary>Control, server to worker: proven, and here is the server's own proof (<see cref="ProofMessage"/>).</summary>
    Proven = 18,

    /// <summary>Control, server to worker: take over the part of a rank whose worker is lost (<see cref="AdoptMessage"/>).</summary>
    Adopt = 19,

    /// <summary>Control, server to worker: pushes are coded so from now on (<see cref="TextMessage"/>: a codec as on the command line).</summary>
    Codec = 20,

    /// <summary>
    /// Header only, both ways, behind the last chunk of a push or of a snapshot: what the sender has now of some keys, as a checksum. Worker to server
    /// with no keys: this worker's snapshot is another than the server thinks, send the next one whole.
    /// </summary>
    Check = 21,

    /// <summary>Control, server to worker: how slow it is beside the others (<see cref="PaceMessage"/>).</summary>
    Pace = 22,

    /// <summary>
    /// Header only, the first server of several to a worker: send me, of the vector that was evaluated with this number (sequence), what other servers have. 0, or a vector that the worker
    /// has not: the newest snapshot.
    /// </summary>
    Collect = 23,

    /// <summary>Data, worker to the first server: a chunk of what it collects, as fp32. Keys are those of the whole model.</summary>
    Model = 24,
}

/// <summary>Byte 7 of the header.</summary>
[Flags]
public enum FrameFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The last chunk of a push or a snapshot.</summary>
    Last = 1,

    /// <summary>
    /// A snapshot to be evaluated; its sequence field is the number of the evaluation. A pull, to a server after the first: of this shard, what belongs to the evaluation with the number in
    /// its sequence field.
    /// </summary>
    Evaluate = 2,

    /// <summary>With <see cref="Evaluate"/>: training has ended, drop the step under way. With <see cref="FrameKind.Refused"/>: the job has failed, for all. With <see cref="FrameKind.Leave"/>, to a server after the first: the first one has ended the job.</summary>
    Final = 4,

    /// <summary>The last chunk of a push: what a pull right behind it would ask for, a snapshot newer than its shard version, without a frame.</summary>
    Pull = 8,

    /// <summary>A snapshot that is not the aggregate but the worker's own vector, as the server knows it: the session is resynchronised.</summary>
    Own = 16,

    /// <summary>With <see cref="FrameKind.Refused"/>: not now; try again over another connection.</summary>
    Retry = 32,

    /// <summary>A snapshot whose payload is not values, but what changed since the last snapshot, or the last evaluation, that went out whole.</summary>
    Change = 64,

    /// <summary>
    /// Of a round of two exchanges. A push: its first half, what this worker needs of all before it goes on (a gradient), and no step yet. A snapshot: others
    /// are given the same one, and all wait for each other: push the first half first.
    /// </summary>
    Half = 128,
}

/// <summary>Tests of flags that never box, optimised or not.</summary>
public static class FrameFlagsTests
{
    /// <summary>Is this flag set?</summary>
    public static bool Has(this FrameFlags flags, FrameFlags flag) => (flags & flag) != 0;
}

/// <summary>How a delta is coded. Byte 6 of the header.</summary>
public enum CodecId : byte
{
    /// <summary>No payload, or a control message.</summary>
    None = 0,

    /// <summary>Little-endian IEEE 754 binary32, one per parameter.</summary>
    Fp32 = 1,

    /// <summary>Only the rows that changed, each with its index: see Codecs/RowsCodec.cs.</summary>
    Rows = 2,

    /// <summary>16 bits a value: see Codecs/Bf16Codec.cs.</summary>
    Bf16 = 3,

    /// <summary>8 bits a value: see Codecs/BlockCodec.cs.</summary>
    Int8 = 4,

    /// <summary>4 bits a value: see Codecs/BlockCodec.cs.</summary>
    Int4 = 5,

    /// <summary>The values of largest magnitude, each with its index: see Codecs/TopKCodec.cs.</summary>
    TopK = 6,
}

/// <summary>
/// The fixed head of every frame. 64 bytes, little-endian, in this order:
/// <code>
/// offset size field
///      0    4 magic             "HPPS"
///      4    1 protocol          version of the protocol
///      5    1 kind
///      6    1 codec
///      7    1 flags
///      8    4 shard
///     12    4 payload_length    bytes after the header
///     16    8 session
///     24    8 sequence          push: its number, from 1; acknowledged: last applied; snapshot: the worker's last
///                               push that this chunk contains; with flag Evaluate: number of the evaluation;
///                               check of a worker: the push that it is behind
///     32    8 shard_version     push: version its delta was computed from; pull: version the worker has;
///                               snapshot, acknowledged: the shard's; check: the checksum, XXH3 of the floats
///     40    4 key_begin         first key of the chunk
///     44    4 key_count         keys in the chunk
///     48    4 rounds            snapshot: pushes of the worker that has made the fewest
///     52    4 passes_q8         push: passes of the worker over its data so far, times 256; snapshot: of the whole job
///     56    4 payload_checksum  CRC-32C of the payload, or 0: not computed
///     60    4 header_checksum   CRC-32C of bytes 0 to 59
/// </code>
/// Files that must agree: this one, FrameReader.cs, FrameWriter.cs, docs/protocol.md.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = FrameHeader.Bytes)]
public struct FrameHeader
{
    /// <summary>Bytes of a header.</summary>
    public const int Bytes = 64;

    /// <summary>"HPPS", read as a little-endian number.</summary>
    public const uint MagicValue = 0x53505048;

    private const int ChecksumOffset = 60;

    // The order of these fields is the wire format.
    private readonly uint _magic;
    private readonly byte _protocol;
    private readonly FrameKind _kind;
    private CodecId _codec;
    private FrameFlags _flags;
    private uint _shard;
    private uint _payloadLength;
    private ulong _session;
    private ulong _sequence;
    private ulong _shardVersion;
    private uint _keyBegin;
    private uint _keyCount;
    private uint _rounds;
    private uint _passesQ8;
    private uint _payloadChecksum;
    private uint _headerChecksum;

    /// <summary>A header of this kind, all other fields zero.</summary>
    public FrameHeader(FrameKind kind)
    {
        _magic = MagicValue;
        _protocol = Limits.ProtocolVersion;
        _kind = kind;
    }

    /// <summary>See the table.</summary>
    public readonly uint Magic => _magic;

    /// <summary>See the table.</summary>
    public readonly byte Protocol => _protocol;

    /// <summary>See the table.</summary>
    public readonly FrameKind Kind => _kind;

    /// <summary>See the table.</summary>
    public CodecId Codec { readonly get => _codec; set => _codec = value; }

    /// <summary>See the table.</summary>
    public FrameFlags Flags { readonly get => _flags; set => _flags = value; }

    /// <summary>See the table.</summary>
    public uint Shard { readonly get => _shard; set => _shard = value; }

    /// <summary>See the table.</summary>
    public uint PayloadLength { readonly get => _payloadLength; set => _payloadLength = value; }

    /// <summary>See the table.</summary>
    public ulong Session { readonly get => _session; set => _session = value; }

    /// <summary>See the table.</summary>
    public ulong Sequence { readonly get => _sequence; set => _sequence = value; }

    /// <summary>See the table.</summary>
    public ulong ShardVersion { readonly get => _shardVersion; set => _shardVersion = value; }

    /// <summary>See the table.</summary>
    public ulong KeyBegin { readonly get => _keyBegin; set => _keyBegin = checked((uint)value); }

    /// <summary>See the table.</summary>
    public uint KeyCount { readonly get => _keyCount; set => _keyCount = value; }

    /// <summary>See the table.</summary>
    public uint Rounds { readonly get => _rounds; set => _rounds = value; }

    /// <summary>See the table.</summary>
    public uint PassesQ8 { readonly get => _passesQ8; set => _passesQ8 = value; }

    /// <summary>See the table.</summary>
    public uint PayloadChecksum { readonly get => _payloadChecksum; set => _payloadChecksum = value; }

    /// <summary>Copies the header, with its checksum, to 64 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        MemoryMarshal.Write(destination, in this);
        _headerChecksum = Crc32C.Of(destination[..ChecksumOffset]);
        MemoryMarshal.Write(destination[ChecksumOffset..], _headerChecksum);
    }

    /// <summary>Reads 64 bytes; says whether the checksum agrees.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = MemoryMarshal.Read<FrameHeader>(source);
        return header._headerChecksum == Crc32C.Of(source[..ChecksumOffset]);
    }
}
