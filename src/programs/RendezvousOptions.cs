using System.CommandLine;
using HpAsyncPs.Programs.Rendezvous;

namespace HpAsyncPs.Programs;

/// <summary>--rendezvous and --job, the same at server and workers.</summary>
/// <param name="what">What this program does in the folder.</param>
internal sealed class RendezvousOptions(string what)
{
    /// <summary>--rendezvous.</summary>
    public Option<string?> Folder { get; } = Checked(new("--rendezvous")
    {
        HelpName = "DIR",
        Description = $"Folder on a file system that server and workers share, by which they meet without an address: {what}",
    });

    /// <summary>--job.</summary>
    public Option<string?> Job { get; } = CheckedName(new("--job")
    {
        HelpName = "NAME",
        Description = "Name of the job, the same at server and workers, by which files of other jobs in --rendezvous are told apart; by default the job of Slurm or the launch of MPI, where there is one.",
    });

    /// <summary>Both.</summary>
    public Option[] All => [Folder, Job];

    /// <summary>Which job this process is of.</summary>
    /// <param name="parsed">The command line.</param>
    public JobIdentity JobOf(ParseResult parsed) => JobIdentity.Of(parsed.GetValue(Job), LaunchVariables.Own);

    private static Option<string?> Checked(Option<string?> option)
    {
        option.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value.Length: 0 }])
                result.AddError("--rendezvous is empty: give a folder that server and workers share, or leave it out.");
        });
        return option;
    }

    private static Option<string?> CheckedName(Option<string?> option)
    {
        option.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && !JobIdentity.IsName(token.Value))
                result.AddError($"--job must be 1 to {JobIdentity.MostLetters} letters, digits or signs of ASCII without blanks.");
        });
        return option;
    }
}
