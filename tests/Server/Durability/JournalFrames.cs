using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;
using Xunit;

namespace HpAsyncPs.Tests.Server.Durability;

/// <summary>Frames for journals: what the frame of a number is can be computed, so that what comes back can be checked.</summary>
internal static class JournalFrames
{
    /// <summary>Appends the frame of that number; its payload has up to <paramref name="most"/> bytes, in two pieces.</summary>
    public static long Append(Journal journal, ulong number, int most)
    {
        byte[] payload = Payload(number, most);
        var header = new FrameHeader(FrameKind.Push) { Sequence = number, PayloadLength = (uint)payload.Length };
        int middle = payload.Length / 3;
        return journal.Append(header, Pieces.Of(payload[..middle], payload[middle..]));
    }

    /// <summary>Opens and replays from a position; gives the ends of records, and checks that each is the frame that was appended there.</summary>
    /// <param name="journal">Not replayed yet.</param>
    /// <param name="from">Where a record begins.</param>
    /// <param name="first">Number of the frame there.</param>
    /// <param name="most">As it was for <see cref="Append"/>.</param>
    public static List<long> Replay(Journal journal, long from, ulong first, int most)
    {
        var ends = new List<long>();
        long position = from;
        long end = journal.Replay(from, (long begin, long after, in FrameHeader header, in ReadOnlySequence<byte> payload) =>
        {
            Assert.Equal(position, begin);
            Assert.Equal(first + (ulong)ends.Count, header.Sequence);
            Assert.Equal(FrameKind.Push, header.Kind);
            Assert.True(payload.ToArray().AsSpan().SequenceEqual(Payload(header.Sequence, most)), $"frame {header.Sequence} came back changed");
            position = after;
            ends.Add(after);
        });
        Assert.Equal(position, end);
        Assert.Equal(end, journal.End);
        Assert.Equal(end, journal.Durable);
        return ends;
    }

    /// <summary>Lets a journal without a thread do all that there is to do.</summary>
    public static void Drain(Journal journal)
    {
        while (journal.Work())
        {
        }
    }

    private static byte[] Payload(ulong number, int most)
    {
        var random = new Random((int)number);
        byte[] payload = new byte[random.Next(most + 1)];
        random.NextBytes(payload);
        return payload;
    }
}
