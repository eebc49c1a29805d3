using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Images of IDX files become rows.</summary>
public sealed class ImageRowsTests
{
    private static readonly byte[] Pixels = [0, 255, 1, 0, 0, 0, 0, 0, 0, 0, 128, 51];
    private static readonly byte[] Labels = [6, 0];

    /// <summary>An IDX file of bytes.</summary>
    private static byte[] Idx(byte[] values, params int[] dimensions)
    {
        byte[] file = new byte[4 + (4 * dimensions.Length) + values.Length];
        (file[2], file[3]) = (8, (byte)dimensions.Length);
        for (int k = 0; k < dimensions.Length; k++)
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + (4 * k)), dimensions[k]);
        values.CopyTo(file, file.Length - values.Length);
        return file;
    }

    private static byte[] Images => Idx(Pixels, 2, 2, 3);

    private static string Convert(byte[] images, byte[] labels, out ImageRows rows, params byte[] positive)
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder.In("images"), images);
        File.WriteAllBytes(folder.In("labels"), labels);
        using var output = new MemoryStream();
        rows = ImageRows.Write(folder.In("images"), folder.In("labels"), new HashSet<byte>(positive), output, null, CancellationToken.None);
        return Encoding.ASCII.GetString(output.ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rows_read_back_are_the_images(bool packed)
    {
        byte[] images = packed ? LibsvmFiles.Gzip(Images) : Images, labels = packed ? LibsvmFiles.Gzip(Idx(Labels, 2)) : Idx(Labels, 2);
        string text = Convert(images, labels, out ImageRows told, 6);
        Assert.Equal("+1 2:1 3:0.003921569\n-1 5:0.5019608 6:0.2\n", text);
        Assert.Equal(new ImageRows(2, 1, 6, 4), told);

        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(text));
        SparseRows rows = LibsvmReader.Read(stream, "f", RowPart.All, 1 << 16, CancellationToken.None);
        Assert.Equal([1f, -1f], rows.Labels);
        for (int row = 0; row < 2; row++)
        {
            float[] image = new float[6];
            for (int k = 0; k < rows.RowColumns(row).Length; k++)
                image[rows.RowColumns(row)[k]] = rows.RowValues(row)[k];
            for (int j = 0; j < image.Length; j++)
                Assert.Equal(Pixels[(6 * row) + j] / 255f, image[j]);
        }
    }

    [Fact]
    public void Every_level_reads_back_as_the_same_float()
    {
        byte[] pixels = new byte[2 * 256];
        for (int k = 0; k < pixels.Length; k++)
            pixels[k] = (byte)k;
        string text = Convert(Idx(pixels, 2, 256), Idx([1, 2], 2), out _, 2);
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(text));
        SparseRows rows = LibsvmReader.Read(stream, "f", RowPart.All, 1 << 16, CancellationToken.None);
        Assert.Equal(255, rows.RowValues(0).Length);
        for (int k = 0; k < 255; k++)
            Assert.Equal((k + 1) / 255f, rows.RowValues(0)[k]);
    }

    [Fact]
    public void What_is_wrong_is_told_with_the_file_and_a_remedy()
    {
        byte[] labels = Idx(Labels, 2), packed = LibsvmFiles.Gzip(Images), huge = Idx([], int.MaxValue, int.MaxValue, int.MaxValue);
        byte[] floats = Images;
        floats[2] = 0x0d;
        (byte[] Images, byte[] Labels, string Part)[] cases =
        [
            ([], labels, "images: ends before"),
            (Images[..^1], labels, "images: has 27 bytes, and its header says 28; it is cut off"),
            ([.. Images, 0], labels, "something follows"),
            (packed[..^9], labels, "images: the gzip data is cut off"),
            (LibsvmFiles.Gzip(Images[..^1]), labels, "images: "),
            (LibsvmFiles.Gzip([.. Images, 0]), labels, "something follows"),
            ("+1 1:1\n"u8.ToArray(), labels, "this is no IDX file"),
            (floats, labels, "the type 0x0d"),
            (labels, Images, "exchanged?"),
            (Idx(Pixels, 3, 2, 2), labels, "has 2 labels, and"),
            (huge, labels, "is the file damaged?"),
            (LibsvmFiles.Gzip(huge), labels, "is the file damaged?"),
            (Idx([], 2, 0, 3), labels, "is the file damaged?"),
            (Idx([], 0, 2, 3), Idx([], 0), "0 items"),
            (Images, Idx([6, 6], 2), "all rows have"),
            (Images, Idx([3, 0], 2), "the labels are 0, 3"),
        ];
        foreach ((byte[] images, byte[] of, string part) in cases)
        {
            InputException told = Assert.Throws<InputException>(() => Convert(images, of, out _, 6));
            Assert.Contains(part, told.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_packed_header_that_claims_much_takes_no_memory()
    {
        byte[] images = LibsvmFiles.Gzip(Idx([], int.MaxValue, 28, 28)), labels = LibsvmFiles.Gzip(Idx([], int.MaxValue));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InputException>(() => Convert(images, labels, out _, 6));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }
}
