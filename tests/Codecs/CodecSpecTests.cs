using System;
using HpAsyncPs.Codecs;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

/// <summary>Codecs as users write them.</summary>
public sealed class CodecSpecTests
{
    [Theory]
    [InlineData("fp32", DeltaCodec.Fp32, ValueCodec.Fp32)]
    [InlineData("bf16", DeltaCodec.Bf16, ValueCodec.Bf16)]
    [InlineData("int8", DeltaCodec.Int8, ValueCodec.Int8)]
    [InlineData("int4:stochastic", DeltaCodec.Int4, ValueCodec.Int4)]
    [InlineData("int8:stochastic:18446744073709551615", DeltaCodec.Int8, ValueCodec.Int8)]
    [InlineData("topk:0.01", DeltaCodec.TopK, ValueCodec.Int8)]
    [InlineData("topk:1e-3:int4", DeltaCodec.TopK, ValueCodec.Int4)]
    [InlineData("rows:int4", DeltaCodec.Int4, ValueCodec.Int4)]
    public void Is_read(string text, DeltaCodec codec, ValueCodec values)
    {
        var spec = CodecSpec.Parse(text);
        Assert.Equal((codec, values), (spec.For(1).Codec, spec.For(1).Values));
        Assert.Equal(codec == DeltaCodec.TopK ? codec : DeltaCodec.Rows, spec.For(33).Codec);
        Assert.Equal(text.Contains("stochastic", StringComparison.Ordinal), spec.For(1).Seed is not null);
        Assert.Equal(spec.For(1, 1).Seed is null, spec.For(1, 1).Seed == spec.For(1, 2).Seed);
        Assert.Equal(spec, CodecSpec.Parse(spec.Name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("FP32")]
    [InlineData("int2")]
    [InlineData("int8:")]
    [InlineData("int8:7")]
    [InlineData("int8:stochastic:-1")]
    [InlineData("fp32:stochastic")]
    [InlineData("topk")]
    [InlineData("topk:0")]
    [InlineData("topk:1.01")]
    [InlineData("topk:NaN")]
    [InlineData("topk:0,1")]
    [InlineData("topk:0.1:auto")]
    [InlineData("topk:0.1:int8:x")]
    [InlineData("rows:rows")]
    public void Is_refused_and_what_there_is_is_named(string text)
    {
        FormatException e = Assert.Throws<FormatException>(() => CodecSpec.Parse(text));
        Assert.Contains($"'{text}' is no codec", e.Message, StringComparison.Ordinal);
        Assert.Contains("int4", e.Message, StringComparison.Ordinal);
    }
}
