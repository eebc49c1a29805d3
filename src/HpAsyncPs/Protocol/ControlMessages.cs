using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using MessagePack;

namespace HpAsyncPs.Protocol;

/// <summary>
/// A worker asks for admission.
/// MessagePack: [rank, parameters, row length, aggregate, weight, [agreed ...], {setting: value ...}].
/// </summary>
/// <param name="Rank">The rank it wants, or -1: any free one.</param>
/// <param name="Parameters">How many parameters its data needs; the largest of all workers counts.</param>
/// <param name="RowLength">Parameters that belong together and travel together; parameters are a multiple of it.</param>
/// <param name="Aggregate">What the server makes of the workers' vectors.</param>
/// <param name="Weight">Its weight: its number of examples.</param>
/// <param name="Agreed">Numbers of which every worker needs the largest of all: smoothness, label range.</param>
/// <param name="Settings">What must be the same at every worker: task, regularisation, seed.</param>
public sealed record JoinMessage(
    int Rank, int Parameters, int RowLength, Aggregate Aggregate, double Weight, double[] Agreed,
    IReadOnlyList<KeyValuePair<string, string>> Settings)
{
    private const int Fields = 7;

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
        MessageParts.Settings(ref reader));
}

/// <summary>The server admits a worker. MessagePack: [rank, session].</summary>
/// <param name="Rank">The worker's rank.</param>
/// <param name="Session">The session's number, which every later frame of the worker carries.</param>
public sealed record AdmittedMessage(int Rank, ulong Session)
{
    private const int Fields = 2;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Rank);
        writer.Write(Session);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static AdmittedMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Admitted, Fields,
        static (ref MessagePackReader reader) => new AdmittedMessage(
            MessageParts.Within(reader.ReadInt32(), 0, Limits.Workers - 1, "rank"), reader.ReadUInt64()));
}

/// <summary>
/// All workers have joined; parameters are zero. MessagePack: [workers, parameters, share, waits, [agreed ...]].
/// </summary>
/// <param name="Workers">Number of workers.</param>
/// <param name="Parameters">Number of parameters: the most that any worker asked for.</param>
/// <param name="Share">This worker's factor in the aggregate: 1 for a sum, else weight / total.</param>
/// <param name="Waits">True when the policy makes a worker wait for the next snapshot after each push.</param>
/// <param name="Agreed">The largest of all workers, element by element.</param>
public sealed record StartMessage(int Workers, int Parameters, double Share, bool Waits, double[] Agreed)
{
    private const int Fields = 5;

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
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static StartMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Start, Fields,
        static (ref MessagePackReader reader) => new StartMessage(
            MessageParts.Within(reader.ReadInt32(), 1, Limits.Workers, "workers"),
            MessageParts.Within(reader.ReadInt32(), 1, Limits.Parameters, "parameters"),
            MessageParts.Finite(reader.ReadDouble(), "share"),
            reader.ReadBoolean(),
            MessageParts.Numbers(ref reader)));
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

/// <summary>Where a worker's time went since it started, in seconds. MessagePack: [busy, idle, evaluating].</summary>
/// <param name="BusySeconds">Computing steps.</param>
/// <param name="IdleSeconds">Waiting for a snapshot.</param>
/// <param name="EvaluatingSeconds">Evaluating snapshots.</param>
public readonly record struct ProgressMessage(double BusySeconds, double IdleSeconds, double EvaluatingSeconds)
{
    private const int Fields = 3;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(BusySeconds);
        writer.Write(IdleSeconds);
        writer.Write(EvaluatingSeconds);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static ProgressMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Progress, Fields,
        static (ref MessagePackReader reader) => new ProgressMessage(
            MessageParts.Seconds(reader.ReadDouble(), "busy seconds"),
            MessageParts.Seconds(reader.ReadDouble(), "idle seconds"),
            MessageParts.Seconds(reader.ReadDouble(), "evaluating seconds")));
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
