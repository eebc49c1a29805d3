using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Server.Policies;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Programs;

/// <summary>The options of logistic regression, the same for the launcher and for a worker started by hand.</summary>
internal sealed class LogisticOptions
{
    private readonly Option<double> _l2 = new Option<double>("--l2") { HelpName = "F", Description = "l2/2 |w|^2 is added to the mean loss.", DefaultValueFactory = _ => 1e-3 }.Within(0, 1e9);
    private readonly Option<double> _l1 = new Option<double>("--l1") { HelpName = "F", Description = "l1 |w|_1 is added to the mean loss: weights that do not pay become 0.", DefaultValueFactory = _ => 0 }.Within(0, 1e9);
    private readonly Option<bool> _intercept = new("--intercept") { Description = "Add a constant to w.x that is not penalised." };
    private readonly Option<string> _solver = new("--solver")
    {
        HelpName = "NAME",
        Description = "What a worker does between two pushes: svrg, gradient:Q for Q gradient steps on its local problem, or gradient: one gradient step a push, and half the bytes.",
        DefaultValueFactory = _ => LocalSolver.Svrg.ToString(),
    };

    private readonly Option<int> _batch = new Option<int>("--batch")
    {
        HelpName = "N",
        Description = "Policy asp: push gradients of N rows each, the mean over the batch; N beyond the rows of a worker means all of them. By default "
            + $"{CommonOptions.DefaultBatch} with hpaps train; a worker that is started by hand pushes gradients only if this is given.",
    }.Within(1, int.MaxValue);

    private readonly Option<string> _cut = new("--cut")
    {
        HelpName = "rows|bytes",
        Description = "How workers' parts are cut out of a file of text. rows: at random, for which each worker reads all of it. bytes: into pieces of as many bytes, of which each worker reads its own alone; "
            + "of a file that is sorted, by label say, the pieces are skewed, and training may take longer. Not for gzip, nor for prepared files and folders, of which workers read their own parts anyway.",
        DefaultValueFactory = _ => "rows",
    };

    public Option<string?> WarmStart { get; } = CommonOptions.WarmStart();

    public LogisticOptions()
    {
        _cut.CompletionSources.Add("rows", "bytes");
        _cut.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: not ("rows" or "bytes") } token])
                result.AddError($"--cut must be rows or bytes; it is '{token.Value}'.");
        });
        _solver.CompletionSources.Add("svrg", "gradient");
        _solver.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !LocalSolver.TryParse(token.Value, out LocalSolver _))
                result.AddError($"--solver '{token.Value}' is not known: use svrg, gradient, or gradient:Q with Q from 0 to 998, as in gradient:5.");
        });
    }

    /// <summary>All of them, for a command.</summary>
    public Option[] All => [_cut, _l2, _l1, _intercept, _solver, _batch, WarmStart];

    /// <summary>Says what does not go together with gradients, which workers push if <paramref name="pushesGradients"/> or a batch is given.</summary>
    public void Check(CommandResult result, bool pushesGradients)
    {
        if (!pushesGradients && !Has(result, _batch))
            return;
        if (Has(result, _l1) && !(result.GetResult(_l1)!.Tokens is [{ Value: "0" }]))
            result.AddError($"--l1 needs --policy {PolicyNames.Exact}: a gradient has no l1.");
        if (Has(result, _solver))
            result.AddError($"--solver needs --policy {PolicyNames.Exact}: with gradients the server's optimiser takes the steps.");
        if (Has(result, WarmStart))
            result.AddError($"--warm-start needs --policy {PolicyNames.Exact}: under asp the model is at the server, which begins at zero.");
    }

    /// <summary>The task of a worker's rows.</summary>
    public static ITask Task(SparseRows rows, LogisticSettings settings)
    {
        if (settings.Parts > 1)
            settings = settings with { CutFrom = rows.CutFrom };
        return settings.Batch > 0 ? new GradientTask(rows, settings) : new LogisticTask(rows, settings);
    }

    /// <summary>How parts are cut.</summary>
    public RowCut Cut(ParseResult parsed) => parsed.GetValue(_cut) == "bytes" ? RowCut.Bytes : RowCut.Rows;

    /// <summary>The same as arguments of a worker.</summary>
    public static IReadOnlyList<string> Arguments(RowCut cut) => cut == RowCut.Bytes ? ["--cut", "bytes"] : [];

    /// <summary>Was a batch given?</summary>
    public bool HasBatch(CommandResult result) => Has(result, _batch);

    private static bool Has(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>What was given.</summary>
    /// <exception cref="InputException">The model to begin from cannot be read.</exception>
    public LogisticSettings Settings(ParseResult parsed)
    {
        LocalSolver solver = LocalSolver.TryParse(parsed.GetValue(_solver)!, out LocalSolver given) ? given : LocalSolver.Svrg; // checked before
        LogisticModel? model = parsed.GetValue(WarmStart) is { } folder ? ModelFolder.Read(folder).ToLogistic() : null;
        return new LogisticSettings { L2 = parsed.GetValue(_l2), L1 = parsed.GetValue(_l1), Intercept = parsed.GetValue(_intercept), Solver = solver, WarmStart = model, Batch = parsed.GetResult(_batch) is { Implicit: false } ? parsed.GetValue(_batch) : 0 };
    }

    /// <summary>The same as arguments of a worker, but for the model to begin from.</summary>
    public static IReadOnlyList<string> Arguments(LogisticSettings settings)
    {
        List<string> arguments = ["--l2", Text(settings.L2), "--l1", Text(settings.L1)];
        arguments.AddRange(settings.Batch > 0 ? ["--batch", Text(settings.Batch)] : ["--solver", settings.Solver.ToString()]);
        if (settings.Intercept)
            arguments.Add("--intercept");
        return arguments;
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
