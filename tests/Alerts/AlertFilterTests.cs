using System;
using System.Collections.Generic;
using HpAsyncPs.Server.Monitoring;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Alerts;

/// <summary>Which events are told, and how often.</summary>
public sealed class AlertFilterTests
{
    private readonly FakeTimeProvider _time = new();
    private long _number;

    [Fact]
    public void Kinds_are_those_of_the_events()
    {
        Assert.Equal(AlertKind.Gone, AlertFilter.KindOf(State(1, WorkerState.Gone)));
        Assert.Equal(AlertKind.Stalled, AlertFilter.KindOf(State(1, WorkerState.Stalled)));
        Assert.Equal(AlertKind.Slow, AlertFilter.KindOf(State(1, WorkerState.Slow)));
        Assert.Null(AlertFilter.KindOf(State(1, WorkerState.Left)));
        Assert.Null(AlertFilter.KindOf(State(1, WorkerState.Computing)));
        Assert.Equal(AlertKind.Refused, AlertFilter.KindOf(Event(MonitorEventKind.Refusal, 1)));
        Assert.Equal(AlertKind.Handshake, AlertFilter.KindOf(Event(MonitorEventKind.Handshake, null)));
        Assert.Equal(AlertKind.Disagreement, AlertFilter.KindOf(Event(MonitorEventKind.Disagreement, 1)));
        foreach (MonitorEventKind kind in new[] { MonitorEventKind.Phase, MonitorEventKind.Membership, MonitorEventKind.Policy, MonitorEventKind.Codec, MonitorEventKind.Evaluation })
            Assert.Null(AlertFilter.KindOf(Event(kind, null)));
    }

    [Fact]
    public void Each_kind_and_worker_once_an_interval_and_what_was_held_back_is_counted()
    {
        AlertFilter filter = All(TimeSpan.FromSeconds(300));
        Alert? first = filter.Of(State(3, WorkerState.Gone));
        Assert.Equal((AlertKind.Gone, 3, 0L), (first!.Kind, first.Event.Rank, first.HeldBack));
        Assert.NotNull(filter.Of(State(4, WorkerState.Gone))); // another worker
        Assert.NotNull(filter.Of(State(3, WorkerState.Stalled))); // another kind
        Assert.NotNull(filter.Of(Event(MonitorEventKind.Handshake, null)));
        for (int j = 0; j < 7; j++)
        {
            _time.Advance(TimeSpan.FromSeconds(40));
            Assert.Null(filter.Of(State(3, WorkerState.Gone)));
        }

        _time.Advance(TimeSpan.FromSeconds(19.9));
        Assert.Null(filter.Of(State(3, WorkerState.Gone)));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(8, filter.Of(State(3, WorkerState.Gone))!.HeldBack);
        Assert.Null(filter.Of(State(3, WorkerState.Gone)));
        _time.Advance(TimeSpan.FromSeconds(300));
        Assert.Equal(1, filter.Of(State(3, WorkerState.Gone))!.HeldBack);
        Assert.Equal(0, filter.Of(State(4, WorkerState.Gone))!.HeldBack);
    }

    /// <summary>A worker that goes for good soon after it had come back: it is told when the interval is over, though nothing more happens. One that is there again is not.</summary>
    [Fact]
    public void What_was_held_back_and_is_still_so_is_told_when_the_interval_is_over()
    {
        AlertFilter filter = All(TimeSpan.FromSeconds(300));
        for (int rank = 0; rank < 2; rank++)
        {
            Assert.NotNull(filter.Of(State(rank, WorkerState.Gone)));
            filter.Of(Back(rank));
            Assert.Null(filter.Of(State(rank, WorkerState.Gone)));
        }

        filter.Of(Back(1));
        var due = new List<Alert>();
        _time.Advance(TimeSpan.FromSeconds(299));
        filter.AddDue(due);
        Assert.Empty(due);
        _time.Advance(TimeSpan.FromSeconds(1));
        filter.AddDue(due);
        Alert told = Assert.Single(due);
        Assert.Equal((AlertKind.Gone, 0, 0L), (told.Kind, told.Event.Rank, told.HeldBack));
        _time.Advance(TimeSpan.FromSeconds(299));
        filter.AddDue(due);
        Assert.Single(due);
        Assert.Null(filter.Of(State(0, WorkerState.Gone))); // that was one, as well
        Assert.Equal(1, filter.Of(State(1, WorkerState.Gone))!.HeldBack);
    }

