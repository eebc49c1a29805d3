using System;
using System.IO;

namespace HpAsyncPs.Learning.Output;

/// <summary>Files that appear whole or not at all: written beside their place, then renamed into it.</summary>
public static class AtomicFile
{
    private const int BufferBytes = 1 << 16;

    /// <summary>Writes a file. Many small writes are fine.</summary>
    /// <exception cref="InputException">It cannot be written; nothing is left behind.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string partial = $"{path}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}.partial"; // others may write the same file
        try
        {
            using (FileStream file = File.Create(partial, BufferBytes))
            {
                write(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(partial, path, overwrite: true);
        }
        catch (Exception e)
        {
            TryDelete(partial);
            if (e is IOException or UnauthorizedAccessException)
                throw new InputException($"{path}: cannot be written ({e.Message}); choose another --out, or make room", e);
            throw;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What made the write fail may make this fail; the first error is the one to tell.
        }
    }
}
