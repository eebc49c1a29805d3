using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using MessagePack;

namespace HpAsyncPs.Protocol;

/// <summary>
/// A worker asks for admission, or, with a session that the server knows, to go on over a new connection. The session is the worker's own
/// choice, at random, and stands in the header.
/// MessagePack: [rank, parameters, row length, aggregate, weight, [agreed ...], {setting: value ...}, attempt, held, pushed, generation, [load ...]].
/// </summary>
/// <param name="Rank">The rank it wants, or -1: any free one.</param>
/// <param name="Parameters">How many parameters its data needs; the largest of all workers counts.</param>
/// <param name="RowLength">Parameters that belong together and travel together; parameters are a multiple of it.</param>
/// <param name="Aggregate">What the server makes of the workers' vectors.</param>
/// <param name="Weight">Its weight: its number of examples.</param>
/// <param name="Agreed">Numbers of which every worker needs the largest of all: smoothness, label range.</param>
/// <param name="Settings">What must be the same at every worker: task, regularisation, seed.</param>
/// <param name="Attempt">Grows with every connection of the session, so that one which was overtaken is known.</param>
/// <param name="Held">The oldest push that the worker can send again; <paramref name="Pushed"/> + 1 if none.</param>
/// <param name="Pushed">The last push that it made; 0: it begins.</param>
/// <param name="Generation">As in the last <see cref="AdmittedMessage"/>; 0: there was none.</param>
/// <param name="Loads">How much of what it pushes falls on each of so many equal slices of the rows, in any unit that all workers share; null or empty: evenly. The first of several servers cuts the model by them.</param>
public sealed record JoinMessage(
    int Rank, int Parameters, int RowLength, Aggregate Aggregate, double Weight, double[] Agreed,
    IReadOnlyList<KeyValuePair<string, string>> Settings, ulong Attempt = 0, ulong Held = 1, ulong Pushed = 0,
    ulong Generation = 0, double[]? Loads = null)
{
    private const int Fields = 12;

    /// <summary>The session begins: no server has had anything of it.</summary>
    public bool IsFresh => Pushed == 0 && Held == 1;

    /// <summary>Does it ask for the same, but for where the session stands?</summary>
    public bool AsksAs(JoinMessage other)
    {
        bool isSame = (Rank, Parameters, RowLength, Aggregate, Weight) == (other.Rank, other.Parameters, other.RowLength, other.Aggregate, other.Weight)
            && Agreed.AsSpan().SequenceEqual(other.Agreed) && Settings.Count == other.Settings.Count;
        for (int j = 0; isSame && j < Settings.Count; j++)
            isSame = Settings[j].Key == other.Settings[j].Key && Settings[j].Value == other.Settings[j].Value;
        return isSame;
    }

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Rank);
        writer.Write(Parameters);
        writer.Write(RowLength);
        writer.Write((int)Aggregate);
        writer.Write(Weight);
        MessageParts.Write(ref writer, Agreed);
        MessageParts.Write(ref writer, Settings);
        writer.Write(Attempt);
        writer.Write(Held);
        writer.Write(Pushed);
        writer.Write(Generation);
        MessageParts.Write(ref writer, Loads ?? []);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static JoinMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Join, Fields, Read);

    private static JoinMessage Read(ref MessagePackReader reader) => new(
        MessageParts.Within(reader.ReadInt32(), -1, Limits.Workers - 1, "rank"),
        MessageParts.Within(reader.ReadInt32(), 1, Limits.Parameters, "parameters"),
        MessageParts.Within(reader.ReadInt32(), 1, Limits.RowLength, "row length"),
        (Aggregate)MessageParts.Within(reader.ReadInt32(), 0, (int)Aggregate.Optimized, "aggregate"),
        MessageParts.Weight(reader.ReadDouble()),
        MessageParts.Numbers(ref reader),
        MessageParts.Settings(ref reader),
        reader.ReadUInt64(),
        reader.ReadUInt64(),
        reader.ReadUInt64(),
        reader.ReadUInt64(),
        MessageParts.Loads(ref reader));
}

/// <summary>
/// The server admits a worker, or takes up its session again, and says where it stands.
/// MessagePack: [rank, sequence, next key, version, incarnation, generation, resynchronises].
/// </summary>
/// <param name="Rank">The worker's rank.</param>
/// <param name="Sequence">The last push of the rank that is applied whole: the worker's next one has the number after it.</param>
/// <param name="NextKey">The first key of the next push that is not applied yet.</param>
/// <param name="Version">The shard's.</param>
/// <param name="Incarnation">Another number each time that the server starts.</param>
/// <param name="Generation">Grows whenever the session is resynchronised: numbers of pushes of different generations are not compared.</param>
/// <param name="Resynchronises">
/// The two ends do not agree on what was pushed: the worker drops what it holds and numbers its pushes from <paramref name="Sequence"/> on;
/// its vector as the server knows it follows, behind Start, and a snapshot.
/// </param>
public sealed record AdmittedMessage(int Rank, ulong Sequence = 0, uint NextKey = 0, ulong Version = 0, ulong Incarnation = 0, ulong Generation = 0, bool Resynchronises = false)
{
    private const int Fields = 7;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Rank);
        writer.Write(Sequence);
        writer.Write(NextKey);
        writer.Write(Version);
        writer.Write(Incarnation);
        writer.Write(Generation);
        writer.Write(Resynchronises);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static AdmittedMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Admitted, Fields,
        static (ref MessagePackReader reader) => new AdmittedMessage(
            MessageParts.Within(reader.ReadInt32(), 0, Limits.Workers - 1, "rank"),
            reader.ReadUInt64(),
            reader.ReadUInt32(),
            reader.ReadUInt64(),
            reader.ReadUInt64(),
            reader.ReadUInt64(),
            reader.ReadBoolean()));
}

