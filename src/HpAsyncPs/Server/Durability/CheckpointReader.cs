using System;
using System.Buffers.Binary;

namespace HpAsyncPs.Server.Durability;

/// <summary>Gives the sections of a checkpoint in order.</summary>
public sealed class CheckpointReader : IDisposable
{
    private readonly IDiskFile _file;
    private readonly RecordReader _records;
    private readonly string _what;

    internal CheckpointReader(IDiskFile file, ulong number, string where)
    {
        _file = file;
        _records = new RecordReader(file, 0, (long)number, RecordReader.NewWindow());
        _what = $"checkpoint {number} in '{where}'";
    }

    /// <summary>The next section; false after the last one.</summary>
    /// <param name="section">Good until the next call.</param>
    /// <exception cref="InputException">The file has changed since it was verified.</exception>
    public bool TryNext(out ReadOnlyMemory<byte> section)
    {
        if (!_records.TryNext(_records.Offset, out RecordKind kind, out section))
            throw new InputException($"{_what} changed while it was read: does another program write there?");
        return kind == RecordKind.Section;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>Reads a whole file; says what is wrong with it.</summary>
    internal static string? Verify(IDiskFile file, ulong number)
    {
        var records = new RecordReader(file, 0, (long)number, RecordReader.NewWindow());
        ulong sections = 0;
        while (records.TryNext(records.Offset, out RecordKind kind, out ReadOnlyMemory<byte> body))
        {
            if (kind == RecordKind.Section)
                sections++;
            else if (kind != RecordKind.End || body.Length != sizeof(ulong) || BinaryPrimitives.ReadUInt64LittleEndian(body.Span) != sections)
                return $"its record before byte {records.Offset} is not one of a checkpoint";
            else
                return records.Offset == file.Length ? null : $"{file.Length - records.Offset} bytes follow its end";
        }

        return $"it is torn or corrupt at byte {records.Offset} of {file.Length}";
    }
}
