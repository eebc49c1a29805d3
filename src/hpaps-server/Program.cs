using HpAsyncPs.Programs;
using HpAsyncPs.ServerProgram;

return ProgramRun.Invoke(ServerCommand.Create().Parse(args), "hpaps-server");
