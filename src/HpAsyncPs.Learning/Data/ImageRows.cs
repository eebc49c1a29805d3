using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Images and labels of two IDX files as LIBSVM text: a row an image, its values over 255 in the order of the file, zeros left out, the label +1
/// for some classes and -1 for the rest. The text depends on the files alone.
/// </summary>
/// <param name="Rows">Number of images.</param>
/// <param name="Positives">Those of the positive classes.</param>
/// <param name="Features">Values of an image.</param>
/// <param name="Nonzeros">Values that are not 0.</param>
public sealed record ImageRows(int Rows, int Positives, int Features, long Nonzeros)
{
    private const int Levels = 256;
    private const int FewestImageDimensions = 2;
    private const int MostImageDimensions = 4;

    // The longest value, and an index of eight digits with blank and colon.
    private const int LongestEntry = 32;

    /// <summary>Converts.</summary>
    /// <param name="images">Path of the images: IDX, of 2 to 4 dimensions, plain or gzip.</param>
    /// <param name="labels">Path of their labels: IDX of 1 dimension.</param>
    /// <param name="positive">The labels that become +1.</param>
    /// <param name="output">Receives the text.</param>
    /// <param name="progress">Told now and then which part, 0 to 1, is done.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    /// <exception cref="InputException">The files cannot be read, do not fit each other, or have one class only.</exception>
    public static ImageRows Write(string images, string labels, IReadOnlySet<byte> positive, Stream output, Action<double>? progress, CancellationToken cancel)
    {
        using var pixels = new IdxFile(images, "images", FewestImageDimensions, MostImageDimensions);
        using var classes = new IdxFile(labels, "labels", 1, 1);
        if (pixels.Count != classes.Count)
            throw new InputException($"{labels}: has {classes.Count} labels, and {images} has {pixels.Count} images; give the two files of one set");
        byte[][] numbers = Numbers();
        byte[] image = new byte[pixels.Values], line = new byte[checked((pixels.Values * LongestEntry) + LongestEntry)], label = new byte[1];
        bool[] seen = new bool[Levels];
        int positives = 0;
        long nonzeros = 0;
        for (int row = 0; row < pixels.Count; row++)
        {
            cancel.ThrowIfCancellationRequested();
            pixels.Read(image);
            classes.Read(label);
            seen[label[0]] = true;
            bool isPositive = positive.Contains(label[0]);
            positives += isPositive ? 1 : 0;
            line[0] = (byte)(isPositive ? '+' : '-');
            line[1] = (byte)'1';
            int used = 2;
            for (int j = 0; j < image.Length; j++)
            {
                if (image[j] == 0)
                    continue;
                nonzeros++;
                line[used++] = (byte)' ';
                System.Buffers.Text.Utf8Formatter.TryFormat(j + 1, line.AsSpan(used), out int length);
                used += length;
                line[used++] = (byte)':';
                numbers[image[j]].CopyTo(line, used);
                used += numbers[image[j]].Length;
            }

            line[used++] = (byte)'\n';
            output.Write(line, 0, used);
            progress?.Invoke((row + 1.0) / pixels.Count);
        }

        pixels.End();
        classes.End();
        if (positives == 0 || positives == pixels.Count)
            throw new InputException($"{labels}: {(positives == 0 ? "no row has" : "all rows have")} a label of --positive, and two classes are needed; the labels are {Listed(seen)}");
        return new ImageRows(pixels.Count, positives, pixels.Values, nonzeros);
    }

    /// <summary>The shortest text of each byte over 255 that reads as the same float.</summary>
    private static byte[][] Numbers()
    {
        byte[][] numbers = new byte[Levels][];
        for (int level = 0; level < Levels; level++)
            numbers[level] = Encoding.ASCII.GetBytes((level / (Levels - 1f)).ToString("R", System.Globalization.CultureInfo.InvariantCulture));
        return numbers;
    }

    private static string Listed(bool[] seen)
    {
        const int MostListed = 20;
        var text = new StringBuilder();
        int count = 0;
        for (int label = 0; label < seen.Length; label++)
        {
            if (!seen[label])
                continue;
            if (++count > MostListed)
                return text.Append(", ...").ToString();
            text.Append(count == 1 ? "" : ", ").Append(label);
        }

        return text.ToString();
    }
}
