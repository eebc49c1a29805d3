using System;
using System.CommandLine;
using System.IO;
using System.IO.Compression;
using System.Threading;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Generating;

/// <summary>A file that hpaps generate writes: whole or not at all, packed if its name says so, none replaced by accident.</summary>
internal static class GeneratedFile
{
    private const string PackedEnding = ".gz";

    public static Option<bool> Force() => new("--force") { Description = "Replace files that exist." };

    /// <summary>Refuses what must not be written, before time is spent.</summary>
    /// <exception cref="InputException">Names the option and what to do.</exception>
    public static void Check(string option, string path, bool force)
    {
        InputFile.CheckOutput(option, path);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            throw new InputException($"{option} {path}: there is no folder {folder}; make it first, or name a file elsewhere");
        if (File.Exists(path) && !force)
            throw new InputException($"{option} {path}: exists already; name another file, or replace it with --force");
    }

    /// <summary>Writes it; a signal ends that and leaves nothing.</summary>
    public static void Write(string path, StopSignals signals, Action<Stream, Action<double>, CancellationToken> write)
    {
        var progress = new PartDone(path, TimeProvider.System);
        AtomicFile.Write(path, file =>
        {
            if (!path.EndsWith(PackedEnding, StringComparison.OrdinalIgnoreCase))
            {
                write(file, progress.Tell, signals.First);
                return;
            }

            using var packed = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true);
            write(packed, progress.Tell, signals.First);
        });
    }

    /// <summary>A line every two seconds, so none for what is quick.</summary>
    private sealed class PartDone(string path, TimeProvider time)
    {
        private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

        private readonly long _start = time.GetTimestamp();
        private long _shown = time.GetTimestamp();

        public void Tell(double done)
        {
            if (time.GetElapsedTime(_shown) < Interval)
                return;
            _shown = time.GetTimestamp();
            double left = time.GetElapsedTime(_start).TotalSeconds * (1 - done) / done;
            Console.Error.WriteLine($"hpaps: {path}: {Show.Share(done)}, about {Show.About(left)} left");
        }
    }
}
