using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Optimizers;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Server.Durability;

/// <summary>
/// What the servers of a job have on disk, as one, and that cut for another number of servers. Server I after the first has its state in <c>shard-I</c> inside the first one's, unless told otherwise.
/// </summary>
public static class Resharding
{
    /// <summary>The folder of a server's state inside that of the first.</summary>
    /// <param name="first">The first one's.</param>
    /// <param name="server">Which, from 0 on.</param>
    public static string FolderOf(string first, int server) => server == 0 ? first : Path.Combine(first, $"shard-{server}");

    /// <summary>Reads the states of all servers of a job, none of which may be running.</summary>
    /// <param name="folders">In the order of their shards; or that of the first alone.</param>
    /// <param name="log">Gets what is said of each.</param>
    /// <exception cref="InputException">One is missing, in use, damaged, or of another job.</exception>
    public static EarlierJob Read(IReadOnlyList<string> folders, Action<LogLine> log)
    {
        var parts = new List<EarlierJob>();
        int servers = 1;
        for (int j = 0; j < servers; j++)
        {
            string folder = j < folders.Count ? folders[j] : FolderOf(folders[0], j);
            (EarlierJob part, ShardIndex shard) = ReadOne(folder, log);
            if (j == 0)
                servers = shard.Count;
            if (folders.Count > 1 && folders.Count != servers)
                throw new InputException($"{folders.Count} folders were given, and '{folders[0]}' is of a job of {servers} servers: give all of them, in the order of their shards, or the first alone");
            if (shard != new ShardIndex(j, servers))
                throw new InputException($"'{folder}' has the state of server {shard}, and that of server {j}/{servers} comes there: give the folders in the order of their shards");
            parts.Add(part);
        }

        return Joined(parts, folders);
    }

    /// <summary>Makes sure that a folder to write is in none of those that are read.</summary>
    /// <param name="folder">To write.</param>
    /// <param name="read">The others.</param>
    /// <exception cref="InputException">It is.</exception>
    public static void CheckApart(string folder, IReadOnlyList<string> read)
    {
        foreach (string one in read)
        {
            string outer = Path.TrimEndingDirectorySeparator(Path.GetFullPath(one)) + Path.DirectorySeparatorChar;
            if ((Path.GetFullPath(folder) + Path.DirectorySeparatorChar).StartsWith(outer, StringComparison.Ordinal))
                throw new InputException($"'{folder}' is in '{one}', which is read: name a folder elsewhere");
        }
    }

    /// <summary>Writes the states of so many servers, from which they start with any number of workers. All of it is there, or nothing.</summary>
    /// <param name="job">What is written.</param>
    /// <param name="servers">How many.</param>
    /// <param name="folder">Of the first one's state; does not exist yet.</param>
    /// <returns>Where each server's keys begin, and the number of all.</returns>
    /// <exception cref="InputException">The model cannot be cut into so many, or the disk fails.</exception>
    public static int[] Write(EarlierJob job, int servers, string folder)
    {
        int[] bounds = new ShardIndex(0, servers).Cut(job.Agreed.Parameters, job.Agreed.RowLength, job.Agreed.Loads ?? [])
            ?? throw new InputException($"{job.Agreed.Parameters} parameters in rows of {job.Agreed.RowLength} cannot be cut into {servers} shards: take fewer servers");
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), partial = $"{full}.partial-{Environment.ProcessId}";
        if (Path.Exists(full))
            throw new InputException($"'{folder}' is there already: name another folder, or remove it");
        try
        {
            for (int server = 0; server < servers; server++)
                WriteOne(job, new ShardIndex(server, servers), bounds, FolderOf(partial, server));
            Directory.Move(partial, full);
            DiskCalls.SyncFolder(Path.GetDirectoryName(full)!);
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            throw new InputException(DiskTrouble.Describe("the states cannot be written", full, e), e);
        }
        finally
        {
            RemoveUnfinished(partial);
        }

