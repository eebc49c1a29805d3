using System;
using System.Collections.Generic;
using HpAsyncPs.Cli.Watching;
using HpAsyncPs.Monitoring.Documents;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>Which events hpaps watch shows.</summary>
public sealed class WatchedEventsTests
{
    [Fact]
    public void Of_those_before_the_last_few_are_shown_once_all_are_there()
    {
        var events = new WatchedEvents(9);
        for (int number = 1; number < 9; number++)
        {
            Assert.False(events.Take(Event(number)));
            Assert.Empty(events.Shown());
        }

        Assert.True(events.Take(Event(9, "evaluation"))); // not shown itself
        Assert.Equal([4, 5, 6, 7, 8], Numbers(events));
        Assert.True(events.Take(Event(10)));
        Assert.Equal([4, 5, 6, 7, 8, 10], Numbers(events));
    }

    [Fact]
    public void Evaluations_crowd_nothing_out()
    {
        var events = new WatchedEvents(0);
        Assert.True(events.Take(Event(1)));
        for (int number = 2; number < 1000; number++)
            Assert.False(events.Take(Event(number, "evaluation")));
        for (int number = 1000; number < 1000 + WatchedEvents.Kept - 1; number++)
            Assert.True(events.Take(Event(number)));
        IReadOnlyList<EventDocument> shown = events.Shown();
        Assert.Equal((WatchedEvents.Kept, 1L), (shown.Count, shown[0].Number));
        Assert.True(events.Take(Event(5000)));
        Assert.Equal((WatchedEvents.Kept, 1000L), (events.Shown().Count, events.Shown()[0].Number));
    }

    [Fact]
    public void Another_connection_tells_nothing_twice_and_another_server_is_heard_from_its_first_event()
    {
        var events = new WatchedEvents(2);
        for (int number = 1; number <= 4; number++)
            events.Take(Event(number));
        events.Break();
        for (int number = 1; number <= 4; number++)
            Assert.False(events.Take(Event(number)));
        Assert.Equal([1, 2, 3, 4], Numbers(events));

        for (int number = 1; number <= 2; number++)
            Assert.True(events.Take(Event(number) with { Time = DateTimeOffset.UnixEpoch.AddHours(1 + number) }));
        Assert.Equal([1, 2, 3, 4, 1, 2], Numbers(events));
    }

    [Fact]
    public void Watch_that_has_lost_the_connection_before_all_were_there_shows_what_comes()
    {
        var events = new WatchedEvents(100);
        events.Take(Event(1));
        Assert.Empty(events.Shown());
        events.Break();
        Assert.True(events.Take(Event(2, "phase")));
        Assert.Equal([1, 2], Numbers(events));
        Assert.Equal("reason 2", events.LastPhase());
    }

    private static EventDocument Event(int number, string kind = "state") =>
        new(number, DateTimeOffset.UnixEpoch.AddSeconds(number), number, kind, null, null, null, $"reason {number}");

    private static long[] Numbers(WatchedEvents events)
    {
        var numbers = new List<long>();
        foreach (EventDocument one in events.Shown())
            numbers.Add(one.Number);
        return [.. numbers];
    }
}
