using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using Xunit;

namespace HpAsyncPs.Tests.Protocol;

public sealed class ControlMessageTests
{
    private static readonly JoinMessage Join = new(3, 123, 1, Aggregate.Mean, 8139, [1.5, -1, 2], [new("task", "logreg"), new("l2", "0.001")]);

    [Theory]
    [InlineData(new[] { 0, 123, 200 }, true)]
    [InlineData(new[] { 0, 122, 200 }, false)] // the first range is this server's
    [InlineData(new[] { 1, 123, 200 }, false)]
    [InlineData(new[] { 0, 123, 123 }, false)]
    [InlineData(new[] { 0 }, false)]
    public void Bounds_of_a_start_rise_from_zero_and_are_those_of_its_server(int[] bounds, bool isRight)
    {
        var message = new StartMessage(4, 123, 0.25, true, [1, 2], Bounds: bounds);
        if (isRight)
            Assert.Equal(bounds, StartMessage.Read(Bytes(message.Write)).Bounds);
        else
            Assert.Throws<ProtocolException>(() => StartMessage.Read(Bytes(message.Write)));
    }

    [Fact]
    public void Messages_written_and_read_are_equal()
    {
        JoinMessage join = JoinMessage.Read(Bytes(Join.Write));
        Assert.Equal((Join.Rank, Join.Parameters, Join.Weight), (join.Rank, join.Parameters, join.Weight));
        Assert.Equal(Join.Agreed, join.Agreed);
        Assert.Equal(Join.Settings, join.Settings);
        var admitted = new AdmittedMessage(5, ulong.MaxValue, 7, 8, 9, 10, true);
        Assert.Equal(admitted, AdmittedMessage.Read(Bytes(admitted.Write)));
        StartMessage start = StartMessage.Read(Bytes(new StartMessage(4, 123, 0.25, true, [1, 2]).Write));
        Assert.Equal((4, 123, 0.25, true), (start.Workers, start.Parameters, start.Share, start.Waits));
        Assert.Equal([1, 2], start.Agreed);
        Assert.Equal(new AdoptMessage(7), AdoptMessage.Read(Bytes(new AdoptMessage(7).Write)));
        EvaluatedMessage evaluated = EvaluatedMessage.Read(Bytes(new EvaluatedMessage(7, [0.5]).Write));
        Assert.Equal(7UL, evaluated.Evaluation);
        var progress = new ProgressMessage(1, 2, 3);
        Assert.Equal(progress, ProgressMessage.Read(Bytes(progress.Write)));
        Assert.Equal("why", TextMessage.Read(Bytes(new TextMessage("why").Write)).Text);
        Assert.Equal(Limits.Text, TextMessage.Read(Bytes(new TextMessage(new string('a', 5000)).Write)).Text.Length);
    }

    [Fact]
    public void Read_values_out_of_limits_are_refused()
    {
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Rank = -2 }).Write)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Rank = Limits.Workers }).Write)));
        Assert.Throws<ProtocolException>(() => AdoptMessage.Read(Bytes(new AdoptMessage(-1).Write)));
        Assert.Throws<ProtocolException>(() => AdoptMessage.Read(Bytes(new AdoptMessage(Limits.Workers).Write)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Parameters = 0 }).Write)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Weight = 0 }).Write)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Weight = double.NaN }).Write)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Weight = double.PositiveInfinity }).Write)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Agreed = [double.NaN] }).Write)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Agreed = new double[Limits.Items + 1] }).Write)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(Bytes((Join with { Settings = [new(new string('k', Limits.Text + 1), "v")] }).Write)));
    }

    [Fact]
    public void Read_control_characters_in_a_text_become_question_marks() =>
        Assert.Equal("a?[31mb?c", TextMessage.Read(Bytes(new TextMessage("a\u001b[31mb\nc").Write)).Text);

    [Fact]
    public void Read_cut_short_or_with_more_bytes_is_refused()
    {
        byte[] bytes = Bytes(Join.Write).ToArray();
        for (int length = 0; length < bytes.Length; length++)
            Assert.Throws<ProtocolException>(() => JoinMessage.Read(new ReadOnlySequence<byte>(bytes, 0, length)));
        Assert.Throws<ProtocolException>(() => JoinMessage.Read(new ReadOnlySequence<byte>([.. bytes, 0])));
    }

    [Fact]
    public void Read_mutated_bytes_are_read_or_refused_and_nothing_else()
    {
        byte[][] samples =
        [
            Bytes(Join.Write).ToArray(), Bytes(new AdmittedMessage(5, 9, 1, 2, 3, 4, true).Write).ToArray(),
            Bytes(new StartMessage(4, 123, 0.25, true, [1, 2]).Write).ToArray(), Bytes(new EvaluatedMessage(7, [0.5]).Write).ToArray(),
            Bytes(new ProgressMessage(1, 2, 3).Write).ToArray(), Bytes(new TextMessage("why").Write).ToArray(),
        ];
        Action<ReadOnlySequence<byte>>[] readers =
        [
            b => JoinMessage.Read(b), b => AdmittedMessage.Read(b), b => StartMessage.Read(b), b => EvaluatedMessage.Read(b),
            b => ProgressMessage.Read(b), b => TextMessage.Read(b),
        ];
        var random = new Random(11);
        int refused = 0;
        for (int round = 0; round < 60_000; round++)
        {
            int which = random.Next(samples.Length);
            byte[] bytes = [.. samples[which]];
            for (int changes = random.Next(1, 5); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                readers[which](new ReadOnlySequence<byte>(bytes));
            }
            catch (ProtocolException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 59_000);
    }

    private static ReadOnlySequence<byte> Bytes(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return new ReadOnlySequence<byte>(output.WrittenMemory);
    }
}
