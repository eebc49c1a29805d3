using HpAsyncPs.Programs;
using HpAsyncPs.ServerProgram;

return ProgramRun.Run(ServerCommand.Create(ServerRun.Run), args, "hpaps-server");
