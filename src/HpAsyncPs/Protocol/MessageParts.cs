using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Text;
using MessagePack;

namespace HpAsyncPs.Protocol;

/// <summary>The parts of control messages, read with their limits.</summary>
internal static class MessageParts
{
    internal delegate T Reader<T>(ref MessagePackReader reader);

    /// <summary>Runs <paramref name="read"/> over the whole payload; whatever is wrong with it becomes a protocol error.</summary>
    public static T Parse<T>(ReadOnlySequence<byte> payload, FrameKind kind, int fields, Reader<T> read)
    {
        try
        {
            var reader = new MessagePackReader(payload);
            int count = reader.ReadArrayHeader();
            if (count != fields)
                throw new ProtocolException($"A {kind} message has {fields} fields; this one has {count}.");
            T message = read(ref reader);
            return reader.End ? message : throw new ProtocolException($"Bytes are left over after a {kind} message.");
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or OverflowException
            or DecoderFallbackException)
        {
            throw new ProtocolException($"A {kind} message cannot be read: {e.Message}", e);
        }
    }

    public static int Within(int value, int least, int most, string what) => value >= least && value <= most
        ? value
        : throw new ProtocolException($"{what} must be {least} to {most}; it is {value}.");

    public static double Finite(double value, string what) => double.IsFinite(value)
        ? value
        : throw new ProtocolException($"{what} must be a finite number; it is {value}.");

    public static double Seconds(double value, string what) => value is >= 0 and <= Limits.Seconds
        ? value
        : throw new ProtocolException($"{what} must be 0 to {Limits.Seconds:R}; they are {value}.");

    /// <summary>The value of a setting, or null.</summary>
    public static string? Find(IReadOnlyList<KeyValuePair<string, string>> settings, string key)
    {
        for (int j = 0; j < settings.Count; j++)
        {
            if (settings[j].Key == key)
                return settings[j].Value;
        }

        return null;
    }

    /// <summary>One for each server; null: there are none.</summary>
    public static double[]? LateSeconds(ref MessagePackReader reader)
    {
        int count = Within(reader.ReadArrayHeader(), 0, Limits.Servers, "the number of servers");
        double[]? seconds = count == 0 ? null : new double[count];
        for (int j = 0; j < count; j++)
            seconds![j] = Seconds(reader.ReadDouble(), "late seconds");
        return seconds;
    }

    public static double Weight(double value) => value is >= Limits.LeastWeight and <= Limits.Weight
        ? value
        : throw new ProtocolException($"A worker's weight must be {Limits.LeastWeight:R} to 2^53; it is {value}.");

    /// <summary>A text for logs and messages: control characters, which could forge lines or move a cursor, become '?'.</summary>
    public static string Text(ref MessagePackReader reader)
    {
        string? text = reader.ReadString();
        if (text is not { Length: <= Limits.Text })
            throw new ProtocolException($"A text has at most {Limits.Text} characters.");
        return string.Create(text.Length, text, static (clean, raw) =>
        {
            for (int j = 0; j < raw.Length; j++)
                clean[j] = char.IsControl(raw[j]) ? '?' : raw[j];
        });
    }

    /// <summary>Bytes of which the number is fixed.</summary>
    public static byte[] Bytes(ref MessagePackReader reader, int count, string what)
    {
        ReadOnlySequence<byte> bytes = reader.ReadBytes() ?? default;
        return bytes.Length == count ? bytes.ToArray() : throw new ProtocolException($"{what} has {count} bytes; this one has {bytes.Length}.");
    }

    public static double[] Numbers(ref MessagePackReader reader)
    {
        double[] numbers = new double[Within(reader.ReadArrayHeader(), 0, Limits.Items, "the length of a list")];
        for (int j = 0; j < numbers.Length; j++)
            numbers[j] = Finite(reader.ReadDouble(), "a number of a list");
        return numbers;
    }

    /// <summary>Loads of slices of the rows.</summary>
    public static double[] Loads(ref MessagePackReader reader)
    {
        double[] loads = new double[Within(reader.ReadArrayHeader(), 0, Limits.LoadSlices, "the number of slices with loads")];
        for (int j = 0; j < loads.Length; j++)
            loads[j] = reader.ReadDouble() is >= 0 and <= Limits.Weight and var load ? load : throw new ProtocolException("A load is a number of at least 0.");
        return loads;
    }

    /// <summary>Where the ranges of the servers begin, and the last one ends: rising from 0.</summary>
    public static int[] Bounds(ref MessagePackReader reader)
    {
        int[] bounds = new int[Within(reader.ReadArrayHeader(), 0, Limits.Servers + 1, "the number of bounds")];
        for (int j = 0; j < bounds.Length; j++)
            bounds[j] = Within(reader.ReadInt32(), j == 0 ? 0 : bounds[j - 1] + 1, j == 0 ? 0 : Limits.Parameters, "a bound of key ranges");
        return bounds.Length == 1 ? throw new ProtocolException("One bound makes no key range.") : bounds;
    }

    public static KeyValuePair<string, string>[] Settings(ref MessagePackReader reader)
    {
        var settings = new KeyValuePair<string, string>[Within(reader.ReadMapHeader(), 0, Limits.Items, "the number of settings")];
        for (int j = 0; j < settings.Length; j++)
            settings[j] = new(Text(ref reader), Text(ref reader));
        return settings;
    }

    public static void Write(ref MessagePackWriter writer, double[] numbers)
    {
        writer.WriteArrayHeader(numbers.Length);
        foreach (double number in numbers)
            writer.Write(number);
    }

    public static void Write(ref MessagePackWriter writer, int[] numbers)
    {
        writer.WriteArrayHeader(numbers.Length);
        foreach (int number in numbers)
            writer.Write(number);
    }

    public static void Write(ref MessagePackWriter writer, IReadOnlyList<KeyValuePair<string, string>> settings)
    {
        writer.WriteMapHeader(settings.Count);
        for (int j = 0; j < settings.Count; j++)
        {
            writer.Write(settings[j].Key);
            writer.Write(settings[j].Value);
        }
    }
}
