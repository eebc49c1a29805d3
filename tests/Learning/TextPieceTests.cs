using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Pieces of text by offsets.</summary>
public sealed class TextPieceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hpaps-piece-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("+1 1:1\n-1 2:2\n+1 3:3\n")]
    [InlineData("+1 1:1\n-1 2:2\n+1 3:3")]
    [InlineData("+1 1:1\r\n-1 2:2\r\n+1 3:3\r\n")]
    [InlineData("+1 1:1\r\n-1 2:2\r\n+1 3:3")]
    [InlineData("\n\n+1 1:1\n\n\n-1 2:2\n  \n+1 3:3\n\n\n\n")]
    [InlineData("# head\n+1 1:1 # one\n#\n-1 2:2\n#last")]
    [InlineData("\uFEFF+1 1:1\n-1 2:2\n")]
    [InlineData("\uFEFF\n-1 2:2\n")]
    [InlineData("+1 1:1")]
    [InlineData("+1\n-1\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n")]
    [InlineData("+1 1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10\n-1 1:1\n+1 1:2\n")]
    public void Each_line_is_in_one_piece_whatever_their_number(string text)
    {
        string path = WriteFile(Encoding.UTF8.GetBytes(text));
        List<string> expected = PreparedFiles.Lines(LibsvmReader.Read(path, RowPart.All, CancellationToken.None));
        int bytes = Encoding.UTF8.GetByteCount(text);
        List<int> begins = Begins(text);
        Assert.Equal(expected.Count, begins.Count);
        for (int count = 1; count <= bytes + 3; count++)
        {
            var together = new List<string>();
            for (int index = 0; index < count; index++)
            {
                SparseRows piece = Read(path, index, count);
                Assert.Equal(count > 1 ? $"bytes of {bytes}" : null, piece.CutFrom);
                Assert.Equal(begins.FindAll(at => at >= bytes * index / count && at < bytes * (index + 1) / count).Count, piece.Rows);
                together.AddRange(PreparedFiles.Lines(piece));
            }

            Assert.Equal(expected, together);
        }
    }

    [Fact]
    public void Pieces_are_about_equal_and_longer_than_what_is_read_at_a_time()
    {
        string path = WriteFile(Encoding.UTF8.GetBytes(PreparedFiles.Text(60_000)));
        Assert.True(new FileInfo(path).Length / 2 > TextFile.DefaultBlockBytes);
        List<string> expected = PreparedFiles.Lines(LibsvmReader.Read(path, RowPart.All, CancellationToken.None)), together = [];
        for (int index = 0; index < 2; index++)
        {
            SparseRows piece = Read(path, index, 2);
            Assert.InRange(piece.Rows, 29_000, 31_000);
            together.AddRange(PreparedFiles.Lines(piece));
        }

        Assert.Equal(expected, together);
    }

    [Fact]
    public void Line_that_is_longer_than_a_piece_is_one_workers()
    {
        var text = new StringBuilder("+1 1:1\n-1");
        for (int column = 1; column < 5000; column++)
            text.Append(' ').Append(column).Append(":1");
        string path = WriteFile(Encoding.UTF8.GetBytes(text + "\n+1 1:2"));
        var rows = new List<int>();
        for (int index = 0; index < 8; index++)
            rows.Add(Read(path, index, 8).Rows);
        Assert.Equal([2, 0, 0, 0, 0, 0, 0, 1], rows);
    }

    [Fact]
    public void Errors_say_the_line_or_where_it_begins()
    {
        string path = WriteFile("+1 1:1\n-1 1:x\n+1 1:1\n7 1:1\n"u8.ToArray());
        Assert.StartsWith($"{path}:2: the value is not a finite number", Assert.Throws<InputException>(() => Read(path, 0, 2)).Message, StringComparison.Ordinal);
        Assert.StartsWith($"{path}, the line at byte 21: label '7' does not fit", Assert.Throws<InputException>(() => BinaryLabels.Of(Read(path, 1, 2))).Message, StringComparison.Ordinal);
        Assert.StartsWith($"{path}, the line at byte 7: the value is not a finite number", Assert.Throws<InputException>(() => Read(path, 1, 4)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_no_lines_to_be_found_in_its_middle_is_refused()
    {
        string path = WriteFile(LibsvmFiles.Gzip("+1 1:1\n"u8.ToArray()));
        Assert.Equal($"{path}: is gzip, which cannot be read from its middle as --cut bytes does; unpack it, or make a prepared file of it (hpaps prepare logreg), or leave --cut bytes out", Refusal(path));
        WriteFile("PK\u0003\u0004 and so on"u8.ToArray());
        Assert.Contains("this is a zip archive", Refusal(path), StringComparison.Ordinal);
        string text = Path.Combine(_folder, "text");
        File.WriteAllText(text, "+1 1:1\n");
        WriteFile(PreparedFiles.Prepare(text));
        Assert.Contains("is prepared, and each worker reads its own rows of it as it is; leave --cut bytes out", Refusal(path), StringComparison.Ordinal);
        Assert.Equal(1, Read(path, 0, 1).Rows); // one worker has all of it, cut or not
    }

    /// <summary>Offsets at which lines begin that are rows.</summary>
    private static List<int> Begins(string text)
    {
        var begins = new List<int>();
        int at = 0;
        foreach (string line in text.Split('\n'))
        {
            if (line.Trim('\uFEFF', ' ', '\r') is { Length: > 0 } row && row[0] != '#')
                begins.Add(at);
            at += Encoding.UTF8.GetByteCount(line) + 1;
        }

        return begins;
    }

    private static SparseRows Read(string path, int index, int count) => LibsvmReader.Read(path, new RowPart(index, count, 3), RowCut.Bytes, CancellationToken.None);

    private static string Refusal(string path) => Assert.Throws<InputException>(() => Read(path, 1, 2)).Message;

    private string WriteFile(byte[] bytes)
    {
        string path = Path.Combine(_folder, "text.svm");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
