using System;
using System.IO;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Server.Durability;

/// <summary>Who may use a folder of state, and what is in it.</summary>
public sealed class StateFolderTests
{
    [Fact]
    public void Has_its_parts_and_is_nobody_elses()
    {
        using var folder = new TempFolder();
        string path = folder.In("a/state");
        using (StateFolder state = StateFolder.Open(path))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
            Assert.Equal(Path.Combine(path, "journal"), state.Journal.Where);
            Assert.Equal(Path.Combine(path, "checkpoints"), state.Checkpoints.Where);
            Assert.Empty(state.Journal.Names());
            Assert.Empty(state.Checkpoints.Names());
            InputException e = Assert.Throws<InputException>(() => StateFolder.Open(path));
            Assert.Contains($"'{path}' is in use by another server, process {Environment.ProcessId}", e.Message, StringComparison.Ordinal);
        }

        StateFolder.Open(path).Dispose();
    }

    [Fact]
    public void A_file_in_its_place_is_named()
    {
        using var folder = new TempFolder();
        string path = folder.In("state");
        File.WriteAllText(path, "");
        Assert.Contains(path, Assert.Throws<InputException>(() => StateFolder.Open(path)).Message, StringComparison.Ordinal);
    }
}
