using HpAsyncPs.Programs;
using HpAsyncPs.ServerProgram;

return ProgramRun.Run(ServerCommand.Create(), args, "hpaps-server");
