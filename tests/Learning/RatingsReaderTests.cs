using System;
using System.IO;
using System.IO.Compression;
using System.Text;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class RatingsReaderTests
{
    [Theory]
    [InlineData("userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n1,1029,3,1260759179\n7,31,4,12\n")]
    [InlineData("1,31,2.5,1260759144\n1,1029,3.0,1260759179\n7,31,4\n")]
    [InlineData("1::31::2.5::978300760\r\n1::1029::3::978302109\r\n7::31::4::978301968\r\n")]
    [InlineData("1\t31\t2.5\t881250949\n1\t1029\t3\t891717742\n7\t31\t4\t1")]
    [InlineData("1 31 2.5\n1  1029 \t3\n7 31 4\n")]
    [InlineData("\"User-ID\";\"ISBN\";\"Book-Rating\"\n\"1\";\"31\";\"2.5\"\n\"1\";\"1029\";\"3\"\n\"7\";\"31\";\"4\"\n")]
    [InlineData("\uFEFF1,31,2.5\n\n1, 1029 , 3 \n   \n7,31,+4e0\n")]
    public void Every_form_of_a_file_is_read_alike(string text)
    {
        foreach (int block in new[] { 1, 3, 1 << 20 })
        {
            Ratings ratings = Read(text, blockBytes: block);
            Assert.Equal([0, 0, 1], ratings.UserOf);
            Assert.Equal([0, 1, 0], ratings.ItemOf);
            Assert.Equal([2.5f, 3, 4], ratings.Values);
            Assert.Equal("7", ratings.Users.Text(1));
            Assert.Equal("1029", ratings.Items.Text(1));
        }
    }

    [Theory]
    [InlineData("1,31,2.5\n1,32\n", "f:2: there is no rating, only two fields ('1,32')")]
    [InlineData("1,31,2.5\n132\n", "f:2: there is only one field")]
    [InlineData("1,31,2.5\n1,32,\n", "f:2: the rating is not a finite number ('')")]
    [InlineData("1,31,2.5\n1,32,good\n", "f:2: the rating is not a finite number ('good')")]
    [InlineData("1,31,2.5\n1,32,nan\n", "f:2: the rating is not a finite number")]
    [InlineData("1,31,2.5\n1,32,1e99\n", "f:2: the rating is not a finite number")]
    [InlineData("1;31;2,5\n", "f:1: the rating is not a finite number ('2,5')")]
    [InlineData("1,31,2.5x\n", "f:1: the rating is not a finite number")]
    [InlineData("1,31,abc\n1,32,4\n", "f:1: the rating is not a finite number")]
    [InlineData("1,31,2.5\n,32,4\n", "f:2: an id is empty")]
    [InlineData("1,31,2.5\n1,,4\n", "f:2: an id is empty")]
    [InlineData("1\t31\t2.5\n\t32\t4\t9\n", "f:2: the first field is empty")]
    [InlineData("1,31,2.5\n\"1,32,4\n", "f:2: the quotes of a field do not close")]
    [InlineData("movieId,userId,rating\n1,2,3\n", "f:1: the columns are in another order than user, item, rating")]
    [InlineData("user_id,item_id,timestamp,rating\n1,2,1600000000,3\n", "f:1: the columns are in another order than user, item, rating")]
    [InlineData("user,item,rating\r1,2,3\r", "f:1: a carriage return stands within the line")]
    [InlineData("1,2,3e20\n", "f:1: the rating is too large ('3e20'); ratings go from -1e+15 to 1e+15")]
    [InlineData("userId,rating,movieId\n1,2,3\n", "f:1: the columns are in another order than user, item, rating")]
    [InlineData("%%MatrixMarket matrix coordinate real general\n", "f:1: this is not a list of ratings: it begins like MatrixMarket")]
    [InlineData("justaword\n", "f:1: this is not user, item and rating")]
    [InlineData("userId,movieId,rating\n", "f: there are no ratings in this file")]
    [InlineData("", "f: there are no ratings in this file")]
    [InlineData("PK\u0003\u0004rest", "f: this is a zip archive; unpack it")]
    [InlineData("1,3\u00011,2\n", "f:1: an id has control characters")]
    public void Malformed_text_is_refused_with_line_and_remedy(string text, string expected)
    {
        string message = Assert.Throws<InputException>(() => Read(text)).Message;
        Assert.StartsWith(expected, message, StringComparison.Ordinal);
        Assert.Contains(';', message);
    }

    [Fact]
    public void Pairs_may_come_without_ratings_where_none_are_needed()
    {
        Ratings ratings = Read("user,item\nu1,i1\nu2,i1,\nu2,i2,3\n", needsRatings: false);
        Assert.Equal([0, 1, 1], ratings.UserOf);
        Assert.Equal([float.NaN, float.NaN, 3], ratings.Values);
        Assert.Equal(2, Read("customer,product,stars\nu1,i1,3\nu2,i1,4\n", needsRatings: false).Count); // the header is none of the pairs
    }

    [Fact]
    public void Ids_may_be_any_text_and_keep_apart()
    {
        Ratings ratings = Read("\"a, b\",x y,1\nÄ,01,2\nA,1,3\n#4,1,4\n");
        Assert.Equal(["a, b", "Ä", "A", "#4"], Texts(ratings.Users));
        Assert.Equal(["x y", "01", "1"], Texts(ratings.Items));
    }

    [Fact]
    public void Many_ids_are_found_again()
    {
        var text = new StringBuilder();
        for (int j = 0; j < 20_000; j++)
            text.Append(j * 7919 % 20_011).Append(',').Append((long)j * j % 9973).Append(",1\n");
        Ratings ratings = Read(text.ToString());
        Assert.Equal(20_000, ratings.Users.Count);
        for (int j = 0; j < 20_000; j++)
        {
            Assert.Equal($"{j * 7919 % 20_011}", ratings.Users.Text(ratings.UserOf[j]));
            Assert.Equal($"{(long)j * j % 9973}", ratings.Items.Text(ratings.ItemOf[j]));
        }

        Assert.Equal(5, ratings.Users.Find(ratings.Users[5]));
        Assert.Equal(-1, ratings.Users.Find("nobody"u8));
    }

    [Fact]
    public void Gzip_is_read_and_a_cut_one_refused()
    {
        byte[] packed = Packed("1,31,2.5\n1,32,4");
        Assert.Equal([2.5f, 4], Read(packed).Values);
        Assert.Contains("cut off", Assert.Throws<InputException>(() => Read(packed[..^9])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Held_out_ratings_depend_on_the_seed_and_the_ids_alone()
    {
        var forwards = new StringBuilder();
        var backwards = new StringBuilder();
        for (int user = 0; user < 200; user++)
        {
            for (int item = 0; item < 50; item++)
            {
                forwards.Append(user).Append(',').Append(item).Append(",3\n");
                backwards.Append(199 - user).Append(',').Append(49 - item).Append(",3\n");
            }
        }

        Ratings one = Read(forwards.ToString()), other = Read(backwards.ToString());
        int held = 0, moved = 0;
        for (int r = 0; r < one.Count; r++)
        {
            Assert.Equal(one.IsHeldOut(r, 0.1, 1), other.IsHeldOut(one.Count - 1 - r, 0.1, 1));
            held += one.IsHeldOut(r, 0.1, 1) ? 1 : 0;
            moved += one.IsHeldOut(r, 0.1, 1) != one.IsHeldOut(r, 0.1, 2) ? 1 : 0;
        }

        Assert.InRange(held, 900, 1100);
        Assert.InRange(moved, 1600, 2000); // 18 % of pairs are in one choice and not in the other
    }

    private static Ratings Read(string text, bool needsRatings = true, int blockBytes = 1 << 16) =>
        Read(Encoding.UTF8.GetBytes(text), needsRatings, blockBytes);

    private static Ratings Read(byte[] bytes, bool needsRatings = true, int blockBytes = 1 << 16)
    {
        using var stream = new MemoryStream(bytes);
        return RatingsReader.Read(stream, "f", new IdTable(), new IdTable(), needsRatings, blockBytes);
    }

    private static byte[] Packed(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }

    private static string[] Texts(IdTable ids)
    {
        string[] all = new string[ids.Count];
        for (int j = 0; j < all.Length; j++)
            all[j] = ids.Text(j);
        return all;
    }
}
