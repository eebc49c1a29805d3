using HpAsyncPs.Programs.Rendezvous;
using Xunit;

namespace HpAsyncPs.Tests.Rendezvous;

/// <summary>Lists of hosts as Slurm writes them.</summary>
public sealed class HostListTests
{
    [Theory]
    [InlineData("n0", "n0")]
    [InlineData("n[0-2,5],m01", "n0 n1 n2 n5 m01")]
    [InlineData("node[008-010]-ib", "node008-ib node009-ib node010-ib")]
    [InlineData("r[0-1]n[3,7]", "r0n3 r0n7 r1n3 r1n7")]
    [InlineData("a-b.example.org,c[9-11]", "a-b.example.org c9 c10 c11")]
    [InlineData("n[2147483647]", "n2147483647")]
    public void List_becomes_names_in_its_order(string list, string names) => Assert.Equal(names.Split(' '), HostList.Expand(list));

    [Theory]
    [InlineData("")]
    [InlineData("n0,")]
    [InlineData(",n0")]
    [InlineData("n[0-2")]
    [InlineData("n0-2]")]
    [InlineData("n[[0-1]]")]
    [InlineData("n[]")]
    [InlineData("n[2-1]")]
    [InlineData("n[0-1-2]")]
    [InlineData("n[-1]")]
    [InlineData("n[a]")]
    [InlineData("n[0-4294967296]")]
    [InlineData("n 0")]
    public void What_is_no_list_is_refused(string list) => Assert.Contains("is no list of hosts", Assert.Throws<InputException>(() => HostList.Expand(list)).Message);

    [Fact]
    public void Lists_have_a_limit()
    {
        Assert.Equal(HostList.Most, HostList.Expand("n[0-65535]").Length);
        Assert.Contains("more than 65536 hosts", Assert.Throws<InputException>(() => HostList.Expand("n[0-99999]n[0-99999]n[0-99999]")).Message);
    }
}
