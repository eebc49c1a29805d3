using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Tests.Server;

/// <summary>A barrier after every K pushes, and freedom between: a worker runs through its block of K at its own speed.</summary>
internal sealed class BlockPolicy(ulong k) : IPolicy
{
    public string Name => $"block:{k}";

    public bool WorkersWait => true;

    public bool MayHave(ulong clock, ulong rounds, ulong seenRounds) => clock / k <= rounds / k;
}
