using System;
using System.IO;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class RowPartTests
{
    [Fact]
    public void All_parts_have_each_row_once()
    {
        foreach (int count in new[] { 1, 2, 3, 7, 64 })
        {
            for (long row = 0; row < 1000; row++)
            {
                int owners = 0;
                for (int index = 0; index < count; index++)
                    owners += new RowPart(index, count, 5).Owns(row) ? 1 : 0;
                Assert.Equal(1, owners);
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(10)]
    public void Parts_are_about_equal(int count)
    {
        const int Rows = 100_000;
        double expected = (double)Rows / count;
        for (ulong seed = 0; seed < 5; seed++)
        {
            for (int index = 0; index < count; index++)
            {
                int owned = 0;
                for (long row = 0; row < Rows; row++)
                    owned += new RowPart(index, count, seed).Owns(row) ? 1 : 0;

                // Five standard deviations of a binomial count.
                double deviation = Math.Sqrt(expected * (1 - (1.0 / count)));
                Assert.InRange(owned, expected - (5 * deviation), expected + (5 * deviation));
            }
        }
    }

    [Fact]
    public void Neighbouring_rows_and_seeds_are_independent()
    {
        const int Rows = 100_000;
        int sameAsNext = 0;
        int sameAsOtherSeed = 0;
        int sameAsShiftedSeed = 0;
        for (long row = 0; row < Rows; row++)
        {
            bool owned = new RowPart(0, 2, 1).Owns(row);
            sameAsNext += owned == new RowPart(0, 2, 1).Owns(row + 1) ? 1 : 0;
            sameAsOtherSeed += owned == new RowPart(0, 2, 2).Owns(row) ? 1 : 0;
            sameAsShiftedSeed += owned == new RowPart(0, 2, 2).Owns(row + 1) ? 1 : 0;
        }

        Assert.InRange(sameAsNext, 49_200, 50_800);
        Assert.InRange(sameAsOtherSeed, 49_200, 50_800);
        Assert.InRange(sameAsShiftedSeed, 49_200, 50_800);
    }

    [Fact]
    public void Owner_of_a_row_does_not_change_between_versions()
    {
        // Workers of different builds share a run; a saved run is continued. These were computed when the hash was chosen.
        Span<char> owners = stackalloc char[24];
        for (int row = 0; row < owners.Length; row++)
        {
            for (int index = 0; index < 3; index++)
            {
                if (new RowPart(index, 3, 42).Owns(row))
                    owners[row] = (char)('0' + index);
            }
        }

        Assert.Equal("220211011200200202121221", owners.ToString());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-1, 2)]
    [InlineData(2, 2)]
    [InlineData(0, -1)]
    public void Part_that_cannot_exist_is_refused(int index, int count)
    {
        using var text = new MemoryStream("1 1:1\n"u8.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(
            () => LibsvmReader.Read(text, "x", new RowPart(index, count, 0), 16, CancellationToken.None));
    }
}
