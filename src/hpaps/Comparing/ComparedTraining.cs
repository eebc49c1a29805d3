using System.Collections.Generic;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Output.Comparing;

namespace HpAsyncPs.Cli.Comparing;

/// <summary>One configuration, ready to be trained.</summary>
/// <param name="Setting">What it is compared by.</param>
/// <param name="Settings">All of it, as hpaps train or hpaps simulate would have it.</param>
/// <param name="Name">Of its folders, unique in a comparison.</param>
internal sealed record ComparedTraining(ComparedSetting Setting, TrainSettings Settings, string Name);

/// <summary>What the user asked hpaps compare for.</summary>
/// <param name="Plan">How it is judged.</param>
/// <param name="Trainings">In the order of the plan's settings.</param>
/// <param name="Output">Folder, or null: one that is named by the time.</param>
/// <param name="Force">Replace an earlier comparison there.</param>
/// <param name="Json">Print JSON.</param>
internal sealed record CompareSettings(ComparisonPlan Plan, IReadOnlyList<ComparedTraining> Trainings, string? Output, bool Force, bool Json);
