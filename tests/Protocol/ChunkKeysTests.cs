using HpAsyncPs.Protocol;
using Xunit;

namespace HpAsyncPs.Tests.Protocol;

/// <summary>How large the chunks of a job are: both ends must agree, and all workers' together stay bounded.</summary>
public sealed class ChunkKeysTests
{
    [Theory]
    [InlineData(1, 1, 262_144)]
    [InlineData(1, 8, 262_144)]
    [InlineData(1, 9, 131_072)]
    [InlineData(1, 16, 131_072)]
    [InlineData(1, 17, 65_536)]
    [InlineData(1, 64, 32_768)]
    [InlineData(1, 65, 16_384)]
    [InlineData(1, 4096, 16_384)]
    [InlineData(100, 1, 262_100)]
    [InlineData(100, 64, 32_700)]
    [InlineData(4096, 4096, 16_384)]
    [InlineData(4095, 4096, 16_380)]
    public void Are_as_many_whole_rows_as_fit_the_share_of_a_worker(int rowLength, int workers, int keys) =>
        Assert.Equal(keys, Limits.ChunkKeys(rowLength, workers));

    [Fact]
    public void Of_all_workers_together_never_exceed_eight_full_ones_until_they_are_the_smallest()
    {
        for (int workers = 1; workers <= Limits.Workers; workers++)
        {
            int keys = Limits.ChunkKeys(1, workers);
            Assert.True(keys == Limits.LeastChunkParameters || (long)keys * workers <= Limits.ChunksOfAllParameters);
            Assert.InRange(keys, Limits.LeastChunkParameters, Limits.ChunkParameters);
        }
    }
}
