using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Submitting;

/// <summary>The script of a job: what differs between jobs, and below it tools/launch/hpaps.sbatch as it is.</summary>
internal static class SlurmScript
{
    private const string Resource = "hpaps.sbatch";
    private const string Seam = "# ---- from here on the same in each job ----\n";

    // Those of a launcher that reads what the server prints, and what the script says by itself.
    private static readonly string[] s_withoutValue = ["--events", "--exit-with-stdin"];
    private static readonly string[] s_withValue = ["--workers"];

    /// <summary>Makes it.</summary>
    /// <param name="job">What was asked of Slurm.</param>
    /// <param name="settings">What is trained.</param>
    /// <param name="dataBytes">Length of the data file; 0: it is not there yet.</param>
    /// <param name="command">The command line that it is made by.</param>
    public static string Of(SlurmJob job, TrainSettings settings, long dataBytes, string command)
    {
        var script = new StringBuilder("#!/usr/bin/env bash\n");
        void Line(string text) => script.Append(text).Append('\n');
        Line($"#SBATCH --job-name={job.Name}");
        Line($"#SBATCH --nodes={Number(job.Nodes)}");
        Line($"#SBATCH --ntasks={Number(job.Workers + settings.Servers)}");
        if (job.Cpus is { } cpus)
            Line($"#SBATCH --cpus-per-task={Number(cpus)}");
        if (job.Time is { } time)
            Line($"#SBATCH --time={time}");
        if (job.Partition is { } partition)
            Line($"#SBATCH --partition={partition}");
        if (job.Account is { } account)
            Line($"#SBATCH --account={account}");
        Line(job.Requeues ? "#SBATCH --requeue" : "#SBATCH --no-requeue");
        Line("#SBATCH --open-mode=append");
        Line("#SBATCH --output=hpaps-%j.log");
        Line($"#SBATCH --signal=TERM@{Number(job.SignalBefore)}");
        foreach (string flag in job.More)
            Line($"#SBATCH {flag}");
        Line("# Written by the following; submit it with sbatch. hpaps-JOB/ in the folder of sbatch has a log a rank, and what the job goes on from.");
        Line($"#   {command.ReplaceLineEndings(" ")}");
        Line($"bin={OwnCommand.Quoted(job.Bin)}");
        Line($"servers={Number(settings.Servers)}");
        Line($"stage={(job.Stage is { } stage ? OwnCommand.Quoted(stage) : "")}");
        Line($"requeue={(job.Requeues ? 1 : 0)}");
        Line($"restarts={Number(job.Restarts ?? 100)}");
        string output = settings.Output!;
        script.Append("set --");
        string pin = settings.Pin is { } how ? $" --pin {how}" : ""; // each by its rank on its node
        foreach (string word in Kept(Commands.Server(settings with { Servers = 1 }, output, dataBytes)))
            script.Append(' ').Append(OwnCommand.Quoted(word));
        script.Append(pin);
        script.Append(" \\\n  --");
        foreach (string word in Commands.EachWorker(settings, output, dataBytes))
            script.Append(' ').Append(OwnCommand.Quoted(word));
        return script.Append(pin).Append('\n').Append(Seam).Append(Body()).ToString();
    }

    private static List<string> Kept(List<string> arguments)
    {
        var kept = new List<string>();
        for (int j = 0; j < arguments.Count; j++)
        {
            if (Array.IndexOf(s_withValue, arguments[j]) >= 0)
                j++;
            else if (Array.IndexOf(s_withoutValue, arguments[j]) < 0)
                kept.Add(arguments[j]);
        }

        return kept;
    }

    private static string Body()
    {
        using Stream stream = typeof(SlurmScript).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        string whole = reader.ReadToEnd();
        return whole[(whole.IndexOf(Seam, StringComparison.Ordinal) + Seam.Length)..];
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
