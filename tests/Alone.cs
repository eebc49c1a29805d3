using Xunit;

namespace HpAsyncPs.Tests;

/// <summary>For tests that count what the whole process allocates, or need the machine: nothing else runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
