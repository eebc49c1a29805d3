using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Tests.Simulation;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server.Durability;

/// <summary>The journal on a simulated disk, whose owner decides what the disk does when, and when all goes down.</summary>
public sealed class JournalTests
{
    private const int Memory = 2_110_000; // a block
    private const int Most = 600;

    [Fact]
    public void What_is_durable_survives_crashes_at_any_operation_and_nothing_else_comes_back_changed()
    {
        int crashes = 0, lost = 0, kept = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var disk = new SimulatedDisk(seed);
            var ends = new List<long>(); // of the frame of each number, from 1
            int needed = 0; // frames before are not needed any more
            long durable = 0;
            for (int life = 0; life < 5; life++)
            {
                disk.CrashAt = disk.Operations + 1 + random.Next(60);
                using var journal = new Journal(disk, Memory, segmentBytes: 3000);
                try
                {
                    long from = needed == 0 ? 0 : ends[needed - 1];
                    List<long> found = JournalFrames.Replay(journal, from, (ulong)needed + 1, Most);
                    Assert.True(journal.End >= durable, $"seed {seed}, life {life}: the log ends at {journal.End}, but {durable} was durable");
                    lost += ends.Count - needed - found.Count;
                    kept += journal.End > durable ? 1 : 0;
                    ends.RemoveRange(needed, ends.Count - needed);
                    ends.AddRange(found);
                    durable = journal.Durable;
                    Live(journal, random, ends, ref needed, ref durable);
                }
                catch (SimulatedCrashException)
                {
                    crashes++;
                }

                disk.Crash();
            }
        }

