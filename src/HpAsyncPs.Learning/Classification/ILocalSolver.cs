using System.Threading;

namespace HpAsyncPs.Learning.Classification;

/// <summary>Solves the local problem, roughly. Any will do that gives d = 0 where that is the solution.</summary>
public interface ILocalSolver
{
    /// <param name="problem">What to solve.</param>
    /// <param name="d">Receives the step from z.</param>
    /// <param name="interrupt">Ends it early.</param>
    /// <returns>Passes over the rows that it took.</returns>
    double Solve(LocalProblem problem, double[] d, CancellationToken interrupt);
}
