using System;
using HpAsyncPs.Server.Optimizers;

namespace HpAsyncPs.Server.Policies;

/// <summary>
/// The classical asynchronous parameter server: workers push raw gradients, an optimiser at the server applies each as it arrives, and
/// a worker goes on as soon as it has the answer to its own push. A baseline: docs/policies.md says what it does not reach.
/// Source: Dean et al., Large Scale Distributed Deep Networks, NIPS 2012 (Downpour SGD).
/// </summary>
/// <param name="optimizer">Applies the gradients; not started.</param>
public sealed class AspPolicy(IServerOptimizer optimizer) : IPolicy
{
    /// <summary>The name under which pushes are only added: no way to train.</summary>
    public const string Sum = "asp:sum";

    private const string Plain = "asp";
    private const string Prefix = Plain + ":";

    /// <inheritdoc/>
    public string Name => Prefix + optimizer.Name;

    /// <inheritdoc/>
    public bool WorkersWait => true;

    /// <inheritdoc/>
    public IServerOptimizer? Optimizer => optimizer;

    /// <inheritdoc/>
    public bool MayHave(ulong clock, ulong rounds, ulong seenRounds) => true;

    /// <summary>Is it a name of this policy, right or wrong behind the colon?</summary>
    public static bool IsNamed(string name) => name == Plain || name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Makes it from asp or asp:OPTIMIZER.</summary>
    /// <exception cref="InputException">There is no such optimiser.</exception>
    public static AspPolicy Parse(string name) => name switch
    {
        Plain or "asp:sgd" => new AspPolicy(new SgdOptimizer()),
        "asp:adagrad" => new AspPolicy(new AdagradOptimizer()),
        "asp:adam" => new AspPolicy(new AdamOptimizer()),
        Sum => new AspPolicy(new SumOptimizer()),
        _ => throw new InputException($"'{name}': there is no such optimiser; use asp:sgd (which asp alone is), asp:adagrad or asp:adam; asp:sum only adds."),
    };
}
