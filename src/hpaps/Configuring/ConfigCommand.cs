using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using HpAsyncPs.Programs;
using HpAsyncPs.Programs.Configuring;

namespace HpAsyncPs.Cli.Configuring;

/// <summary>hpaps config: what counts for which option, and whether a file may be used.</summary>
internal static class ConfigCommand
{
    public const string Name = "config";

    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    /// <param name="cli">The commands of this program.</param>
    public static Command Create(RootCommand cli)
    {
        var config = new Command(Name, CommonOptions.WithExamples(
            "Says what values options have that no flag gives: from variables HPAPS_..., from a configuration file, or by default.",
            "hpaps config show train mf",
            "hpaps config check hpaps.toml"))
        {
            Show(cli), Check(cli), Names(cli),
        };
        return config;
    }

    private static Command Show(RootCommand cli)
    {
        var words = new Argument<string[]>("COMMAND") { Description = "The command, such as train mf, server or worker logreg; without it, all of them.", Arity = ArgumentArity.ZeroOrMore };
        var json = new Option<bool>("--json") { Description = "Print one JSON array on standard output, and nothing else there." };
        var show = new Command("show", CommonOptions.WithExamples(
            "Says for every option of a command of hpaps, hpaps-server (server) or hpaps-worker (worker) what value it has, and where it is from:\n"
            + "a variable, file and line, or the default. What is left out because of another option is said too.",
            "hpaps config show train mf",
            "hpaps config show server --config /etc/hpaps.toml",
            "hpaps config show --json"))
        {
            words, json,
        };
        show.SetAction(parsed =>
        {
            List<KnownCommand> commands = Named(cli, string.Join('.', parsed.GetValue(words) ?? []));
            ConfigurationFile? file = ConfigurationFile.Find(GlobalOptions.Given(parsed, GlobalOptions.Config));
            var reports = new List<ConfigReport>();
            foreach (KnownCommand command in commands)
                reports.Add(ConfigReport.Of(command, file));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(reports, CliJson.Default.ListConfigReport));
            else
                Console.Out.Write(ConfigReport.Text(reports, file?.Path));
            return Wrong(commands, file);
        });
        return show;
    }

    private static Command Check(RootCommand cli)
    {
        Argument<string> path = new("FILE") { Description = $"The file; without it the one that counts: --config, {Variables.Config}, or {ConfigurationFile.DefaultName} here.", Arity = ArgumentArity.ZeroOrOne };
        var check = new Command("check", CommonOptions.WithExamples(
            "Reads a configuration file and checks each of its values for every command that would take it. Whether what is given goes together is\n"
            + "for each command to say when it is called.",
            "hpaps config check",
            "hpaps config check tools/hpaps.example.toml"))
        {
            path,
        };
        check.SetAction(parsed =>
        {
            ConfigurationFile file = (parsed.GetValue(path) is { } given ? ConfigurationFile.Read(given, given) : ConfigurationFile.Find(GlobalOptions.Given(parsed, GlobalOptions.Config)))
                ?? throw new InputException($"there is no {ConfigurationFile.DefaultName} here, and neither --config nor {Variables.Config} names another: name one");
            int code = Wrong(KnownCommand.All(cli), file);
            if (code == (int)ExitCode.Done)
                Console.Out.WriteLine($"{file.Path}: can be used");
            return code;
        });
        return check;
    }

    /// <summary>What options.txt is made of.</summary>
    private static Command Names(RootCommand cli)
    {
        var names = new Command("names", "Prints the commands and names of options that a file may have, as src/programs/Configuring/options.txt has them.") { Hidden = true };
        names.SetAction(_ =>
        {
            foreach (KnownCommand command in KnownCommand.All(cli))
            {
                var words = new List<string>();
                foreach (Option option in CommandSettings.Of(command.Command, command.Root))
                    words.Add(option.Name.TrimStart('-'));
                Console.Out.WriteLine($"{command.Path}: {string.Join(' ', words)}");
            }

            return (int)ExitCode.Done;
        });
        return names;
    }

    /// <summary>The commands at or below a path.</summary>
    private static List<KnownCommand> Named(RootCommand cli, string path)
    {
        List<KnownCommand> all = KnownCommand.All(cli);
        List<KnownCommand> named = all.FindAll(one => path.Length == 0 || one.Path == path || one.Path.StartsWith(path + ".", StringComparison.Ordinal));
        if (named.Count > 0)
            return named;
        string words = path.Replace('.', ' ');
        throw new InputException($"there is no command '{words}'; " + (OptionNames.Nearest(path, OptionNames.Tables()) is { } nearest
            ? $"did you mean '{nearest.Replace('.', ' ')}'?"
            : $"there are {string.Join(", ", OptionNames.Paths).Replace('.', ' ')}"));
    }

    /// <summary>Says what is wrong with single values; returns the exit code.</summary>
    private static int Wrong(List<KnownCommand> commands, ConfigurationFile? file)
    {
        var said = new List<string>();
        foreach (KnownCommand command in commands)
        {
            var settings = CommandSettings.Of(command.Path, command.Command, command.Root, file, null);
            foreach (ParseError error in command.Root.Parse(settings.With([.. command.Line]), Parser).Errors)
            {
                string message = ProgramRun.Readable(error.Message), text = settings.Explain(message);
                if (error.SymbolResult is not CommandResult && text != message && !said.Contains(text)) // what is missing may yet be given
                    said.Add(text);
            }
        }

        foreach (string text in said)
            ProgramLog.Write(new LogLine(text, LogLevel.Error));
        return said.Count > 0 ? (int)ExitCode.Usage : (int)ExitCode.Done;
    }
}
