using System.Collections.Generic;
using System.IO;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Training;

/// <summary>What the server of a run keeps for its own restarts, in the folder of the run: of use until the run has ended well.</summary>
internal static class KeptState
{
    private const string Host = "127.0.0.1";
    private const int FirstPort = 7070;

    /// <summary>Is there something to go on from?</summary>
    public static bool IsThere(string output) => IsState(Commands.StateOf(output)) && Directory.GetFiles(JournalOf(Commands.StateOf(output))).Length > 0;

    /// <summary>A run begins: what an earlier one left that did not end is put aside. Returns what to say of it, or null.</summary>
    public static string? PutAside(string output)
    {
        if (!IsThere(output))
        {
            Remove(Commands.StateOf(output));
            return null;
        }

        string state = Commands.StateOf(output), aside = AsideOf(output, 1);
        for (int number = 2; Directory.Exists(aside) || File.Exists(aside); number++)
            aside = AsideOf(output, number);
        Directory.Move(state, aside);
        return $"{state} is of an earlier run that did not end: it is now {aside}, and removed when this run has ended well";
    }

    /// <summary>The run has come to nothing, or its results need no state: removes it.</summary>
    public static void Drop(string output) => Remove(Commands.StateOf(output));

    /// <summary>The run has ended well: removes it, and what was put aside.</summary>
    public static void DropAll(string output)
    {
        Drop(output);
        for (int number = 1; Directory.Exists(AsideOf(output, number)); number++)
            Remove(AsideOf(output, number));
    }

    /// <summary>Where it is, and the commands that go on from it.</summary>
    public static string HowToGoOn(TrainSettings settings, string output, long dataBytes)
    {
        string servers = "", addresses = "";
        int port = FirstPort;
        foreach (IReadOnlyList<string> arguments in Commands.Servers(settings, output, dataBytes))
        {
            string address = $"{Host}:{port++}";
            addresses += (addresses.Length > 0 ? "," : "") + address;
            servers += $"  {Line(["hpaps-server", "--listen", address, .. arguments])} &\n";
        }

        string part = $"0/{settings.Workers}";
        var words = new List<string>();
        foreach (string word in (List<string>)["hpaps-worker", .. Commands.Worker(settings with { Slow = new Dictionary<int, string>() }, 0, addresses, output, dataBytes)])
            words.Add(word == part ? $"$j/{settings.Workers}" : word);
        return $"What the server had is kept in {Commands.StateOf(output)}. To go on from there:\n"
            + servers
            + $"  for j in $(seq 0 {settings.Workers - 1}); do {Line(words)} & done; wait\n"
            + $"To begin anew, train again; to give it up, remove {Commands.StateOf(output)}.";
    }

    private static string Line(IReadOnlyList<string> words)
    {
        var line = new List<string>();
        foreach (string word in words)
        {
            if (word is not ("--events" or "--exit-with-stdin")) // those are the launcher's
                line.Add(word.StartsWith("$j/", System.StringComparison.Ordinal) ? word : OwnCommand.Quoted(word));
        }

        return string.Join(' ', line);
    }

    private static string AsideOf(string output, int number) => Commands.StateOf(output) + "-earlier" + (number == 1 ? "" : $"-{number}");

    private static string JournalOf(string state) => Path.Combine(state, "journal");

    private static bool IsState(string folder) => Directory.Exists(JournalOf(folder));

    private static void Remove(string folder)
    {
        if (IsState(folder))
            Directory.Delete(folder, recursive: true);
    }
}
