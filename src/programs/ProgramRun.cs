using System;
using System.CommandLine;
using System.CommandLine.Invocation;
using System.IO;
using System.Reflection;
using System.Threading;
using HpAsyncPs.Programs.Configuring;

namespace HpAsyncPs.Programs;

/// <summary>What the three programs share: every exception becomes one message and an exit code.</summary>
internal static class ProgramRun
{
    /// <summary>Of this program, as --version says it.</summary>
    public static string Version { get; } = typeof(ProgramRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    /// <summary>Runs a program: its command line, and what variables and the configuration file add to it.</summary>
    /// <param name="root">Its commands.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="program">Its name.</param>
    /// <param name="parser">How arguments are read, or null: as usual.</param>
    public static int Run(RootCommand root, string[] arguments, string program, ParserConfiguration? parser = null)
    {
        root.Directives.Clear(); // [suggest] of the parser fails where a value is missing; hpaps completion does without, and starts no program
        GlobalOptions.AddTo(root);
        ParseResult given = root.Parse(arguments, parser);
        string? format = GlobalOptions.Given(given, GlobalOptions.LogFormat) ?? Variables.Of(GlobalOptions.LogFormat.TrimStart('-'));
        ProgramLog.Begin(program, format == "json");
        OwnCommand.Arguments = arguments;
        string path = CommandPaths.Of(given.CommandResult, program);
        bool isRun = given.Action is null or ParseErrorAction || given.Action == given.CommandResult.Command.Action; // else it is --help or the like
        if (!isRun || !OptionNames.IsCommand(path))
            return Invoke(given, static message => message);
        CommandSettings settings;
        ConfigurationFile? file;
        string? named = GlobalOptions.Given(given, GlobalOptions.Config);
        try
        {
            file = ConfigurationFile.Find(named);
            settings = CommandSettings.Of(path, given.CommandResult.Command, root, file, given);
        }
        catch (InputException e)
        {
            return Tell(e.Message, ExitCode.BadInput);
        }

        OwnCommand.Arguments = settings.With(arguments);
        ParseResult parsed = root.Parse(OwnCommand.Arguments, parser);
        ProgramLog.Begin(program, GlobalOptions.Given(parsed, GlobalOptions.LogFormat) == "json");
        if (file is not null && named is null && parsed.Errors.Count == 0 && settings.OfFile() is { } options) // whoever has not named it may not know that it is there
            ProgramLog.Write(new LogLine($"options from {file.Path}: {options}"));
        return Invoke(parsed, settings.Explain);
    }

    /// <summary>Runs a parsed command line.</summary>
    private static int Invoke(ParseResult parsed, Func<string, string> explain)
    {
        if (parsed.Errors.Count > 0 && parsed.Action is null or ParseErrorAction)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
                Tell(explain(Readable(error.Message)));
            Tell($"see '{CommandPaths.Words(parsed.CommandResult)} --help'");
            return (int)ExitCode.Usage;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (InputException e)
        {
            return Tell(explain(e.Message), ExitCode.BadInput);
        }
        catch (ClusterException e)
        {
            return Tell(e.Message, ExitCode.ClusterFailure);
        }
        catch (OperationCanceledException)
        {
            return Tell("stopped before the end", ExitCode.ClusterFailure);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Tell(e.Message, ExitCode.BadInput);
        }
        catch (OutOfMemoryException)
        {
            return Tell("this machine's memory does not suffice; use more machines or fewer parameters", ExitCode.ClusterFailure);
        }
        catch (Exception e)
        {
            return Tell($"internal error, please report it: {e}", ExitCode.ClusterFailure);
        }
    }

    /// <summary>
    /// Ends the process when standard input ends: the launcher holds the other end, so nothing survives it, even when it
    /// is killed. Lines are handed over before.
    /// </summary>
    public static void EndWithStandardInput(Action<string> line)
    {
        var thread = new Thread(() =>
        {
            while (Console.In.ReadLine() is { } text)
                line(text);
            Environment.Exit((int)ExitCode.ClusterFailure);
        })
        {
            IsBackground = true,
            Name = "stdin",
        };
        thread.Start();
    }

    /// <summary>The parser names types of the language; people know numbers.</summary>
    /// <param name="message">Of the parser.</param>
    public static string Readable(string message)
    {
        const string Marker = " as expected type '";
        int at = message.IndexOf(Marker, StringComparison.Ordinal);
        if (at < 0)
            return message;
        bool whole = message.AsSpan(at).Contains("Int", StringComparison.Ordinal);
        return $"{message[..at]}: it must be a {(whole ? "whole " : "")}number.";
    }

    private static int Tell(string message, ExitCode code)
    {
        Tell(message);
        return (int)code;
    }

    private static void Tell(string message) => ProgramLog.Write(new LogLine(message, LogLevel.Error));
}
