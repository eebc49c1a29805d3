using System;
using System.Collections.Generic;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// What one rank's vector at the server must be, push by push, in whole numbers. A life begins where the server told the worker its vector anew: numbers
/// of pushes may come again after that.
/// </summary>
internal sealed class Ledger(int parameters)
{
    private readonly List<Life> _lives = [new Life(new float[parameters], 0, default, true)];
    private Life? _heard;
    private int _now; // the server's; it may have gone back, and the worker still hear of a later one

    /// <summary>The worker has not heard of the newest life: what it pushes is of an older one.</summary>
    public bool IsUnheard => Heard != _lives[_now];

    /// <summary>The highest push that the worker has been told is acknowledged, of the life that it is in.</summary>
    public ulong Acknowledged { get; set; }

    private Life Heard => _heard ??= _lives[0];

    public void Push(ulong sequence, float[] delta)
    {
        if (sequence != Heard.Pushed + 1)
            throw new InvalidOperationException($"push {sequence} after {Heard.Pushed}");
        Heard.Deltas.Add(delta);
    }

    /// <summary>The server tells the worker its vector.</summary>
    public void Begin(ReadOnlySpan<float> vector, ulong sequence, (ulong Session, ulong Generation) key, bool isTold = true)
    {
        _ = Heard;
        _lives.Add(new Life(vector.ToArray(), sequence, key, isTold));
        _now = _lives.Count - 1;
    }

    /// <summary>Is the server's life that of this session and generation?</summary>
    public bool IsIn((ulong Session, ulong Generation) key) => _lives[_now].Key == key;

    /// <summary>The worker has been told.</summary>
    public void Hear((ulong Session, ulong Generation) key)
    {
        Life life = _lives.FindLast(life => life.Key == key && life.IsTold) ?? throw new InvalidOperationException("a life that never was");
        if (life == Heard)
            return;
        if (Heard.Key == key)
            life.Deltas.AddRange(Heard.Deltas); // another server that knows nothing; what the worker has made since it began counts there
        _heard = life;
        Acknowledged = 0;
    }

    /// <summary>The vector of a stand in the server's life; null if the life has no such stand.</summary>
    public float[]? At(ulong sequence, int nextKey) => _lives[_now].At(sequence, nextKey);

    public override string ToString()
    {
        string all = "";
        foreach (Life life in _lives)
            all += $"{(life == Heard ? "heard " : "")}{(life == _lives[_now] ? "now " : "")}{life.Key.Session % 1000}.{life.Key.Generation}: {life.Pushed - (ulong)life.Deltas.Count} to {life.Pushed}{(life.IsTold ? "" : " not told")}; ";
        return all;
    }

    /// <summary>The vector that the worker was told; null if that was at another push.</summary>
    public float[]? Told(ulong sequence) => Heard.At(sequence, 0);

    /// <summary>The server has gone back: to which life, newest first, does its vector belong?</summary>
    public bool TryGoBack(Func<float[], bool> isIt, ulong sequence, int nextKey, (ulong Session, ulong Generation) key, bool isEvicted)
    {
        _ = Heard;
        for (int life = _now; life >= 0; life--)
        {
            if (_lives[life].Key != key || (!_lives[life].IsTold && !isEvicted) || _lives[life].At(sequence, nextKey) is not { } vector || !isIt(vector))
                continue;
            _now = life;
            return true;
        }

        return false;
    }

    private sealed class Life(float[] vector, ulong begin, (ulong Session, ulong Generation) key, bool isTold)
    {
        public bool IsTold => isTold;

        public ulong Pushed => begin + (ulong)Deltas.Count;

        public (ulong Session, ulong Generation) Key => key;

        public List<float[]> Deltas { get; } = [];

        public float[]? At(ulong sequence, int nextKey)
        {
            if (sequence < begin || sequence > Pushed || (nextKey > 0 && sequence == Pushed))
                return null;
            float[] at = (float[])vector.Clone();
            int whole = (int)(sequence - begin);
            for (int push = 0; push < whole; push++)
                Add(Deltas[push], at, at.Length);
            if (nextKey > 0)
                Add(Deltas[whole], at, nextKey);
            return at;
        }

        private static void Add(float[] delta, float[] at, int count)
        {
            for (int j = 0; j < count; j++)
                at[j] += delta[j];
        }
    }
}
