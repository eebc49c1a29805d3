using System;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

public sealed class ConnectionTests
{
    /// <summary>Chunks go out from the computing thread and from the socket's; none may be lost, doubled or mixed up.</summary>
    [Theory]
    [InlineData(1, 6 * Limits.ChunkParameters, 150)]
    [InlineData(3, (2 * Limits.ChunkParameters) + 7, 150)]
    [InlineData(4, 1000, 3000)]
    public void Push_whole_numbers_back_to_back_the_sum_equals_the_ledger(int workers, int parameters, int pushes)
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = workers, Evaluates = false });
        Exception? failure = null;
        var threads = new Thread[workers];
        for (int rank = 0; rank < workers; rank++)
        {
            int mine = rank;
            threads[rank] = new Thread(() =>
            {
                try
                {
                    PushAll(server, mine, parameters, pushes);
                }
                catch (Exception e)
                {
                    failure = e;
                }
            });
            threads[rank].IsBackground = true;
            threads[rank].Start();
        }

        foreach (Thread thread in threads)
            Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "a worker hangs");
        Assert.Null(failure);
        float[] model = server.WaitForEnd().Model!;
        float expected = workers * pushes;
        for (int j = 0; j < parameters; j++)
            Assert.True(model[j] == expected + (workers * (j % 3)), $"parameter {j}: {model[j]}");
    }

    [Fact]
    public void Start_on_a_port_that_another_server_has_is_refused()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
        InputException error = Assert.Throws<InputException>(() => ServerHost.Start(new ServerOptions(), server.Address));
        Assert.Contains(server.Address, error.Message, StringComparison.Ordinal);
        server.Connect(1).Dispose();
        server.WaitForEnd();
    }

    [Fact]
    public void Connect_and_leave_many_times_leaks_no_block()
    {
        for (int round = 0; round < 100; round++)
        {
            using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
            using (WorkerClient worker = server.Connect(10))
                worker.Push(new float[10]);
            server.WaitForEnd();
        }
    }

    private static void PushAll(LoopbackServer server, int rank, int parameters, int pushes)
    {
        using WorkerClient worker = server.Connect(parameters, rank, aggregate: Aggregate.Sum);
        float[] x = new float[parameters];
        for (int j = 0; j < parameters; j++)
            x[j] = j % 3;
        for (int push = 0; push < pushes; push++)
        {
            for (int j = 0; j < parameters; j++)
                x[j]++;
            worker.Push(x);
        }
    }
}
