using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Xunit;

namespace HpAsyncPs.Tests.Kernels;

/// <summary>
/// The same bits at any width of a vector: the kernels' tests again, in processes of their own that may not use some instructions.
/// </summary>
public sealed class NarrowTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public static TheoryData<string> Switches => ["DOTNET_EnableAVX512", "DOTNET_EnableAVX2", "DOTNET_EnableHWIntrinsic"];

    [Theory]
    [MemberData(nameof(Switches))]
    public async Task Kernels_without_some_instructions_agree_with_scalar(string off)
    {
        foreach (string other in Switches)
            Assert.SkipWhen(Environment.GetEnvironmentVariable(other) is not null, $"this process runs with {other} itself");
        string[] classes = ["HpAsyncPs.Tests.Kernels.ValueKernelTests", "HpAsyncPs.Tests.Kernels.TopKKernelTests", "HpAsyncPs.Tests.Codecs.GoldenCodecTests"];
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "HpAsyncPs.Tests")) { RedirectStandardOutput = true };
        foreach (string argument in new[] { "-noLogo", "-noColor", "-class", classes[0], "-class", classes[1], "-class", classes[2] })
            start.ArgumentList.Add(argument);
        start.Environment[off] = "0";
        using Process process = Process.Start(start)!;
        Task<string> reading = process.StandardOutput.ReadToEndAsync();
        bool ended = process.WaitForExit(Limit);
        if (!ended)
            process.Kill();
        string output = await reading;
        Assert.True(ended && process.ExitCode == 0, output);
        Assert.Matches("Total: [1-9][0-9]{2,}, Errors: 0, Failed: 0,", output);
    }
}
