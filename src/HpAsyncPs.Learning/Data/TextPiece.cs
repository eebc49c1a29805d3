using System;
using System.IO;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// One of N pieces of a text: the lines that begin in its N-th of the bytes, the last of them to its end. So each line is in one piece, wherever the bounds fall.
/// </summary>
internal static class TextPiece
{
    /// <summary>Reads a piece, and a line's end before and behind it, but nothing else.</summary>
    /// <param name="file">The text.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="part">Which piece.</param>
    /// <param name="sink">Takes the lines; those of pieces after the first are told by their offsets.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">It is no plain text, or malformed.</exception>
    public static void Read(FileStream file, string path, RowPart part, ILineSink sink, CancellationToken cancellation)
    {
        if (!file.CanSeek)
            throw new InputException($"{path}: this is a pipe or a device, of which --cut bytes cannot read a piece; save it to a file first");
        SafeFileHandle handle = file.SafeFileHandle;
        Span<byte> first = stackalloc byte[4];
        first = first[..RandomAccess.Read(handle, first, 0)];
        if (TextFile.IsZip(first))
            throw TextFile.Zip(path);
        if (first is [TextFile.GzipFirst, TextFile.GzipSecond, ..])
            throw new InputException($"{path}: is gzip, which cannot be read from its middle as --cut bytes does; unpack it, or make a prepared file of it (hpaps prepare logreg), or leave --cut bytes out");
        (long begin, long end) = part.RangeOf(file.Length);
        long at = begin = LineAt(handle, begin);
        end = LineAt(handle, end);
        sink.TotalBytes = end - begin;
        new LineScanner(path, sink, TextFile.DefaultBlockBytes, [], begin).Scan(
            buffer =>
            {
                int got = RandomAccess.Read(handle, buffer[..(int)Math.Min(buffer.Length, end - at)], at);
                at += got;
                return got;
            },
            cancellation);
    }

    /// <summary>Where the first line begins at or after an offset; the end of the file if none does.</summary>
    private static long LineAt(SafeFileHandle file, long offset)
    {
        if (offset == 0)
            return 0;
        Span<byte> buffer = stackalloc byte[4096];
        long at = offset - 1;
        int got;
        while ((got = RandomAccess.Read(file, buffer, at)) > 0)
        {
            int end = buffer[..got].IndexOf((byte)'\n');
            if (end >= 0)
                return at + end + 1;
            at += got;
        }

        return at;
    }
}
