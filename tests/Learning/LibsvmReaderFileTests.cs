using System;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Files that cannot be opened, gzip, and files damaged at random.</summary>
public sealed class LibsvmReaderFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hpaps-libsvm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void File_is_read_plain_and_gzip_whatever_its_name()
    {
        byte[] text = Encoding.UTF8.GetBytes(Text(2000, 1));
        string plain = WriteFile("plain.gz", text);
        string packed = WriteFile("packed.txt", LibsvmFiles.Gzip(text));
        SparseRows expected = LibsvmFiles.Read(text, RowPart.All, 4096);
        LibsvmFiles.AssertSame(expected, LibsvmReader.Read(plain, RowPart.All, CancellationToken.None));
        LibsvmFiles.AssertSame(expected, LibsvmReader.Read(packed, RowPart.All, CancellationToken.None));
        Assert.Equal(plain, LibsvmReader.Read(plain, RowPart.All, CancellationToken.None).Source);
    }

    [Theory]
    [InlineData("missing.svm", "there is no such file; check the path")]
    [InlineData("missing/deep.svm", "there is no such file; check the path")]
    [InlineData("empty.svm", "there are no rows in this file; give a file of LIBSVM text")]
    [InlineData("empty.svm/x", "")]
    [InlineData("nul\0l", "cannot be read: ")]
    public void File_that_cannot_be_used_is_refused(string name, string message)
    {
        WriteFile("empty.svm", []);
        string path = Path.Combine(_folder, name);
        var error = Assert.Throws<InputException>(() => LibsvmReader.Read(path, RowPart.All, CancellationToken.None));
        Assert.StartsWith($"{path}: {message}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unreadable_file_is_refused()
    {
        string path = WriteFile("secret.svm", "1 1:1"u8.ToArray());
        File.SetUnixFileMode(path, UnixFileMode.None);
        try
        {
            File.ReadAllBytes(path);
            Assert.Skip("this user may read every file");
        }
        catch (UnauthorizedAccessException)
        {
        }

        var error = Assert.Throws<InputException>(() => LibsvmReader.Read(path, RowPart.All, CancellationToken.None));
        Assert.Equal($"{path}: may not be read by this user; check its permissions", error.Message);
    }

    [Fact]
    public void Gzip_of_several_members_is_read_as_one()
    {
        byte[] first = LibsvmFiles.Gzip(Encoding.UTF8.GetBytes(Text(300, 1)));
        byte[] second = LibsvmFiles.Gzip([]);
        byte[] third = LibsvmFiles.Gzip(Encoding.UTF8.GetBytes(Text(300, 2)));
        byte[] whole = Encoding.UTF8.GetBytes(Text(300, 1) + Text(300, 2));
        LibsvmFiles.AssertSame(
            LibsvmFiles.Read(whole, RowPart.All, 4096), LibsvmFiles.Read([.. first, .. second, .. third], RowPart.All, 4096));
    }

    [Fact]
    public void Gzip_cut_off_anywhere_is_noticed()
    {
        byte[] packed = LibsvmFiles.Gzip(Encoding.UTF8.GetBytes(Text(300, 1)));
        foreach (byte[] before in new[] { [], packed })
        {
            // From 2: with a byte less it is no gzip. After a whole member, a cut at 0 is a good end and one at 1 is not.
            for (int length = before.Length == 0 ? 2 : 1; length < packed.Length; length++)
            {
                byte[] cut = [.. before, .. packed[..length]];
                var error = Assert.Throws<InputException>(() => LibsvmFiles.Read(cut, RowPart.All, 1000));
                bool noticed = error.Message.StartsWith("f: the gzip data is cut off", StringComparison.Ordinal);
                Assert.True(noticed, $"{length}: {error.Message}");
            }
        }
    }

    [Fact]
    public void Gzip_with_any_bit_of_its_sums_wrong_is_refused()
    {
        byte[] packed = LibsvmFiles.Gzip(Encoding.UTF8.GetBytes(Text(300, 1)));
        byte[] last = LibsvmFiles.Gzip("1 1:1\n"u8.ToArray());
        for (int bit = 0; bit < 64; bit++)
        {
            byte[] wrong = [.. packed];
            wrong[packed.Length - 8 + (bit / 8)] ^= (byte)(1 << (bit % 8));
            Assert.Contains("gzip data", Refused(wrong), StringComparison.Ordinal);
            Assert.Contains("gzip data", Refused([.. wrong, .. last]), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Gzip_damaged_in_its_data_is_reported_as_such_and_not_as_a_malformed_row()
    {
        byte[] packed = LibsvmFiles.Gzip(Encoding.UTF8.GetBytes(Text(2000, 1)));
        for (int at = 12; at < packed.Length - 8; at += 97)
        {
            byte[] wrong = [.. packed];
            wrong[at] ^= 0x10;
            Assert.StartsWith("f: the gzip data ", Refused(wrong), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Gzip_followed_by_other_data_is_refused()
    {
        byte[] packed = LibsvmFiles.Gzip("1 1:1\n"u8.ToArray());
        string message = Refused([.. packed, .. "text\n"u8]);
        Assert.StartsWith("f: the gzip data is cut off, or other data follows it;", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gzip_of_malformed_text_names_the_line()
    {
        Assert.StartsWith("f:2: the label", Refused(LibsvmFiles.Gzip("1 1:1\nx\n"u8.ToArray())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 200)]
    [InlineData(200, 1)]
    public void File_whose_halves_differ_is_read_whole(int first, int second)
    {
        // What the arrays grow to is guessed from the rows before: here it is wrong both ways.
        var text = new StringBuilder();
        foreach (int entries in new[] { first, second })
        {
            for (int row = 0; row < 200_000 / entries; row++)
            {
                text.Append('1');
                for (int column = 1; column <= entries; column++)
                    text.Append(CultureInfo.InvariantCulture, $" {column}:{row & 0xff}");
                text.Append('\n');
            }
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        SparseRows rows = LibsvmFiles.Read(bytes, RowPart.All, 4096);
        Assert.Equal(200_000 + 1000, rows.Rows);
        Assert.Equal(400_000, rows.Nonzeros);
        Assert.Equal(200, rows.Features);
        int dense = first > 1 ? 0 : 200_000;
        for (int row = 0; row < rows.Rows; row++)
        {
            int length = row >= dense && row < dense + 1000 ? 200 : 1;
            int half = length == 200 ? row - dense : row - (first > 1 ? 1000 : 0);
            Assert.Equal(length, rows.RowColumns(row).Length);
            Assert.Equal(length - 1, rows.RowColumns(row)[^1]);
            Assert.Equal(half & 0xff, rows.RowValues(row)[^1]);
        }

        LibsvmFiles.AssertSame(rows, LibsvmFiles.Read(LibsvmFiles.Gzip(bytes), RowPart.All, 4096));
    }

    [Fact]
    public void Failing_disk_is_reported()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/proc/self/mem"))
            Assert.Skip("needs /proc/self/mem, a file whose first page cannot be read");
        var error = Assert.Throws<InputException>(() => LibsvmReader.Read("/proc/self/mem", RowPart.All, CancellationToken.None));
        Assert.StartsWith("/proc/self/mem: cannot be read: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Mutated_file_is_read_or_refused_and_nothing_else(bool gzip)
    {
        const int Files = 5000;
        ReadOnlySpan<byte> favourites = "0123456789 :#.+-eE\n\r\tqid\0\u001f\u008b"u8;
        byte[] original = Encoding.UTF8.GetBytes("# c\r\n+1 qid:3 1:1 2:-0.5 17:2.25e-3\n" + Text(6, 1) + "-1 3:1");
        if (gzip)
            original = LibsvmFiles.Gzip(original);
        int read = 0;
        int refused = 0;
        for (int seed = 0; seed < Files; seed++)
        {
            var random = new Random(seed);
            byte[] mutated = [.. original];
            for (int change = random.Next(1, 5); change > 0 && mutated.Length > 0; change--)
                mutated = Mutate(mutated, random, favourites);
            var part = new RowPart(0, random.Next(1, 3), (ulong)seed);
            try
            {
                Check(LibsvmFiles.Read(mutated, part, random.Next(1, 64)));
                read++;
            }
            catch (InputException error)
            {
                Assert.StartsWith("f:", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', error.Message);
                refused++;
            }
        }

        // Both ends must be reached often, or the mutations test little.
        Assert.True(read > (gzip ? 10 : Files / 10), $"{read} read");
        Assert.True(refused > Files / 10, $"{refused} refused");
    }

    private static byte[] Mutate(byte[] bytes, Random random, ReadOnlySpan<byte> favourites)
    {
        int at = random.Next(bytes.Length);
        byte other = random.Next(4) == 0 ? (byte)random.Next(256) : favourites[random.Next(favourites.Length)];
        int length = random.Next(1, Math.Min(20, bytes.Length - at) + 1);
        switch (random.Next(6))
        {
            case 0:
                bytes[at] = other;
                return bytes;
            case 1:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 2:
                return [.. bytes[..at], other, .. bytes[at..]];
            case 3:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 4:
                return [.. bytes[..(at + length)], .. bytes[at..]];
            default:
                return bytes[..at];
        }
    }

    // What every result promises.
    private static void Check(SparseRows rows)
    {
        Assert.Equal(rows.Labels.Length + 1, rows.RowStarts.Length);
        Assert.Equal(rows.Columns.Length, rows.Values.Length);
        Assert.Equal(rows.Nonzeros, rows.RowStarts[^1]);
        for (int row = 0; row < rows.Rows; row++)
        {
            Assert.True(float.IsFinite(rows.Labels[row]));
            int previous = -1;
            foreach (int column in rows.RowColumns(row))
            {
                Assert.InRange(column, previous + 1, rows.Features - 1);
                previous = column;
            }

            foreach (float value in rows.RowValues(row))
                Assert.True(float.IsFinite(value));
        }
    }

    private static string Text(int rows, int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        for (int row = 0; row < rows; row++)
        {
            text.Append(random.Next(2) == 0 ? "-1" : "+1");
            for (int index = random.Next(1, 9); index < 60; index += random.Next(1, 20))
                text.Append($" {index}:{random.NextDouble():F4}");
            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Refused(byte[] bytes) =>
        Assert.Throws<InputException>(() => LibsvmFiles.Read(bytes, RowPart.All, 1000)).Message;

    private string WriteFile(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
