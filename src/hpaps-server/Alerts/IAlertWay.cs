using System.Threading;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.ServerProgram.Alerts;

/// <summary>A way to tell somebody. One thread calls it.</summary>
internal interface IAlertWay
{
    /// <summary>Tells, within a bounded time.</summary>
    /// <param name="alert">What.</param>
    /// <param name="json">The same as JSON.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <param name="stop">Gives up at once.</param>
    /// <returns>Why it could not, and what to do; null: it was told.</returns>
    string? Tell(Alert alert, byte[] json, AlertOrigin origin, CancellationToken stop);
}
