using System;
using System.Collections.Generic;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Tests.Simulation;
using Xunit;

namespace HpAsyncPs.Tests.Server.Durability;

/// <summary>Checkpoints are whole or absent, whatever happens when.</summary>
public sealed class CheckpointTests
{
    private const int Sections = 6;

    [Fact]
    public void A_crash_at_any_operation_leaves_the_one_before_or_the_new_one_whole()
    {
        int before = 0, after = 0;
        for (int seed = 0; seed < 40; seed++)
        {
            for (int crashAt = 1; crashAt <= 12; crashAt++)
            {
                var disk = new SimulatedDisk((seed * 100) + crashAt);
                Write(new Checkpoints(disk), 7);
                disk.CrashAt = disk.Operations + crashAt;
                bool done = false;
                try
                {
                    Write(new Checkpoints(disk), 8);
                    done = true;
                }
                catch (SimulatedCrashException)
                {
                }

                disk.Crash();
                var checkpoints = new Checkpoints(disk);
                IReadOnlyList<ulong> numbers = checkpoints.Numbers();
                Assert.True(numbers[0] == 8 || !done, $"seed {seed}: checkpoint 8 was done and is lost");
                foreach (ulong number in numbers)
                    Check(checkpoints, number);
                Assert.Equal(numbers.Count, disk.Names().Count); // nothing unfinished is left
                Assert.Contains(7ul, numbers);
                _ = numbers[0] == 8 ? after++ : before++;
            }
        }

        Assert.True(before > 100 && after > 20, $"{before} times the one before, {after} times the new one: this tests too little");
    }

    [Fact]
    public void A_checkpoint_that_is_cut_or_changed_anywhere_is_refused_and_the_one_before_is_there()
    {
        var disk = new SimulatedDisk(1);
        var checkpoints = new Checkpoints(disk);
        Write(checkpoints, 1);
        Write(checkpoints, 2);
        string name = disk.Names()[1];
        byte[] whole = disk[name];
        var random = new Random(1);
        for (int at = 0; at < whole.Length; at += 1 + random.Next(3))
        {
            disk[name] = whole[..at];
            Refused(checkpoints, 2, at == 0 ? "torn or corrupt at byte 0 of 0" : "torn or corrupt");
            byte[] flipped = [.. whole];
            flipped[at] ^= (byte)(1 << random.Next(8));
            disk[name] = flipped;
            Refused(checkpoints, 2, "torn or corrupt");
        }

        disk[name] = [.. whole, 0];
        Refused(checkpoints, 2, "1 bytes follow its end");
        disk[name] = disk[disk.Names()[0]];
        Refused(checkpoints, 2, "torn or corrupt at byte 0"); // it is another's
        Refused(checkpoints, 3, "checkpoint 3 cannot be read");
        Check(checkpoints, 1);
        checkpoints.Delete(2);
        Assert.Equal([1ul], checkpoints.Numbers());
    }

    [Fact]
    public void Only_the_newest_are_kept()
    {
        var disk = new SimulatedDisk(1);
        var checkpoints = new Checkpoints(disk);
        foreach (ulong number in new ulong[] { 1, 5, 12, 100 })
            Write(checkpoints, number);
        Assert.Equal([100, 12], checkpoints.Numbers());
        Check(checkpoints, 100);
        Check(checkpoints, 12);
    }

    [Fact]
    public void One_that_is_dropped_leaves_nothing()
    {
        var disk = new SimulatedDisk(1);
        var checkpoints = new Checkpoints(disk);
        using (CheckpointWriter writer = checkpoints.Begin(1))
        {
            Assert.True(writer.TryWrite([1, 2, 3]));
            Assert.True(writer.TryWrite(new byte[CheckpointWriter.MostSection]));
            while (writer.Work())
            {
            }

            Assert.Single(disk.Names());
            Assert.Equal(CheckpointState.Writing, writer.State);
            while (writer.TryWrite(new byte[CheckpointWriter.MostSection]))
            {
            }
        }

        Assert.Empty(disk.Names());
        long before = GC.GetAllocatedBytesForCurrentThread();
        using (CheckpointWriter next = checkpoints.Begin(2)) // has the memory of the one before, and all of it
        {
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
            for (int j = 0; j < 3; j++)
                Assert.True(next.TryWrite(new byte[CheckpointWriter.MostSection]), $"section {j} finds no room");
        }

        Write(checkpoints, 3);
        Check(checkpoints, 3);
    }

