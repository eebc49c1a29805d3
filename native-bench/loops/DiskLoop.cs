using System;
using System.Buffers;
using System.Globalization;
using System.IO;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;
using Microsoft.Win32.SafeHandles;

namespace HpAsyncPs.Bench.Loops;

/// <summary>The journal on the disk of the current folder, and the least that any journal there must do: write and sync. Files are removed at the end.</summary>
internal static class DiskLoop
{
    /// <summary>How many records wait for a sync at a time, unless told.</summary>
    public const int InFlight = 8;

    private const int MostInFlight = 4096;
    private const int Samples = 1 << 20;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Appends and commits records one by one, with so many in flight.</summary>
    /// <returns>One JSON object.</returns>
    /// <exception cref="InvalidDataException">The journal fails.</exception>
    public static string Journal(int bytes, double seconds, int inFlight)
    {
        if (bytes > Limits.ChunkBytes || inFlight > MostInFlight)
            throw new InvalidDataException($"COUNT is {bytes} and IN_FLIGHT {inFlight}, but a record carries at most {Limits.ChunkBytes} bytes, and at most {MostInFlight} are in flight");
        string folder = Directory.CreateDirectory($"loops-{Environment.ProcessId}.tmp").FullName;
        try
        {
            using var journal = new Journal(new FileDisk(folder));
            return Append(journal, bytes, seconds, inFlight);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Writes as many bytes as that many records have, and syncs, again and again.</summary>
    /// <returns>One JSON object.</returns>
    public static string Disk(int bytes, double seconds, int inFlight)
    {
        byte[] record = Random(bytes);
        string path = Path.GetFullPath($"loops-{Environment.ProcessId}.tmp");
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, options: FileOptions.DeleteOnClose);
        var meter = new Meter(seconds);
        long offset = 0, syncs = 0;
        do
        {
            for (int j = 0; j < inFlight; j++)
            {
                RandomAccess.Write(file, record, offset);
                offset += bytes;
            }

            RandomAccess.FlushToDisk(file);
            syncs++;
            if (offset >= HpAsyncPs.Server.Durability.Journal.SegmentBytes)
            {
                RandomAccess.SetLength(file, 0);
                offset = 0;
            }
        }
        while (meter.Next());
        return Report("disk", bytes, meter.Sweeps * inFlight, meter.Seconds, syncs, null);
    }

    private static string Append(Journal journal, int bytes, double seconds, int inFlight)
    {
        journal.Replay(0, static (long _, long _, in FrameHeader _, in ReadOnlySequence<byte> _) => { });
        using var advanced = new AutoResetEvent(false);
        long syncs = 0;
        journal.Advanced = () =>
        {
            syncs++;
            advanced.Set();
        };
        journal.Start();
        var payload = new ReadOnlySequence<byte>(Random(bytes));
        var header = new FrameHeader(FrameKind.Push) { PayloadLength = (uint)bytes };
        long[] ends = new long[inFlight];
        // A copy alone is timed beside each append: after a wait for the disk neither finds its bytes in the cache.
        byte[] from = Random(bytes), to = new byte[bytes * (int)Math.Clamp(HpAsyncPs.Server.Durability.Journal.MemoryBytes / bytes, 1, inFlight)];
        long[] samples = new long[Samples], copies = new long[Samples];
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        var meter = new Meter(seconds);
        do
        {
            int slot = (int)(meter.Sweeps % inFlight);
            WaitFor(journal, ends[slot], advanced);
            long before = TimeProvider.System.GetTimestamp();
            ends[slot] = journal.Append(header, payload);
            journal.Commit();
            long between = TimeProvider.System.GetTimestamp();
            from.CopyTo(to.AsSpan((int)(meter.Sweeps % (to.Length / bytes)) * bytes));
            copies[meter.Sweeps % Samples] = TimeProvider.System.GetTimestamp() - between;
            samples[meter.Sweeps % Samples] = between - before;
            if (slot == 0)
                journal.Truncate(ends[slot]);
        }
        while (meter.Next());
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        WaitFor(journal, journal.End, advanced);
        int taken = (int)Math.Min(meter.Sweeps, Samples);
        double append = Median(samples.AsSpan(0, taken)), copy = Median(copies.AsSpan(0, taken));
        return Report("journal", bytes, meter.Sweeps, meter.Seconds, syncs,
            FormattableString.Invariant($",\"append_us\":{append:0.00},\"copy_us\":{copy:0.00},\"allocated_bytes\":{allocated}"));
    }

    private static double Median(Span<long> samples)
    {
        samples.Sort();
        return TimeProvider.System.GetElapsedTime(0, samples[samples.Length / 2]).TotalMicroseconds;
    }

    private static void WaitFor(Journal journal, long position, AutoResetEvent advanced)
    {
        while (journal.Durable < position)
        {
            if (journal.Failure is { } why)
                throw new InvalidDataException(why);
            if (!advanced.WaitOne(Limit))
                throw new InvalidDataException($"nothing became durable for {Limit.TotalSeconds:0} s");
        }
    }

    private static byte[] Random(int bytes)
    {
        byte[] record = new byte[bytes];
        new Random(1).NextBytes(record);
        return record;
    }

    private static string Report(string what, int bytes, long records, double seconds, long syncs, string? more) => string.Create(CultureInfo.InvariantCulture,
        $"{{\"what\":\"{what}\",\"bytes\":{bytes},\"records\":{records},\"mb_per_second\":{1e-6 * bytes * records / seconds:0.0},\"syncs\":{syncs}{more}}}");
}
