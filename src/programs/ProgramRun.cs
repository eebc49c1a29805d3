using System;
using System.CommandLine;
using System.CommandLine.Invocation;
using System.IO;
using System.Threading;

namespace HpAsyncPs.Programs;

/// <summary>What the three programs share: every exception becomes one message and an exit code.</summary>
internal static class ProgramRun
{
    /// <summary>Runs a parsed command line.</summary>
    public static int Invoke(ParseResult parsed, string program)
    {
        if (parsed.Errors.Count > 0 && parsed.Action is null or ParseErrorAction)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
                Console.Error.WriteLine($"{program}: {Readable(error.Message)}");
            Console.Error.WriteLine($"{program}: see '{CommandPath(parsed)} --help'");
            return (int)ExitCode.Usage;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (InputException e)
        {
            return Tell(program, e.Message, ExitCode.BadInput);
        }
        catch (ClusterException e)
        {
            return Tell(program, e.Message, ExitCode.ClusterFailure);
        }
        catch (OperationCanceledException)
        {
            return Tell(program, "stopped before the end", ExitCode.ClusterFailure);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Tell(program, e.Message, ExitCode.BadInput);
        }
        catch (OutOfMemoryException)
        {
            return Tell(program, "this machine's memory does not suffice; use more machines or fewer parameters", ExitCode.ClusterFailure);
        }
        catch (Exception e)
        {
            return Tell(program, $"internal error, please report it: {e}", ExitCode.ClusterFailure);
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
    private static string Readable(string message)
    {
        const string Marker = " as expected type '";
        int at = message.IndexOf(Marker, StringComparison.Ordinal);
        if (at < 0)
            return message;
        bool whole = message.AsSpan(at).Contains("Int", StringComparison.Ordinal);
        return $"{message[..at]}: it must be a {(whole ? "whole " : "")}number.";
    }

    private static int Tell(string program, string message, ExitCode code)
    {
        Console.Error.WriteLine($"{program}: {message}");
        return (int)code;
    }

    private static string CommandPath(ParseResult parsed)
    {
        var path = new System.Text.StringBuilder(parsed.CommandResult.Command.Name);
        for (System.CommandLine.Parsing.SymbolResult? at = parsed.CommandResult.Parent; at is not null; at = at.Parent)
        {
            if (at is System.CommandLine.Parsing.CommandResult command)
                path.Insert(0, command.Command.Name + " ");
        }

        return path.ToString();
    }
}
