using System;
using System.CommandLine;
using System.IO;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Watching;

/// <summary>The command lines of hpaps watch and hpaps status.</summary>
internal static class WatchCommands
{
    private const double DefaultInterval = 1;

    /// <summary>hpaps watch.</summary>
    public static Command Watch()
    {
        Argument<string> address = MonitorAddress.Argument();
        Option<double> interval = new Option<double>("--interval") { HelpName = "SECONDS", Description = "Between two looks.", DefaultValueFactory = static _ => DefaultInterval }.Within(0.2, 3600);
        SecurityOptions security = SecurityOptions.OfReader();
        var command = new Command("watch", CommonOptions.WithExamples(
            "Shows how a job stands that has a monitoring port (--monitor of hpaps train and hpaps-server), until it ends: the job, its workers with those in\n"
            + "trouble on top, and what has happened lately. Where standard output is no terminal: a line an interval, and one for each event but evaluations.\n"
            + "Exit code 0 when the job has ended well or at Ctrl-C, 4 when it has failed or is not there.",
            "hpaps watch",
            "hpaps watch 10.0.0.1:9464 --token-file token",
            "hpaps watch http://127.0.0.1:9464/ --interval 10 >> job.log"))
        {
            address, interval, security.TokenFile,
        };
        command.SetAction(parsed => WatchRun.Run(MonitorAddress.Of(parsed.GetValue(address)!, security.TokenOf(parsed)), TimeSpan.FromSeconds(parsed.GetValue(interval)), TimeProvider.System));
        return command;
    }

    /// <summary>hpaps status.</summary>
    public static Command Status()
    {
        Argument<string> address = MonitorAddress.Argument();
        var json = new Option<bool>("--json") { Description = "Print what the port answers, one JSON object, on standard output, and nothing else there." };
        SecurityOptions security = SecurityOptions.OfReader();
        var command = new Command("status", CommonOptions.WithExamples(
            "Says once how a job stands that has a monitoring port (--monitor of hpaps train and hpaps-server). Exit code 0, or 4 when the job has failed or nobody answers.",
            "hpaps status",
            "hpaps status 10.0.0.1:9464 --token-file token",
            "hpaps status --json | jq .run.relative_gap"))
        {
            address, json, security.TokenFile,
        };
        command.SetAction(parsed => Say(MonitorAddress.Of(parsed.GetValue(address)!, security.TokenOf(parsed)), parsed.GetValue(json)));
        return command;
    }

    private static int Say(MonitorAddress address, bool isJson)
    {
        using var signals = new StopSignals();
        try
        {
            (StatusDocument status, byte[] text) = new MonitorClient(address, signals.First).Status();
            if (isJson)
            {
                using Stream output = Console.OpenStandardOutput();
                output.Write(text);
                output.Write("\n"u8);
            }
            else
            {
                foreach (ShownLine line in StatusLines.Of(status, null, int.MaxValue))
                    Console.Out.WriteLine(line.Text);
            }

            return status.Run.Phase != "failed" ? (int)ExitCode.Done : throw new ClusterException("the job has failed: see the log of hpaps-server, or hpaps watch while it is there");
        }
        catch (MonitorException e)
        {
            throw new ClusterException(e.Message, e);
        }
    }
}
