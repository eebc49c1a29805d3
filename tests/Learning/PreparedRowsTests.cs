using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Data.Prepared;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>What hpaps prepare logreg writes, and parts of it.</summary>
public sealed class PreparedRowsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hpaps-prepared-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(4096)]
    [InlineData(10_000)]
    public void Parts_are_equal_and_have_each_row_once(int count)
    {
        string text = WriteFile("rows.svm", PreparedFiles.Text(count)), prepared = WriteFile("rows.hpr", PreparedFiles.Prepare(text));
        SparseRows expected = Read(text), whole = Read(prepared);
        List<string> lines = PreparedFiles.Lines(whole);
        Assert.Equal(PreparedFiles.Sorted(PreparedFiles.Lines(expected)), PreparedFiles.Sorted(lines));
        Assert.Equal((expected.Features, expected.MinLabel, expected.MaxLabel, prepared), (whole.Features, whole.MinLabel, whole.MaxLabel, whole.Source));
        foreach (int parts in new[] { 2, 3, 7, 64, count + 3 })
        {
            if (parts > 100 && count > 100)
                continue;
            var together = new List<string>();
            for (int index = 0; index < parts; index++)
            {
                SparseRows part = LibsvmReader.Read(prepared, new RowPart(index, parts, 99), CancellationToken.None);
                Assert.InRange(part.Rows, count / parts, (count / parts) + 1);
                Assert.Equal(expected.Features, part.Features);
                together.AddRange(PreparedFiles.Lines(part));
            }

            Assert.Equal(lines, together);
        }
    }

    [Fact]
    public void Order_is_that_of_the_seed_alone()
    {
        byte[] text = Encoding.UTF8.GetBytes(PreparedFiles.Text(9000));
        string plain = WriteFile("rows", text);
        byte[] once = PreparedFiles.Prepare(plain, 5);
        Assert.Equal(once, PreparedFiles.Prepare(plain, 5, passes: 2));
        Assert.Equal(once, PreparedFiles.Prepare(plain, 5, passes: 7));
        WriteFile("rows", LibsvmFiles.Gzip(text));
        Assert.Equal(once, PreparedFiles.Prepare(plain, 5));
        Assert.NotEqual(PreparedFiles.Lines(Read(WriteFile("a", once))), PreparedFiles.Lines(Read(WriteFile("b", PreparedFiles.Prepare(plain, 6)))));
    }

    [Fact]
    public void Parts_are_random()
    {
        // Sorted by label: of 8000 rows each part of 2000 has as many of the first 4000 as the seed lets it. Five standard deviations.
        var text = new StringBuilder();
        for (int row = 0; row < 8000; row++)
            text.Append(row < 4000 ? "-1 1:1\n" : "+1 1:1\n");
        string path = WriteFile("sorted", text.ToString());
        double deviation = Math.Sqrt(2000 * 0.25 * 6000 / 7999);
        for (ulong seed = 0; seed < 5; seed++)
        {
            string prepared = WriteFile("prepared", PreparedFiles.Prepare(path, seed));
            for (int index = 0; index < 4; index++)
            {
                int negatives = 0;
                foreach (float label in LibsvmReader.Read(prepared, new RowPart(index, 4, 0), CancellationToken.None).Labels)
                    negatives += label < 0 ? 1 : 0;
                Assert.InRange(negatives, 1000 - (5 * deviation), 1000 + (5 * deviation));
            }
        }
    }

    [Fact]
    public void Worker_reads_the_blocks_of_its_part_alone()
    {
        byte[] file = PreparedFiles.Prepare(WriteFile("rows", PreparedFiles.Text(10_000)));
        string prepared = WriteFile("prepared", file);
        SparseRows expected = LibsvmReader.Read(prepared, new RowPart(2, 3, 0), CancellationToken.None);
        file[PreparedFiles.FirstBlock + 100] ^= 1;
        File.WriteAllBytes(prepared, file);
        LibsvmFiles.AssertSame(expected, LibsvmReader.Read(prepared, new RowPart(2, 3, 0), CancellationToken.None));
        var error = Assert.Throws<InputException>(() => LibsvmReader.Read(prepared, new RowPart(0, 3, 0), CancellationToken.None));
        Assert.Equal($"{prepared}: block 0, at byte 128, is damaged: its checksum is wrong; copy it again, or prepare it again", error.Message);
    }

    [Fact]
    public void Rows_may_be_long_or_empty()
    {
        var text = new StringBuilder("+1\n-1\n");
        for (int row = 0; row < 3; row++)
        {
            text.Append("+1");
            for (int column = 1; column <= 700_000; column++)
                text.Append(' ').Append(column).Append(":1");
            text.Append('\n');
        }

        string path = WriteFile("rows", text.Append("-1 700001:0").ToString());
        var output = new MemoryStream();
        PreparedFacts facts = RowPreparation.Write(path, 1, 1, output, static _ => { }, CancellationToken.None);
        Assert.Equal((6L, 700_001, 2_100_001L, 1), (facts.Rows, facts.Features, facts.Entries, facts.Passes));
        Assert.InRange(facts.Blocks, 2, 3); // two long rows close one
        SparseRows rows = Read(WriteFile("prepared", output.ToArray()));
        Assert.Equal(PreparedFiles.Sorted(PreparedFiles.Lines(Read(path))), PreparedFiles.Sorted(PreparedFiles.Lines(rows)));
    }

    [Fact]
    public void Any_labels_are_kept_and_those_of_two_classes_are_found()
    {
        SparseRows regression = Read(WriteFile("a", PreparedFiles.Prepare(WriteFile("t", "0.5 1:1\n-7e3 2:1\n4 1:1\n"))));
        Assert.Equal((-7e3f, 4f, 3), (regression.MinLabel, regression.MaxLabel, regression.DistinctLabels.Count));
        SparseRows classes = Read(WriteFile("b", PreparedFiles.Prepare(WriteFile("t", "2 1:1\n1 2:1\n2 1:1\n"))));
        Assert.Equal(new BinaryLabels(1, 2), BinaryLabels.Of(classes));
        var error = Assert.Throws<InputException>(() => BinaryLabels.Of(regression));
        Assert.StartsWith(regression.Source + ": label '", error.Message, StringComparison.Ordinal); // no line is known
    }

    [Theory]
    [InlineData("", "there are no rows in it; give LIBSVM text")]
    [InlineData("# nothing\n\n", "there are no rows in it; give LIBSVM text")]
    [InlineData("+1 1:1\n+1 2:x\n", "2: the value is not a finite number")]
    public void Bad_text_is_refused(string text, string message)
    {
        string path = WriteFile("rows", text);
        var error = Assert.Throws<InputException>(() => PreparedFiles.Prepare(path));
        Assert.StartsWith($"{path}:{(char.IsAsciiDigit(message[0]) ? "" : " ")}{message}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepared_file_is_not_prepared_again()
    {
        string path = WriteFile("prepared", PreparedFiles.Prepare(WriteFile("rows", "1 1:1\n")));
        Assert.Contains("is prepared already", Assert.Throws<InputException>(() => RowPreparation.Passes(path)).Message, StringComparison.Ordinal);
        Assert.Equal(1, RowPreparation.Passes(WriteFile("rows", "1 1:1\n")));
    }

    [Fact]
    public void It_can_be_cancelled_and_tells_how_far_it_is()
    {
        string path = WriteFile("rows", PreparedFiles.Text(1000));
        var told = new List<double>();
        RowPreparation.Write(path, 1, 4, new MemoryStream(), told.Add, CancellationToken.None);
        Assert.True(told.Count > 4);
        for (int j = 1; j < told.Count; j++)
            Assert.InRange(told[j], told[j - 1], 1);
        Assert.Equal(1, told[^1]);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => RowPreparation.Write(path, 1, 1, new MemoryStream(), static _ => { }, cancelled.Token));
    }

    private static SparseRows Read(string path) => LibsvmReader.Read(path, RowPart.All, CancellationToken.None);

    private string WriteFile(string name, string text) => WriteFile(name, Encoding.UTF8.GetBytes(text));

    private string WriteFile(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
