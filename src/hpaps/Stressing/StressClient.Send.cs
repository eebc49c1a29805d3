using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>What goes out, as the connection takes it.</summary>
internal sealed partial class StressClient
{
    /// <summary>Sends what may go out now.</summary>
    private void Pump()
    {
        while (_writable && !HasEnded)
        {
            if (_nextKey > 0)
            {
                SendChunk();
            }
            else if (_phase == Phase.Priming)
            {
                if (_pushed > 0)
                    return;
                SendChunk();
            }
            else if (_phase == Phase.Running)
            {
                if (_begun - _completed == (ulong)_begunAt.Length)
                    return;
                BeginOne();
            }
            else
            {
                EndIfDrained();
                return;
            }
        }
    }

    private void BeginOne()
    {
        _begunAt[_begun++ % (ulong)_begunAt.Length] = _time.GetTimestamp();
        if (_job.Mode == StressMode.Pull)
            SendPull();
        else
            SendChunk();
    }

    private void SendChunk()
    {
        int begin = _nextKey, count = Math.Min(_chunkKeys, _job.Parameters - begin);
        bool last = begin + count == _job.Parameters;
        float[] delta = _deltas[_deltas.Length > 1 && StressLedger.Factor(_job.Path, _pushed + 1) > 0 ? 1 : 0];
        var header = new FrameHeader(FrameKind.Push)
        {
            Codec = CodecId.Fp32,
            Flags = !last ? FrameFlags.None : _job.Mode is StressMode.PushPull or StressMode.Trip ? FrameFlags.Last | FrameFlags.Pull : FrameFlags.Last,
            Sequence = _pushed + 1,
            ShardVersion = _version,
            KeyBegin = (ulong)begin,
            KeyCount = (uint)count,
        };
        _nextKey = last ? 0 : begin + count;
        if (last)
            _pushed++;
        Send(header, MemoryMarshal.AsBytes(delta.AsSpan(begin, count)));
    }

    private void SendPull() => Send(new FrameHeader(FrameKind.Pull), []); // newer than version 0: whatever there is
}
