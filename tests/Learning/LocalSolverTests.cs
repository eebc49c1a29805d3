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
        for (long round = 1; round <= 5; round++)
            guard.Observe(1.1 - (0.1 * round), round);
        guard.Observe(3, 6);
        double before = guard.Rho;
        Assert.Equal(Math.Pow(0.8, 5), before, 1e-12); // the round is not over
        guard.Observe(1, 7);
        Assert.Equal(3 * before, guard.Rho, 1e-12);
        guard.Observe(100, 7);
        Assert.Equal(9 * before, guard.Rho, 1e-12);
    }

    [Fact]
    public void Guard_coming_back_is_progress_but_no_reason_to_be_bold()
    {
        var guard = new Guard(1);
        for (long round = 1; round <= 5; round++)
            guard.Observe(1.1 - (0.1 * round), round);
        guard.Observe(5, 6);
        guard.Observe(1.4, 7); // ends the round of 5: best is 1.25 then
        double raised = guard.Rho;
        for (long round = 8; round < 16; round++)
            guard.Observe(1.45 - (0.1 * (round - 7)), round);
        Assert.Equal(raised, guard.Rho); // down to 0.75: less each time, and more than the record of 0.6
        guard.Observe(0.3, 16);
        guard.Observe(0.3, 17);
        Assert.Equal(0.8 * raised, guard.Rho, 1e-12); // 0.65 was no record, 0.3 is
    }

    [Fact]
    public void Guard_loses_patience_after_eight_rounds_without_a_best()
    {
        var guard = new Guard(1);
        guard.Observe(1, 1);
        for (long round = 2; round <= 10; round++)
            guard.Observe(1.5, round);
        Assert.Equal(0.8, guard.Rho, 1e-12);
        guard.Observe(1.5, 11);
        Assert.Equal(2.4, guard.Rho, 1e-12);
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
