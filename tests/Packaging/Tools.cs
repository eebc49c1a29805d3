using System;
using System.IO;

namespace HpAsyncPs.Tests.Packaging;

/// <summary>Programs of this machine.</summary>
internal static class Tools
{
    /// <summary>Full path of a program, or null: it is not installed.</summary>
    public static string? Find(string name)
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path))
                return path;
        }

        return null;
    }
}
