using HpAsyncPs.Programs;
using HpAsyncPs.WorkerProgram;

return ProgramRun.Run(WorkerCommand.Create(), args, "hpaps-worker");
