using System.Collections.Generic;
using System.Text.Json.Serialization;
using HpAsyncPs.Cli.Configuring;
using HpAsyncPs.Cli.Models;
using HpAsyncPs.Cli.Planning;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Cli.Stressing;

namespace HpAsyncPs.Cli;

/// <summary>The JSON that commands print, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<ConfigReport>))]
[JsonSerializable(typeof(Inspection))]
[JsonSerializable(typeof(ModelQuality))]
[JsonSerializable(typeof(FactorQuality))]
[JsonSerializable(typeof(PlanReport))]
[JsonSerializable(typeof(RatingsInspection))]
[JsonSerializable(typeof(Recommendations))]
[JsonSerializable(typeof(SimulationReport))]
[JsonSerializable(typeof(StressReport))]
[JsonSerializable(typeof(List<StressReport>))]
internal sealed partial class CliJson : JsonSerializerContext;
