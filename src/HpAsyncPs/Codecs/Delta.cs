using System;
using System.Numerics.Tensors;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Codecs;

/// <summary>
/// A chunk's delta c as it came: checked, and pointing into the received bytes. Everything is done in one sweep over them: values are
/// decoded some at a time into memory that stays in the cache, and used from there. Nothing is allocated.
/// </summary>
public readonly ref struct Delta
{
    private const int Tile = 1024; // values decoded at a time; a multiple of ValueCoding.Align

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly PositionIndex.Reader _positions;
    private readonly ValueCodec _values;
    private readonly int _count;
    private readonly int _keys;
    private readonly int _rowLength;

    private Delta(DeltaCodec codec, int keys, ValueCodec values, int count, ReadOnlySpan<byte> bytes)
    {
        (Codec, _keys, _values, _count) = (codec, keys, values, count);
        _bytes = bytes;
        _rowLength = 1;
    }

    private Delta(DeltaCodec codec, int keys, int rowLength, ValueCodec values, int count, ReadOnlySpan<byte> bytes, PositionIndex.Reader positions)
        : this(codec, keys, values, count, bytes)
    {
        _rowLength = rowLength;
        _positions = positions;
    }

    /// <summary>How it is coded.</summary>
    public DeltaCodec Codec { get; }

    /// <summary>Reads and checks a payload; null when it is well-formed, else what is wrong with it. Values may still not be finite.</summary>
    /// <param name="codec">Any number.</param>
    /// <param name="payload">As it came, in one piece.</param>
    /// <param name="keys">Keys of the chunk.</param>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="delta">The delta.</param>
    public static string? Read(DeltaCodec codec, ReadOnlySpan<byte> payload, int keys, int rowLength, out Delta delta)
    {
        string? wrong;
        delta = default;
        switch (codec)
        {
            case DeltaCodec.Fp32 or DeltaCodec.Bf16 or DeltaCodec.Int8 or DeltaCodec.Int4:
                wrong = ValueCoding.Check((ValueCodec)codec, payload, keys);
                if (wrong is null)
                    delta = new Delta(codec, keys, (ValueCodec)codec, keys, payload);
                return wrong;
            case DeltaCodec.Rows:
                wrong = RowsCodec.Read(payload, keys, rowLength, out int rows, out ValueCodec ofRows, out PositionIndex.Reader which, out ReadOnlySpan<byte> rowBytes);
                if (wrong is null)
                    delta = new Delta(codec, keys, rowLength, ofRows, rows, rowBytes, which);
                return wrong;
            case DeltaCodec.TopK:
                wrong = TopKCodec.Read(payload, keys, out int count, out ValueCodec values, out PositionIndex.Reader positions, out ReadOnlySpan<byte> bytes);
                if (wrong is null)
                    delta = new Delta(codec, keys, 1, values, count, bytes, positions);
                return wrong;
            default:
                return $"there is no codec {(int)codec}";
        }
    }

    /// <summary>At least the largest |c|, from scales alone where there are any: see <see cref="ValueCoding.LargestMagnitude"/>. NaN if one is NaN.</summary>
    public float LargestMagnitude()
    {
        if (Codec != DeltaCodec.Rows)
            return ValueCoding.LargestMagnitude(_values, _bytes, _count);
        float largest = 0;
        int rowBytes = (int)ValueCoding.Bytes(_values, _rowLength);
        for (int row = 0; row < _count; row++)
            largest = MathF.Max(largest, ValueCoding.LargestMagnitude(_values, _bytes.Slice(row * rowBytes, rowBytes), _rowLength)); // NaN if one is NaN
        return largest;
    }

    /// <summary>Would every element of h stay within the limit? NaN or infinity in c says no.</summary>
    /// <param name="h">The reconstruction of the chunk. Elements that c has no value for are not looked at.</param>
    /// <param name="limit">Largest magnitude.</param>
    public bool StaysWithin(ReadOnlySpan<float> h, float limit)
    {
        MustHaveKeys(h.Length);
        return Sweep(new Test(h, limit));
    }

    /// <summary>h += c; sum += weight times what h moved by.</summary>
    /// <param name="weight">The worker's weight.</param>
    /// <param name="h">The reconstruction of the chunk.</param>
    /// <param name="sum">The weighted sum of the chunk.</param>
    public void Apply(double weight, Span<float> h, Span<double> sum)
    {
        MustHaveKeys(h.Length);
        MustHaveKeys(sum.Length);
        Sweep(new Application(weight, h, sum));
    }

    /// <summary>h += c.</summary>
    public void AddTo(Span<float> h)
    {
        MustHaveKeys(h.Length);
        Sweep(new Addition(h));
    }

    /// <summary>x = (float)(x + scale c), in double.</summary>
    public void AddScaled(double scale, Span<float> x)
    {
        MustHaveKeys(x.Length);
        Sweep(new ScaledAddition(scale, x));
    }

    /// <summary>Puts c into place; where it has no value, what was there stays.</summary>
    public void CopyTo(Span<float> c)
    {
        MustHaveKeys(c.Length);
        Sweep(new Copy(c));
    }

    /// <summary>Puts c into place, and 0 where it has no value.</summary>
    public void Decode(Span<float> c)
    {
        MustHaveKeys(c.Length);
        if (Codec is DeltaCodec.Rows or DeltaCodec.TopK)
            c.Clear();
        Sweep(new Copy(c));
    }

    /// <summary>Does it for all values, some at a time, until it says no; returns whether it never did.</summary>
    private bool Sweep<T>(T operation)
        where T : IOperation, allows ref struct
    {
        if (Codec == DeltaCodec.Rows)
            return SweepRows(ref operation);
        Span<float> buffer = stackalloc float[Tile];
        Span<int> places = stackalloc int[Codec == DeltaCodec.TopK ? Tile : 0];
        PositionIndex.Reader positions = _positions;
        for (int from = 0; from < _count; from += Tile)
        {
            int count = Math.Min(Tile, _count - from);
            ReadOnlySpan<float> c = ValueCoding.Decode(_values, _bytes, _count, from, buffer[..count]);
            bool goesOn;
            if (Codec == DeltaCodec.TopK)
            {
                positions.Next(places[..count]);
                goesOn = operation.Scattered(places[..count], c);
            }
            else
            {
                goesOn = operation.Run(from, c);
            }

            if (!goesOn)
                return false;
        }

        return true;
    }

    private bool SweepRows<T>(ref T operation)
        where T : IOperation, allows ref struct
    {
        Span<float> buffer = stackalloc float[Tile];
        Span<int> row = stackalloc int[1];
        PositionIndex.Reader positions = _positions;
        int rowBytes = (int)ValueCoding.Bytes(_values, _rowLength);
        for (int k = 0; k < _count; k++)
        {
            positions.Next(row);
            ReadOnlySpan<byte> bytes = _bytes.Slice(k * rowBytes, rowBytes);
            for (int from = 0; from < _rowLength; from += Tile)
            {
                ReadOnlySpan<float> c = ValueCoding.Decode(_values, bytes, _rowLength, from, buffer[..Math.Min(Tile, _rowLength - from)]);
                if (!operation.Run((row[0] * _rowLength) + from, c))
                    return false;
            }
        }

        return true;
    }

    private void MustHaveKeys(int length) => ArgumentOutOfRangeException.ThrowIfNotEqual(length, _keys);

    /// <summary>What is done with values. Returns whether to go on.</summary>
    private interface IOperation
    {
        /// <summary>For elements one after the other.</summary>
        bool Run(int begin, scoped ReadOnlySpan<float> c);

        /// <summary>For elements at any positions.</summary>
        bool Scattered(scoped ReadOnlySpan<int> positions, scoped ReadOnlySpan<float> c);
    }

    private readonly ref struct Test(ReadOnlySpan<float> h, float limit) : IOperation
    {
        private readonly ReadOnlySpan<float> _h = h;

        public bool Run(int begin, scoped ReadOnlySpan<float> c) => DeltaKernel.StaysWithin(c, _h.Slice(begin, c.Length), limit);

        public bool Scattered(scoped ReadOnlySpan<int> positions, scoped ReadOnlySpan<float> c)
        {
            bool stays = true;
            for (int k = 0; k < c.Length; k++)
                stays &= MathF.Abs(_h[positions[k]] + c[k]) <= limit; // false for NaN
            return stays;
        }
    }

    private readonly ref struct Application(double weight, Span<float> h, Span<double> sum) : IOperation
    {
        private readonly Span<float> _h = h;
        private readonly Span<double> _sum = sum;

        public bool Run(int begin, scoped ReadOnlySpan<float> c)
        {
            DeltaKernel.Apply(c, weight, _h.Slice(begin, c.Length), _sum.Slice(begin, c.Length));
            return true;
        }

        public bool Scattered(scoped ReadOnlySpan<int> positions, scoped ReadOnlySpan<float> c)
        {
            for (int k = 0; k < c.Length; k++)
            {
                int at = positions[k];
                float before = _h[at], after = before + c[k];
                _h[at] = after;
                _sum[at] += weight * ((double)after - before);
            }

            return true;
        }
    }

    private readonly ref struct Addition(Span<float> h) : IOperation
    {
        private readonly Span<float> _h = h;

        public bool Run(int begin, scoped ReadOnlySpan<float> c)
        {
            Span<float> some = _h.Slice(begin, c.Length);
            TensorPrimitives.Add(some, c, some);
            return true;
        }

        public bool Scattered(scoped ReadOnlySpan<int> positions, scoped ReadOnlySpan<float> c)
        {
            for (int k = 0; k < c.Length; k++)
                _h[positions[k]] += c[k];
            return true;
        }
    }

    private readonly ref struct ScaledAddition(double scale, Span<float> x) : IOperation
    {
        private readonly Span<float> _x = x;

        public bool Run(int begin, scoped ReadOnlySpan<float> c)
        {
            DeltaKernel.AddScaled(c, scale, _x.Slice(begin, c.Length));
            return true;
        }

        public bool Scattered(scoped ReadOnlySpan<int> positions, scoped ReadOnlySpan<float> c)
        {
            for (int k = 0; k < c.Length; k++)
                _x[positions[k]] = (float)(_x[positions[k]] + (scale * c[k]));
            return true;
        }
    }

    private readonly ref struct Copy(Span<float> c) : IOperation
    {
        private readonly Span<float> _c = c;

        public bool Run(int begin, scoped ReadOnlySpan<float> c)
        {
            c.CopyTo(_c.Slice(begin, c.Length));
            return true;
        }

        public bool Scattered(scoped ReadOnlySpan<int> positions, scoped ReadOnlySpan<float> c)
        {
            for (int k = 0; k < c.Length; k++)
                _c[positions[k]] = c[k];
            return true;
        }
    }
}
