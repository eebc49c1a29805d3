using System;
using System.IO;
using Xunit;

namespace HpAsyncPs.Tests;

/// <summary>Finds the data sets, which are no part of the repository.</summary>
public static class DataFolder
{
    private const string Variable = "HPAPS_DATA";
    private const string Packaged = "/usr/share/datasets"; // Debian's dataset-fashion-mnist

    /// <summary>Full path of a data file, such as <c>a9a/a9a.svm.gz</c>; skips the running test where it is absent.</summary>
    public static string PathOf(string file)
    {
        string? folder = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(folder))
            folder = BesideRepository();
        if (folder is not null && File.Exists(Path.Combine(folder, file)))
            return Path.Combine(folder, file);
        if (File.Exists(Path.Combine(Packaged, file)))
            return Path.Combine(Packaged, file);
        const string Remedy = $"set {Variable} to the folder of the data sets, or put it at ../shared/data beside the repository";
        Assert.Skip($"data file {file} not found: {Remedy}");
        return "";
    }

    private static string? BesideRepository()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "HpAsyncPs.sln")))
                return Path.Combine(at.FullName, "..", "shared", "data");
        }

        return null;
    }
}