    /// <summary>A rule's alert that was held back is told later where it still holds, and not where it is over.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_rule_held_back_is_told_unless_it_is_over(bool isOver)
    {
        AlertFilter filter = All(TimeSpan.FromSeconds(300));
        Assert.NotNull(filter.Of(AlertKind.Journal, 1, "behind"));
        Assert.Null(filter.Of(AlertKind.Journal, 100, "behind again"));
        if (isOver)
            filter.Over(AlertKind.Journal);
        var due = new List<Alert>();
        _time.Advance(TimeSpan.FromSeconds(300));
        filter.AddDue(due);
        Assert.Equal(isOver ? 0 : 1, due.Count);
    }

    [Fact]
    public void What_is_not_wanted_is_neither_told_nor_counted()
    {
        var filter = new AlertFilter([AlertKind.Gone], TimeSpan.Zero, _time);
        Assert.Null(filter.Of(State(1, WorkerState.Stalled)));
        Assert.Null(filter.Of(AlertKind.Journal, 1, "behind"));
        Assert.NotNull(filter.Of(State(1, WorkerState.Gone)));
        Assert.Equal(0, filter.Of(State(1, WorkerState.Gone))!.HeldBack); // no interval: none is held back
    }

    [Fact]
    public void Events_that_nobody_has_looked_at_are_counted()
    {
        AlertFilter filter = All(TimeSpan.Zero);
        filter.Of(Event(MonitorEventKind.Phase, null));
        _number += 5;
        filter.Of(Event(MonitorEventKind.Phase, null));
        _number += 2;
        Assert.Equal(7, filter.Of(State(1, WorkerState.Gone))!.Missed);
        Assert.Equal(0, filter.Of(State(1, WorkerState.Gone))!.Missed);
    }

    [Fact]
    public void Journal_is_told_once_when_something_is_not_on_disk_in_time_however_much_comes()
    {
        var rule = new JournalRule(TimeSpan.FromSeconds(10), _time);
        long appended = 1000;
        for (int j = 0; j < 100; j++, appended += 1000, _time.Advance(TimeSpan.FromSeconds(1)))
            Assert.Null(rule.Look(appended, 5000)); // always behind, never for longer than five seconds

        var told = new List<int>();
        long durable = appended - 5000;
        for (int j = 0; j < 60; j++, appended += 1000, _time.Advance(TimeSpan.FromSeconds(1)))
        {
            if (rule.Look(appended, appended - durable) is not null)
                told.Add(j);
        }

        Assert.Single(told);
        Assert.InRange(told[0], 5, 16); // since the last mark that got there
        Assert.Null(rule.Look(appended, 0));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(rule.Look(appended + 1, 0));
        Assert.Null(rule.Look(appended + 1000, 999));
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.NotNull(rule.Look(appended + 1000, 999)); // it is told again
    }

    private AlertFilter All(TimeSpan interval) => new(Enum.GetValues<AlertKind>(), interval, _time);

    private MonitorEvent State(int rank, WorkerState to) => new(++_number, _time.GetUtcNow(), 1, MonitorEventKind.State, rank, WorkerState.Computing, to, "why");

    private MonitorEvent Back(int rank) => new(++_number, _time.GetUtcNow(), 1, MonitorEventKind.State, rank, WorkerState.Gone, WorkerState.Idle, "it is heard of again");

    private MonitorEvent Event(MonitorEventKind kind, int? rank) => new(++_number, _time.GetUtcNow(), 1, kind, rank, null, null, "why");
}
