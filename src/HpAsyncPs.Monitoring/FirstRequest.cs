using System;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace HpAsyncPs.Monitoring;

/// <summary>
/// Ends connections on which no request is let in soon. Kestrel waits for a first request as long as for the next one, which is minutes: whoever opens as many connections as there may be and
/// says nothing would keep everybody out for that long.
/// </summary>
internal static class FirstRequest
{
    private static readonly object Mark = new();

    /// <summary>Of a connection.</summary>
    /// <param name="connection">It.</param>
    /// <param name="next">What answers on it.</param>
    /// <param name="limit">How long it may take.</param>
    public static async Task LimitAsync(ConnectionContext connection, ConnectionDelegate next, TimeSpan limit)
    {
        using var wait = new CancellationTokenSource(limit);
        using CancellationTokenRegistration ending = wait.Token.Register(static of => ((ConnectionContext)of!).Abort(), connection);
        connection.Items[Mark] = wait;
        await next(connection).ConfigureAwait(false);
    }

    /// <summary>A request was let in: the connection may stay.</summary>
    /// <param name="context">The request.</param>
    public static void LetIn(HttpContext context)
    {
        if (context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Mark, out object? wait) == true)
            ((CancellationTokenSource)wait!).CancelAfter(Timeout.InfiniteTimeSpan);
    }
}
