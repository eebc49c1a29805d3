using System;
using System.IO;

namespace HpAsyncPs.Server.Durability;

/// <summary>What a disk says when it fails, in words that say what to do.</summary>
public static class DiskTrouble
{
    /// <summary>errno: no space left on the device.</summary>
    public const int Full = 28;

    /// <summary>errno: the file system is read-only.</summary>
    public const int ReadOnly = 30;

    private const int QuotaExceeded = 122;

    /// <summary>Is this how a disk fails, not a fault of the program?</summary>
    public static bool Is(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>A sentence about what could not be done, where, and the remedy.</summary>
    /// <param name="what">As in "the journal cannot be written".</param>
    /// <param name="where">Path of the folder.</param>
    /// <param name="e">From the disk.</param>
    public static string Describe(string what, string where, Exception e) => $"{what} in '{where}': " + e switch
    {
        { HResult: Full } => "no space left on that disk; free some, or choose a folder on another disk, and start again",
        { HResult: QuotaExceeded } => "the disk quota is used up; free space or raise the quota, and start again",
        { HResult: ReadOnly } => "that file system is read-only; remount it for writing (a disk with errors becomes read-only: see the system's log), or choose another folder",
        UnauthorizedAccessException => $"no permission; give this user the right to write there, or choose another folder ({e.Message})",
        _ => $"{e.Message}; see the system's log for what is wrong with that disk, or choose another folder",
    };
}
