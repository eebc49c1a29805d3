using System;
using System.IO;

namespace HpAsyncPs.Cli.Launching;

/// <summary>Where the programs are that the launcher starts.</summary>
internal sealed record Binaries(string Server, string Worker)
{
    /// <summary>Environment variable that names their folder, where it is not the launcher's own.</summary>
    public const string FolderVariable = "HPAPS_BIN";

    /// <exception cref="InputException">One is missing.</exception>
    public static Binaries Find()
    {
        string? named = Environment.GetEnvironmentVariable(FolderVariable);
        string folder = string.IsNullOrEmpty(named) ? AppContext.BaseDirectory : named;
        return new Binaries(Existing(folder, "hpaps-server"), Existing(folder, "hpaps-worker"));
    }

    private static string Existing(string folder, string name)
    {
        // Full: a relative path without a separator would be looked up in PATH.
        string path = Path.GetFullPath(Path.Combine(folder, name));
        return File.Exists(path)
            ? path
            : throw new InputException($"{path}: the program is missing; run tools/publish.sh, or set {FolderVariable} to the folder of the three programs");
    }
}
