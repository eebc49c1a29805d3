using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.WorkerProgram;

/// <summary>Matrix factorisation at one worker: reads, trains, writes its users.</summary>
internal static class FactorRun
{
    public static void Run(WorkerFlags.Given given, FactorSettings settings, FactorModel? warmStart, string? testFile, double holdout, string? folder)
    {
        if (folder is null)
            ProgramLog.Write(LogLine.Warning("without --out the users of this worker are not saved, and the model cannot be used for them"));
        FactorInput input = FactorInput.Read(given.Data, testFile, holdout, given.Seed, given.Stop);
        FactorData data = input.Part(given.Part);
        FactorTask task = input.Task(data, settings, given.Part.Count, warmStart);
        given.Train(task);
        if (folder is not null)
            input.WriteUsers(folder, given.Part, task, data);
    }
}
