// Three workers push a vector each; the server sums them, and each worker sees the sum.
using System;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;

var options = new ServerOptions { Workers = 3, Policy = "bsp", Evaluates = false };
using ServerHost server = ServerHost.Start(options, "127.0.0.1:0");
var threads = new Thread[3];
for (int i = 0; i < threads.Length; i++)
{
    threads[i] = new Thread(Work);
    threads[i].Start();
}

Array.ForEach(threads, thread => thread.Join());

void Work()
{
    using WorkerClient worker = WorkerClient.Connect(server.Address.ToString(), new WorkerOptions { Parameters = 4, Aggregate = Aggregate.Sum });
    float rank = worker.Rank;
    worker.Push([1, rank, rank * rank, 10]);
    worker.Pull();
    worker.Wait(); // bsp: the snapshot comes when all have pushed
    Console.WriteLine($"worker {rank}: [{string.Join(", ", worker.Snapshot.ToArray())}]");
}