    [Theory]
    [InlineData(true, "read-only")]
    [InlineData(false, "no space left")]
    public void A_disk_that_takes_no_more_fails_the_checkpoint_alone(bool readOnly, string says)
    {
        var disk = new SimulatedDisk(1);
        var checkpoints = new Checkpoints(disk);
        Write(checkpoints, 1);
        disk.ReadOnly = readOnly;
        disk.Capacity = disk[disk.Names()[0]].Length + 100;
        using (CheckpointWriter writer = checkpoints.Begin(2))
        {
            Assert.True(writer.TryWrite(new byte[1000]));
            writer.Complete();
            while (writer.Work())
            {
            }

            Assert.Equal(CheckpointState.Failed, writer.State);
            Assert.Contains(says, writer.Failure, StringComparison.Ordinal);
            Assert.Contains("'simulated'", writer.Failure, StringComparison.Ordinal);
        }

        Assert.Single(disk.Names());
        Check(checkpoints, 1);
    }

    [Fact]
    public void Memory_is_bounded_and_whoever_gives_sections_never_waits()
    {
        using CheckpointWriter writer = new Checkpoints(new SimulatedDisk(1)).Begin(1);
        byte[] section = new byte[CheckpointWriter.MostSection];
        int taken = 0;
        while (writer.TryWrite(section))
            taken++;
        Assert.InRange((long)taken * section.Length, CheckpointWriter.MemoryBytes / 2, CheckpointWriter.MemoryBytes);
        while (writer.Work())
        {
        }

        Assert.True(writer.TryWrite(section));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.TryWrite(new byte[section.Length + 1]));
        writer.Complete();
        Assert.Throws<InvalidOperationException>(() => writer.TryWrite([]));
    }

    [Fact]
    public void A_large_one_goes_to_a_real_disk_and_back_by_a_thread_of_its_own()
    {
        using var folder = new TempFolder();
        var checkpoints = new Checkpoints(new FileDisk(folder.Path));
        var section = new byte[2 * 1024 * 1024];
        const int Count = 40; // more than is synced at once
        using (CheckpointWriter writer = checkpoints.Begin(3))
        {
            writer.Start();
            for (int j = 0; j < Count; j++)
            {
                section.AsSpan().Fill((byte)j);
                Eventually.Holds(() => writer.TryWrite(section), () => $"section {j} is not taken: {writer.Failure}");
            }

            writer.Complete();
            Eventually.Holds(() => writer.State != CheckpointState.Writing, () => "not done");
            Assert.Null(writer.Failure);
        }

        Assert.Equal(["checkpoint1-00000000000000000003"], folder.Entries());
        Assert.True(checkpoints.TryOpen(3, out CheckpointReader? reader, out string? why), why);
        using (reader)
        {
            for (int j = 0; j < Count; j++)
            {
                Assert.True(reader.TryNext(out ReadOnlyMemory<byte> read));
                section.AsSpan().Fill((byte)j);
                Assert.True(read.Span.SequenceEqual(section), $"section {j} is another");
            }

            Assert.False(reader.TryNext(out _));
        }
    }

    private static void Write(Checkpoints checkpoints, ulong number)
    {
        CheckpointWriter writer = checkpoints.Begin(number); // not disposed by a crash
        for (int j = 0; j < Sections; j++)
        {
            Assert.True(writer.TryWrite(Section(number, j)));
            writer.Work();
        }

        writer.Complete();
        while (writer.Work())
        {
        }

        Assert.Equal(CheckpointState.Done, writer.State);
        writer.Dispose();
    }

    private static void Check(Checkpoints checkpoints, ulong number)
    {
        Assert.True(checkpoints.TryOpen(number, out CheckpointReader? reader, out string? why), why);
        using (reader)
        {
            for (int j = 0; j < Sections; j++)
            {
                Assert.True(reader.TryNext(out ReadOnlyMemory<byte> section), $"section {j} is missing");
                Assert.True(section.Span.SequenceEqual(Section(number, j)), $"section {j} is another");
            }

            Assert.False(reader.TryNext(out _));
        }
    }

    private static void Refused(Checkpoints checkpoints, ulong number, string says)
    {
        Assert.False(checkpoints.TryOpen(number, out _, out string? why));
        Assert.Contains(says, why, StringComparison.Ordinal);
        Assert.Contains("'simulated'", why, StringComparison.Ordinal);
    }

    private static byte[] Section(ulong number, int index)
    {
        var random = new Random(((int)number * 100) + index);
        byte[] bytes = new byte[index == 2 ? 0 : random.Next(50)];
        random.NextBytes(bytes);
        return bytes;
    }
}
