using System.CommandLine;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Programs;

/// <summary>The options of matrix factorisation, the same for the launcher and for a worker that is started by hand.</summary>
internal sealed class FactorOptions
{
    private static readonly FactorSettings Defaults = new();

    public Option<double> Holdout { get; } = new Option<double>("--holdout") { HelpName = "SHARE", Description = "Hold out this share of the ratings, at random, to measure the RMSE on.", DefaultValueFactory = _ => 0 }.Within(0, 0.99);

    public Option<int> Rank { get; } = new Option<int>("--rank") { HelpName = "N", Description = "Factors of each user and item.", DefaultValueFactory = _ => Defaults.Rank }.Within(1, FactorSettings.MostRank);

    public Option<double> Decay { get; } = new Option<double>("--decay") { HelpName = "F", Description = "Regularisation: decay/2 (|p|^2 + |q|^2 + b^2) is added for each rating.", DefaultValueFactory = _ => Defaults.Decay }.Within(FactorSettings.LeastDecay, 10);

    public Option<double> Step { get; } = new Option<double>("--step") { HelpName = "F", Description = "Step size at the start, for ratings in units of their standard deviation.", DefaultValueFactory = _ => Defaults.Step }.Within(1e-9, 1);

    public Option<double> StepDecay { get; } = new Option<double>("--step-decay") { HelpName = "F", Description = "Factor on the step size for each pass over all data.", DefaultValueFactory = _ => Defaults.StepDecay }.Within(0.01, 1);

    public Option<string?> WarmStart { get; } = CommonOptions.WarmStart();

    /// <summary>The model to begin from, or null.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public FactorModel? Model(ParseResult parsed) => parsed.GetValue(WarmStart) is { } folder ? FactorModel.Read(folder) : null;

    /// <summary>What was given for the task.</summary>
    public FactorSettings Settings(ParseResult parsed, ulong seed) => new()
    {
        Rank = parsed.GetValue(Rank),
        Decay = parsed.GetValue(Decay),
        Step = parsed.GetValue(Step),
        StepDecay = parsed.GetValue(StepDecay),
        Seed = seed,
    };

    /// <summary>All of them, in the order of the help.</summary>
    public Option[] All => [Holdout, Rank, Decay, Step, StepDecay, WarmStart];
}
