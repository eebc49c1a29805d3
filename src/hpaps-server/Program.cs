using System;
using HpAsyncPs.Programs;
using HpAsyncPs.ServerProgram;

// Read by the runtime before the first socket: socket completions run where they are seen, without another thread's hop.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
return ProgramRun.Invoke(ServerCommand.Create().Parse(args), "hpaps-server");
