using BenchmarkDotNet.Attributes;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Bench;

/// <summary>Push, pull and wait over loopback, server and worker in one process.</summary>
public class RoundTripBenchmarks
{
    private float[] _x = [];
    private ServerHost? _server;
    private WorkerClient? _worker;

    [Params(1024, 256 * 1024)]
    public int Parameters { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _x = new float[Parameters];
        _server = ServerHost.Start(new ServerOptions { Evaluates = false }, "127.0.0.1:0");
        _worker = WorkerClient.Connect(_server.Address.ToString(), new WorkerOptions { Parameters = Parameters });
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _worker!.Dispose();
        _server!.Dispose();
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
