using HpAsyncPs.Programs;
using HpAsyncPs.Programs.Rendezvous;

namespace HpAsyncPs.ServerProgram;

/// <summary>What the command line says, but for how the job is run.</summary>
/// <param name="Listen">HOST:PORT.</param>
/// <param name="Insecure">Off loopback without a token.</param>
/// <param name="Output">Folder for results, or null.</param>
/// <param name="Monitor">HOST:PORT of the monitoring port, or null.</param>
/// <param name="Events">Lines of JSON on standard output.</param>
/// <param name="CountsAllocations">No event tells how the run stands, since that allocates; the last one says what was.</param>
/// <param name="Supervised">A launcher holds standard input.</param>
/// <param name="State">Folder of the journal and the checkpoints, or null.</param>
/// <param name="Durability">How often it is waited for.</param>
/// <param name="Alerts">Who is told of what.</param>
/// <param name="Rendezvous">Folder in which workers find the address, or null.</param>
/// <param name="Job">Which job it serves, for them.</param>
/// <param name="Bind">Interface or address to listen at with the port of Listen, or null.</param>
/// <param name="Pin">Which core, as --pin says it, or null.</param>
internal sealed record ServerSettings(
    string Listen, bool Insecure, string? Output, string? Monitor, bool Events, bool CountsAllocations, bool Supervised, string? State, Durability Durability, AlertSettings Alerts, string? Rendezvous,
    JobIdentity Job, string? Bind, string? Pin);
