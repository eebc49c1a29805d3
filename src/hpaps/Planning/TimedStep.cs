using System;
using System.Collections.Generic;

namespace HpAsyncPs.Cli.Planning;

/// <summary>A step of a worker, as it was measured.</summary>
/// <param name="Seconds">What it took, over the worker's examples.</param>
/// <param name="Gradient">Passes that computed the gradient: 0 or 1.</param>
/// <param name="Local">Its other passes.</param>
internal readonly record struct TimedStep(double Seconds, double Gradient, double Local)
{
    /// <summary>What a pass for the gradient takes of another one, of steps that were the one or the other alone; 1 where there are not both.</summary>
    public static double GradientPass(List<TimedStep> steps)
    {
        double gradient = Quartile(steps.FindAll(static step => step.Local == 0), static step => step.Seconds / step.Gradient);
        double local = Quartile(steps.FindAll(static step => step.Gradient == 0), static step => step.Seconds / step.Local);
        return gradient > 0 && local > 0 ? Math.Min(1, gradient / local) : 1;
    }

    /// <summary>Which part of all passes is for the gradient; 1 where there are no steps.</summary>
    public static double ShareOfGradients(List<TimedStep> steps)
    {
        double gradients = 0, all = 0;
        foreach (TimedStep step in steps)
            (gradients, all) = (gradients + step.Gradient, all + step.Gradient + step.Local);
        return all > 0 ? gradients / all : 1;
    }

    /// <summary>Passes for the gradient of a step, on average; 1 where there are no steps.</summary>
    public static double GradientsOfStep(List<TimedStep> steps)
    {
        double gradients = 0;
        foreach (TimedStep step in steps)
            gradients += step.Gradient;
        return steps.Count > 0 ? gradients / steps.Count : 1;
    }

    /// <summary>Seconds of an example in a pass that is not for the gradient; 0 where there are no steps.</summary>
    public static double SecondsOfExample(List<TimedStep> steps, double gradientPass) =>
        Quartile(steps, step => step.Seconds / ((gradientPass * step.Gradient) + step.Local));

    // The lower one: what was pushed off its core takes longer than it would.
    private static double Quartile(List<TimedStep> steps, Func<TimedStep, double> of)
    {
        List<double> all = steps.ConvertAll(step => of(step));
        all.Sort();
        return all.Count > 0 ? all[all.Count / 4] : 0;
    }
}
