using System;
using System.CommandLine;
using System.Globalization;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Cli.Comparing;

/// <summary>The options of hpaps compare that hpaps train has not.</summary>
internal sealed class CompareOptions
{
    /// <summary>Most runs of one comparison.</summary>
    public const int MostRuns = 200;

    /// <param name="isLogistic">Of logistic regression, whose workers can do more or less between two pushes.</param>
    /// <param name="within">What --within is by default.</param>
    public CompareOptions(bool isLogistic, double within)
    {
        Within = new Option<double>("--within")
        {
            HelpName = "F",
            Description = "Without --target: time runs to where the baseline ended, of several the one that ended lowest, its median: to be within F of its RMSE, or the share F of its objective, is to be there.",
            DefaultValueFactory = _ => within,
        }.Within(0, 10);
        if (!isLogistic)
            return;
        Solvers = new ListOption("--solvers", "--solver",
            "What workers do between two pushes, each as --solver of hpaps train: svrg, gradient or gradient:Q, Q steps a push. It decides how often they communicate. Not for policy asp.", static text =>
            {
                return LocalSolver.TryParse(text, out LocalSolver solver) ? solver.ToString() : throw new FormatException($"'{text}' is not known: use svrg, gradient, or gradient:Q with Q from 0 to 998");
            });
        Batches = new ListOption("--batches", "--batch", "The same for policy asp: rows of a gradient, each as --batch of hpaps train.", static text => Whole(text, int.MaxValue));
    }

    public ListOption Policies { get; } = new("--policies", "--policy", $"Policies; async,bsp by default. {PolicyNames.Help}", static text => PolicyNames.Create(text).Name);

    public ListOption Codecs { get; } = new("--codecs", "--codec", $"Codecs; auto by default. There are {CodecSpec.Help}.", static text => CodecSpec.Parse(text).Name);

    public ListOption Workers { get; } = new("--workers", "--workers", "Numbers of workers; by default the number of processors, but 2 to 4.", static text => Whole(text, Limits.Workers));

    public ListOption? Solvers { get; }

    public ListOption? Batches { get; }

    public Option<int> Runs { get; } = new Option<int>("--runs") { HelpName = "N", Description = "Runs of each configuration, all with the same seed: their spread is that of the machine. First one of each, then the second of each.", DefaultValueFactory = _ => 1 }.Within(1, MostRuns);

    public Option<bool> Simulates { get; } = new("--simulate") { Description = "On a virtual clock in this process, as hpaps simulate, instead of in processes." };

    public Option<string?> Baseline { get; } = new("--baseline") { HelpName = "POLICY[/CODEC]", Description = "What the others are measured against, with the same workers, and the same codec if none is named; by default bsp if it is one of the policies, else the first." };

    public Option<double> Within { get; }

    public Option<string> Output { get; } = new Option<string>("--out") { HelpName = "DIR", Description = "Folder for report.html, comparison.json, comparison.csv and runs/, a folder for each run as hpaps train leaves it; by default runs/compare-TASK-DATE-TIME." }.NotEmpty();

    public Option<bool> Force { get; } = new("--force") { Description = "Replace an earlier comparison in that folder." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print comparison.json on standard output, and nothing else there." };

    /// <summary>Those that are lists, in the order in which configurations differ.</summary>
    public ListOption[] Lists => Solvers is null || Batches is null ? [Policies, Codecs, Workers] : [Policies, Codecs, Workers, Solvers, Batches];

    /// <summary>The others, in the order of the help.</summary>
    public Option[] Others => [Runs, Simulates, Baseline, Within, Output, Force, Json];

    private static string Whole(string text, int most) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= most
        ? number.ToString(CultureInfo.InvariantCulture)
        : throw new FormatException($"'{text}' must be a whole number from 1 to {most}");
}
