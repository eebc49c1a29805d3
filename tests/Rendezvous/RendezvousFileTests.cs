using System;
using System.IO;
using System.Text;
using HpAsyncPs.Programs.Rendezvous;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Rendezvous;

/// <summary>What a server leaves in the folder, and what is refused there.</summary>
public sealed class RendezvousFileTests
{
    [Fact]
    public void File_says_again_what_was_written_and_nobody_else_may_read_it()
    {
        using var temp = new TempFolder();
        var folder = new RendezvousFolder(temp.In("meet"));
        Assert.Null(folder.Read(0));
        RendezvousFile file = Sample("127.0.0.1:7070", "[fd00::2]:7070") with { Place = new Placement("Open MPI", 0, 5, null, "12", []) };
        folder.Write(file);
        RendezvousFile? read = folder.Read(0);
        Assert.NotNull(read);
        Assert.Equal(file.Addresses, read.Addresses);
        Assert.Equal((file.Job, file.Workers, file.Host, file.Process, file.Incarnation, file.Written), (read.Job, read.Workers, read.Host, read.Process, read.Incarnation, read.Written));
        Assert.Equal(("Open MPI", 0, 5, "12"), (read.Place!.Launcher, read.Place.Rank, read.Place.Size, read.Place.Launch));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.PathOf(0)));
        Assert.Single(Directory.GetFileSystemEntries(temp.In("meet"))); // nothing is left of how it was written
    }

    [Fact]
    public void Newer_server_replaces_the_file_and_the_older_one_leaves_it_alone()
    {
        using var temp = new TempFolder();
        var folder = new RendezvousFolder(temp.Path);
        RendezvousFile old = Sample("127.0.0.1:1"), newer = Sample("127.0.0.1:2") with { Incarnation = "b" };
        folder.Write(old);
        folder.Write(newer);
        folder.Remove(old);
        Assert.Equal("b", folder.Read(0)?.Incarnation);
        folder.Remove(newer);
        Assert.Null(folder.Read(0));
    }

    [Fact]
    public void File_is_refused_that_is_cut_off_anywhere()
    {
        byte[] whole = Sample("127.0.0.1:7070").ToBytes();
        for (int length = 0; length < whole.Length; length++)
        {
            int most = length;
            Assert.Throws<InputException>(() => RendezvousFile.Parse(whole.AsMemory(0, most), "x"));
        }
    }

    [Theory]
    [InlineData("\"hpaps_rendezvous\": 1", "\"hpaps_rendezvous\": 2", "its format is 2, and this program reads 1")]
    [InlineData("\"hpaps_rendezvous\": 1", "\"other\": 1", "hpaps_rendezvous")]
    [InlineData("\"127.0.0.1:7070\"", "", "0 addresses")]
    [InlineData("\"127.0.0.1:7070\"", "\"127.0.0.1\"", "is no address")]
    [InlineData("\"127.0.0.1:7070\"", "\"127.0.0.1:0\"", "is no address")]
    [InlineData("\"127.0.0.1:7070\"", "\"unix:/tmp/x\"", "is no address")]
    [InlineData("\"127.0.0.1:7070\"", "7", "an address is no text")]
    [InlineData("\"workers\": 4", "\"workers\": 0", "'workers' is no number from 1")]
    [InlineData("\"workers\": 4", "\"workers\": 4.5", "'workers'")]
    [InlineData("\"workers\": 4", "\"workers\": 4, \"workers\": 5", "no rendezvous file")]
    [InlineData("\"server\": 0", "\"server\": 1", "'server' is no number from 0 to 0")]
    [InlineData("\"host\": \"node0\"", "\"host\": \"a\\u001b[2J\"", "none of a text")]
    [InlineData("\"host\": \"node0\"", "\"host\": \"\"", "'host' is empty")]
    public void File_is_refused_whole_for_one_bad_value(string good, string bad, string words)
    {
        string text = Encoding.UTF8.GetString(Sample("127.0.0.1:7070").ToBytes());
        Assert.Contains(good, text, StringComparison.Ordinal);
        byte[] changed = Encoding.UTF8.GetBytes(text.Replace(good, bad, StringComparison.Ordinal));
        Assert.Contains(words, Assert.Throws<InputException>(() => RendezvousFile.Parse(changed, "x")).Message);
    }

    [Fact]
    public void File_that_is_long_or_that_others_may_write_is_refused()
    {
        using var temp = new TempFolder();
        var folder = new RendezvousFolder(temp.Path);
        folder.Write(Sample("127.0.0.1:7070"));
        File.SetUnixFileMode(folder.PathOf(0), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        Assert.Contains("may be written by others", Assert.Throws<InputException>(() => folder.Read(0)).Message);
        File.WriteAllText(folder.PathOf(0), new string(' ', RendezvousFile.MostBytes + 1));
        File.SetUnixFileMode(folder.PathOf(0), UnixFileMode.UserRead);
        Assert.Contains("more than 16384 bytes", Assert.Throws<InputException>(() => folder.Read(0)).Message);
    }

    [Theory]
    [InlineData("auto", true, null)]
    [InlineData("auto:2", true, 2)]
    [InlineData("auto:", false, null)]
    [InlineData("auto:-1", false, null)]
    [InlineData("0/4", false, null)]
    public void Part_may_be_left_to_the_rank(string text, bool isAuto, int? servers)
    {
        Assert.Equal(isAuto, PartOfRank.IsAuto(text, out int? found));
        Assert.Equal(servers, found);
    }

    [Theory]
    [InlineData(2, 5, null, null, 2, 5)] // all are workers
    [InlineData(2, 5, 1, null, 1, 4)] // rank 0 is said to be a server
    [InlineData(2, 5, null, 0, 1, 4)] // rank 0 is the server, as its file says
    [InlineData(2, 5, null, 4, 2, 4)] // the last one is
    public void Part_is_the_rank_without_servers(int rank, int size, int? servers, int? serverRank, int index, int count)
    {
        RendezvousFile? file = serverRank is { } other ? Sample("127.0.0.1:1") with { Place = Place(other, size) } : null;
        Assert.Equal((index, count), PartOfRank.Of(Place(rank, size), servers, file));
    }

    [Fact]
    public void Part_is_the_rank_without_all_of_several_servers()
    {
        RendezvousFile first = Sample("127.0.0.1:1") with { Place = Place(3, 6), Workers = 4 }, second = Sample("127.0.0.1:2") with { Place = Place(0, 6) };
        Assert.Equal((0, 4), PartOfRank.Of(Place(1, 6), null, first, second));
        Assert.Equal((1, 4), PartOfRank.Of(Place(2, 6), null, first, second));
        Assert.Equal((3, 4), PartOfRank.Of(Place(5, 6), null, first, second));
        Assert.Contains("a server's rank", Assert.Throws<InputException>(() => PartOfRank.Of(Place(0, 6), null, first, second)).Message);
    }

    [Fact]
    public void Server_of_another_launch_takes_no_rank_of_this_one()
    {
        RendezvousFile alone = Sample("127.0.0.1:1") with { Place = Place(0, 1) }, other = Sample("127.0.0.1:1") with { Place = Place(0, 4) with { Launch = "9" } };
        Assert.Equal((0, 4), PartOfRank.Of(Place(0, 4), null, alone));
        Assert.Equal((0, 4), PartOfRank.Of(Place(0, 4), null, other));
    }

    [Fact]
    public void Part_that_does_not_fit_is_refused()
    {
        RendezvousFile file = Sample("127.0.0.1:1") with { Place = Place(0, 4) };
        Assert.Contains("srun or mpirun", Refused(null, null, null));
        Assert.Contains("a server's rank", Refused(Place(0, 4), 1, null));
        Assert.Contains("a server's rank", Refused(Place(0, 4), null, file));
        Assert.Contains("there are 3 workers, and the server of job mine", Refused(Place(1, 4), null, file));
    }

    internal static RendezvousFile Sample(params string[] addresses) => new()
    {
        Addresses = addresses,
        Job = new JobIdentity("mine", 0),
        Workers = 4,
        Host = "node0",
        Process = 17,
        Incarnation = "a",
        Written = new DateTimeOffset(2026, 3, 1, 9, 30, 12, TimeSpan.Zero),
    };

    private static Placement Place(int rank, int size) => new("Slurm", rank, size, null, "17.0", []);

    private static string Refused(Placement? place, int? servers, RendezvousFile? file) => Assert.Throws<InputException>(() => PartOfRank.Of(place, servers, file)).Message;
}
