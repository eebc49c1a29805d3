using System;
using System.IO;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Policies;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>docs/policies.md: the policy that it adds is this one, and works; it names every policy that there is.</summary>
public sealed class PolicyPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "policies.md"));

    [Theory]
    [InlineData("tests/Server/BlockPolicy.cs", "csharp")]
    [InlineData("src/HpAsyncPs/Server/Policies/IPolicy.cs", "csharp")]
    public void Quoted_code_is_that_of_the_file(string file, string language)
    {
        string code = File.ReadAllText(Path.Combine(Repository.Root, file));
        Assert.Contains($"`{file}`", Page, StringComparison.Ordinal);
        Assert.Contains($"```{language}\n{code}```\n", Page, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_policy_is_on_the_page()
    {
        foreach (string name in PolicyNames.All)
            Assert.Contains($"`{name}`", Page, StringComparison.Ordinal);
    }

    [Fact]
    public void Quoted_policy_lets_a_worker_go_to_the_end_of_its_block_and_no_further()
    {
        var time = new FakeTimeProvider();
        var options = new ServerOptions { Workers = 2, Evaluates = false };
        var network = new SeededNetwork(1, 0, options, time, new BlockPolicy(3));
        WorkerSession a = network.Connect(new WorkerOptions(), time), b = network.Connect(new WorkerOptions(), time);
        network.DeliverAll();
        Run(a, 3);
        Assert.False(a.HasNewer); // at the barrier
        Run(b, 2);
        Assert.False(a.HasNewer);
        Run(b, 1);
        Assert.True(a.HasNewer);
        Assert.True(b.HasNewer);

        void Run(WorkerSession worker, int pushes)
        {
            for (int push = 0; push < pushes; push++)
            {
                Assert.True(worker.Pushed == 0 || worker.HasNewer);
                worker.Take();
                Assert.True(worker.TryPush([1f], 1));
                worker.Pull();
                network.DeliverAll();
            }
        }
    }
}
