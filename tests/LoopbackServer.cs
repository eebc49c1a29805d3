using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests;

/// <summary>A server on a free port of loopback, in this process. Disposing it checks that no buffer is left leased.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(10);

    /// <param name="options">How the job is run.</param>
    /// <param name="holds">Whether the job holds for a worker that is lost; else it fails at once.</param>
    /// <param name="countsFailures">Whether peers of this host can fail too often to be let in; tests fail on purpose.</param>
    public LoopbackServer(ServerOptions options, bool holds = false, bool countsFailures = false)
    {
        if (!holds)
            options = options with { RejoinTimeout = TimeSpan.Zero };
        if (!countsFailures)
            options = options with { Gate = options.Gate with { FailedHandshakes = int.MaxValue } };
        Host = ServerHost.Start(options, "127.0.0.1:0");
    }

    public ServerHost Host { get; }

    public string Address => Host.Address;

    public WorkerClient Connect(int parameters, int rank = -1, double weight = 1, Aggregate aggregate = Aggregate.Mean) =>
        WorkerClient.Connect(Address, new WorkerOptions { Parameters = parameters, Rank = rank, Weight = weight, Aggregate = aggregate });

    public RunResult WaitForEnd() => Host.Wait(Enough) ?? throw new TimeoutException("The server did not end.");

    public void Dispose()
    {
        Eventually.Holds(() => Host.LeasedBlocks == 0, () => $"{Host.LeasedBlocks} blocks of connections are still leased");
        Host.Dispose();
    }
}
