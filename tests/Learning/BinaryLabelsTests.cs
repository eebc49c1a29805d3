using System;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class BinaryLabelsTests
{
    [Theory]
    [InlineData("-1 +1 -1", -1, 1)]
    [InlineData("1 0 0", 0, 1)]
    [InlineData("2 1 2", 1, 2)]
    [InlineData("1.0 -1e0", -1, 1)]
    [InlineData("-0 1 0", 0, 1)]
    public void Supported_pair_is_mapped_larger_to_plus_one(string labels, float negative, float positive)
    {
        SparseRows rows = Rows(labels);
        BinaryLabels found = BinaryLabels.Of(rows);
        Assert.Equal(new BinaryLabels(negative, positive), found);

        float[] signs = found.Signs(rows);
        Assert.Equal(rows.Rows, signs.Length);
        for (int row = 0; row < signs.Length; row++)
            Assert.Equal(rows.Labels[row] == positive ? 1f : -1f, signs[row]);
    }

    [Theory]
    [InlineData("1 -1 3 3", 3, "3")]
    [InlineData("5 -1 1", 1, "5")]
    [InlineData("0 1 2", 3, "2")]
    [InlineData("-1 -1 0", 3, "0")]
    [InlineData("-1 2", 2, "2")]
    [InlineData("0 0 2", 3, "2")]
    [InlineData("1 0.5 0", 2, "0.5")]
    [InlineData("7", 1, "7")]
    public void Unsupported_labels_are_refused_with_the_first_line(string labels, int line, string label)
    {
        var error = Assert.Throws<InputException>(() => BinaryLabels.Of(Rows(labels)));
        Assert.StartsWith($"f.svm:{line}: label '{label}' does not fit", error.Message, StringComparison.Ordinal);
        Assert.Contains("labels found: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("-1/+1, 0/1 and 1/2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Single_class_is_refused()
    {
        var error = Assert.Throws<InputException>(() => BinaryLabels.Of(Rows("1 1 1")));
        Assert.StartsWith("f.svm: every row has label 1, two classes are needed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pair_agreed_over_parts_maps_a_part_of_a_single_class()
    {
        SparseRows one = Rows("1 1");
        SparseRows other = Rows("2");
        SparseRows none = Empty();
        float min = Math.Min(none.MinLabel, Math.Min(one.MinLabel, other.MinLabel));
        float max = Math.Max(none.MaxLabel, Math.Max(one.MaxLabel, other.MaxLabel));

        BinaryLabels agreed = BinaryLabels.Agreed("f.svm", min, max);

        Assert.Equal([-1f, -1f], agreed.Signs(one));
        Assert.Equal([1f], agreed.Signs(other));
        Assert.Empty(agreed.Signs(none));
    }

    [Fact]
    public void Label_between_the_agreed_two_is_found_by_its_part()
    {
        var error = Assert.Throws<InputException>(() => new BinaryLabels(-1, 1).Signs(Rows("1 1 0")));
        const string Start = "f.svm:3: label '0' does not fit (labels found: 1, 0, other rows have -1 and 1);";
        Assert.StartsWith(Start, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, 3, "f.svm: labels go from -1 to 3; supported labels are -1/+1, 0/1 and 1/2: relabel the file")]
    [InlineData(float.PositiveInfinity, float.NegativeInfinity, "f.svm: there are no labels; give a file with rows")]
    public void Range_that_is_no_pair_is_refused(float min, float max, string message)
    {
        var error = Assert.Throws<InputException>(() => BinaryLabels.Agreed("f.svm", min, max));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void Rows_without_lines_are_refused_without_a_line()
    {
        var rows = new SparseRows("memory", [0, 0, 0], [], [], [1, 4], 0);
        var error = Assert.Throws<InputException>(() => BinaryLabels.Of(rows));
        Assert.StartsWith("memory: label '4' does not fit", error.Message, StringComparison.Ordinal);
    }

    private static SparseRows Rows(string labels)
    {
        var text = new StringBuilder();
        foreach (string label in labels.Split(' '))
            text.Append(label).Append(" 1:1\n");
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text.ToString()));
        return LibsvmReader.Read(stream, "f.svm", RowPart.All, 64, CancellationToken.None);
    }

    private static SparseRows Empty() => new("f.svm", [0], [], [], [], 0);
}
