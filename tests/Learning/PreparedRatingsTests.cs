using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Hashing;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Factorization.Prepared;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>What hpaps prepare mf writes, parts of it, and files that are not what was written.</summary>
public sealed class PreparedRatingsTests : IDisposable
{
    private const int HeadBytes = 128;

    private readonly string _folder = Directory.CreateTempSubdirectory("hpaps-ratings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void One_block_has_what_one_worker_makes_of_the_text(double holdout)
    {
        string path = Text(60);
        Ratings ratings = Read(path);
        FactorData expected = FactorData.Of(ratings, null, holdout, 5, 0, 1);
        PreparedRatings prepared = Prepared(path, holdout, 5, 1);
        Assert.Equal((ratings.Count, ratings.Users.Count, ratings.Items.Count), (prepared.Ratings, prepared.Users, prepared.Items.Count));
        Assert.Equal(ratings.Items.Fingerprint(), prepared.Items.Fingerprint());
        FactorData data = prepared.Part(RowPart.All, CancellationToken.None);
        Assert.Equal((expected.Mean, expected.Scale), (data.Mean, data.Scale));
        Assert.Equal(expected.UserIds, data.UserIds);
        Assert.Equal(expected.UserStarts, data.UserStarts);
        Assert.Equal(expected.Items, data.Items);
        Assert.Equal(expected.Values, data.Values);
        Assert.Equal(expected.LocalItems, data.LocalItems);
        Assert.Equal(expected.LocalCounts, data.LocalCounts);
        Assert.Equal(expected.ItemCounts, data.ItemCounts);
        Assert.Equal(holdout > 0, data.TestValues.Length > 0);
        Assert.Equal(All(expected, ratings.Items), All(data, prepared.Items));
    }

    [Theory]
    [InlineData(1, 7)]
    [InlineData(2, 7)]
    [InlineData(3, 64)]
    [InlineData(7, 64)]
    [InlineData(64, 64)]
    public void Parts_have_each_user_whole_and_each_rating_once(int parts, int blocks)
    {
        string path = Text(200);
        Ratings ratings = Read(path);
        FactorData whole = FactorData.Of(ratings, null, 0.2, 5, 0, 1);
        PreparedRatings prepared = Prepared(path, 0.2, 5, blocks);
        var together = new List<string>();
        var users = new HashSet<int>();
        int least = int.MaxValue, most = 0;
        for (int index = 0; index < parts; index++)
        {
            FactorData data = prepared.Part(new RowPart(index, parts, 99), CancellationToken.None);
            Assert.Equal((whole.Mean, whole.Scale), (data.Mean, data.Scale));
            Assert.Equal(whole.ItemCounts, data.ItemCounts);
            foreach (int user in data.UserIds)
                Assert.True(users.Add(user));
            for (int local = 0; local < data.LocalItems.Length; local++)
                Assert.Equal(data.LocalCounts[local], Array.FindAll(data.Items, item => item == local).Length);
            (least, most) = (Math.Min(least, data.Values.Length), Math.Max(most, data.Values.Length));
            together.AddRange(All(data, prepared.Items));
        }

        Assert.Equal(whole.Users, users.Count);
        Assert.Equal(All(whole, ratings.Items), PreparedFiles.Sorted(together));
        if (parts < 8)
            Assert.True(most <= 1.5 * least, $"parts have {least} to {most} ratings");
    }

    [Fact]
    public void Worker_reads_the_blocks_of_its_part_alone()
    {
        byte[] file = Prepare(Text(60), 0, 1, 10);
        file[^1] ^= 1;
        PreparedRatings prepared = Open(file)!;
        Assert.NotEmpty(prepared.Part(new RowPart(0, 2, 0), CancellationToken.None).Values);
        var error = Assert.Throws<InputException>(() => prepared.Part(new RowPart(1, 2, 0), CancellationToken.None));
        Assert.Matches("prepared: block 9, at byte [0-9]+, is damaged: its checksum is wrong; copy it again, or prepare it again$", error.Message);
    }

    [Fact]
    public void More_workers_than_blocks_and_other_hold_outs_are_refused()
    {
        PreparedRatings prepared = Prepared(Text(3), 0.25, 4, 1000);
        Assert.Contains("has 3 blocks of users, too few for 4 workers", Assert.Throws<InputException>(() => prepared.Part(new RowPart(0, 4, 0), CancellationToken.None)).Message, StringComparison.Ordinal);
        prepared.Check(hasTest: false, 0.25, 4);
        foreach (Action asks in (Action[])[() => prepared.Check(false, 0.2, 4), () => prepared.Check(false, 0.25, 5), () => prepared.Check(false, 0, 4)])
            Assert.Contains("was prepared with --holdout 0.25 --seed 4,", Assert.Throws<InputException>(asks).Message, StringComparison.Ordinal);
        Assert.Contains("leave --test out", Assert.Throws<InputException>(() => prepared.Check(true, 0, 4)).Message, StringComparison.Ordinal);
        Prepared(Text(3), 0, 4, 3).Check(hasTest: false, 0, 77);
    }

    [Fact]
    public void Other_files_are_none()
    {
        Assert.Null(PreparedRatings.TryOpen(Path.Combine(_folder, "absent")));
        Assert.Null(PreparedRatings.TryOpen(_folder));
        Assert.Null(PreparedRatings.TryOpen(Text(3)));
        Assert.Null(PreparedRatings.TryOpen("/dev/null"));
        File.WriteAllBytes(Path.Combine(_folder, "prepared"), Prepare(Text(3), 0, 1, 1));
        var error = Assert.Throws<InputException>(() => LibsvmReader.Read(Path.Combine(_folder, "prepared"), RowPart.All, CancellationToken.None));
        Assert.Contains("this is a prepared file, of ratings to train mf on", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Flipped_bits_and_cuts_are_noticed_anywhere()
    {
        byte[] good = Prepare(Text(8), 0.3, 1, 3);
        for (int at = 0; at < good.Length; at++)
        {
            byte[] damaged = [.. good];
            damaged[at] ^= (byte)(1 << (at % 8));
            Refuses(damaged, at < 8);
            if (at < 200 || at % 7 == 0)
                Refuses(good[..at], at < 9);
        }

        Refuses([.. good, 0], false);
        byte[] other = [.. good];
        other[8] = 2;
        Assert.Contains("has version 2 of the prepared form, and this program reads version 1", Assert.Throws<InputException>(() => Open(other)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, -1, "a user beyond those of the file")]
    [InlineData(0, 3, "a user beyond those of the file")]
    [InlineData(12, 1000, "its users do not have its ratings")]
    [InlineData(24, -1, "its users do not have its ratings")]
    [InlineData(36, 1, "its users do not have its ratings")]
    [InlineData(48, int.MaxValue, "out of order")]
    [InlineData(48, -1, "an item beyond those of the file")]
    public void What_is_signed_and_wrong_is_refused(int place, int value, string message)
    {
        byte[] file = Prepare(Text(3), 0, 1, 1);
        int items = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(20)), table = HeadBytes + (8 * items) + BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(24)), block = table + 24;
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(block + place), value);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(table + 16), XxHash3.HashToUInt64(file.AsSpan(block)));
        Sign(file, block);
        Assert.Contains(message, Assert.Throws<InputException>(() => Open(file)!.Part(RowPart.All, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, int.MaxValue)]
    [InlineData(0, -1)]
    [InlineData(0, 100_000)]
    [InlineData(4, int.MaxValue)]
    [InlineData(12, int.MinValue)]
    public void Table_takes_no_memory_for_what_is_not_there(int place, int value)
    {
        byte[] file = Prepare(Text(3), 0, 1, 1);
        int items = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(20)), table = HeadBytes + (8 * items) + BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(24));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(table + place), value);
        Sign(file, table + 24);
        Assert.Contains("block 0 cannot be where its table has it", Assert.Throws<InputException>(() => Open(file)!.Part(RowPart.All, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12, int.MaxValue)]
    [InlineData(16, 0)]
    [InlineData(20, int.MaxValue)]
    [InlineData(24, int.MaxValue)]
    [InlineData(24, -1)]
    public void Head_that_does_not_fit_the_file_is_refused(int place, int value)
    {
        byte[] file = Prepare(Text(3), 0, 1, 1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(place), value);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(120), XxHash3.HashToUInt64(file.AsSpan(0, 120)));
        Assert.Contains("the numbers of its head do not fit each other", Assert.Throws<InputException>(() => Open(file)).Message, StringComparison.Ordinal);
    }

