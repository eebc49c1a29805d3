using System;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Environments;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.NativeAot;
using HpAsyncPs.Bench;

// dotnet run -c Release --project native-bench -- --filter '*Kernel*'            on the JIT
// dotnet run -c Release --project native-bench -- --native --filter '*Kernel*'   on the JIT and native-compiled
const string NativeOption = "--native";

Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
ManualConfig config = ManualConfig.Create(DefaultConfig.Instance)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .WithBuildTimeout(TimeSpan.FromMinutes(10)) // native compilation on a busy machine
    .HideColumns(Column.Error, Column.RatioSD, "Runtime", "Arguments", Column.AllocRatio)
    .AddJob(Job.ShortRun.WithRuntime(CoreRuntime.Core10_0).WithId("jit").AsBaseline());
if (Array.IndexOf(args, NativeOption) >= 0)
{
    args = Array.FindAll(args, static arg => arg != NativeOption);
    NativeAotToolchainBuilder toolchain = NativeAotToolchain.CreateBuilder();
    toolchain.UseNuGet(); // the ordinary source; the default is a preview feed
    toolchain.TargetFrameworkMoniker("net10.0");
    toolchain.IlcInstructionSet("x86-64-v3");
    config.AddJob(Job.ShortRun.WithRuntime(NativeAotRuntime.Net10_0).WithToolchain(toolchain.ToToolchain())
        .WithArguments([new MsBuildArgument("/p:Benchmarking=true")]).WithId("native"));
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
