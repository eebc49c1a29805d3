using System;
using System.Collections.Generic;
using System.IO;
using Microsoft.Win32.SafeHandles;

namespace HpAsyncPs.Server.Durability;

/// <summary>A folder of the file system.</summary>
/// <param name="folder">There already.</param>
public sealed class FileDisk(string folder) : IDisk
{
    /// <inheritdoc/>
    public string Where => folder;

    /// <inheritdoc/>
    public IReadOnlyList<string> Names()
    {
        string[] names = Directory.GetFiles(folder);
        for (int j = 0; j < names.Length; j++)
            names[j] = Path.GetFileName(names[j]);
        return names;
    }

    /// <inheritdoc/>
    public IDiskFile Create(string name) => new OpenFile(PathOf(name), FileMode.Create);

    /// <inheritdoc/>
    public IDiskFile Open(string name) => new OpenFile(PathOf(name), FileMode.Open);

    /// <inheritdoc/>
    public void Rename(string from, string to) => File.Move(PathOf(from), PathOf(to), overwrite: true);

    /// <inheritdoc/>
    public void Delete(string name) => File.Delete(PathOf(name));

    /// <inheritdoc/>
    public void SyncNames() => DiskCalls.SyncFolder(folder);

    private string PathOf(string name) => Path.Combine(folder, name);

    private sealed class OpenFile(string path, FileMode mode) : IDiskFile
    {
        private readonly SafeFileHandle _handle = File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.Read);

        public long Length => RandomAccess.GetLength(_handle);

        public int Read(long offset, Span<byte> destination) => RandomAccess.Read(_handle, destination, offset);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_handle, bytes, offset);

        public void SetLength(long length) => RandomAccess.SetLength(_handle, length);

        public void Sync() => DiskCalls.SyncData(_handle);

        public void Dispose() => _handle.Dispose();
    }
}
