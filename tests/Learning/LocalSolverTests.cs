using System;
using HpAsyncPs.Learning.Classification;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>The guard's rule, and the names of the solvers.</summary>
public sealed class LocalSolverTests
{
    [Fact]
    public void Guard_progress_lowers_rho_to_a_tenth_and_no_further()
    {
        var guard = new Guard(1);
        double residual = 1;
        for (long round = 1; round < 60; round++)
            guard.Observe(residual *= 0.9, round);
        Assert.Equal(0.1, guard.Rho, 1e-12);
    }

    [Fact]
    public void Guard_growth_raises_rho_by_rounds_and_at_once_where_it_is_sudden()
    {
        var guard = new Guard(1);
        for (long round = 1; round <= 6; round++)
            guard.Observe(1, round);
        double before = guard.Rho;
        guard.Observe(3, 7);
        Assert.Equal(before, guard.Rho); // the round is not over
        guard.Observe(1, 8);
        Assert.Equal(3 * before, guard.Rho, 1e-12);
        guard.Observe(100, 8);
        Assert.Equal(9 * before, guard.Rho, 1e-12);
    }

    [Fact]
    public void Guard_many_pushes_in_one_round_do_not_lower_rho()
    {
        var guard = new Guard(1);
        double residual = 1;
        for (int push = 0; push < 1000; push++)
            guard.Observe(residual *= 0.99, 1);
        Assert.Equal(1, guard.Rho);
    }

    [Fact]
    public void Guard_without_progress_raises_rho_without_end()
    {
        var guard = new Guard(1);
        for (long round = 1; round < 10_000; round++)
            guard.Observe(round % 2 == 0 ? 1 : 1.5, round);
        Assert.True(guard.Rho > 100, $"rho is {guard.Rho}");
    }

    [Fact]
    public void Guard_before_everybody_was_heard_says_nothing()
    {
        var guard = new Guard(1);
        guard.Observe(1e-9, 0);
        guard.Observe(1, 1);
        guard.Observe(1, 2);
        Assert.InRange(guard.Rho, 0.79, 1);
    }

    [Theory]
    [InlineData("svrg", 2)]
    [InlineData("gradient", 1)]
    [InlineData("gradient:7", 2)]
    public void Solver_names_are_read_as_they_are_written(string name, int vectors)
    {
        Assert.True(LocalSolver.TryParse(name, out LocalSolver solver));
        Assert.Equal(name, solver.ToString());
        Assert.Equal(vectors, solver.Vectors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SVRG")]
    [InlineData("gradient:")]
    [InlineData("gradient:-1")]
    [InlineData("gradient:1e3")]
    [InlineData("gradient5")]
    public void Solver_names_that_are_none_are_refused(string name) => Assert.False(LocalSolver.TryParse(name, out _));
}
