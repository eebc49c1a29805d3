using System;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Simulation;

/// <summary>A worker of a simulated cluster.</summary>
/// <param name="Task">What it learns.</param>
/// <param name="PassTime">Virtual time of one pass over its data at full speed; a step takes as much of it as it makes passes.</param>
/// <param name="Slowness">How many times longer it takes, and when.</param>
/// <param name="EvaluationTime">Virtual time of one evaluation at full speed.</param>
/// <param name="GradientPass">What the first pass of a step, which computes the gradient, takes of a pass; the second half of a round of two exchanges has none.</param>
public sealed record SimulatedWorker(ITask Task, TimeSpan PassTime, Slowness Slowness, TimeSpan EvaluationTime = default, double GradientPass = 1);
