using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Programs;
using HpAsyncPs.Programs.Configuring;

namespace HpAsyncPs.Cli.Launching;

/// <summary>
/// A program that this one started. It holds one end of a pipe that this process keeps open: the child ends when that
/// closes, so it cannot survive this process, however that dies.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private const int KeptLines = 100;
    private const int SignalBase = 128;
    private const int ReaderStack = 256 * 1024;
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly Queue<string> _errors = new();
    private readonly Thread _errorReader;
    private readonly Thread? _outputReader;
    private readonly EventWaitHandle _wake;

    private ChildProcess(string name, Process process, Action<string>? output, EventWaitHandle wake)
    {
        Name = name;
        Id = process.Id;
        _process = process;
        _wake = wake;

        // One thread for each pipe: reading asynchronously would hold a thread of the pool for each, and starve it.
        _errorReader = Read($"{name} stderr", process.StandardError, Keep);
        if (output is not null)
            _outputReader = Read($"{name} stdout", process.StandardOutput, output);
        else
            process.StandardOutput.Dispose(); // what it prints there must not get into our own output
    }

    /// <summary>For messages: "server", "worker 2".</summary>
    public string Name { get; }

    /// <summary>Of the process.</summary>
    public int Id { get; }

    /// <summary>How many others were there before it that died.</summary>
    public int Restarts { get; init; }

    public bool HasExited => _process.HasExited;

    /// <summary>Once it has exited; more than 128: killed by that signal.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The signal that killed it, or null.</summary>
    public int? Signal => HasExited && ExitCode > SignalBase ? ExitCode - SignalBase : null;

    /// <param name="name">For messages.</param>
    /// <param name="file">Full path of the program.</param>
    /// <param name="arguments">Each as it is.</param>
    /// <param name="output">Gets each line of its standard output, on a thread of its own; null: nobody reads them.</param>
    /// <param name="wake">Set when something was read, and when it may have ended.</param>
    /// <param name="restarts">How many others were there before it that died.</param>
    /// <param name="secrets">Variables that only it gets, or null.</param>
    /// <exception cref="ClusterException">It cannot be started.</exception>
    public static ChildProcess Start(string name, string file, IReadOnlyList<string> arguments, Action<string>? output, EventWaitHandle wake, int restarts = 0, IReadOnlyDictionary<string, string>? secrets = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        Variables.KeepFromChild(start.Environment); // what counts has been decided here, and is in the arguments
        foreach ((string variable, string value) in secrets ?? new Dictionary<string, string>())
            start.Environment[variable] = value;
        try
        {
            return new ChildProcess(name, Process.Start(start)!, output, wake) { Restarts = restarts };
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new ClusterException($"{name}: {file} cannot be started ({e.Message}); use fewer workers, or run tools/publish.sh again", e);
        }
    }

    /// <summary>Writes a line to its standard input, if it still listens.</summary>
    public void Send(string line)
    {
        try
        {
            _process.StandardInput.Write(line + "\n");
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended; whoever watches it will see.
        }
    }

    /// <summary>Asks it to end.</summary>
    public void CloseInput()
    {
        try
        {
            _process.StandardInput.Dispose();
        }
        catch (IOException)
        {
            // It has ended.
        }
    }

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended.
        }
    }

    public bool WaitForExit(TimeSpan timeout) => _process.WaitForExit(timeout);

    /// <summary>Once it has exited: waits until all that it printed has been handed over.</summary>
    public void Drain()
    {
        _errorReader.Join(DrainTimeout);
        _outputReader?.Join(DrainTimeout);
    }

    /// <summary>The last lines of its standard error, without the name of the program that starts each.</summary>
    public string Errors(string program)
    {
        string prefix = program + ": ";
        var text = new StringBuilder();
        lock (_errors)
        {
            foreach (string line in _errors)
            {
                if (text.Length > 0)
                    text.Append('\n');
                text.Append(line.StartsWith(prefix, StringComparison.Ordinal) ? line[prefix.Length..] : line);
            }
        }

        return text.ToString();
    }

    public void Dispose() => _process.Dispose();

    private Thread Read(string name, StreamReader from, Action<string> line)
    {
        var thread = new Thread(
            () =>
            {
                try
                {
                    while (from.ReadLine() is { } text)
                    {
                        line(text);
                        _wake.Set();
                    }

                    _wake.Set(); // it has closed its end: it has probably ended
                }
                catch (Exception e) when (e is IOException or ObjectDisposedException)
                {
                    // The run is over, and nobody listens any more.
                }
            },
            ReaderStack)
        {
            IsBackground = true,
            Name = name,
        };
        thread.Start();
        return thread;
    }

    private void Keep(string line)
    {
        if (ProgramLog.IsJson && ProgramLog.Read(line) is { } said)
        {
            ProgramLog.WriteFormed(line); // its log is part of this one's
            if (!said.IsError)
                return;
            line = said.Message;
        }

        lock (_errors)
        {
            if (_errors.Count == KeptLines)
                _errors.Dequeue();
            _errors.Enqueue(line);
        }
    }
}
