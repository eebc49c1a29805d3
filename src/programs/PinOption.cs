using System.CommandLine;
using System.Globalization;
using HpAsyncPs.Programs.Rendezvous;

namespace HpAsyncPs.Programs;

/// <summary>--pin of a process: one core for it alone, so that none of its pages and caches are left behind on another.</summary>
internal static class PinOption
{
    /// <summary>Each process to a core of its own.</summary>
    public const string Each = "cores";

    /// <summary>No process to any.</summary>
    public const string None = "none";

    private const int MostCores = 8191;

    /// <summary>For hpaps-server and hpaps-worker.</summary>
    public static Option<string?> Create()
    {
        var option = new Option<string?>("--pin")
        {
            HelpName = "cores|none|N",
            Description = "Run on one core alone, which is said in the log: cores: by the rank that srun or mpirun gives on this host; N: the N-th, from 0 on, of those that this process may use, around their end; none, the default: on any.",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && token.Value is not (Each or None) && !TryParse(token.Value, out _))
                result.AddError($"--pin must be cores, none or a number from 0 to {MostCores}; it is '{token.Value}'.");
        });
        return option;
    }

    /// <summary>Pins this process, before it starts threads, and says to which core.</summary>
    /// <param name="given">What --pin says; null: nothing.</param>
    /// <exception cref="InputException">No launcher says which core, or the system allows none.</exception>
    public static void Apply(string? given)
    {
        if (given is null)
            return;
        int[] allowed = Cores.Allowed();
        if (given == None || allowed.Length == 0)
        {
            ProgramLog.Write(allowed.Length == 0 ? LogLine.Warning("not pinned: this system does not say which cores may be used") : $"not pinned: any of cores {Cores.Text(allowed)}");
            return;
        }

        string by = "";
        if (!TryParse(given, out int place))
        {
            Placement? placement = Placement.Of(LaunchVariables.Own);
            place = placement?.LocalRank ?? throw new InputException("--pin cores takes the core from the rank on this host that a launcher gives, and none has: start it by srun or mpirun, or give --pin N, another for each process of this host.");
            by = $", for local rank {place} by {placement.Launcher}";
        }

        int core = allowed[place % allowed.Length];
        Cores.Pin(core);
        ProgramLog.Write($"pinned to core {core} of {Cores.Text(allowed)}{by}");
    }

    private static bool TryParse(string text, out int place) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out place) && place <= MostCores;
}
