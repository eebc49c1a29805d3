using HpAsyncPs.Programs;
using HpAsyncPs.WorkerProgram;

return ProgramRun.Invoke(WorkerCommand.Create().Parse(args), "hpaps-worker");
