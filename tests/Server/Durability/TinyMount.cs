using System;
using System.Diagnostics;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Server.Durability;

/// <summary>A file system of few MiB in memory. Skips the test where mounting is not allowed; unmounted at the end.</summary>
internal sealed class TinyMount : IDisposable
{
    private readonly TempFolder _folder = new();

    public TinyMount(int mebibytes)
    {
        if (Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", Path) is { } why)
        {
            _folder.Dispose();
            Assert.Skip($"no file system can be mounted here (it takes root): {why}");
        }
    }

    public string Path => _folder.Path;

    public void MakeReadOnly() => Assert.Null(Run("mount", "-o", "remount,ro", Path));

    public void Dispose()
    {
        Assert.Null(Run("umount", Path));
        _folder.Dispose();
    }

    /// <summary>What the program complains of, or null.</summary>
    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    }
}
