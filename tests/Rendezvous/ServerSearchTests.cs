using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Threading;
using HpAsyncPs.Programs.Rendezvous;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Transport;
using Xunit;

namespace HpAsyncPs.Tests.Rendezvous;

/// <summary>A worker's search: what is stale is recognised and waited out, never used and never waited for without end.</summary>
public sealed class ServerSearchTests
{
    private static readonly JobIdentity Mine = new("mine", 1);
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(0.3);

    [Fact]
    public void What_is_there_instead_is_said_at_the_deadline()
    {
        using var temp = new TempFolder();
        var folder = new RendezvousFolder(temp.Path);
        Assert.Contains("server-0.json is not there", Missing(temp));
        File.WriteAllText(folder.PathOf(0), "{");
        Assert.Contains("is no rendezvous file", Missing(temp));
        using Listener alive = Listener.Start(Endpoint.Parse("127.0.0.1:0"));
        RendezvousFile file = RendezvousFileTests.Sample(alive.Address) with { Job = Mine, Host = Dns.GetHostName() };
        folder.Write(file with { Job = new JobIdentity("other", 1) });
        Assert.Contains("is of another job, the server of job other, restart 1, process 17", Missing(temp));
        folder.Write(file with { Job = new JobIdentity(null, 0) });
        Assert.Contains("is of another job", Missing(temp));
        folder.Write(file with { Job = new JobIdentity("mine", 0) });
        Assert.Contains("is of an earlier start", Missing(temp));
        folder.Write(file with { Server = 1, Servers = 3 });
        Assert.Contains("is of one of 3 servers, and the first one says that there are 2", Missing(temp, server: 1, servers: 2));
        Assert.Contains("server-2.json is not there", Missing(temp, server: 2, servers: 3));
        folder.Write(file with { Host = "elsewhere.example" });
        Assert.Contains("only elsewhere.example reaches it", Missing(temp));
        folder.Write(file);
        Assert.Equal(alive.Address, Find(temp, Short).Address.ToString());
    }

    [Fact]
    public void File_of_a_server_that_is_gone_is_watched_until_a_newer_one_answers()
    {
        using var temp = new TempFolder();
        var folder = new RendezvousFolder(temp.Path);
        string gone;
        using (Listener ended = Listener.Start(Endpoint.Parse("127.0.0.1:0")))
            gone = ended.Address;
        using Listener alive = Listener.Start(Endpoint.Parse("127.0.0.1:0"));
        RendezvousFile file = RendezvousFileTests.Sample(gone) with { Job = Mine, Host = Dns.GetHostName() };
        folder.Write(file);
        Assert.Contains("does not answer", Missing(temp));
        var said = new List<LogLine>();
        var search = new ServerSearch(folder, temp.Path, Mine, tries: true);
        (RendezvousFile File, Endpoint Address)? found = null;
        var thread = new Thread(() => found = search.Find(TimeSpan.FromMinutes(1), line =>
        {
            said.Add(line);
            folder.Write(file with { Addresses = [gone, alive.Address], Incarnation = "b" }); // it has said for what it waits: now it comes
        }, TimeProvider.System, CancellationToken.None));
        thread.Start();
        thread.Join();
        Assert.Equal(("b", alive.Address), (found!.Value.File.Incarnation, found.Value.Address.ToString()));
        Assert.Contains("does not answer", Assert.Single(said).Text, StringComparison.Ordinal);
        Assert.Equal(alive.Address, search.Now(CancellationToken.None)!.Value.ToString());
        folder.Remove(file with { Incarnation = "b" });
        Assert.Null(search.Now(CancellationToken.None));
    }

    private static (RendezvousFile File, Endpoint Address) Find(TempFolder temp, TimeSpan timeout, int server = 0, int? servers = null) =>
        new ServerSearch(new RendezvousFolder(temp.Path), temp.Path, Mine, tries: true, server, servers).Find(timeout, static _ => { }, TimeProvider.System, CancellationToken.None);

    private static string Missing(TempFolder temp, int server = 0, int? servers = null) => Assert.Throws<ClusterException>(() => Find(temp, Short, server, servers)).Message;
}
