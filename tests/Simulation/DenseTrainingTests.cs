using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Rows of which a good part is not zero are trained on in full, and reach the same optimum.</summary>
public sealed class DenseTrainingTests(ITestOutputHelper output)
{
    private const double Gap = 1e-6;

    [Theory]
    [InlineData(2, false, 1)]
    [InlineData(8, false, 8)]
    [InlineData(4, true, 1)]
    [InlineData(4, true, 8)]
    public void Optimum_of_generated_rows_is_reached_to_1e_6(int workers, bool labelSorted, int slow)
    {
        const double l2 = 1e-4;
        SparseRows all = Generated();
        double best = NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), l2).Objective;
        RunResult result = Train(all, workers, labelSorted, slow, l2, new ServerOptions { Target = Gap, Reference = best, Passes = 5_000 });
        output.WriteLine($"{workers} workers, sorted {labelSorted}, {slow}x: gap {result.Status.RelativeGap:e2} after {result.Status.Passes:0} passes");
        Assert.Equal("target", result.Reason);
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, Gap);
    }

    /// <summary>A tenth of the training set, class Shirt against the rest; the test set as it is. l2 = 1 / n is liblinear's C = 1.</summary>
    [Fact]
    public void Fashion_mnist_is_told_apart_as_well_as_by_the_optimum()
    {
        const int TrainingRows = 6_000;
        const byte Shirt = 6;
        const double Points = 0.1, LargestGap = 2e-3;
        SparseRows all = Fashion("train", TrainingRows, Shirt), test = Fashion("t10k", int.MaxValue, Shirt);
        double l2 = 1.0 / all.Rows;
        NewtonReference.Solution best = NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), l2);
        RunResult result = Train(all, 2, false, 1, l2, new ServerOptions { Reference = best.Objective, Passes = 2_000, Plateau = new PlateauRule(20, PlateauRule.DefaultTolerance) });
        LogisticModel model = LogisticModel.Of(result.Model, result.Agreed, new Dictionary<string, string>(result.Settings));
        double ours = 100 * Accuracy(test, model.Weights), optimum = 100 * Accuracy(test, Array.ConvertAll(best.Weights, weight => (float)weight));
        output.WriteLine($"{ours:0.00} %, at the optimum {optimum:0.00} %; gap {result.Status.RelativeGap:e2} after {result.Status.Passes:0} passes");
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, LargestGap);
        Assert.True(ours >= optimum - Points, $"{ours:0.00} % of the test set, and the optimum has {optimum:0.00} %");
    }

    private static double Accuracy(SparseRows rows, float[] weights) => new LogisticLoss(rows, BinaryLabels.Of(rows).Signs(rows)).Evaluate(weights).Accuracy;

    private static RunResult Train(SparseRows all, int workers, bool labelSorted, int slow, double l2, ServerOptions options)
    {
        ITask[] tasks = Array.ConvertAll(Parts.Split(all, workers, labelSorted, 1), part => (ITask)new LogisticTask(part, new LogisticSettings { L2 = l2 }));
        int[] microseconds = new int[workers];
        Array.Fill(microseconds, 10_000);
        microseconds[0] *= slow;
        return Simulated.Run(options, tasks, microseconds);
    }

    private static SparseRows Generated()
    {
        var settings = new ClassificationSettings { Rows = 8_000, Features = 80, Density = 0.5, Condition = 1e3, Seed = 3 };
        using var text = new MemoryStream();
        new ClassificationGenerator(settings).WriteTraining(text, null, CancellationToken.None);
        text.Position = 0;
        return LibsvmReader.Read(text, "generated", RowPart.All, TextFile.DefaultBlockBytes, CancellationToken.None);
    }

    /// <summary>The first images of a set.</summary>
    private static SparseRows Fashion(string set, int most, byte positive)
    {
        using var folder = new TempFolder();
        string images = First($"fashion-mnist/{set}-images-idx3-ubyte.gz", most, folder), labels = First($"fashion-mnist/{set}-labels-idx1-ubyte.gz", most, folder);
        using var text = new MemoryStream();
        ImageRows.Write(images, labels, new HashSet<byte> { positive }, text, null, CancellationToken.None);
        text.Position = 0;
        return LibsvmReader.Read(text, set, RowPart.All, TextFile.DefaultBlockBytes, CancellationToken.None);
    }

    /// <summary>A copy of an IDX file with the first of its items.</summary>
    private static string First(string file, int most, TempFolder folder)
    {
        using var packed = new GZipStream(File.OpenRead(DataFolder.PathOf(file)), CompressionMode.Decompress);
        using var whole = new MemoryStream();
        packed.CopyTo(whole);
        byte[] bytes = whole.ToArray();
        int header = 4 + (4 * bytes[3]), items = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4)), kept = Math.Min(items, most);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), kept);
        string path = folder.In(Path.GetFileName(file));
        File.WriteAllBytes(path, bytes[..(header + ((bytes.Length - header) / items * kept))]);
        return path;
    }
}
