using System;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>How many blocks of a <see cref="SlabPool"/> the two pipes of a connection take.</summary>
internal static class PipeBlocks
{
    /// <summary>A frame of this payload that is not whole yet, in blocks that are left with too little room, and the block being received into.</summary>
    public static int Input(int payload) => ((payload + FrameHeader.Bytes) / (SlabPool.BlockBytes - Connection.LeastReceiveBytes)) + 2;

    /// <summary>A frame of this payload that waits to go out, and acknowledgements behind it.</summary>
    public static int Output(int payload) => ((payload + FrameHeader.Bytes) / SlabPool.BlockBytes) + 2;

    /// <summary>What a peer that reads makes both pipes take, with frames of this payload.</summary>
    public static int Both(int payload) => Input(payload) + Output(payload);

    /// <summary>
    /// A pipe keeps the objects that its blocks were in, and makes one more whenever more blocks than ever before hold bytes, which can be
    /// late: here it makes them all. The blocks themselves go back.
    /// </summary>
    public static void WarmUp(Pipe pipe, int blocks)
    {
        for (int j = 0; j < blocks; j++)
        {
            pipe.Writer.GetMemory(SlabPool.BlockBytes);
            pipe.Writer.Advance(SlabPool.BlockBytes);
        }

        Flush(pipe);
        if (pipe.Reader.TryRead(out ReadResult result))
            pipe.Reader.AdvanceTo(result.Buffer.End);
    }

    /// <summary>Hands over what was written; a pipe without a bound does not wait.</summary>
    public static void Flush(Pipe pipe)
    {
        ValueTask<FlushResult> flush = pipe.Writer.FlushAsync(CancellationToken.None);
        if (!flush.IsCompletedSuccessfully)
            throw new InvalidOperationException("A pipe without a bound waited.");
        _ = flush.Result;
    }
}
