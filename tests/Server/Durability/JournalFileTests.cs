using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Server.Durability;

/// <summary>The journal on a real disk, with a thread of its own.</summary>
public sealed class JournalFileTests
{
    private const int Least = 2_110_000; // a block
    private const int Attempts = 4; // the runtime takes some bytes once, when it compiles anew

    [Fact]
    public void What_was_committed_is_there_again_life_after_life_and_what_is_truncated_goes()
    {
        using var folder = new TempFolder();
        const int Most = 100_000;
        const ulong Frames = 40;
        long from = 0;
        ulong first = 1;
        for (int life = 0; life < 4; life++)
        {
            using var journal = new Journal(new FileDisk(folder.Path), Least, segmentBytes: 1 << 20);
            List<long> ends = JournalFrames.Replay(journal, from, first, Most);
            Assert.Equal(life == 0 ? 0 : (int)Frames - 10, ends.Count);
            Assert.Equal(0, journal.Cut);
            ulong next = first + (ulong)ends.Count;
            journal.Start();
            for (ulong j = 0; j < Frames; j++)
                ends.Add(JournalFrames.Append(journal, next + j, Most));
            journal.Commit();
            Eventually.Holds(() => journal.Durable == journal.End, () => $"not durable: {journal.Failure}");
            int drop = ends.Count - (int)Frames + 10;
            from = ends[drop - 1];
            first += (ulong)drop;
            journal.Truncate(from);
            Eventually.Holds(() => folder.Entries().Length <= 4, () => "old segments stay");
        }
    }

    [Theory]
    [InlineData(1, 30_000, 3_000)]
    [InlineData(3, 30_000, 3_000)]
    [InlineData(2, 100, Limits.ChunkBytes)]
    public void A_stream_that_the_disk_holds_back_comes_back_as_it_was(int blocks, int frames, int most)
    {
        using var folder = new TempFolder();
        using (var journal = new Journal(new FileDisk(folder.Path), blocks * Least, segmentBytes: 16 << 20))
        {
            JournalFrames.Replay(journal, 0, 1, most);
            journal.Start();
            for (int number = 1; number <= frames; number++)
            {
                JournalFrames.Append(journal, (ulong)number, most);
                if (number % 100 == 0)
                    journal.Commit();
            }

            Assert.Null(journal.Failure);
        }

        using var again = new Journal(new FileDisk(folder.Path));
        Assert.Equal(frames, JournalFrames.Replay(again, 0, 1, most).Count);
    }

    [Fact]
    public void Disposing_makes_durable_what_was_appended()
    {
        using var folder = new TempFolder();
        using (var journal = new Journal(new FileDisk(folder.Path)))
        {
            JournalFrames.Replay(journal, 0, 1, 100);
            journal.Start();
            JournalFrames.Append(journal, 1, 100);
        }

        using var again = new Journal(new FileDisk(folder.Path));
        Assert.Single(JournalFrames.Replay(again, 0, 1, 100));
    }

    [Theory]
    [InlineData(0, 10_000, 1)]
    [InlineData(64, 10_000, 1)]
    [InlineData(Limits.ChunkBytes, 150, 1)]
    [InlineData(Limits.ChunkBytes, 150, 1000)]
    public void Appending_allocates_nothing_also_when_it_waits_for_the_disk(int bytes, int appends, int between)
    {
        using var folder = new TempFolder();
        using var journal = new Journal(new FileDisk(folder.Path), memoryBytes: 4 * Least);
        JournalFrames.Replay(journal, 0, 1, 100);
        journal.Start();
        var header = new FrameHeader(FrameKind.Push) { PayloadLength = (uint)bytes };
        ReadOnlySequence<byte> payload = Pieces.Of(new byte[bytes / 2], new byte[bytes - (bytes / 2)]);
        long least = long.MaxValue;
        for (int attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int j = 0; j < appends; j++)
            {
                journal.Append(header, payload);
                if (j % between == 0)
                    journal.Commit();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.Null(journal.Failure);
    }

    [Fact]
    public void A_full_disk_is_named_and_what_was_durable_comes_back()
    {
        using var mount = new TinyMount(8);
        long durable;
        using (var journal = new Journal(new FileDisk(mount.Path)))
        {
            JournalFrames.Replay(journal, 0, 1, 100_000);
            journal.Start();
            for (ulong number = 1; journal.Failure is null; number++)
            {
                Assert.True(number < 1000, "the disk is not full");
                JournalFrames.Append(journal, number, 100_000);
                journal.Commit();
                Eventually.Holds(() => journal.Durable == journal.End || journal.Failure is not null, () => "neither durable nor failed");
            }

            Assert.Contains($"'{mount.Path}': no space left on that disk; free some", journal.Failure, StringComparison.Ordinal);
            durable = journal.Durable;
        }

        Assert.True(durable > 1 << 20, "hardly anything was written");
        using var again = new Journal(new FileDisk(mount.Path));
        JournalFrames.Replay(again, 0, 1, 100_000);
        Assert.True(again.End >= durable, $"the log ends at {again.End}, but {durable} was durable");
    }

    [Fact]
    public void A_disk_that_became_read_only_is_named()
    {
        using var mount = new TinyMount(8);
        using (var journal = new Journal(new FileDisk(mount.Path)))
        {
            JournalFrames.Replay(journal, 0, 1, 100);
            mount.MakeReadOnly();
            journal.Start();
            JournalFrames.Append(journal, 1, 100);
            journal.Commit();
            Eventually.Holds(() => journal.Failure is not null, () => "no failure");
            Assert.Contains($"'{mount.Path}': that file system is read-only", journal.Failure, StringComparison.Ordinal);
        }

        InputException e = Assert.Throws<InputException>(() => StateFolder.Open(Path.Combine(mount.Path, "state")));
        Assert.Contains("read-only", e.Message, StringComparison.Ordinal);
        Assert.Contains(mount.Path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Syncs_reach_the_system_and_their_errors_are_told()
    {
        // Neither can be synced, and the system says so: whoever does not ask it, or does not listen, sees no error.
        using IDiskFile file = new FileDisk("/dev").Open("null");
        Assert.Throws<IOException>(file.Sync);
        Assert.Throws<IOException>(new FileDisk("/proc/self").SyncNames);
    }
}
