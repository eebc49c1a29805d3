using System;
using System.Buffers.Binary;
using System.IO;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// An IDX file of unsigned bytes, plain or gzip, as MNIST and its kin come in: two zeros, the type of the values, the number of dimensions, each
/// of them in four bytes, big-endian, then the values. Items are read one by one, so what a header claims takes no memory.
/// </summary>
internal sealed class IdxFile : IDisposable
{
    /// <summary>Values that an item may have: more than any image that a linear model is fitted to, and bounds what a wrong header can take.</summary>
    public const int MostValues = 1 << 24;

    private const byte UnsignedByte = 0x08;
    private const int DimensionBytes = 4;

    private readonly FileStream _file;
    private readonly GzipText? _packed;
    private readonly byte[] _magic = new byte[DimensionBytes];

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file, which starts the messages about it.</param>
    /// <param name="what">What it should hold, for messages: images.</param>
    /// <param name="fewest">Dimensions at least, the number of items included.</param>
    /// <param name="most">Dimensions at most.</param>
    /// <exception cref="InputException">It cannot be opened, or is no such file.</exception>
    public IdxFile(string path, string what, int fewest, int most)
    {
        Source = path;
        _file = Open(path);
        try
        {
            Read(_magic);
            if (_magic is [TextFile.GzipFirst, TextFile.GzipSecond, ..])
            {
                _packed = new GzipText(_file, _magic[..], path);
                Read(_magic);
            }

            Count = ReadHeader(what, fewest, most, out int values);
            Values = values;
            long expected = _file.Position + ((long)Count * Values);
            if (_packed is null && _file.Length != expected)
                throw new InputException($"{path}: has {_file.Length} bytes, and its header says {expected}; {(_file.Length < expected ? "it is cut off" : "something follows the values")}: copy or download it again");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The path.</summary>
    public string Source { get; }

    /// <summary>Number of items.</summary>
    public int Count { get; }

    /// <summary>Values of an item: the product of the other dimensions.</summary>
    public int Values { get; }

    /// <summary>The next values.</summary>
    /// <exception cref="InputException">The file ends before them, or is damaged.</exception>
    public void Read(Span<byte> values)
    {
        while (values.Length > 0)
        {
            int got = Some(values);
            if (got == 0)
                throw CutOff();
            values = values[got..];
        }
    }

    /// <summary>Makes sure that nothing follows, and of a packed file that it is whole.</summary>
    /// <exception cref="InputException">Something does.</exception>
    public void End()
    {
        Span<byte> rest = stackalloc byte[GzipText.EndLength + 1];
        int count = 0, got;
        while (count < rest.Length && (got = Some(rest[count..])) > 0)
            count += got;
        // Behind what was packed the unpacker gives its mark of a good end, and has compared it when there is nothing more.
        if (count != (_packed is null ? 0 : GzipText.EndLength))
            throw new InputException($"{Source}: something follows the {Count} items that the header says; copy or download it again");
    }

    public void Dispose()
    {
        _packed?.Dispose();
        _file.Dispose();
    }

    private int ReadHeader(string what, int fewest, int most, out int values)
    {
        if (_magic[0] != 0 || _magic[1] != 0)
            throw new InputException($"{Source}: this is no IDX file: it begins with {Convert.ToHexString(_magic)} and not with two zeros; give the file of {what}, plain or gzip");
        if (_magic[2] != UnsignedByte)
            throw new InputException($"{Source}: its values have the type 0x{_magic[2]:x2}; only unsigned bytes, 0x08, can be read");
        int dimensions = _magic[3];
        if (dimensions < fewest || dimensions > most)
            throw new InputException($"{Source}: has {dimensions} dimensions, and {what} have {(fewest == most ? $"{most}" : $"{fewest} to {most}")}; are --images and --labels exchanged?");
        Span<byte> size = stackalloc byte[DimensionBytes];
        uint count = 0;
        long product = 1;
        for (int k = 0; k < dimensions; k++)
        {
            Read(size);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(size);
            if (k == 0)
                count = length;
            else if ((product *= length) is 0 or > MostValues)
                throw new InputException($"{Source}: the header says that an item has {product} values, and it may have 1 to {MostValues}; is the file damaged?");
        }

        if (count is 0 or > int.MaxValue)
            throw new InputException($"{Source}: the header says {count} items, and there may be 1 to {int.MaxValue}; is the file damaged?");
        values = (int)product;
        return (int)count;
    }

    private int Some(Span<byte> values)
    {
        try
        {
            return _packed is { } packed ? packed.Read(values) : _file.Read(values);
        }
        catch (IOException failed)
        {
            throw Unreadable(Source, failed);
        }
    }

    private InputException CutOff() => new($"{Source}: ends before the values that its header says; copy or download it again");

    private static InputException Unreadable(string path, Exception failed) => new($"{path}: cannot be read: {failed.Message}; check the path and the disk", failed);

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions { BufferSize = 1 << 16, Options = FileOptions.SequentialScan });
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new InputException($"{path}: may not be read by this user; give a file, and check its permissions", refused);
        }
        catch (IOException failed)
        {
            throw Unreadable(path, failed);
        }
    }
}
