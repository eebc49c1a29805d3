using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Invariants 1 and 3 where deltas are coded both ways: both ends have the same, bit for bit, and in the end nothing is lost.</summary>
public sealed class CodedTests
{
    private const int Row = 33;
    private const int Rows = 10; // chunks of 3, 3, 3 and 1
    private const int Parameters = 300; // chunks of 64, the last one shorter

    public static TheoryData<string, string, int, int> Codecs
    {
        get
        {
            var all = new TheoryData<string, string, int, int>();
            foreach (string policy in (string[])["async", "bsp"])
            {
                foreach (string codec in (string[])["fp32", "bf16", "int8", "int4", "int8:stochastic", "int4:stochastic:7", "topk:0.1:int4", "topk:0.05:fp32"])
                    all.Add(codec, policy, Parameters, 1);
                foreach (string codec in (string[])["fp32", "int8", "int4"])
                    all.Add(codec, policy, Row * Rows, Row);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Both_ends_agree_after_anything_and_in_the_end_nothing_is_missing(string codec, string policy, int parameters, int rowLength)
    {
        ulong pushes = 0;
        int duplicated = 0, cuts = 0, replaced = 0;
        for (int seed = 0; seed < 10; seed++)
        {
            var run = new CodedRun(seed, codec, policy, parameters, rowLength);
            for (int step = 0; step < 3000; step++)
            {
                run.Step();
                if (step % 1000 == 999)
                    run.Settle();
            }

            run.Converge(400);
            Assert.Equal(0, run.Network.Server.Disagreements);
            pushes += run.Pushes;
            (duplicated, cuts, replaced) = (duplicated + run.Network.Duplicated, cuts + run.Cuts, replaced + run.Replaced);
        }

        TestContext.Current.SendDiagnosticMessage($"{codec}, {policy}: {pushes} pushes, {duplicated} twice, {cuts} cuts, {replaced} replaced");
        Assert.True(pushes > 1000 && duplicated > 1000 && cuts > 30 && replaced > 8, $"{pushes} pushes, {duplicated} twice, {cuts} cuts, {replaced} replaced: the test tests nothing");
    }

    [Theory]
    [InlineData("async", Parameters, 1)]
    [InlineData("bsp", Parameters, 1)]
    [InlineData("async", Row * Rows, Row)]
    public void Codecs_that_change_in_mid_run_leave_both_ends_alike(string policy, int parameters, int rowLength)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var run = new CodedRun(seed, "int4", policy, parameters, rowLength) { Switches = true };
            for (int step = 0; step < 3000; step++)
            {
                run.Step();
                if (step % 300 == 299)
                    run.Settle();
            }

            run.Converge(400);
            Assert.Equal(0, run.Network.Server.Disagreements);
        }
    }

    [Theory]
    [InlineData("int4")]
    [InlineData("topk:0.1:int8")]
    public void Both_ends_agree_after_100_000_pushes(string codec)
    {
        var run = new CodedRun(1, codec, "async", 80, 1);
        for (long step = 0; run.Pushes < 100_000; step++)
        {
            run.Step();
            if (step % 100_000 == 99_999)
                run.Settle();
        }

        run.Settle();
        run.Converge(300);
        Assert.Equal(0, run.Network.Server.Disagreements);
    }

    [Theory]
    [InlineData("int4", 60)]
    [InlineData("int4", Parameters)]
    [InlineData("topk:0.1:int8", Parameters)]
    public void Vector_that_is_another_at_a_worker_is_noticed_and_made_the_same(string codec, int parameters)
    {
        var run = new CodedRun(3, codec, "async", parameters, 1);
        Steps(run, 1000);
        int most = Limits.BetweenChecks * ((parameters + 63) / 64), pushes = 0; // one chunk after the other is checked
        Change(run.Workers[1].Reconstruction, parameters / 2);
        while (run.Network.Server.Disagreements == 0 && pushes < most)
        {
            pushes += run.Push(1) ? 1 : 0;
            run.DeliverAll();
            run.Workers[1].Pull();
            run.DeliverAll();
            run.Workers[1].Take();
        }

        Assert.Equal(1, run.Network.Server.Status().Disagreements);
        Assert.Equal(1, run.Workers[1].Resynchronisations);
        Assert.Equal(0, run.Network.Server.LostWorkers);
        run.Settle();
        Steps(run, 1000);
        run.Converge(400);
        Assert.Equal(1, run.Network.Server.Disagreements);
    }

    [Theory]
    [InlineData("int4", 60)]
    [InlineData("int4", Parameters)]
    [InlineData("topk:0.1:int8", Parameters)]
    public void Snapshot_that_is_another_at_a_worker_is_noticed_and_sent_whole(string codec, int parameters)
    {
        var run = new CodedRun(3, codec, "async", parameters, 1);
        Steps(run, 1000);
        WorkerSession worker = run.Workers[1];
        int most = Limits.BetweenChecks * ((parameters + 63) / 64), snapshots = 0;
        Change(worker.Take(), parameters / 2);
        for (; run.Network.Server.Disagreements == 0 && snapshots < most; snapshots++)
        {
            run.Push(2);
            worker.Pull();
            run.DeliverAll();
            worker.Take();
            run.Workers[2].Pull();
            run.DeliverAll();
            run.Workers[2].Take();
        }

        Assert.Equal((1, 1), (run.Network.Server.Status().Disagreements, worker.Disagreements));
        Assert.Equal(0, worker.Resynchronisations);
        run.Push(2);
        run.Settle();
        run.Converge(400);
        Assert.Equal(1, run.Network.Server.Disagreements);
    }

    /// <summary>The complaint may come while the next change is under way already.</summary>
    [Fact]
    public void Snapshot_that_is_another_is_mended_however_slowly_the_worker_reads()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var run = new CodedRun(seed, "int4", "async", Parameters, 1, fullness: 0.5);
            Steps(run, 500);
            Change(run.Workers[1].Take(), Parameters / 2);
            for (int step = 0; run.Network.Server.Disagreements == 0; step++)
            {
                Assert.True(step < 100_000, $"seed {seed}: not noticed");
                run.Step(faults: false);
            }

            for (int step = 0; step < 200; step++)
                run.Step(faults: false);
            run.Push(2);
            run.Settle();
            Assert.Equal(1, run.Network.Server.Disagreements);
        }
    }

    private static void Steps(CodedRun run, int steps)
    {
        for (int step = 0; step < steps; step++)
            run.Step(faults: false);
        run.Settle();
    }

    private static void Change(ReadOnlySpan<float> values, int at) => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(values), values.Length)[at] += 1;
}
