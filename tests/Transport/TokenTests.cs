using System;
using System.IO;
using System.Text;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Transport;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>Which files are taken for a token.</summary>
public sealed class TokenTests
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.GroupRead | UnixFileMode.OtherRead)]
    public void File_that_is_open_to_others_is_refused_with_the_remedy(UnixFileMode more)
    {
        using var folder = new TempFolder();
        string path = Write(folder, new string('x', 32), Own | more);
        InputException error = Assert.Throws<InputException>(() => Token.Read(path));
        Assert.Contains($"chmod 600 '{path}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("mode 06", error.Message, StringComparison.Ordinal);
        File.SetUnixFileMode(path, Own);
        _ = Token.Read(path);
    }

    [Fact]
    public void Link_to_a_private_file_is_taken()
    {
        using var folder = new TempFolder();
        string path = Write(folder, new string('x', 32), UnixFileMode.UserRead);
        File.CreateSymbolicLink(folder.In("link"), path);
        _ = Token.Read(folder.In("link"));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(15, false)]
    [InlineData(16, true)]
    [InlineData(4095, true)]
    [InlineData(4096, false)] // with the end of the line
    public void Length_is_bounded_without_white_space_at_the_end(int length, bool fits)
    {
        using var folder = new TempFolder();
        string path = Write(folder, new string('x', length) + "\n", Own);
        if (fits)
            _ = Token.Read(path);
        else
            Assert.Contains(length < 16 ? $"has {length} bytes" : "more than 4096 bytes", Assert.Throws<InputException>(() => Token.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_file_and_folder_say_how_to_make_one()
    {
        using var folder = new TempFolder();
        Assert.Contains("umask 077", Assert.Throws<InputException>(() => Token.Read(folder.In("missing"))).Message, StringComparison.Ordinal);
        Assert.Contains("it is a folder", Assert.Throws<InputException>(() => Token.Read(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => Token.Read(""));
    }

    private static string Write(TempFolder folder, string text, UnixFileMode mode)
    {
        string path = folder.In("token");
        File.WriteAllBytes(path, Encoding.ASCII.GetBytes(text));
        File.SetUnixFileMode(path, mode);
        return path;
    }
}
