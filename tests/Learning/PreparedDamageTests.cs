using System;
using System.Buffers.Binary;
using System.IO;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Prepared files that are not what was written.</summary>
public sealed class PreparedDamageTests : IDisposable
{
    private const int Rows = 8;

    // Offsets in the only block: ends of rows, labels, columns, values.
    private const int Ends = PreparedFiles.FirstBlock + 24;
    private const int Labels = Ends + (4 * Rows);
    private const int Columns = Labels + (4 * Rows);

    private readonly string _folder = Directory.CreateTempSubdirectory("hpaps-damage-").FullName;
    private readonly string _path;
    private readonly byte[] _good;
    private readonly int _entries;

    public PreparedDamageTests()
    {
        _path = Path.Combine(_folder, "prepared");
        string text = Path.Combine(_folder, "rows");
        File.WriteAllText(text, PreparedFiles.Text(Rows));
        _good = PreparedFiles.Prepare(text);
        _entries = BinaryPrimitives.ReadInt32LittleEndian(_good.AsSpan(PreparedFiles.FirstBlock + 16));
        Assert.Equal(Rows, Read(_good).Rows);
    }

    private int Table => Columns + (8 * _entries);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Flipped_bit_is_noticed_in_each_byte()
    {
        for (int at = 0; at < _good.Length; at++)
        {
            byte[] damaged = [.. _good];
            damaged[at] ^= (byte)(1 << (at % 8));
            Assert.StartsWith(_path, Refusal(damaged), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Each_cut_is_noticed()
    {
        for (int length = 0; length < _good.Length; length++)
            Assert.StartsWith(_path, Refusal(_good[..length]), StringComparison.Ordinal);
        Assert.Equal($"{_path}: is cut off: it has {_good.Length - 1} of {_good.Length} bytes; copy it again, or prepare it again", Refusal(_good[..^1]));
        Assert.Contains("is cut off after 100 bytes, within its head", Refusal(_good[..100]), StringComparison.Ordinal);
    }

    [Fact]
    public void What_follows_the_end_is_noticed() => Assert.Contains("something follows its end", Refusal([.. _good, 0]), StringComparison.Ordinal);

    [Fact]
    public void Another_version_is_refused()
    {
        byte[] other = [.. _good];
        other[8] = 2;
        Assert.Equal($"{_path}: has version 2 of the prepared form, and this program reads version 1; prepare it again with this version of hpaps", Refusal(other));
    }

    [Theory]
    [InlineData(Ends, 1000, "row 0 ends before it begins")]
    [InlineData(Ends, -1, "row 0 ends before it begins")]
    [InlineData(Ends + (4 * (Rows - 1)), 0, "its rows do not have its entries")]
    [InlineData(Labels, 0x7fc00000, "row 0 has a label that is not among those of the file")]
    [InlineData(Labels, 0x40000000, "row 0 has a label that is not among those of the file")]
    [InlineData(Columns, -1, "row 0 has columns out of order, or beyond the 11 of the file")]
    [InlineData(Columns, 11, "row 0 has columns out of order, or beyond the 11 of the file")]
    [InlineData(PreparedFiles.FirstBlock + 8, 1, "it is another block")]
    public void What_is_signed_and_wrong_is_refused(int at, int value, string message)
    {
        byte[] wrong = [.. _good];
        BinaryPrimitives.WriteInt32LittleEndian(wrong.AsSpan(at), value);
        PreparedFiles.Sign(wrong);
        Assert.Equal($"{_path}: block 0, at byte 128, is damaged: {message}; copy it again, or prepare it again", Refusal(wrong));
    }

    [Theory]
    [InlineData(0x7f800000)]
    [InlineData(0x7fc00000)]
    public void Values_are_finite(int bits)
    {
        byte[] wrong = [.. _good];
        BinaryPrimitives.WriteInt32LittleEndian(wrong.AsSpan(Columns + (4 * _entries)), bits);
        PreparedFiles.Sign(wrong);
        Assert.Contains("row 0 has a value that is not finite", Refusal(wrong), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, int.MaxValue)]
    [InlineData(0, 0)]
    [InlineData(0, 4097)]
    [InlineData(4, int.MaxValue)]
    [InlineData(4, -1)]
    [InlineData(4, 6_000_000)]
    public void Table_takes_no_memory_for_what_is_not_there(int place, int value)
    {
        byte[] wrong = [.. _good];
        BinaryPrimitives.WriteInt32LittleEndian(wrong.AsSpan(Table + place), value);
        PreparedFiles.SignTable(wrong, Table);
        Assert.Contains("is damaged: block 0 cannot have ", Refusal(wrong), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12, int.MaxValue)]
    [InlineData(12, 0)]
    [InlineData(12, 2)]
    [InlineData(16, -1)]
    [InlineData(16, 9)]
    [InlineData(24, 1)]
    [InlineData(44, -1)]
    [InlineData(44, int.MaxValue)]
    public void Head_that_does_not_fit_the_file_is_refused(int place, int value)
    {
        byte[] wrong = [.. _good];
        BinaryPrimitives.WriteInt32LittleEndian(wrong.AsSpan(place), value);
        PreparedFiles.SignTable(wrong, Table);
        Assert.Contains("is damaged: ", Refusal(wrong), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_expects_text_says_what_it_is()
    {
        using var stream = new MemoryStream(_good);
        var error = Assert.Throws<InputException>(() => LibsvmReader.Read(stream, "f", RowPart.All, 4096, CancellationToken.None));
        Assert.StartsWith("f: this is a prepared file, of rows for logreg, and cannot be read here", error.Message, StringComparison.Ordinal);
        File.WriteAllBytes(_path, _good);
        error = Assert.Throws<InputException>(() => RatingsReader.Read(_path, new IdTable(), new IdTable(), needsRatings: true, CancellationToken.None));
        Assert.StartsWith($"{_path}: this is a prepared file", error.Message, StringComparison.Ordinal);
    }

    private string Refusal(byte[] file) => Assert.Throws<InputException>(() => Read(file)).Message;

    private SparseRows Read(byte[] file)
    {
        File.WriteAllBytes(_path, file);
        return LibsvmReader.Read(_path, RowPart.All, CancellationToken.None);
    }
}
