using System;
using System.CommandLine;
using HpAsyncPs.Cli;
using HpAsyncPs.Programs;

// The first thing that is done: what a run reports as wall_seconds starts here.
long start = TimeProvider.System.GetTimestamp();

#pragma warning disable CA2000 // it lives as long as the program
Console.SetError(new HpAsyncPs.Cli.Progress.ForgivingWriter(Console.Error));
#pragma warning restore CA2000

// No response files: a data file may be called @train.svm.
var configuration = new ParserConfiguration { ResponseFileTokenReplacer = null };
return ProgramRun.Run(CliCommand.Create(start), args, "hpaps", configuration);
