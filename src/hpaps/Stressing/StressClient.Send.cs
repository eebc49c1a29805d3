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
        ReadOnlySpan<float> delta = _coded is not null ? [] : _deltas[_deltas.Length > 1 && StressLedger.Factor(_job.Path, _pushed + 1) > 0 ? 1 : 0].AsSpan(begin, count);
        CodecId codec = CodecId.Fp32;
        ReadOnlySpan<byte> payload = _coded is not null ? _coded.Encode(_pushed + 1, begin, count, out codec) : MemoryMarshal.AsBytes(delta);
        var header = new FrameHeader(FrameKind.Push)
        {
            Codec = codec,
            Flags = !last ? FrameFlags.None : _job.Mode is StressMode.PushPull or StressMode.Trip ? FrameFlags.Last | FrameFlags.Pull : FrameFlags.Last,
            Sequence = _pushed + 1,
            ShardVersion = _version,
            KeyBegin = (ulong)begin,
            KeyCount = (uint)count,
        };
        _nextKey = last ? 0 : begin + count;
        CodedBytes += payload.Length;
        if (last)
        {
            _pushed++;
            Vectors++;
        }

        Send(header, payload);
        if (last && _coded is not null && _pushed % Limits.BetweenChecks == 0)
            Send(_coded.Check(_pushed, (int)(_pushed / Limits.BetweenChecks % (ulong)_coded.Chunks)), []);
    }

    private void SendPull() => Send(new FrameHeader(FrameKind.Pull), []); // newer than version 0: whatever there is
}