    private static void Sign(byte[] file, int blocks)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(80), XxHash3.HashToUInt64(file.AsSpan(HeadBytes..blocks)));
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(120), XxHash3.HashToUInt64(file.AsSpan(0, 120)));
    }

    private void Refuses(byte[] file, bool isNone)
    {
        if (isNone)
        {
            Assert.Null(Open(file)); // it does not begin like one: text, as far as anybody can tell
            return;
        }

        Assert.Throws<InputException>(() => Open(file)!.Part(RowPart.All, CancellationToken.None));
    }

    private static byte[] Prepare(string path, double holdout, ulong seed, int blocks)
    {
        var output = new MemoryStream();
        RatingsPreparation.Write(path, holdout, seed, blocks, output, static _ => { }, CancellationToken.None);
        return output.ToArray();
    }

    private PreparedRatings Prepared(string path, double holdout, ulong seed, int blocks) => Open(Prepare(path, holdout, seed, blocks))!;

    private PreparedRatings? Open(byte[] file)
    {
        string path = Path.Combine(_folder, "prepared");
        File.WriteAllBytes(path, file);
        return PreparedRatings.TryOpen(path);
    }

    private static Ratings Read(string path) => RatingsReader.Read(path, new IdTable(), new IdTable(), needsRatings: true, CancellationToken.None);

    /// <summary>Each rating as text, with the ids.</summary>
    private static List<string> All(FactorData data, IdTable items)
    {
        var all = new List<string>();
        for (int user = 0; user < data.Users; user++)
        {
            for (int r = data.UserStarts[user]; r < data.UserStarts[user + 1]; r++)
                all.Add(string.Create(CultureInfo.InvariantCulture, $"{data.UserNames.Text(data.UserPlaces[user])} {data.UserIds[user]} {items.Text(data.LocalItems[data.Items[r]])} {data.Values[r]:R}"));
        }

        for (int t = 0; t < data.TestUsers.Length; t++)
        {
            int user = data.TestUsers[t];
            all.Add(string.Create(CultureInfo.InvariantCulture, $"{data.UserNames.Text(data.UserPlaces[user])} {data.UserIds[user]} {items.Text(data.TestItems[t])} {data.TestValues[t]:R} held out"));
        }

        return PreparedFiles.Sorted(all);
    }

    /// <summary>Ratings of users of whom some have many more than others; some twice of one item.</summary>
    private string Text(int users)
    {
        var random = new Random(users);
        var text = new StringBuilder();
        for (int user = 0; user < users; user++)
        {
            for (int j = 0; j < 6 + (60 / (user + 1)); j++)
                text.Append(CultureInfo.InvariantCulture, $"u\u00e9{user},i{random.Next(40)},{random.Next(1, 11) / 2.0}\n");
        }

        string path = Path.Combine(_folder, "ratings.csv");
        File.WriteAllText(path, text.ToString());
        return path;
    }
}
