using System;
using System.Globalization;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Monitoring;

/// <summary>What readers go on with after a lost connection. Numbers of events begin anew with each server, so an id also has which server it is of: <c>9f2c41d0-17</c>.</summary>
/// <param name="events">Of the job.</param>
internal sealed class EventIds(EventRing events)
{
    private const int ServerBytes = 4;
    private const char Mark = '-';

    /// <summary>Of this server, and of no other.</summary>
    public string Server { get; } = Convert.ToHexStringLower(RandomBytes.Draw(ServerBytes));

    /// <summary>The id of an event.</summary>
    /// <param name="number">Its number.</param>
    public string Of(long number) => string.Create(CultureInfo.InvariantCulture, $"{Server}{Mark}{number}");

    /// <summary>The number of the event that somebody has last: 0 if it is one of another server. Null: this is no id.</summary>
    /// <param name="said">An id, or a number alone.</param>
    public long? NumberOf(string said)
    {
        int mark = said.IndexOf(Mark, StringComparison.Ordinal);
        if (!long.TryParse(said.AsSpan(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            return null;
        return number <= events.Last && (mark < 0 || said.AsSpan(0, mark).SequenceEqual(Server)) ? number : 0;
    }
}
