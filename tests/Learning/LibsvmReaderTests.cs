using System;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class LibsvmReaderTests
{
    private const string Sample =
        "# made by hand\r\n\r\n+1 1:0.5 3:-2 # first\n \t\n  -1\tqid:7  2:1e-3 10:+4.25\t\r\n  # between\n0.5\n1 2147483647:1#end\n-1 7:0";

    [Fact]
    public void Sample_is_read()
    {
        SparseRows rows = Read(Sample);
        Assert.Equal(5, rows.Rows);
        Assert.Equal([0L, 2, 4, 4, 5, 6], rows.RowStarts);
        Assert.Equal([0, 2, 1, 9, 2147483646, 6], rows.Columns);
        Assert.Equal([0.5f, -2f, 1e-3f, 4.25f, 1f, 0f], rows.Values);
        Assert.Equal([1f, -1f, 0.5f, 1f, -1f], rows.Labels);
        Assert.Equal(2147483647, rows.Features);
        Assert.Equal(6, rows.Nonzeros);
        Assert.Equal(-1f, rows.MinLabel);
        Assert.Equal(1f, rows.MaxLabel);
        Assert.Equal([new SeenLabel(1, 3), new SeenLabel(-1, 5), new SeenLabel(0.5f, 7)], rows.DistinctLabels);
        Assert.Equal([1, 9], rows.RowColumns(1).ToArray());
        Assert.Equal([1e-3f, 4.25f], rows.RowValues(1).ToArray());
        Assert.Equal(0, rows.RowColumns(2).Length);
    }

    [Fact]
    public void Every_block_size_reads_the_same()
    {
        SparseRows whole = Read(Sample);
        byte[] bytes = Encoding.UTF8.GetBytes(Sample);
        byte[] packed = LibsvmFiles.Gzip(bytes);
        for (int block = 1; block <= bytes.Length + 2; block++)
        {
            LibsvmFiles.AssertSame(whole, Read(bytes, blockBytes: block));
            LibsvmFiles.AssertSame(whole, Read(packed, blockBytes: block));
        }
    }

    [Fact]
    public void Every_split_of_short_reads_reads_the_same()
    {
        SparseRows whole = Read(Sample);
        byte[] bytes = Encoding.UTF8.GetBytes(Sample);
        foreach (byte[] stored in new[] { bytes, LibsvmFiles.Gzip(bytes) })
        {
            for (int split = 0; split <= stored.Length; split++)
            {
                using var stream = new LibsvmFiles.SplitStream(stored, split);
                LibsvmFiles.AssertSame(whole, LibsvmReader.Read(stream, "f", RowPart.All, 4096, CancellationToken.None));
            }
        }
    }

    [Theory]
    [InlineData("1 1:1")]
    [InlineData("1 1:1\n")]
    [InlineData("1 1:1\r\n")]
    [InlineData("1 1:1\r")]
    [InlineData("\n\n1 1:1")]
    [InlineData("1 0001:1 \n\n\n")]
    [InlineData("1 qid:1 1:1 qid:x # 1:1")]
    [InlineData("\uFEFF1 1:1\n")]
    [InlineData("\uFEFF\r\n1 1:1\n")]
    public void Form_of_a_single_row_is_accepted(string text)
    {
        SparseRows rows = Read(text);
        Assert.Equal([1f], rows.Labels);
        Assert.Equal([0], rows.Columns);
        Assert.Equal([1f], rows.Values);
        Assert.Equal(1, rows.Features);
    }

    [Theory]
    [InlineData("x 1:1", "f:1: the label is not a finite number ('x'); a row is")]
    [InlineData("1 1:1\n\n#\nnan 1:1", "f:4: the label is not a finite number ('nan');")]
    [InlineData("1,2 1:1", "f:1: the label is not a finite number ('1,2');")]
    [InlineData("1:1 2:1", "f:1: the label is not a finite number ('1:1');")]
    [InlineData("1e39 1:1", "f:1: the label is not a finite number ('1e39');")]
    [InlineData("1\v1:1", "f:1: the label is not a finite number ('1\\x0b1:1');")]
    [InlineData("1 1:1\r1 1:1", "f:1: the value is not a finite number of single precision ('1:1\\x0d1');")]
    [InlineData("1 1:nan", "f:1: the value is not a finite number of single precision ('1:nan');")]
    [InlineData("1 1:-inf", "f:1: the value is not a finite number of single precision ('1:-inf');")]
    [InlineData("1 1:Infinity", "f:1: the value is not a finite number of single precision ('1:Infinity');")]
    [InlineData("1 1:3.5e38", "f:1: the value is not a finite number of single precision ('1:3.5e38');")]
    [InlineData("1 1:1e400", "f:1: the value is not a finite number of single precision ('1:1e400');")]
    [InlineData("1 1:", "f:1: the value is not a finite number of single precision ('1:');")]
    [InlineData("1 1: 2", "f:1: the value is not a finite number of single precision ('1:');")]
    [InlineData("1 1:1:2", "f:1: the value is not a finite number of single precision ('1:1:2');")]
    [InlineData("1 1:0x10", "f:1: the value is not a finite number of single precision ('1:0x10');")]
    [InlineData("1 1:1e", "f:1: the value is not a finite number of single precision ('1:1e');")]
    [InlineData("1 1:--1", "f:1: the value is not a finite number of single precision ('1:--1');")]
    [InlineData("1 1:.", "f:1: the value is not a finite number of single precision ('1:.');")]
    [InlineData("1 7", "f:1: this is not index:value ('7'); a row is")]
    [InlineData("1 a:1", "f:1: this is not index:value ('a:1');")]
    [InlineData("1 -1:1", "f:1: this is not index:value ('-1:1');")]
    [InlineData("1 :1", "f:1: this is not index:value (':1');")]
    [InlineData("1 1.5:1", "f:1: this is not index:value ('1.5:1');")]
    [InlineData("1 q\u00e9:1", "f:1: this is not index:value ('q\\xc3\\xa9:1');")]
    [InlineData("1 0:1 1:1", "f:1: index 0 is not allowed ('0:1'); indices start at 1")]
    [InlineData("1 000:1", "f:1: index 0 is not allowed ('000:1'); indices start at 1")]
    [InlineData("1 2147483648:1", "f:1: the index is too large ('2147483648:1'); indices go from 1 to 2147483647")]
    [InlineData("1 18446744073709551617:1", "f:1: the index is too large ('18446744073709551617:1');")]
    [InlineData("1 0000000000000000001:1", "f:1: the index has too many leading zeros ('0000000000000000001:1');")]
    [InlineData("1 5:1 5:1", "f:1: index 5 stands twice in this row ('5:1'); sort")]
    [InlineData("1 5:1 4:1", "f:1: index 4 comes after 5 ('4:1'); sort")]
    [InlineData("1 1:1\n1 b\u0001\u001b[31m", "f:2: this is not index:value ('b\\x01\\x1b[31m');")]
    [InlineData("", "f: there are no rows in this file;")]
    [InlineData("\n \r\n#c", "f: there are no rows in this file;")]
    public void Malformed_text_is_refused_with_its_line(string text, string message)
    {
        foreach (int block in new[] { 1, 5, 4096 })
        {
            Assert.StartsWith(message, Refused(Encoding.UTF8.GetBytes(text), block), StringComparison.Ordinal);
            Assert.StartsWith(message, Refused(LibsvmFiles.Gzip(Encoding.UTF8.GetBytes(text)), block), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Long_token_is_shortened()
    {
        string message = Refused(Encoding.UTF8.GetBytes("1 " + new string('z', 100_000)));
        Assert.StartsWith($"f:1: this is not index:value ('{new string('z', 37)}...');", message, StringComparison.Ordinal);
        message = Refused(Encoding.UTF8.GetBytes("1 " + new string('\u0001', 41)));
        const string Escaped = "\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\...";
        Assert.StartsWith($"f:1: this is not index:value ('{Escaped}');", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Line_at_the_limit_is_read_and_a_longer_one_refused()
    {
        byte[] text = new byte[TextFile.LongestLine + 7];
        text.AsSpan().Fill((byte)' ');
        "1 1:1\n1"u8.CopyTo(text);
        text[^1] = (byte)'\n';
        Assert.Equal(2, Read(text).Rows);

        foreach (byte end in "\n #"u8)
        {
            byte[] longer = new byte[TextFile.LongestLine + 8];
            longer.AsSpan().Fill((byte)' ');
            "1 1:1\n1"u8.CopyTo(longer);
            longer[^1] = end;
            foreach (int block in new[] { TextFile.DefaultBlockBytes, 32 << 20 })
                Assert.StartsWith("f:2: the line is longer than 16 MiB ('1  ", Refused(longer, block), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Endless_binary_data_is_refused()
    {
        using var zeros = new LibsvmFiles.EndlessStream(() => 0);
        var error = Assert.Throws<InputException>(
            () => LibsvmReader.Read(zeros, "f", RowPart.All, TextFile.DefaultBlockBytes, CancellationToken.None));
        Assert.StartsWith("f:1: the line is longer than 16 MiB ('\\x00\\x00", error.Message, StringComparison.Ordinal);

        var random = new Random(1);
        using var noise = new LibsvmFiles.EndlessStream(() => (byte)random.Next(256));
        error = Assert.Throws<InputException>(
            () => LibsvmReader.Read(noise, "f", RowPart.All, TextFile.DefaultBlockBytes, CancellationToken.None));
        Assert.StartsWith("f:1: the label is not a finite number ('", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelled_read_stops()
    {
        using var blanks = new LibsvmFiles.EndlessStream(() => (byte)'\n');
        using var cancelled = new CancellationTokenSource();
        cancelled.CancelAfter(TimeSpan.FromMilliseconds(50));
        Assert.Throws<OperationCanceledException>(
            () => LibsvmReader.Read(blanks, "f", RowPart.All, TextFile.DefaultBlockBytes, cancelled.Token));
    }

    [Fact]
    public void Parts_hold_every_row_once_and_in_order()
    {
        var text = new StringBuilder();
        for (int row = 0; row < 500; row++)
            text.Append(row % 3 == 0 ? "# skipped\n\n" : "").Append(CultureInfo.InvariantCulture, $"{row} {row + 1}:{row}.5\n");
        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        const int Count = 4;
        bool[] seen = new bool[500];
        for (int index = 0; index < Count; index++)
        {
            var part = new RowPart(index, Count, 9);
            SparseRows rows = Read(bytes, part);
            Assert.NotInRange(rows.Rows, 0, 80);
            for (int i = 0; i < rows.Rows; i++)
            {
                int row = (int)rows.Labels[i];
                Assert.True(part.Owns(row));
                Assert.True(i == 0 || rows.Labels[i - 1] < row);
                Assert.False(seen[row]);
                seen[row] = true;
                Assert.Equal([row], rows.RowColumns(i).ToArray());
                Assert.Equal([row + 0.5f], rows.RowValues(i).ToArray());
            }
        }

        Assert.DoesNotContain(false, seen);
    }

    [Fact]
    public void Malformed_row_is_reported_by_its_owner_only()
    {
        byte[] text = Encoding.UTF8.GetBytes("1 1:1\n1 1:1\nwrong\n1 1:1\n");
        int refused = 0;
        for (int index = 0; index < 4; index++)
        {
            var part = new RowPart(index, 4, 3);
            if (part.Owns(2))
            {
                refused++;
                Assert.StartsWith("f:3: ", Assert.Throws<InputException>(() => Read(text, part)).Message, StringComparison.Ordinal);
            }
            else
            {
                Read(text, part);
            }
        }

        Assert.Equal(1, refused);
    }

    [Fact]
    public void Part_without_rows_is_empty()
    {
        var part = new RowPart(0, 2, 1);
        part = part.Owns(0) ? part with { Index = 1 } : part;
        SparseRows rows = Read("1 5:1"u8.ToArray(), part);
        Assert.Equal(0, rows.Rows);
        Assert.Equal(0, rows.Features);
        Assert.Equal(float.PositiveInfinity, rows.MinLabel);
        Assert.Equal(float.NegativeInfinity, rows.MaxLabel);
    }

    [Fact]
    public void Large_file_grows_the_arrays_and_trims_them()
    {
        var text = new StringBuilder();
        for (int row = 0; row < 20_000; row++)
        {
            text.Append(row & 1);
            for (int column = 1; column <= 10; column++)
                text.Append(CultureInfo.InvariantCulture, $" {column * (row + 1)}:{row}.{column}");
            text.Append('\n');
        }

        SparseRows rows = Read(text.ToString());
        Assert.Equal(20_000, rows.Rows);
        Assert.Equal(200_000, rows.Columns.Length);
        Assert.Equal(200_000, rows.Values.Length);
        Assert.Equal(200_000, rows.Features);
        for (int row = 0; row < rows.Rows; row++)
        {
            Assert.Equal(10L * row, rows.RowStarts[row]);
            Assert.Equal(row & 1, rows.Labels[row]);
            for (int i = 0; i < 10; i++)
            {
                Assert.Equal(((i + 1) * (row + 1)) - 1, rows.RowColumns(row)[i]);
                Assert.Equal(float.Parse($"{row}.{i + 1}", CultureInfo.InvariantCulture), rows.RowValues(row)[i]);
            }
        }
    }

    [Fact]
    public void Row_outside_is_refused()
    {
        SparseRows rows = Read("1 1:1\n-1 2:1");
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.RowColumns(2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.RowValues(-1).Length);
    }

    private static SparseRows Read(string text) => Read(Encoding.UTF8.GetBytes(text));

    private static SparseRows Read(byte[] bytes, RowPart? part = null, int blockBytes = 4096) =>
        LibsvmFiles.Read(bytes, part ?? RowPart.All, blockBytes);

    private static string Refused(byte[] bytes, int block = 4096) =>
        Assert.Throws<InputException>(() => Read(bytes, blockBytes: block)).Message;
}
