using System;
using System.Buffers.Text;
using System.Globalization;
using System.IO;
using System.Threading;

namespace HpAsyncPs.Learning.Generation;

/// <summary>
/// Rows of two classes with a planted separator through the origin and a known condition number, as LIBSVM text.
/// <para>
/// Feature j of d is s_j u with probability <see cref="ClassificationSettings.Density"/>, or else 0: u is evenly spread over
/// plus and minus sqrt(3 / density), so that the feature's variance is s_j^2, and the scales s_j fall geometrically from s_1 = 1
/// to s_d = 1 / sqrt(condition). Features are drawn independently with mean 0, so E[x x^T] is diagonal with the eigenvalues
/// s_j^2, from 1 to 1 / condition: the ratio of the largest to the smallest is the condition number.
/// </para>
/// <para>
/// The label comes first: the number of positive ones is exact. It is flipped with the probability of the noise, and if the row
/// lies on the wrong side of w.x = 0 for that, it becomes -x. The distribution of x is symmetric, so x x^T is the same: E[x x^T]
/// does not depend on the share of labels, the separator needs no intercept, and rows need not be kept to be sorted by label.
/// </para>
/// Bytes are the same on every machine for the same settings: see <see cref="SeededRandom"/> and <see cref="PortableMath"/>.
/// </summary>
public sealed class ClassificationGenerator
{
    private const int BufferBytes = 1 << 18;
    private const int LongestEntry = 40;

    private readonly ClassificationSettings _settings;
    private readonly double[] _ranges;
    private readonly double[] _separator;
    private readonly double _logAbsent;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly int[] _columns;
    private readonly float[] _values;
    private int _used;

    /// <summary>What a stream of random numbers is for.</summary>
    private enum Purpose : ulong
    {
        Separator = 100,
        Training,
        Test,
    }

    /// <exception cref="InputException">The settings cannot be met.</exception>
    public ClassificationGenerator(ClassificationSettings settings)
    {
        settings.Check();
        _settings = settings;
        _columns = new int[settings.Features];
        _values = new float[settings.Features];
        _ranges = new double[settings.Features];
        _separator = new double[settings.Features];
        _logAbsent = settings.Density < 1 ? PortableMath.Log(1 - settings.Density) : double.NegativeInfinity;
        double spread = Math.Sqrt(3 / settings.Density);
        double step = settings.Features > 1 ? PortableMath.Log(settings.Condition) / 2 / (settings.Features - 1) : 0;
        var random = new SeededRandom(settings.Seed, (ulong)Purpose.Separator, 0);
        for (int j = 0; j < settings.Features; j++)
        {
            _ranges[j] = spread * PortableMath.Exp(-step * j);
            _separator[j] = random.Normal();
        }
    }

    /// <summary>The planted separator: a row x belongs to the side of the sign of this times x.</summary>
    public ReadOnlySpan<double> Separator => _separator;

    /// <summary>Writes the rows to train on.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="progress">Told now and then which part, 0 to 1, is done.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    public ClassificationFacts WriteTraining(Stream output, Action<double>? progress, CancellationToken cancel) =>
        Write(output, Purpose.Training, _settings.Rows, _settings.SortedByLabel, progress, cancel);

    /// <summary>Writes other rows of the same distribution, never sorted.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="rows">How many.</param>
    /// <param name="progress">Told now and then which part, 0 to 1, is done.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    public ClassificationFacts WriteTest(Stream output, int rows, Action<double>? progress, CancellationToken cancel) =>
        Write(output, Purpose.Test, rows, sorted: false, progress, cancel);

    private ClassificationFacts Write(Stream output, Purpose purpose, int rows, bool sorted, Action<double>? progress, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 2);
        var random = new SeededRandom(_settings.Seed, (ulong)purpose, 0);
        int positives = Math.Clamp((int)Math.Floor((_settings.LabelSkew * rows) + 0.5), 1, rows - 1);
        int positivesLeft = positives, flipped = 0;
        long nonzeros = 0;
        _used = 0;
        for (int row = 0; row < rows; row++)
        {
            cancel.ThrowIfCancellationRequested();
            int left = rows - row;
            bool positive = sorted ? left <= positives : random.Below((ulong)left) < (ulong)positivesLeft;
            positivesLeft -= positive ? 1 : 0;
            bool flip = random.Uniform() < _settings.Noise;
            flipped += flip ? 1 : 0;
            int count;
            double margin;
            do
            {
                count = DrawRow(ref random, out margin);
            }
            while (margin == 0); // an empty row is on no side
            nonzeros += count;
            bool mirror = margin > 0 != (positive != flip);
            Put(output, positive, count, mirror ? -1 : 1);
            progress?.Invoke((row + 1.0) / rows);
        }

        output.Write(_buffer, 0, _used);
        return new ClassificationFacts { Rows = rows, Positives = positives, Flipped = flipped, Nonzeros = nonzeros };
    }

    /// <summary>A row in single precision, as it will be read, and its product with the separator.</summary>
    private int DrawRow(ref SeededRandom random, out double margin)
    {
        margin = 0;
        int count = 0;
        for (double column = Gap(ref random); column < _ranges.Length; column += 1 + Gap(ref random))
        {
            int j = (int)column;
            float value = (float)(_ranges[j] * ((2 * random.Uniform()) - 1));
            _columns[count] = j;
            _values[count] = value;
            count++;
            margin += value * _separator[j];
        }

        return count;
    }

    /// <summary>How many features are 0 before the next that is not.</summary>
    private double Gap(ref SeededRandom random) => _settings.Density < 1 ? Math.Floor(PortableMath.Log(random.Uniform()) / _logAbsent) : 0;

    private void Put(Stream output, bool positive, int count, float sign)
    {
        Reserve(output);
        _buffer[_used++] = (byte)(positive ? '+' : '-');
        _buffer[_used++] = (byte)'1';
        for (int entry = 0; entry < count; entry++)
        {
            Reserve(output);
            _buffer[_used++] = (byte)' ';
            Utf8Formatter.TryFormat(_columns[entry] + 1, _buffer.AsSpan(_used), out int length);
            _used += length;
            _buffer[_used++] = (byte)':';
            (sign * _values[entry]).TryFormat(_buffer.AsSpan(_used), out length, default, CultureInfo.InvariantCulture); // shortest that reads the same
            _used += length;
        }

        _buffer[_used++] = (byte)'\n';
    }

    private void Reserve(Stream output)
    {
        if (_buffer.Length - _used >= LongestEntry)
            return;
        output.Write(_buffer, 0, _used);
        _used = 0;
    }
}