        return bounds;
    }

    private static void RemoveUnfinished(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            // the disk has failed, and what it was is being told
        }
    }

    private static (EarlierJob Part, ShardIndex Shard) ReadOne(string folder, Action<LogLine> log)
    {
        if (!Directory.Exists(Path.Combine(folder, "journal")))
            throw new InputException($"'{folder}' has no state of a server: give what --state named");
        using StateFolder held = StateFolder.Open(folder);
        using var state = new DurableState(held.Journal, held.Checkpoints, interval: null, hasThreads: false);
        JobHead head = Peek(state) ?? throw new InputException($"'{folder}' has no job that could go on: it has not begun, has ended, or no checkpoint of it is whole");
        ShardIndex shard = ShardOf(head.Agreed);
        var server = new ParameterServer(new ServerOptions { Policy = head.Policy, Shard = shard }, TimeProvider.System, 1, state: state) { Log = log };
        try
        {
            EarlierJob job = server.RecoverEarlier() ?? throw new InputException($"'{folder}' has no job that could go on");
            return (job, shard);
        }
        catch (OutOfMemoryException e)
        {
            throw new InputException($"this machine's memory does not take the state in '{folder}', {head.Agreed.Parameters} parameters of each worker: use a larger one", e);
        }
    }

    /// <summary>Of what policy and shard it is.</summary>
    private static JobHead? Peek(DurableState state)
    {
        foreach (ulong number in state.Checkpoints.Numbers())
        {
#pragma warning disable CA2000 // disposed below
            if (!state.Checkpoints.TryOpen(number, out CheckpointReader? opened, out _))
                continue;
#pragma warning restore CA2000
            using CheckpointReader reader = opened;
            return JobHead.Read(reader);
        }

        JobHead? head = null;
        state.Journal.Replay(0, (long _, long _, in FrameHeader header, in ReadOnlySequence<byte> payload) =>
            head = header.Kind == FrameKind.Start ? JobHead.Read(payload.ToArray()) : head);
        state.Reopen();
        return head;
    }

    private static ShardIndex ShardOf(JoinMessage agreed) => MessageParts.Find(agreed.Settings, ShardIndex.Setting) is { } shard ? ShardIndex.Parse(shard) : ShardIndex.Only;

    private static EarlierJob Joined(List<EarlierJob> parts, IReadOnlyList<string> folders)
    {
        EarlierJob first = parts[0];
        double[][] values = new double[first.Values.Length][];
        for (int j = 0; j < values.Length; j++)
            values[j] = Concatenated(parts, part => part.Values[j]);
        foreach (EarlierJob part in parts)
        {
            if (part.Policy != first.Policy || part.Rate != first.Rate || part.Agreed.RowLength != first.Agreed.RowLength || part.Agreed.Aggregate != first.Agreed.Aggregate || part.Workers != first.Workers || !IsOfOne(part.Agreed.Settings, first.Agreed.Settings))
                throw new InputException($"the states in {string.Join(", ", folders)} are not of one job: their policies, workers, aggregates or settings differ");
        }

        if (values[0].Length != first.Agreed.Parameters)
            throw new InputException($"the states in {string.Join(", ", folders)} are not of one job: they have {values[0].Length} parameters together, and the job has {first.Agreed.Parameters}");
        var settings = new List<KeyValuePair<string, string>>();
        foreach (KeyValuePair<string, string> setting in first.Agreed.Settings)
        {
            if (setting.Key != ShardIndex.Setting)
                settings.Add(setting);
        }

        return first with { Agreed = first.Agreed with { Settings = settings }, Values = values, Counts = Concatenated(parts, static part => part.Counts) };
    }

    /// <summary>Are all settings but that of the shard the same?</summary>
    private static bool IsOfOne(IReadOnlyList<KeyValuePair<string, string>> settings, IReadOnlyList<KeyValuePair<string, string>> others)
    {
        bool isSame = settings.Count == others.Count;
        for (int j = 0; isSame && j < settings.Count; j++)
            isSame = settings[j].Key == others[j].Key && (settings[j].Key == ShardIndex.Setting || settings[j].Value == others[j].Value);
        return isSame;
    }

    private static T[] Concatenated<T>(List<EarlierJob> parts, Func<EarlierJob, T[]> of)
    {
        int length = 0;
        foreach (EarlierJob part in parts)
            length += of(part).Length;
        T[] all = new T[length];
        length = 0;
        foreach (EarlierJob part in parts)
        {
            of(part).CopyTo(all, length);
            length += of(part).Length;
        }

        return all;
    }

    private static void WriteOne(EarlierJob job, ShardIndex index, int[] bounds, string folder)
    {
        int begin = bounds[index.Index], count = bounds[index.Index + 1] - begin;
        EarlierJob part = job with
        {
            Values = Array.ConvertAll(job.Values, values => values.AsSpan(begin, count).ToArray()),
            Counts = job.Counts.Length > 0 ? job.Counts.AsSpan(begin, count).ToArray() : [],
        };
        IServerOptimizer? optimizer = PolicyNames.Create(job.Policy).Optimizer;
        optimizer?.Start(count, Limits.ChunkKeys(1, 1, Limits.ChunkParameters), job.Rate);
        var shard = new Shard(count, job.Agreed.RowLength, [1], job.Agreed.Aggregate, optimizer);
        shard.BeginFrom(part);
        using StateFolder held = StateFolder.Open(folder);
        using CheckpointWriter checkpoint = new Checkpoints(held.Checkpoints).Begin(1);
        var head = new ArrayBufferWriter<byte>();
        HeadOf(part, index, index.IsFirst ? job.Agreed.Parameters : count).WriteWithLength(head);
        for (int at = 0; at < head.WrittenCount; at += Limits.ChunkBytes)
            Write(checkpoint, head.WrittenSpan[at..Math.Min(head.WrittenCount, at + Limits.ChunkBytes)]);
        byte[] section = new byte[shard.LargestSection];
        for (int chunk = 0; chunk < shard.StateChunks; chunk++)
        {
            for (int j = 0; j < shard.SectionsOfChunk; j++)
                Write(checkpoint, section.AsSpan(0, shard.Copy(chunk, j, 0, section)));
        }

        BinaryPrimitives.WriteInt64LittleEndian(section, 0);
        Write(checkpoint, section.AsSpan(0, sizeof(long)));
        checkpoint.Complete();
        while (checkpoint.Work())
        {
            // until it is synced and has its name
        }

        if (checkpoint.State != CheckpointState.Done)
            throw new InputException(checkpoint.Failure ?? $"the state in '{folder}' was not completed");
    }

    private static void Write(CheckpointWriter checkpoint, ReadOnlySpan<byte> section)
    {
        while (!checkpoint.TryWrite(section))
        {
            checkpoint.Work();
            if (checkpoint.Failure is { } failure)
                throw new InputException(failure);
        }
    }

    /// <summary>A job of one rank, with session 0, which is nobody's: whoever comes, nobody takes its place.</summary>
    private static JobHead HeadOf(EarlierJob job, ShardIndex index, int parameters)
    {
        KeyValuePair<string, string>[] shard = index.Count > 1 ? [new(ShardIndex.Setting, index.ToString())] : [];
        JoinMessage agreed = job.Agreed with { Parameters = parameters, Settings = [.. job.Agreed.Settings, .. shard], Weight = 1 };
        return new JobHead
        {
            Position = 0,
            Version = job.Version,
            Agreed = agreed,
            Seconds = job.Seconds,
            Rate = job.Rate,
            Policy = job.Policy,
            Ranks =
            [
                new RankHead
                {
                    Session = 0, Join = agreed with { Rank = 0 }, Sequence = 0, NextKey = 0, Clock = 0, Factor = 1, Weight = 1, Passes = job.Passes, PassesBefore = job.Passes,
                    UplinkBytes = 0, DownlinkBytes = 0, Generation = 0, HasLeft = false,
                },
            ],
        };
    }
}
