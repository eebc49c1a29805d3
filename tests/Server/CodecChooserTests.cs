using System;
using System.Collections.Generic;
using HpAsyncPs.Server;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>What --codec auto decides, and when it changes its mind.</summary>
public sealed class CodecChooserTests
{
    private const int Parameters = 1_000_000;

    private static readonly string[] Names = ["fp32", "int8", "int4"];

    [Fact]
    public void Small_vectors_are_never_coded()
    {
        var chooser = new CodecChooser((CodecChooser.LeastBytes / sizeof(float)) - 1, CodingCosts.Ordinary, hasLinks: true);
        Assert.True(chooser.IsIdle);
        Assert.Null(chooser.Consider(10, [Cost(chooser, 1, 1e3)], waits: false));
        Assert.Equal("fp32", chooser.Current.Name);
    }

    [Theory]
    [InlineData(1e-3, 1e6, "int4")] // bytes are all that counts
    [InlineData(10, 1e9, "fp32")] // they do not count
    [InlineData(1e-3, double.PositiveInfinity, "fp32")] // no link
    public void The_link_decides(double busy, double rate, string best)
    {
        foreach (bool hasLinks in (bool[])[true, false])
        {
            var chooser = new CodecChooser(Parameters, CodingCosts.Ordinary, hasLinks);
            Assert.Equal(hasLinks ? "int4" : "fp32", chooser.Current.Name);
            for (int round = 1; round < 8; round++)
                chooser.Consider(round, [Cost(chooser, busy, rate), Cost(chooser, busy, rate)], waits: false);
            Assert.Equal(best, chooser.Current.Name);
        }
    }

    [Fact]
    public void A_byte_costs_something_where_no_link_is_narrow()
    {
        var chooser = new CodecChooser(Parameters, CodingCosts.Ordinary with { Byte = 1e-9 }, hasLinks: true);
        for (int round = 1; round < 8; round++)
            chooser.Consider(round, [Cost(chooser, 1e-5, double.PositiveInfinity)], waits: false);
        Assert.Equal("int4", chooser.Current.Name);
    }

    [Fact]
    public void Another_rate_of_the_link_is_another_choice_and_the_reason_says_so()
    {
        var chooser = new CodecChooser(Parameters, CodingCosts.Ordinary, hasLinks: true);
        string? fast = null, slow = null;
        for (int round = 1; round < 6; round++)
            fast ??= chooser.Consider(round, [Cost(chooser, 1, 1e10)], waits: false);
        Assert.Equal("fp32", chooser.Current.Name);
        for (int round = 6; round < 8; round++)
            slow ??= chooser.Consider(round, [Cost(chooser, 1, 1e6)], waits: false);
        Assert.Equal("int4", chooser.Current.Name);
        Assert.Contains("10000 MB/s", fast, StringComparison.Ordinal);
        Assert.Contains("the slowest link takes 1 MB/s", slow, StringComparison.Ordinal);
    }

    [Fact]
    public void Behind_a_barrier_the_slowest_link_counts_else_all_do()
    {
        foreach (bool waits in (bool[])[true, false])
        {
            var chooser = new CodecChooser(Parameters, CodingCosts.Ordinary, hasLinks: true);
            var costs = new PushCost[20];
            for (int round = 1; round < 8; round++)
            {
                for (int j = 0; j < costs.Length; j++)
                    costs[j] = Cost(chooser, 0.1, j == 0 ? 1e6 : double.PositiveInfinity);
                chooser.Consider(round, costs, waits);
            }

            Assert.Equal(waits ? "int4" : "fp32", chooser.Current.Name);
        }
    }

    [Theory]
    [InlineData(true, 1.0, "int4")]
    [InlineData(true, 3.0, "int8")] // int4 takes three times the pushes, int8 twice the time of a push
    [InlineData(false, 1.0, "int4")]
    [InlineData(false, 3.0, "int8")] // from how the objective falls alone
    public void What_int4_costs_in_pushes_is_learned(bool hasReference, double factor, string best)
    {
        var chooser = new CodecChooser(Parameters, CodingCosts.Ordinary, hasLinks: true);
        double gap = 1;
        int used = 0;
        const int rounds = 400;
        for (int round = 1; round < rounds; round++)
        {
            gap *= Math.Exp(-0.02 / (chooser.Current.Name == "int4" ? factor : 1));
            chooser.Evaluated(round, hasReference ? gap : 5 + gap, hasReference);
            chooser.Consider(round, [Cost(chooser, 1e-3, 1e7)], waits: false);
            used += round > rounds / 4 && chooser.Current.Name == best ? 1 : 0;
        }

        Assert.InRange(used, rounds * 3 / 4 * 0.9, rounds);
    }

    /// <summary>A push with the codec that is used.</summary>
    private static PushCost Cost(CodecChooser chooser, double busy, double rate)
    {
        double bytes = Parameters * (Array.IndexOf(Names, chooser.Current.Name) switch { 0 => 4, 1 => 1 + (2.0 / 64), _ => 0.5 + (2.0 / 64) });
        return new PushCost(busy, bytes, bytes, rate, rate);
    }
}
