using System.IO;
using BenchmarkDotNet.Attributes;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Bench;

/// <summary>What the connection of a round trip is.</summary>
public enum Socket
{
    /// <summary>TCP over loopback.</summary>
    Tcp,

    /// <summary>A Unix domain socket.</summary>
    Unix,
}

/// <summary>Push, pull and wait, server and worker in one process. Nothing is allocated.</summary>
public class RoundTripBenchmarks
{
    private float[] _x = [];
    private DirectoryInfo? _folder;
    private ServerHost? _server;
    private WorkerClient? _worker;

    [Params(1024, 256 * 1024)]
    public int Parameters { get; set; }

    [Params(Socket.Tcp, Socket.Unix)]
    public Socket Socket { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _x = new float[Parameters];
        _folder = Directory.CreateTempSubdirectory("hpaps-bench-");
        string listen = Socket == Socket.Unix ? $"unix:{Path.Combine(_folder.FullName, "socket")}" : "127.0.0.1:0";
        _server = ServerHost.Start(new ServerOptions { Evaluates = false }, listen);
        _worker = WorkerClient.Connect(_server.Address, new WorkerOptions { Parameters = Parameters });
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _worker!.Dispose();
        _server!.Dispose();
        _folder!.Delete(recursive: true);
    }

    [Benchmark]
    public ulong PushPullWait()
    {
        _x[0]++;
        _worker!.Push(_x);
        _worker.Pull();
        _worker.Wait();
        return _worker.Version;
    }
}
