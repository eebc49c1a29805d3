using System;

namespace HpAsyncPs.Cli.Progress;

/// <summary>Shows on standard error how a run stands.</summary>
internal interface IProgressView
{
    /// <summary>Calls <paramref name="next"/> until it says no, and shows <paramref name="progress"/> now and then.</summary>
    void Follow(RunProgress progress, Func<bool> next);

    /// <summary>Shows a line that stays.</summary>
    void Say(string line);
}
