using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <content>What a session with one of several servers has beside: <see cref="JobSession"/> tells them what they must know of each other.</content>
public sealed partial class WorkerSession
{
    /// <summary>Called when training begins or goes on, an evaluation has come, or the codec is another one. Under the gate.</summary>
    internal Action<WorkerSession>? News { get; set; }

    /// <summary>Called when the session has failed, and why. Under the gate.</summary>
    internal Action<string>? Failed { get; set; }

    /// <summary>The server has ended the job, well or badly, and said so.</summary>
    internal bool IsOver { get; private set; }

    /// <summary>The server collects what other servers have of the model.</summary>
    internal bool WantsModel { get; private set; }

    /// <summary>A chunk of that can be sent.</summary>
    internal bool CanSendModel => WantsModel && _trains && !_isFull;

    /// <summary>The evaluation of whose vector it wants that.</summary>
    internal ulong ModelOf { get; private set; }

    /// <summary>Keys of that which were sent.</summary>
    internal int ModelSent { get; private set; }

    /// <summary>Number of the evaluation that waits; 0: none does.</summary>
    internal ulong PendingEvaluation => _hasEvaluation ? _toEvaluate!.Evaluation : 0;

    /// <summary>How pushes are coded; null before the start.</summary>
    internal string? Codec => _codec?.Name;

    /// <summary>Keys of a chunk at most.</summary>
    internal int ChunkKeys => _chunkKeys;

    /// <summary>When the newest snapshot came whole.</summary>
    internal long ArrivedAt { get; private set; }

    /// <summary>The clock.</summary>
    internal TimeProvider Time => _time;

    /// <summary>Seconds that each server was late, told to this one; null: it is not the first of several.</summary>
    internal Func<double[]>? LateSeconds { get; set; }

    /// <summary>The last snapshot that came, in use or not.</summary>
    internal ReadOnlySpan<float> NewestSnapshot => LastSnapshot.Values;

    /// <summary>Asks a server after the first for what belongs to an evaluation of the first.</summary>
    internal void AskEvaluation(ulong number, bool isFinal) =>
        Send(new FrameHeader(FrameKind.Pull) { Flags = FrameFlags.Evaluate | (isFinal ? FrameFlags.Final : FrameFlags.None), Sequence = number }, []);

    /// <summary>Tells a server after the first how the first wants pushes to be coded.</summary>
    internal void TellCodec(string name) => SendText(FrameKind.Codec, name, FrameFlags.None);

    /// <summary>Sends a chunk of the model to the first server, where <see cref="CanSendModel"/>.</summary>
    /// <param name="values">The chunk.</param>
    /// <param name="begin">Its first key in the model.</param>
    /// <param name="isLast">It ends the model.</param>
    internal void SendModel(ReadOnlySpan<float> values, int begin, bool isLast)
    {
        _isFull = true;
        if (Send(new FrameHeader(FrameKind.Model) { Codec = CodecId.Fp32, Flags = isLast ? FrameFlags.Last : FrameFlags.None, KeyBegin = (ulong)begin, KeyCount = (uint)values.Length }, MemoryMarshal.AsBytes(values)))
            _isFull = false;
        (WantsModel, ModelSent) = (!isLast, ModelSent + values.Length);
    }

    /// <summary>The session with another server has failed: says so, and ends.</summary>
    internal void EndWith(string failure)
    {
        if (_hasEnded)
            return;
        if (_isAdmitted)
            SendText(FrameKind.Leave, failure, FrameFlags.None);
        Fail(failure);
        System.Threading.Monitor.PulseAll(Gate);
    }

    private void SendText(FrameKind kind, string text, FrameFlags flags)
    {
        _scratch.ResetWrittenCount();
        new TextMessage(text).Write(_scratch);
        Send(new FrameHeader(kind) { Flags = flags }, _scratch.WrittenSpan);
    }
}
