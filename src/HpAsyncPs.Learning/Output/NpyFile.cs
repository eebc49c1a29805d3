using System;
using System.Buffers.Binary;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace HpAsyncPs.Learning.Output;

/// <summary>
/// Vectors and matrices of float32 in NumPy's .npy format, version 1.0. Source: NumPy Enhancement Proposal 1, A Simple File Format for
/// NumPy Arrays.
/// </summary>
public static partial class NpyFile
{
    private const int Alignment = 64;
    private const int PrefixBytes = 10;

    // A span of bytes has at most 2^31 - 1 of them; a model may have 2^30 floats.
    private const int SliceFloats = 1 << 20;
    private static readonly byte[] Magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];

    /// <summary>Writes a vector, or a matrix of rows of more than one.</summary>
    public static void Write(Stream output, ReadOnlySpan<float> values, int rowLength = 1)
    {
        string shape = rowLength == 1 ? $"{values.Length}," : $"{values.Length / rowLength}, {rowLength}";
        string dictionary = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}";
        int header = (PrefixBytes + dictionary.Length + 1 + Alignment - 1) / Alignment * Alignment;
        byte[] bytes = new byte[header];
        Array.Fill(bytes, (byte)' ');
        Magic.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(Magic.Length), (ushort)(header - PrefixBytes));
        Encoding.ASCII.GetBytes(dictionary, bytes.AsSpan(PrefixBytes));
        bytes[^1] = (byte)'\n';
        output.Write(bytes);
        for (int at = 0; at < values.Length; at += SliceFloats)
            output.Write(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(SliceFloats, values.Length - at))));
    }

    /// <summary>Reads a vector or a matrix of float32, row after row.</summary>
    /// <exception cref="InputException">The file is missing, or is neither.</exception>
    public static float[] Read(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] prefix = new byte[PrefixBytes];
            file.ReadExactly(prefix);
            if (!prefix.AsSpan(0, Magic.Length).SequenceEqual(Magic))
                throw Broken(path, "it does not begin like a .npy file of version 1.0");
            byte[] header = new byte[BinaryPrimitives.ReadUInt16LittleEndian(prefix.AsSpan(Magic.Length))];
            file.ReadExactly(header);
            Match match = Header().Match(Encoding.ASCII.GetString(header));
            int rows = 0, columns = 1;
            if (!match.Success || !int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out rows)
                || (match.Groups[2].Success && !int.TryParse(match.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out columns))
                || (long)rows * columns > Array.MaxLength)
            {
                throw Broken(path, "its header is not that of a vector or matrix of '<f4'");
            }

            int length = rows * columns;
            long bytes = (long)length * sizeof(float);
            if (file.Length - file.Position != bytes)
                throw Broken(path, $"its header says {length} values, the file has {file.Length - file.Position} bytes of them");
            float[] values = new float[length];
            for (int at = 0; at < length; at += SliceFloats)
                file.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan(at, Math.Min(SliceFloats, length - at))));
            return values;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message}); give the folder that training wrote (--model)", e);
        }
    }

    private static InputException Broken(string path, string what) =>
        new($"{path}: {what}; train again, or give another --model");

    [GeneratedRegex(@"^\{\s*'descr':\s*'<f4',\s*'fortran_order':\s*False,\s*'shape':\s*\((\d+),(?:\s*(\d+))?\),?\s*\}\s*$")]
    private static partial Regex Header();
}
