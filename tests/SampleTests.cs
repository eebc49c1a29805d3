using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using Xunit;

namespace HpAsyncPs.Tests;

public sealed class SampleTests
{
    [Fact]
    public void SumVectors_prints_the_sum_at_every_worker()
    {
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "SumVectors.dll")])
        {
            RedirectStandardOutput = true,
        })!;
        var lines = new List<string>();
        while (process.StandardOutput.ReadLine() is { } line)
            lines.Add(line);
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)));
        lines.Sort(StringComparer.Ordinal);
        Assert.Equal(["worker 0: [3, 3, 5, 30]", "worker 1: [3, 3, 5, 30]", "worker 2: [3, 3, 5, 30]"], lines);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public void SumVectors_is_at_most_thirty_lines() =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Repository.Root, "samples", "SumVectors", "Program.cs")).Length, 1, 30);
}
