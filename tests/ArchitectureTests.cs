using System;
using System.Collections.Generic;
using System.IO;
using System.Text.RegularExpressions;
using Xunit;

namespace HpAsyncPs.Tests;

/// <summary>The rules of the house that a machine can check.</summary>
public sealed partial class ArchitectureTests
{
    private const int MostLines = 350;

    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Buffers"] = [],
        ["Kernels"] = [],
        ["Codecs"] = ["Kernels", "Buffers"],
        ["Protocol"] = ["Buffers"],
        ["Transport"] = ["Protocol", "Buffers"],
        ["Server"] = ["Buffers", "Kernels", "Codecs", "Protocol", "Transport"],
        ["Worker"] = ["Buffers", "Kernels", "Codecs", "Protocol", "Transport"],
    };

    [Fact]
    public void Library_folders_use_only_what_they_may()
    {
        int arrows = 0;
        foreach ((string folder, string[] allowed) in MayUse)
        {
            foreach (string file in Sources(Path.Combine("src", "HpAsyncPs", folder)))
            {
                foreach (Match match in Uses().Matches(File.ReadAllText(file)))
                {
                    string used = match.Groups[1].Value;
                    arrows++;
                    Assert.True(used == folder || Array.IndexOf(allowed, used) >= 0, $"{file}: {folder} must not use {used}");
                }
            }
        }

        Assert.True(arrows > 20, "the scan found hardly any using line: it tests nothing");
    }

    [Fact]
    public void Library_has_no_other_folders()
    {
        foreach (string folder in Directory.GetDirectories(Path.Combine(Repository.Root, "src", "HpAsyncPs")))
            Assert.Contains(Path.GetFileName(folder), MayUse.Keys);
    }

    [Fact]
    public void Learning_tasks_use_the_worker_interface_and_kernels_only()
    {
        foreach (string folder in new[] { "Classification", "Data", "Generation" })
        {
            foreach (string file in Sources(Path.Combine("src", "HpAsyncPs.Learning", folder)))
            {
                foreach (Match match in Uses().Matches(File.ReadAllText(file)))
                    Assert.Contains(match.Groups[1].Value, new[] { "Learning", "Worker", "Protocol", "Kernels" });
            }
        }
    }

    [Fact]
    public void Simulation_drives_the_library_and_knows_no_task_and_no_clock_but_its_own()
    {
        foreach (string file in Sources(Path.Combine("src", "HpAsyncPs.Simulation")))
        {
            string text = File.ReadAllText(file);
            foreach (Match match in Uses().Matches(text))
                Assert.Contains(match.Groups[1].Value, new[] { "Protocol", "Server", "Worker" });
            Assert.False(InputOutput().IsMatch(text), $"{file}: a simulation does no I/O and reads no clock but the virtual one");
        }
    }

    [Fact]
    public void Monitoring_port_reads_the_server_and_knows_no_worker()
    {
        foreach (string file in Sources(Path.Combine("src", "HpAsyncPs.Monitoring")))
        {
            foreach (Match match in Uses().Matches(File.ReadAllText(file)))
                Assert.Contains(match.Groups[1].Value, new[] { "Monitoring", "Protocol", "Server", "Transport" });
        }

        foreach (string folder in new[] { "HpAsyncPs", "HpAsyncPs.Learning", "HpAsyncPs.Simulation", "hpaps-worker" })
        {
            foreach (string file in Sources(Path.Combine("src", folder)))
                Assert.DoesNotContain("AspNetCore", File.ReadAllText(file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Unsafe_code_is_in_kernels_only()
    {
        foreach (string file in Sources("src"))
        {
            if (!file.Contains($"{Path.DirectorySeparatorChar}Kernels{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
                Assert.False(Unsafe().IsMatch(File.ReadAllText(file)), $"{file}: unsafe code belongs into Kernels/");
        }
    }

    [Fact]
    public void Source_files_are_short()
    {
        foreach (string file in Sources("src"))
            Assert.True(File.ReadAllLines(file).Length <= MostLines, $"{file} has more than {MostLines} lines");
    }

    [Fact]
    public void State_machines_do_no_io()
    {
        string[] machines = ["Server/ParameterServer*.cs", "Server/Shard.cs", "Server/Session.cs", "Server/Timeline.cs", "Server/Monitoring/*.cs", "Worker/WorkerSession*.cs", "Worker/TrainingLoop.cs"];
        foreach (string pattern in machines)
        {
            string[] files = Directory.GetFiles(Path.Combine(Repository.Root, "src", "HpAsyncPs", Path.GetDirectoryName(pattern)!), Path.GetFileName(pattern));
            Assert.NotEmpty(files);
            foreach (string file in files)
                Assert.False(InputOutput().IsMatch(File.ReadAllText(file)), $"{file}: a state machine does no I/O and reads no clock of its own");
        }
    }

    private static IEnumerable<string> Sources(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
        {
            if (!file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
                yield return file;
        }
    }

    [GeneratedRegex(@"^using (?:static )?HpAsyncPs\.(\w+)[\w.]*;", RegexOptions.Multiline)]
    private static partial Regex Uses();

    [GeneratedRegex(@"\bunsafe\b(?!-)|\bUnsafe\.|\bfixed \(|stackalloc \w+\*")]
    private static partial Regex Unsafe();

    [GeneratedRegex(@"System\.Net|System\.IO;|Socket|Task\.Delay|Stopwatch|TimeProvider\.System|Thread\.Sleep")]
    private static partial Regex InputOutput();
}
