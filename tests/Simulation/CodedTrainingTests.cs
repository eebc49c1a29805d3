using System;
using System.IO;
using System.Threading;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Deltas of 4 bits both ways reach the same optimum as whole numbers do, with hardly more pushes; without feedback they do not.</summary>
public sealed class CodedTrainingTests(ITestOutputHelper output)
{
    private const double Gap = 1e-6;
    private const double L2 = 1e-3;
    private const int Workers = 8;

    private static readonly Lazy<SparseRows> Wide = new(Generate);
    private static readonly Lazy<double> WideOptimum = new(() => Optimum(Wide.Value));

    [Fact]
    public void A9a_sorted_by_label_in_4_bits()
    {
        SparseRows all = LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.svm.gz"), RowPart.All, CancellationToken.None);
        RunResult result = Train(all, "int4", Optimum(all), labelSorted: true, forgets: false, 50_000);
        Assert.Equal("target", result.Reason);
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, Gap);
        Assert.InRange(result.Status.Pushes, 1UL, 900UL);
    }

    [Fact]
    public void Generated_set_in_4_bits_takes_hardly_more_pushes_and_far_fewer_bytes()
    {
        RunResult plain = Train(Wide.Value, "fp32", WideOptimum.Value, labelSorted: false, forgets: false, 50_000), coded = Train(Wide.Value, "int4", WideOptimum.Value, labelSorted: false, forgets: false, 50_000);
        Assert.Equal(("target", "target"), (plain.Reason, coded.Reason));
        Assert.InRange(coded.Status.RelativeGap!.Value, -1e-7, Gap);
        Assert.True(coded.Status.Pushes <= 1.1 * plain.Status.Pushes, $"{coded.Status.Pushes} pushes; {plain.Status.Pushes} in fp32");
        Assert.True(coded.Status.UplinkPayloadBytes * 6.5 <= plain.Status.UplinkPayloadBytes, $"{coded.Status.UplinkPayloadBytes} bytes up; {plain.Status.UplinkPayloadBytes} in fp32");
        Assert.True(coded.Status.DownlinkPayloadBytes * 6.5 <= plain.Status.DownlinkPayloadBytes, $"{coded.Status.DownlinkPayloadBytes} bytes down; {plain.Status.DownlinkPayloadBytes} in fp32");
    }

    /// <summary>Proves that the tests above can fail, and that it is the codec which makes them: in fp32 hardly anything is lost.</summary>
    [Fact]
    public void Without_feedback_it_is_stuck()
    {
        RunResult plain = Train(Wide.Value, "fp32", WideOptimum.Value, labelSorted: false, forgets: true, 3_000);
        Assert.InRange(plain.Status.RelativeGap!.Value, -1e-7, 1e-5);
        RunResult result = Train(Wide.Value, "int4", WideOptimum.Value, labelSorted: false, forgets: true, 3_000);
        Assert.Equal("passes", result.Reason);
        Assert.True(result.Status.RelativeGap > 1e-4, $"the gap is {result.Status.RelativeGap}");
    }

    private RunResult Train(SparseRows all, string codec, double optimum, bool labelSorted, bool forgets, double passes)
    {
        var settings = new LogisticSettings { L2 = L2 };
        ITask[] tasks = Array.ConvertAll(Parts.Split(all, Workers, labelSorted, 1), part => forgets ? new ForgetfulTask(new LogisticTask(part, settings)) : (ITask)new LogisticTask(part, settings));
        int[] microseconds = new int[Workers];
        Array.Fill(microseconds, 10_000);
        RunResult result = Simulated.Run(new ServerOptions { Codec = CodecSpec.Parse(codec), Target = Gap, Reference = optimum, Passes = passes }, tasks, microseconds);
        RunStatus at = result.Status;
        output.WriteLine($"{all.Source}, {codec}, forgets {forgets}: {result.Reason}, gap {at.RelativeGap:e2}, {at.Workers[0].Pushes} pushes of worker 0, {at.Pushes} of all, payload {at.UplinkPayloadBytes} up, {at.DownlinkPayloadBytes} down");
        Assert.Equal(0, at.Disagreements);
        return result;
    }

    private static double Optimum(SparseRows all) => NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), L2).Objective;

    private static SparseRows Generate()
    {
        var settings = new ClassificationSettings { Rows = 6_000, Features = 2_000, Density = 0.02, Condition = 100, Seed = 3 };
        using var file = new TempFolder();
        string path = Path.Combine(file.Path, "generated.svm");
        using (FileStream stream = File.Create(path))
            new ClassificationGenerator(settings).WriteTraining(stream, null, CancellationToken.None);
        SparseRows rows = LibsvmReader.Read(path, RowPart.All, CancellationToken.None);
        return new SparseRows("generated", rows.RowStarts.ToArray(), rows.Columns.ToArray(), rows.Values.ToArray(), rows.Labels.ToArray(), rows.Features);
    }
}