        Assert.True(crashes > 1000 && lost > 100 && kept > 20, $"{crashes} crashes, {lost} frames lost, {kept} times more than what was durable: this tests too little");
    }

    [Fact]
    public void A_file_that_ends_anywhere_gives_the_records_before()
    {
        (SimulatedDisk disk, string name, List<long> ends) = OneSegment(9);
        byte[] whole = disk[name];
        for (int length = 0; length <= whole.Length; length++)
            Spoiled(name, whole[..length], whole.Length, ends, length);
    }

    [Fact]
    public void A_flipped_bit_anywhere_cuts_its_record_and_all_behind_it()
    {
        (SimulatedDisk disk, string name, List<long> ends) = OneSegment(9);
        byte[] whole = disk[name];
        var random = new Random(1);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] spoiled = [.. whole];
            spoiled[at] ^= (byte)(1 << random.Next(8));
            Spoiled(name, spoiled, whole.Length, ends, at);
        }
    }

    [Fact]
    public void Records_of_an_earlier_segment_at_the_same_place_are_not_taken_for_new_ones()
    {
        (SimulatedDisk old, string oldName, _) = OneSegment(3);
        (SimulatedDisk disk, string name, List<long> ends) = OneSegment(3);
        byte[] mixed = disk[name];
        old[oldName].AsSpan((int)ends[0]).CopyTo(mixed.AsSpan((int)ends[0])); // the same frames at the same positions, but of another life
        disk[name] = mixed;
        using var journal = new Journal(disk, Memory);
        Assert.Equal([ends[0]], JournalFrames.Replay(journal, 0, 1, Most));
    }

    [Fact]
    public void What_follows_a_gap_is_cut_and_a_log_that_begins_too_late_is_refused()
    {
        var disk = new SimulatedDisk(1);
        List<long> ends = Fill(disk, 12, segmentBytes: 1000);
        IReadOnlyList<string> names = disk.Names();
        Assert.True(names.Count > 4, "too few segments");
        disk.Delete(names[2]);
        using (var journal = new Journal(disk, Memory, segmentBytes: 1000))
        {
            List<long> found = JournalFrames.Replay(journal, 0, 1, Most);
            Assert.InRange(found.Count, 1, ends.Count - 2);
            Assert.True(journal.Cut >= ends[^1] - ends[found.Count + 3], "the cut is not counted");
            Assert.Equal(2, disk.Names().Count);
        }

        disk.Delete(names[0]);
        using var late = new Journal(disk, Memory);
        InputException e = Assert.Throws<InputException>(() => JournalFrames.Replay(late, 0, 1, Most));
        Assert.Contains("'simulated'", e.Message, StringComparison.Ordinal);
        Assert.Contains("needs it from 0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_beyond_the_end_of_the_log_goes_on_from_its_position()
    {
        (SimulatedDisk disk, string name, List<long> ends) = OneSegment(3);
        disk[name] = disk[name][..(int)ends[0]];
        for (int life = 0; life < 3; life++)
        {
            using var journal = new Journal(disk, Memory);
            Assert.Equal(life, JournalFrames.Replay(journal, ends[2], 4, Most).Count);
            JournalFrames.Append(journal, 4 + (ulong)life, Most);
            journal.Commit();
            JournalFrames.Drain(journal);
        }
    }

    [Fact]
    public void Commits_that_come_while_a_sync_is_under_way_share_the_next()
    {
        var disk = new SimulatedDisk(1);
        using var journal = new Journal(disk, Memory);
        JournalFrames.Replay(journal, 0, 1, Most);
        long durableInside = -1, first = JournalFrames.Append(journal, 1, Most);
        disk.Syncing = () =>
        {
            disk.Syncing = null;
            durableInside = journal.Durable;
            for (ulong number = 2; number <= 50; number++)
            {
                JournalFrames.Append(journal, number, Most);
                journal.Commit();
            }
        };
        journal.Commit();
        Assert.Equal(0, journal.Durable);
        int before = disk.Syncs;
        while (journal.Durable < first)
            Assert.True(journal.Work());
        Assert.Equal(0, durableInside);
        Assert.Equal(first, journal.Durable);
        JournalFrames.Drain(journal);
        Assert.Equal(journal.End, journal.Durable);
        Assert.Equal(before + 3, disk.Syncs); // the new segment's name, and two
    }

    [Fact]
    public void A_stream_of_pushes_does_not_put_a_commit_off()
    {
        var disk = new SimulatedDisk(1);
        using var journal = new Journal(disk, Memory);
        JournalFrames.Replay(journal, 0, 1, Most);
        long first = JournalFrames.Append(journal, 1, Most);
        journal.Commit();
        for (ulong number = 2; journal.Durable < first; number++)
        {
            Assert.True(number < 10, "still not durable");
            JournalFrames.Append(journal, number, Most);
            journal.Work();
        }
    }

    [Theory]
    [InlineData(true, "read-only")]
    [InlineData(false, "no space left")]
    public void A_disk_that_takes_no_more_is_named_with_the_remedy_and_what_was_durable_stays(bool readOnly, string says)
    {
        var disk = new SimulatedDisk(1);
        using (var journal = new Journal(disk, Memory))
        {
            int told = 0;
            journal.Advanced = () => told++;
            JournalFrames.Replay(journal, 0, 1, Most);
            for (ulong number = 1; number <= 3; number++)
                JournalFrames.Append(journal, number, Most);
            journal.Commit();
            JournalFrames.Drain(journal);
            Assert.Null(journal.Failure);
            Assert.Equal(1, told);
            long durable = journal.Durable;
            disk.ReadOnly = readOnly;
            disk.Capacity = disk[disk.Names()[0]].Length + 30;
            long end = JournalFrames.Append(journal, 4, Most);
            journal.Commit();
            JournalFrames.Drain(journal);
            Assert.Contains(says, journal.Failure, StringComparison.Ordinal);
            Assert.Contains("'simulated'", journal.Failure, StringComparison.Ordinal);
            Assert.Equal(durable, journal.Durable);
            Assert.Equal(2, told);
            Assert.Equal(end, JournalFrames.Append(journal, 5, Most));
        }

        (disk.ReadOnly, disk.Capacity) = (false, long.MaxValue);
        using var again = new Journal(disk, Memory);
        Assert.Equal(3, JournalFrames.Replay(again, 0, 1, Most).Count);
    }

    [Fact]
    public void A_disk_that_does_not_answer_is_a_failure_after_the_limit()
    {
        var time = new FakeTimeProvider();
        var disk = new SimulatedDisk(1);
        using var journal = new Journal(disk, Memory, time: time);
        JournalFrames.Replay(journal, 0, 1, Most);
        JournalFrames.Append(journal, 1, Most);
        journal.Commit();
        string? early = "", late = null;
        disk.Syncing = () =>
        {
            time.Advance(Journal.StallLimit);
            early = journal.Failure;
            time.Advance(TimeSpan.FromMilliseconds(1));
            late = journal.Failure;
        };
        JournalFrames.Drain(journal);
        Assert.Null(early);
        Assert.Contains("has not taken what is to be written for 10 s", late, StringComparison.Ordinal);
        Assert.Equal(0, journal.Durable);
    }

    [Fact]
    public void Memory_is_bounded_and_a_disk_that_takes_nothing_fails()
    {
        using var journal = new Journal(new SimulatedDisk(1), Memory);
        JournalFrames.Replay(journal, 0, 1, Most);
        var header = new FrameHeader(FrameKind.Push) { PayloadLength = Limits.ChunkBytes };
        var payload = new ReadOnlySequence<byte>(new byte[Limits.ChunkBytes]);
        journal.Append(header, payload);
        long end = journal.Append(header, payload);
        Assert.Null(journal.Failure);
        Assert.Equal(end, journal.Append(header, payload));
        Assert.NotNull(journal.Failure);
        Assert.InRange(end, 2 * Limits.ChunkBytes, Memory);
        Assert.Throws<ArgumentOutOfRangeException>(() => journal.Append(header, new ReadOnlySequence<byte>(new byte[8])));
    }

    /// <summary>Appends, commits, truncates and lets the disk work, as chance has it, until the crash or 200 times.</summary>
    private static void Live(Journal journal, Random random, List<long> ends, ref int needed, ref long durable)
    {
        for (int action = 0; action < 200; action++)
        {
            switch (random.Next(8))
            {
                case < 4:
                    ends.Add(JournalFrames.Append(journal, (ulong)ends.Count + 1, Most));
                    break;
                case 4:
                    journal.Commit();
                    break;
                case 5 when random.Next(4) == 0:
                    while (needed < ends.Count && ends[needed] <= journal.Durable && random.Next(20) != 0)
                        needed++;
                    journal.Truncate(needed == 0 ? 0 : ends[needed - 1]);
                    break;
                default:
                    journal.Work();
                    break;
            }

            durable = journal.Durable;
        }
    }

    /// <summary>Opens what is left of a segment; appends, and opens again.</summary>
    private static void Spoiled(string name, byte[] bytes, int length, List<long> ends, int at)
    {
        int whole = 0;
        while (whole < ends.Count && ends[whole] <= at)
            whole++;
        if (bytes.Length == length && at == length)
            whole = ends.Count;
        long end = whole == 0 ? 0 : ends[whole - 1];
        var disk = new SimulatedDisk(1);
        using (disk.Create(name))
        {
        }

        disk[name] = bytes;
        using (var journal = new Journal(disk, Memory))
        {
            Assert.Equal(whole, JournalFrames.Replay(journal, 0, 1, Most).Count);
            Assert.Equal(end, journal.End);
            Assert.Equal(bytes.Length - end, journal.Cut);
            JournalFrames.Append(journal, (ulong)whole + 1, Most);
            JournalFrames.Append(journal, (ulong)whole + 2, Most);
            journal.Commit();
            JournalFrames.Drain(journal);
        }

        using var again = new Journal(disk, Memory);
        Assert.Equal(whole + 2, JournalFrames.Replay(again, 0, 1, Most).Count);
        Assert.Equal(0, again.Cut);
    }

    private static (SimulatedDisk Disk, string Name, List<long> Ends) OneSegment(int frames)
    {
        var disk = new SimulatedDisk(1);
        List<long> ends = Fill(disk, frames, Journal.SegmentBytes);
        return (disk, Assert.Single(disk.Names()), ends);
    }

    private static List<long> Fill(SimulatedDisk disk, int frames, long segmentBytes)
    {
        using var journal = new Journal(disk, Memory, segmentBytes);
        JournalFrames.Replay(journal, 0, 1, Most);
        var ends = new List<long>();
        for (int number = 1; number <= frames; number++)
            ends.Add(JournalFrames.Append(journal, (ulong)number, Most));
        journal.Commit();
        JournalFrames.Drain(journal);
        Assert.Equal(ends[^1], journal.Durable);
        return ends;
    }
}
