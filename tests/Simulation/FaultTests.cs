using System;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// Invariants 1, 2 and 3 under cuts, silence, duplicates, crashes of workers and servers, and disks that lose what was not synced. HPAPS_FAULT_SEEDS and
/// HPAPS_FAULT_STEPS make it longer, HPAPS_FAULT_SEED replays one seed.
/// </summary>
public sealed class FaultTests
{
    private const int Seeds = 1000;
    private const int Steps = 700;

    [Fact]
    public void No_update_is_lost_and_none_doubled_whatever_fails()
    {
        int first = Number("HPAPS_FAULT_SEED", -1), seeds = first >= 0 ? 1 : Number("HPAPS_FAULT_SEEDS", Seeds), steps = Number("HPAPS_FAULT_STEPS", Steps);
        long crashes = 0, cuts = 0, pushes = 0, recoveries = 0, resynchronisations = 0;
        for (int seed = Math.Max(0, first); seed < Math.Max(0, first) + seeds; seed++)
        {
            using FaultyCluster cluster = Run(seed, steps, Planted.None);
            crashes += cluster.Crashes;
            cuts += cluster.Cuts;
            pushes += cluster.Pushes;
            recoveries += cluster.Recoveries;
            resynchronisations += cluster.Resynchronisations;
        }

        TestContext.Current.SendDiagnosticMessage(
            $"{(long)seeds * steps} steps: {pushes} pushes, {cuts} cuts, {crashes} crashes, {recoveries} recoveries, {resynchronisations} resynchronisations");
        if (first < 0)
            Assert.True(crashes > seeds && cuts > seeds && recoveries > seeds / 4 && resynchronisations > seeds, "hardly anything failed: the test tests nothing");
    }

    /// <summary>The ledger has what the codec made of each push; a server that comes back must have exactly that.</summary>
    [Theory]
    [InlineData("bf16")]
    [InlineData("int8")]
    [InlineData("int4")]
    public void No_coded_update_is_lost_and_none_doubled_whatever_fails(string codec)
    {
        const int seeds = 150;
        long crashes = 0, recoveries = 0, resynchronisations = 0;
        for (int seed = 0; seed < seeds; seed++)
        {
            using FaultyCluster cluster = Run(seed, Steps, Planted.None, codec);
            crashes += cluster.Crashes;
            recoveries += cluster.Recoveries;
            resynchronisations += cluster.Resynchronisations;
        }

        Assert.True(crashes > seeds && recoveries > seeds / 4 && resynchronisations > seeds, "hardly anything failed: the test tests nothing");
    }

    [Theory]
    [InlineData(Planted.NoDeduplication)]
    [InlineData(Planted.AcknowledgedBeforeJournal)]
    [InlineData(Planted.ForgottenChunk)]
    [InlineData(Planted.ForgottenChunk, "int4")]
    public void Planted_fault_is_found(Planted planted, string codec = "fp32")
    {
        for (int seed = 0; seed < 50; seed++)
        {
            try
            {
                using FaultyCluster cluster = Run(seed, Steps, planted, codec);
            }
            catch (Exception)
            {
                return;
            }
        }

        Assert.Fail($"{planted} was not found in 50 seeds");
    }

    [Fact]
    public void Same_seed_gives_the_same_run()
    {
        using FaultyCluster a = Run(7, Steps, Planted.None), b = Run(7, Steps, Planted.None);
        Assert.Equal(a.Log, b.Log);
        Assert.NotEmpty(a.Log);
    }

    private static FaultyCluster Run(int seed, int steps, Planted planted, string codec = "fp32")
    {
        int step = 0;
        var cluster = new FaultyCluster(seed, planted, codec);
        try
        {
            for (; step < steps; step++)
                cluster.Step(faults: true);
            cluster.Settle();
            return cluster;
        }
        catch (Exception e)
        {
            cluster.Dispose();
            throw new InvalidOperationException($"seed {seed}, step {step} (HPAPS_FAULT_SEED={seed} HPAPS_FAULT_STEPS={steps} replays it): {e.Message}", e);
        }
    }

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out int given) ? given : otherwise;
}
