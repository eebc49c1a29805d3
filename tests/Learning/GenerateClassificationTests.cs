using System;
using System.IO;
using System.Security.Cryptography;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class GenerateClassificationTests
{
    private static readonly ClassificationSettings Small = new() { Rows = 300, Features = 20, Density = 0.2 };

    /// <summary>Also with labels that are not balanced, where rows are mirrored.</summary>
    [Theory]
    [InlineData(1000, 0.5)]
    [InlineData(100, 0.95)]
    [InlineData(1, 0.5)]
    public void Condition_number_of_second_moments_is_as_asked_for(double condition, double skew)
    {
        const int Features = 16;
        SparseRows rows = Read(new ClassificationSettings { Rows = 100_000, Features = Features, Density = 0.3, Condition = condition, LabelSkew = skew }, out _);
        double[,] moments = new double[Features, Features];
        for (int row = 0; row < rows.Rows; row++)
        {
            for (long a = rows.RowStarts[row]; a < rows.RowStarts[row + 1]; a++)
            {
                for (long b = rows.RowStarts[row]; b < rows.RowStarts[row + 1]; b++)
                    moments[rows.Columns[(int)a], rows.Columns[(int)b]] += rows.Values[(int)a] * (double)rows.Values[(int)b] / rows.Rows;
            }
        }

        for (int j = 0; j < Features; j++)
            Assert.Equal(1, moments[j, j] * Math.Pow(condition, (double)j / (Features - 1)), 0.05); // 7 standard errors
        (double least, double most) = Eigenvalues(moments);
        Assert.Equal(1, most / least / condition, 0.08);
    }

    [Theory]
    [InlineData(0.5, false)]
    [InlineData(0.1, false)]
    [InlineData(0.83, true)]
    [InlineData(0.999999, true)] // one negative row is left
    public void Labels_have_the_share_asked_for_and_are_sorted_if_asked_for(double skew, bool sorted)
    {
        SparseRows rows = Read(new ClassificationSettings { Rows = 5000, Features = 50, LabelSkew = skew, SortedByLabel = sorted }, out ClassificationFacts facts);
        int positives = 0, changes = 0;
        for (int row = 0; row < rows.Rows; row++)
        {
            positives += rows.Labels[row] > 0 ? 1 : 0;
            changes += row > 0 && rows.Labels[row] != rows.Labels[row - 1] ? 1 : 0;
        }

        Assert.Equal(5000, rows.Rows);
        Assert.Equal(Math.Min(4999, (int)Math.Round(skew * 5000)), positives);
        Assert.Equal(positives, facts.Positives);
        Assert.Equal(rows.Nonzeros, facts.Nonzeros);
        if (sorted)
            Assert.Equal((1, -1f), (changes, rows.Labels[0]));
        else
            Assert.InRange(changes, 2 * skew * (1 - skew) * 5000 * 0.85, 2 * skew * (1 - skew) * 5000 * 1.15);
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(0.1, 0.5)]
    [InlineData(0.2, 0.9)]
    public void Separator_is_right_but_for_flipped_labels(double noise, double skew)
    {
        var settings = new ClassificationSettings { Rows = 20_000, Features = 60, Noise = noise, LabelSkew = skew };
        SparseRows rows = Read(settings, out ClassificationFacts facts);
        ReadOnlySpan<double> separator = new ClassificationGenerator(settings).Separator;
        int wrong = 0;
        for (int row = 0; row < rows.Rows; row++)
        {
            double margin = 0;
            for (long entry = rows.RowStarts[row]; entry < rows.RowStarts[row + 1]; entry++)
                margin += separator[rows.Columns[(int)entry]] * rows.Values[(int)entry];
            wrong += margin * rows.Labels[row] > 0 ? 0 : 1;
        }

        Assert.Equal(facts.Flipped, wrong);
        Assert.Equal(noise, wrong / 20_000.0, 4 * Math.Sqrt(noise * (1 - noise) / 20_000));
    }

    [Theory]
    [InlineData(0.03)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Density_is_as_asked_for(double density)
    {
        SparseRows rows = Read(new ClassificationSettings { Rows = 3000, Features = 300, Density = density }, out _);
        Assert.Equal(density, rows.Nonzeros / 900_000.0, 4 * Math.Sqrt(density * (1 - density) / 900_000));
        Assert.Equal(300, rows.Features);
    }

    [Fact]
    public void Seed_gives_the_same_bytes_everywhere_and_another_gives_others()
    {
        byte[] text = Text(Small, out _);
        Assert.Equal(text, Text(Small, out _));
        Assert.NotEqual(text, Text(Small with { Seed = 2 }, out _));
        Assert.Equal("367EAB619BBEED4E1E563B4A73ABFED97578C204F8534D668D2A24C6679C4CC5", Convert.ToHexString(SHA256.HashData(text)));
    }

    [Fact]
    public void Test_rows_are_others_and_do_not_change_those_of_training()
    {
        var generator = new ClassificationGenerator(Small);
        var test = new MemoryStream();
        var training = new MemoryStream();
        generator.WriteTest(test, Small.Rows, null, CancellationToken.None);
        generator.WriteTraining(training, null, CancellationToken.None);
        Assert.Equal(Text(Small, out _), training.ToArray());
        Assert.NotEqual(test.ToArray(), training.ToArray());
    }

    [Fact]
    public void Impossible_settings_are_refused_with_a_remedy()
    {
        Refuses(new ClassificationSettings { Density = 0.001 }, "raise --density to at least 0.005");
        Refuses(new ClassificationSettings { Features = 1, Density = 1 }, "--condition 1");
        Refuses(new ClassificationSettings { Rows = 1 }, "--rows must be 2 to ");
        Refuses(new ClassificationSettings { Noise = double.NaN }, "--noise must be 0 to 0.5");
        Assert.Equal(1, new ClassificationGenerator(new ClassificationSettings { Features = 1, Density = 1, Condition = 1 }).Separator.Length);
    }

    [Fact]
    public void Cancelling_ends_it()
    {
        using var cancel = new CancellationTokenSource();
        var generator = new ClassificationGenerator(Small);
        Assert.Throws<OperationCanceledException>(() => generator.WriteTraining(Stream.Null, _ => cancel.Cancel(), cancel.Token));
    }

    private static void Refuses(ClassificationSettings settings, string part) =>
        Assert.Contains(part, Assert.Throws<InputException>(() => new ClassificationGenerator(settings)).Message, StringComparison.Ordinal);

    private static byte[] Text(ClassificationSettings settings, out ClassificationFacts facts)
    {
        var output = new MemoryStream();
        facts = new ClassificationGenerator(settings).WriteTraining(output, null, CancellationToken.None);
        return output.ToArray();
    }

    private static SparseRows Read(ClassificationSettings settings, out ClassificationFacts facts)
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder.In("rows.svm"), Text(settings, out facts));
        return LibsvmReader.Read(folder.In("rows.svm"), RowPart.All, CancellationToken.None);
    }

    /// <summary>Smallest and largest eigenvalue of a symmetric matrix, by the cyclic method of Jacobi.</summary>
    private static (double Least, double Most) Eigenvalues(double[,] of)
    {
        int size = of.GetLength(0);
        for (int sweep = 0; sweep < 20; sweep++)
        {
            for (int p = 0; p < size; p++)
            {
                for (int q = p + 1; q < size; q++)
                {
                    double angle = 0.5 * Math.Atan2(2 * of[p, q], of[q, q] - of[p, p]), c = Math.Cos(angle), s = Math.Sin(angle);
                    for (int k = 0; k < size; k++)
                        (of[k, p], of[k, q]) = ((c * of[k, p]) - (s * of[k, q]), (s * of[k, p]) + (c * of[k, q]));
                    for (int k = 0; k < size; k++)
                        (of[p, k], of[q, k]) = ((c * of[p, k]) - (s * of[q, k]), (s * of[p, k]) + (c * of[q, k]));
                }
            }
        }

        double least = double.MaxValue, most = 0;
        for (int j = 0; j < size; j++)
            (least, most) = (Math.Min(least, of[j, j]), Math.Max(most, of[j, j]));
        return (least, most);
    }
}
