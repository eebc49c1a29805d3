using System;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>
/// Says when something that was appended to the journal is not on disk after a time. Bytes that are behind say little, for there are always some where pushes come: what counts is how
/// long ago the oldest of them was appended.
/// </summary>
/// <param name="limit">How long it may take.</param>
/// <param name="time">The clock.</param>
public sealed class JournalRule(TimeSpan limit, TimeProvider time)
{
    private long _mark; // end of the journal at a moment
    private long _markedAt;
    private bool _isSaid;

    /// <summary>What was told last is still so.</summary>
    public bool Holds => _isSaid;

    /// <summary>Looks at the journal; once a second, say.</summary>
    /// <param name="appended">Bytes ever appended.</param>
    /// <param name="behind">Of them, not on disk.</param>
    /// <returns>What to tell, or null. Once, until it has caught up.</returns>
    public string? Look(long appended, long behind)
    {
        long now = time.GetTimestamp();
        if (_markedAt == 0 || appended - behind >= _mark || appended < _mark)
        {
            (_mark, _markedAt, _isSaid) = (appended, now, false);
            return null;
        }

        TimeSpan age = time.GetElapsedTime(_markedAt, now);
        if (_isSaid || age <= limit)
            return null;
        _isSaid = true;
        return $"the journal is behind: {behind} bytes are not on disk, the oldest of them for {age.TotalSeconds:0} s or more; a crash of the server now loses them. Look at the disk of --state: is it full, or does something else use it?";
    }
}
