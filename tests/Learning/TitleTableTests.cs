using System.IO;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class TitleTableTests
{
    [Theory]
    [InlineData("movieId,title,genres\n1,Toy Story (1995),Adventure\n2,\"President, The \"\"Great\"\" (1995)\",Drama\n")]
    [InlineData("1::Toy Story (1995)::Adventure\r\n2::President, The \"Great\" (1995)::Drama\r\n")]
    [InlineData("1|Toy Story (1995)|01-Jan-1995\n2|President, The \"Great\" (1995)|x\n")]
    [InlineData("1\tToy Story (1995)\n2\tPresident, The \"Great\" (1995)")]
    public void Titles_are_found_in_every_form(string text)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("t"), text);
        TitleTable titles = TitleTable.Read(folder.In("t"), CancellationToken.None);
        Assert.Equal("Toy Story (1995)", titles["1"]);
        Assert.Equal("President, The \"Great\" (1995)", titles["2"]);
        Assert.Null(titles["3"]);
    }

    [Fact]
    public void Line_without_a_title_is_refused()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("t"), "1,A\n2\n");
        Assert.EndsWith("t:2: there is no title ('2'); a line is 'id,title', or separated by '::', tabs or '|'",
            Assert.Throws<InputException>(() => TitleTable.Read(folder.In("t"), CancellationToken.None)).Message);
    }
}
