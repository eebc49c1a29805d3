using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>A program that a test has started: what it printed, what it exited with; ended, by its id, with the test.</summary>
internal sealed partial class RunningProgram : IDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Thread _outputReader;
    private readonly Thread _errorReader;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();

    private RunningProgram(Process process)
    {
        _process = process;
        _outputReader = Read(process.StandardOutput, _output);
        _errorReader = Read(process.StandardError, _errors);
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => Text(_output);

    public string Errors => Text(_errors);

    public static RunningProgram Start(string file, string folder, params string[] arguments) =>
        new(Process.Start(new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);

    /// <summary>Starts it, waits for its end, and returns it.</summary>
    public static RunningProgram Run(string file, string folder, params string[] arguments)
    {
        RunningProgram program = Start(file, folder, arguments);
        program.ExitCode();
        return program;
    }

    /// <summary>Waits for the end, bounded.</summary>
    public int ExitCode(TimeSpan? limit = null)
    {
        TimeSpan most = limit ?? Limit;
        if (!_process.WaitForExit(most))
        {
            Dispose();
            Assert.Fail($"{_process.StartInfo.FileName} did not end within {most.TotalSeconds:0} s; it said: {Errors}");
        }

        _outputReader.Join(Limit);
        _errorReader.Join(Limit);
        return _process.ExitCode;
    }

    /// <summary>Waits until something holds, while the program runs.</summary>
    public void Until(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.False(HasExited, $"it ended before {what}: {Errors}");
            Assert.True(watch.Elapsed < Limit, $"{what} did not come to be: {Errors}");
            Thread.Sleep(20);
        }
    }

    /// <summary>Writes a line to its standard input.</summary>
    public void Say(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Ends its standard input.</summary>
    public void EndInput() => _process.StandardInput.Close();

    public void Signal(int number) => Signal(Id, number);

    public static void Signal(int process, int number) => Assert.Equal(0, Kill(process, number));

    /// <summary>Processes that this one has started and that have not ended: id and command line.</summary>
    public Dictionary<int, string> Children()
    {
        var children = new Dictionary<int, string>();
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out int id) && StateAndParent(id) is ('S' or 'R' or 'D', var parent) && parent == Id
                && CommandLine(id) is { } command)
            {
                children[id] = command;
            }
        }

        return children;
    }

    /// <summary>Whether a process has ended; one that only waits for its parent to look has.</summary>
    public static bool IsGone(int id) => StateAndParent(id) is null or ('Z' or 'X', _);

    public void Dispose()
    {
        try
        {
            _process.Kill();
            _process.WaitForExit(Limit);
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }

    /// <summary>Processor time of a process, in ticks of its kernel; 0 when it has gone.</summary>
    public static long ProcessorTicks(int id) => Stat(id) is { } fields ? long.Parse(fields[11]) + long.Parse(fields[12]) : 0;

    private static (char State, int Parent)? StateAndParent(int id) => Stat(id) is { } fields ? (fields[0][0], int.Parse(fields[1])) : null;

    /// <summary>What the kernel says of a process, from its state on; null when it has gone.</summary>
    private static string[]? Stat(int id)
    {
        try
        {
            // "pid (name) state parent ..."; the name may have spaces and parentheses.
            string text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string? CommandLine(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static Thread Read(StreamReader from, StringBuilder to)
    {
        var thread = new Thread(() =>
        {
            char[] buffer = new char[4096];
            int length;
            while ((length = from.Read(buffer)) > 0)
            {
                lock (to)
                    to.Append(buffer, 0, length);
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        return thread;
    }

    private static string Text(StringBuilder from)
    {
        lock (from)
            return from.ToString();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
