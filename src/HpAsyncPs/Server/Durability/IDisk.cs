using System;
using System.Collections.Generic;

namespace HpAsyncPs.Server.Durability;

/// <summary>
/// A folder of files, with as much of a disk's behaviour as durability rests on: what is written is safe from a crash after <see cref="IDiskFile.Sync"/>,
/// and the names of files after <see cref="SyncNames"/>, not before. Every method can fail with an
/// <see cref="System.IO.IOException"/> or <see cref="UnauthorizedAccessException"/> (<see cref="DiskTrouble"/> puts them into words).
/// </summary>
public interface IDisk
{
    /// <summary>What messages call it: the path of the folder.</summary>
    string Where { get; }

    /// <summary>Names of the files, in no order.</summary>
    IReadOnlyList<string> Names();

    /// <summary>A new, empty file, in place of any of that name.</summary>
    IDiskFile Create(string name);

    /// <summary>A file that is there, to read and write.</summary>
    IDiskFile Open(string name);

    /// <summary>Gives a file another name, in place of any that has it.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file.</summary>
    void Delete(string name);

    /// <summary>What was created, renamed and deleted before survives a crash.</summary>
    void SyncNames();
}

/// <summary>An open file of an <see cref="IDisk"/>. One thread at a time.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>In bytes.</summary>
    long Length { get; }

    /// <summary>Reads; fewer bytes than asked for, perhaps 0, at the end.</summary>
    int Read(long offset, Span<byte> destination);

    /// <summary>Writes all, past the end if need be.</summary>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Cuts the file.</summary>
    void SetLength(long length);

    /// <summary>What was written and cut before survives a crash.</summary>
    void Sync();
}
