using System;
using System.CommandLine;
using System.Globalization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;

namespace HpAsyncPs.Cli;

/// <summary>hpaps reshard.</summary>
internal static class ReshardCommand
{
    public static Command Create()
    {
        Option<string> state = new Option<string>("--state")
        {
            HelpName = "DIR[,...]",
            Description = "State folders of all servers of the job, in the order of their shards; or that of the first, if the others have theirs in shard-1, shard-2, ... inside it. None of the servers may be running.",
            Required = true,
        }.NotEmpty();
        var servers = new Option<int>("--servers") { HelpName = "S", Description = $"How many servers the job is to go on with, 1 to {Limits.Servers}.", Required = true };
        servers.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= Limits.Servers))
                result.AddError($"--servers {token.Value}: give a number from 1 to {Limits.Servers}.");
        });
        Option<string> output = new Option<string>("--out") { HelpName = "DIR", Description = "Folder to write, for the --state of the first server; that of server I is shard-I in it.", Required = true }.NotEmpty();
        var command = new Command("reshard", CommonOptions.WithExamples(
            "Cuts what the servers of a job have on disk for another number of servers. What is in the old folders stays there.\n"
            + "Another number of workers needs no such thing: start the servers with the state and --workers as they are to be.",
            "hpaps reshard --state state --servers 4 --out state-4",
            "hpaps reshard --state node0/state,node1/state --servers 1 --out state"))
        {
            state, servers, output,
        };
        command.SetAction(parsed =>
        {
            Run(parsed.GetValue(state)!.Split(','), parsed.GetValue(servers), parsed.GetValue(output)!);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Run(string[] folders, int servers, string output)
    {
        Resharding.CheckApart(output, folders);
        EarlierJob job = Resharding.Read(folders, static line => Console.Error.WriteLine($"hpaps: {line}"));
        int[] bounds = Resharding.Write(job, servers, output);
        var lines = new ResultLines();
        lines.Add("job", $"policy {job.Policy}, {Show.Count((long)job.Version)} pushes, {job.Passes.ToString("0.#", CultureInfo.InvariantCulture)} passes, {Show.Duration(job.Seconds)} of training");
        for (int server = 0; server < servers; server++)
            lines.Add(servers == 1 ? "state" : $"server {server}/{servers}", $"{Resharding.FolderOf(output, server)}: keys {Show.Count(bounds[server])} to {Show.Count(bounds[server + 1] - 1)}");
        Console.Out.Write(lines.ToString());
    }
}