/// <summary>
/// All workers have joined; parameters are zero. MessagePack: [workers, parameters, share, waits, [agreed ...], evicts, codec, [bound ...]].
/// </summary>
/// <param name="Workers">Number of workers.</param>
/// <param name="Parameters">Number of parameters of the server's shard. With one server: the most that any worker asked for.</param>
/// <param name="Share">This worker's factor in the aggregate: 1 for a sum, else weight / total.</param>
/// <param name="Waits">True when the policy makes a worker wait for the next snapshot after each push.</param>
/// <param name="Agreed">The largest of all workers, element by element.</param>
/// <param name="Evicts">What a worker that is lost has contributed is taken out again.</param>
/// <param name="Codec">How pushes are coded, as on the command line.</param>
/// <param name="Bounds">
/// Of the first of several servers: the first key of each one's range, then the number of parameters of the model. Null or empty: of the one server, which has all, or of a server after the first.
/// </param>
public sealed record StartMessage(
    int Workers, int Parameters, double Share, bool Waits, double[] Agreed, bool Evicts = false, string Codec = "fp32", int[]? Bounds = null)
{
    private const int Fields = 8;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Workers);
        writer.Write(Parameters);
        writer.Write(Share);
        writer.Write(Waits);
        MessageParts.Write(ref writer, Agreed);
        writer.Write(Evicts);
        writer.Write(Codec);
        MessageParts.Write(ref writer, Bounds ?? []);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static StartMessage Read(ReadOnlySequence<byte> payload)
    {
        StartMessage start = MessageParts.Parse(payload, FrameKind.Start, Fields, Read);
        return start.Bounds is not { Length: > 0 } bounds || bounds[1] == start.Parameters
            ? start : throw new ProtocolException($"A Start message says that the shard has {start.Parameters} parameters, and that it ends at key {bounds[1]}.");
    }

    private static StartMessage Read(ref MessagePackReader reader) => new(
        MessageParts.Within(reader.ReadInt32(), 1, Limits.Workers, "workers"),
        MessageParts.Within(reader.ReadInt32(), 1, Limits.Parameters, "parameters"),
        MessageParts.Finite(reader.ReadDouble(), "share"),
        reader.ReadBoolean(),
        MessageParts.Numbers(ref reader),
        reader.ReadBoolean(),
        MessageParts.Text(ref reader),
        MessageParts.Bounds(ref reader));
}

/// <summary>Weights have changed: a worker was evicted, or another came in its place. MessagePack: [share].</summary>
/// <param name="Share">This worker's factor in the aggregate from now on.</param>
public sealed record MembersMessage(double Share)
{
    private const int Fields = 1;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Share);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static MembersMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Members, Fields,
        static (ref MessagePackReader reader) => new MembersMessage(MessageParts.Finite(reader.ReadDouble(), "share")));
}

/// <summary>A worker's values at an evaluated snapshot. MessagePack: [evaluation, [value ...]].</summary>
/// <param name="Evaluation">The number of the evaluation.</param>
/// <param name="Values">Averaged over the workers by weight; the first is the objective.</param>
public sealed record EvaluatedMessage(ulong Evaluation, double[] Values)
{
    private const int Fields = 2;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Evaluation);
        MessageParts.Write(ref writer, Values);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static EvaluatedMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Evaluated, Fields,
        static (ref MessagePackReader reader) => new EvaluatedMessage(reader.ReadUInt64(), MessageParts.Numbers(ref reader)));
}

/// <summary>Where a worker's time went since it started, in seconds. MessagePack: [busy, idle, evaluating, link].</summary>
/// <param name="BusySeconds">Computing steps.</param>
/// <param name="IdleSeconds">Waiting for a snapshot.</param>
/// <param name="EvaluatingSeconds">Evaluating snapshots.</param>
/// <param name="LinkBytesPerSecond">What the worker's link to the server takes, as it measures it; 0: it does not know, or there is none.</param>
/// <param name="LateSeconds">To the first of several servers: for each server, in how many seconds all but its part of a snapshot were here. Else null or empty.</param>
public readonly record struct ProgressMessage(double BusySeconds, double IdleSeconds, double EvaluatingSeconds, double LinkBytesPerSecond = 0, double[]? LateSeconds = null)
{
    private const int Fields = 5;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(BusySeconds);
        writer.Write(IdleSeconds);
        writer.Write(EvaluatingSeconds);
        writer.Write(LinkBytesPerSecond);
        MessageParts.Write(ref writer, LateSeconds ?? []);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static ProgressMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Progress, Fields,
        static (ref MessagePackReader reader) => new ProgressMessage(
            MessageParts.Seconds(reader.ReadDouble(), "busy seconds"),
            MessageParts.Seconds(reader.ReadDouble(), "idle seconds"),
            MessageParts.Seconds(reader.ReadDouble(), "evaluating seconds"),
            Math.Max(0, MessageParts.Finite(reader.ReadDouble(), "bytes a second of the link")),
            MessageParts.LateSeconds(ref reader)));
}

/// <summary>A reason in words (Refused, Stop, Leave). MessagePack: [text].</summary>
/// <param name="Text">What happened and what to do; cut at <see cref="Limits.Text"/> characters.</param>
public sealed record TextMessage(string Text)
{
    private const int Fields = 1;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Text.Length <= Limits.Text ? Text : Text[..Limits.Text]);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static TextMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Refused, Fields,
        static (ref MessagePackReader reader) => new TextMessage(MessageParts.Text(ref reader)));
}
