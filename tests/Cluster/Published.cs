using System;
using System.IO;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>The native programs, as tools/publish.sh leaves them.</summary>
internal static class Published
{
    private const string Variable = "HPAPS_BIN";

    public static string Launcher => PathOf("hpaps");

    public static string Server => PathOf("hpaps-server");

    public static string Worker => PathOf("hpaps-worker");

    /// <summary>Full path of a program; skips the running test where it is not published.</summary>
    private static string PathOf(string program)
    {
        string? folder = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(folder))
            folder = Path.Combine(Repository.Root, "out", "bin");
        string path = Path.GetFullPath(Path.Combine(folder, program));
        Assert.SkipUnless(File.Exists(path), $"{path} is not there: run tools/publish.sh, or set {Variable} to the folder of the programs");
        return path;
    }
}
