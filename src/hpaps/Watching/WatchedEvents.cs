using System.Collections.Generic;
using HpAsyncPs.Monitoring.Documents;

namespace HpAsyncPs.Cli.Watching;

/// <summary>
/// The events of a job that are shown, each once, whatever connection they come over: of a server that was started anew as well, which counts from 1 again. Evaluations are not
/// among them: they would push everything else out, and what they say is in the status.
/// </summary>
/// <param name="last">Number of the last event when the watch began; of those up to it only a few are shown.</param>
internal sealed class WatchedEvents(long last)
{
    /// <summary>Shown of what happened before.</summary>
    public const int Earlier = 5;

    /// <summary>Kept of what happens.</summary>
    public const int Kept = 100;

    private readonly List<EventDocument> _all = [];
    private EventDocument? _newest;
    private bool _isCaughtUp = last == 0;

    /// <summary>Takes an event.</summary>
    /// <param name="one">The event; it may be known.</param>
    /// <returns>True: there is something new to show.</returns>
    public bool Take(EventDocument one)
    {
        if (_newest is { } newest && one.Number <= newest.Number && one.Time <= newest.Time)
            return false; // known: those of another process are later
        _newest = one;
        bool isShown = one.Kind != "evaluation";
        if (isShown)
        {
            _all.Add(one);
            if (_all.Count > (_isCaughtUp ? Kept : Earlier))
                _all.RemoveAt(0);
        }

        bool wasCaughtUp = _isCaughtUp;
        _isCaughtUp |= one.Number >= last;
        return _isCaughtUp && (isShown || !wasCaughtUp);
    }

    /// <summary>Those before are not all to be had: what comes next is new.</summary>
    public void Break() => _isCaughtUp = true;

    /// <summary>What is shown, oldest first; nothing while those from before are still coming in.</summary>
    public IReadOnlyList<EventDocument> Shown() => _isCaughtUp ? [.. _all] : [];

    /// <summary>What became of the job last, or null.</summary>
    public string? LastPhase() => _all.FindLast(static one => one.Kind == "phase")?.Reason;
}
