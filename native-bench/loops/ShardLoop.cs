using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Bench.Loops;

/// <summary>Pushes of one worker to several servers, all in this process, over loopback TCP: along the whole path, one after the other or as fast as the window allows.</summary>
internal static class ShardLoop
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Pushes for some seconds.</summary>
    /// <param name="waits">For the acknowledgements of all servers after each push; else for room in the window, and no thread spins, so that processor time is work.</param>
    /// <param name="count">Floats of a push.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="servers">How many.</param>
    /// <returns>One JSON object.</returns>
    /// <exception cref="InvalidDataException">There are too many servers, or one does not answer.</exception>
    public static string Run(bool waits, int count, double seconds, int servers)
    {
        if (servers > Limits.Servers || servers > count)
            throw new InvalidDataException($"SERVERS is {servers}; a job has at most {Limits.Servers}, and a parameter for each");
        var hosts = new List<ServerHost>();
        try
        {
            var addresses = new List<string>();
            for (int s = 0; s < servers; s++)
            {
                hosts.Add(ServerHost.Start(new ServerOptions { Shard = new ShardIndex(s, servers), Evaluates = false, RejoinTimeout = TimeSpan.Zero, Spin = waits ? null : false }, "127.0.0.1:0"));
                addresses.Add(hosts[s].Address);
            }

            using WorkerClient client = WorkerClient.Connect(string.Join(',', addresses), new WorkerOptions { Parameters = count });
            return Measure(client, waits, count, seconds, servers);
        }
        catch (ClusterException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
        finally
        {
            foreach (ServerHost host in hosts)
                host.Dispose();
        }
    }

    private static string Measure(WorkerClient client, bool waits, int count, double seconds, int servers)
    {
        float[][] vectors = [new float[count], new float[count]];
        Array.Fill(vectors[1], 1f);
        for (int j = 0; j < 20; j++)
            Push(client, vectors[j % 2], waits);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        var meter = new Meter(seconds);
        do
            Push(client, vectors[meter.Sweeps % 2], waits);
        while (meter.Next());
        double processor = (Environment.CpuUsage.TotalTime - before).TotalSeconds, gigabytes = 4e-9 * count * meter.Sweeps;
        return string.Create(CultureInfo.InvariantCulture,
            $"{{\"what\":\"{(waits ? "trips" : "pushes")}\",\"bytes\":{4L * count},\"servers\":{servers},\"sweeps\":{meter.Sweeps},\"microseconds\":{1e6 * meter.Seconds / meter.Sweeps:0.00},\"processor_seconds_per_gb\":{processor / gigabytes:0.0000}}}");
    }

    private static void Push(WorkerClient client, float[] vector, bool waits)
    {
        client.Push(vector, Limit);
        if (!waits)
            return;
        lock (client.Job.Gate)
        {
            while (!client.Job.IsAcknowledged)
            {
                if (!Monitor.Wait(client.Job.Gate, Limit))
                    throw new InvalidDataException($"no acknowledgement came for {Limit.TotalSeconds:0} s");
                client.Session.ThrowIfFailed();
            }
        }
    }
}
