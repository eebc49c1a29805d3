using System;
using System.Collections.Generic;
using HpAsyncPs.Server;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>Rounds of policy auto, push by push: a worker computes for so many seconds and pushes, halves where it is asked for them.</summary>
public sealed class GatheringTests
{
    private const double Second = 0.04;
    private readonly List<string> _decided = [];

    [Fact]
    public void Equal_workers_are_all_waited_for_and_none_is_answered_before_the_last()
    {
        var cluster = new Cluster([0.01, 0.01, 0.01, 0.01], halves: true, _decided);
        cluster.Run(2);
        Assert.Empty(_decided);
        Assert.Equal(cluster.Pushes[0], cluster.Pushes[3], 1.0);
        Assert.InRange(cluster.Halves[0], 10, cluster.Pushes[0]);
    }

    [Fact]
    public void One_slow_worker_is_left_out_and_pushes_as_fast_as_it_can()
    {
        var cluster = new Cluster([0.3, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], halves: true, _decided);
        cluster.Run(6);
        Assert.Single(_decided);
        Assert.StartsWith("7 of 8 workers are waited for", _decided[0], StringComparison.Ordinal);
        Assert.InRange(cluster.Pushes[0], 5 / 0.3, 6 / 0.3);
        Assert.InRange(cluster.Pushes[1], 2 * 5 / 0.05, 2 * 6 / 0.05);
    }

    [Fact]
    public void Who_becomes_slow_is_late_and_then_left_out()
    {
        var cluster = new Cluster([0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], halves: true, _decided);
        cluster.Run(3);
        Assert.Empty(_decided);
        cluster.Seconds[1] = 0.3;
        cluster.Run(8);
        Assert.StartsWith("7 of 8 workers are waited for", Assert.Single(_decided), StringComparison.Ordinal);
        long before = cluster.Pushes[0];
        cluster.Run(9);
        Assert.InRange(cluster.Pushes[0] - before, 35, 41); // two in 50 ms
    }

    [Fact]
    public void Who_is_gone_is_none_of_those_who_are_waited_for()
    {
        var cluster = new Cluster([0.3, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], halves: true, _decided);
        cluster.Gone(7);
        cluster.Run(6);
        Assert.StartsWith("6 of 7 workers are waited for", Assert.Single(_decided), StringComparison.Ordinal);
    }

    [Fact]
    public void Small_steps_whose_times_vary_widely_are_waited_for_again_when_they_no_longer_do()
    {
        var cluster = new Cluster([0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], halves: false, _decided) { Outliers = 0.1 };
        cluster.Run(5);
        Assert.StartsWith("nobody is waited for", Assert.Single(_decided), StringComparison.Ordinal);
        cluster.Outliers = 0;
        cluster.Run(10);
        Assert.StartsWith("all 8 workers are waited for", _decided[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Who_is_fast_again_takes_part_again()
    {
        var cluster = new Cluster([0.3, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], halves: true, _decided);
        cluster.Run(3);
        cluster.Seconds[0] = 0.01;
        cluster.Run(10);
        Assert.Equal(2, _decided.Count);
        Assert.StartsWith("all 8 workers are waited for", _decided[1], StringComparison.Ordinal);
        long before = cluster.Halves[0];
        cluster.Run(11);
        Assert.InRange(cluster.Halves[0] - before, 15, 21);
    }

    [Fact]
    public void Who_stalls_holds_the_others_up_until_the_deadline_only_and_who_is_gone_not_at_all()
    {
        foreach (bool isGone in (bool[])[false, true])
        {
            var cluster = new Cluster([0.01, 0.01, 0.01, 0.01], halves: true, _decided);
            cluster.Run(3);
            cluster.Seconds[2] = double.PositiveInfinity;
            cluster.Run(3.1);
            if (isGone)
                cluster.Gone(2);
            long before = cluster.Pushes[0];
            cluster.Run(8);
            Assert.InRange(cluster.Pushes[0] - before, 100, 300);
        }
    }

    [Theory]
    [InlineData(0.02, 0.06)] // a pass of a step costs more than one of a gradient
    [InlineData(0.05, 0.05)] // the way of the messages is what takes time
    public void Times_that_vary_a_little_cost_nobody_his_round(double first, double second)
    {
        double[] seconds = new double[8];
        Array.Fill(seconds, first);
        var cluster = new Cluster(seconds, halves: true, _decided) { SecondHalf = second, Jitter = 0.1 };
        cluster.Run(40);
        Assert.Empty(_decided);
        Assert.InRange(cluster.Halves[3], 0.47 * cluster.Pushes[3], 0.53 * cluster.Pushes[3]);
        Assert.InRange(cluster.Pushes[3], 2 * 40 / (first + second) * 0.75, 2 * 40 / (first + second));
    }

    [Fact]
    public void Who_is_lost_while_it_waits_and_returns_goes_on()
    {
        var cluster = new Cluster([0.01, 0.01, 0.5], halves: true, _decided);
        cluster.Run(0.1); // 0 and 1 wait for 2
        cluster.Gone(0);
        cluster.Run(2);
        cluster.Return(0);
        long before = cluster.Pushes[0];
        cluster.Run(4);
        Assert.InRange(cluster.Pushes[0] - before, 3, 1000);
    }

    [Fact]
    public void A_server_that_was_started_again_answers_all_and_they_come_together_again()
    {
        var cluster = new Cluster([0.01, 0.01, 0.01, 0.01], halves: true, _decided);
        cluster.Run(0.005); // all compute
        cluster.Restart(computing: 1);
        cluster.Run(3);
        long before = cluster.Halves[0];
        cluster.Run(4);
        Assert.InRange(cluster.Halves[0] - before, 15, 25);
        Assert.Equal(cluster.Pushes[0], cluster.Pushes[1], 10.0);
    }

    [Fact]
    public void Who_says_half_for_ever_keeps_nobody_out()
    {
        var cluster = new Cluster([0.3, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], halves: true, _decided) { Liar = 2 };
        cluster.Run(3);
        cluster.Seconds[0] = 0.01;
        cluster.Run(15);
        long before = cluster.Pushes[0];
        cluster.Run(16);
        Assert.InRange(cluster.Pushes[0] - before, 20, 200);
    }

    [Fact]
    public void Small_steps_are_taken_in_rounds_of_all_or_without_any()
    {
        var cluster = new Cluster([0.01, 0.01, 0.01, 0.01], halves: false, _decided);
        cluster.Run(2);
        Assert.Empty(_decided);
        cluster.Seconds[3] = 0.1;
        cluster.Run(6);
        Assert.StartsWith("nobody is waited for", Assert.Single(_decided), StringComparison.Ordinal);
        long before = cluster.Pushes[0];
        cluster.Run(7);
        Assert.InRange(cluster.Pushes[0] - before, 95, 105);
        cluster.Seconds[3] = 0.01;
        cluster.Run(12);
        Assert.StartsWith("all 4 workers are waited for", _decided[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_snapshot_out_of_turn_and_one_that_was_cut_off_are_no_dead_ends()
    {
        var cluster = new Cluster([0.01, 0.01, 0.01], halves: true, _decided);
        cluster.Run(1);
        for (int j = 0; j < 20; j++)
        {
            cluster.Welcome(j % 3);
            long before = cluster.Pushes[j % 3];
            cluster.Run(1.2 + (0.2 * j));
            Assert.True(cluster.Pushes[j % 3] > before);
        }
    }

    /// <summary>Workers on a clock of their own.</summary>
    private sealed class Cluster
    {
        private readonly Gathering _gathering;
        private readonly Speeds _speeds;
        private readonly double[] _dueAt;
        private readonly bool[] _computes;
        private readonly bool[] _half;
        private readonly bool[] _gone;
        private readonly bool _halves;
        private readonly Random _random = new(1);
        private double _now;

        public Cluster(double[] seconds, bool halves, List<string> decided)
        {
            (Seconds, _halves) = (seconds, halves);
            double[] shares = new double[seconds.Length];
            Array.Fill(shares, 1.0 / seconds.Length);
            _speeds = new Speeds(shares);
            _gathering = new Gathering(shares, _speeds) { Decided = decided.Add };
            (_dueAt, _computes, _half, _gone) = ([.. seconds], new bool[seconds.Length], new bool[seconds.Length], new bool[seconds.Length]);
            Array.Fill(_computes, true);
            (Pushes, Halves) = (new long[seconds.Length], new long[seconds.Length]);
        }

        public double[] Seconds { get; }

        public long[] Pushes { get; }

        public long[] Halves { get; }

        public double SecondHalf { get; init; } = Second;

        /// <summary>Times vary by that share, up and down.</summary>
        public double Jitter { get; init; }

        /// <summary>This share of the times is ten times as long.</summary>
        public double Outliers { get; set; }

        /// <summary>It says half with each push.</summary>
        public int Liar { get; init; } = -1;

        public void Return(int rank)
        {
            _gone[rank] = false; // it has pushed, and waits
            _computes[rank] = false;
        }

        /// <summary>The server is another one; some compute, the others wait for an answer.</summary>
        public void Restart(int computing)
        {
            _gathering.Restart();
            for (int rank = computing; rank < Seconds.Length; rank++)
                _computes[rank] = false;
        }

        public void Gone(int rank)
        {
            _gone[rank] = true;
            _gathering.Gone(rank, _now);
        }

        public void Welcome(int rank)
        {
            _speeds.Sent(rank, _now);
            _gathering.Welcomed(rank, _now);
            _gathering.Sent(rank);
            Begin(rank, isFirst: false, wasHalf: false);
        }

        public void Run(double until)
        {
            const double tick = 0.001;
            for (; _now < until; _now += tick)
            {
                _gathering.Tick(_now);
                Answer();
                for (int rank = 0; rank < Seconds.Length; rank++)
                {
                    if (_computes[rank] && !_gone[rank] && _now >= _dueAt[rank])
                        Push(rank);
                }
            }
        }

        private void Push(int rank)
        {
            _computes[rank] = false;
            Pushes[rank]++;
            Halves[rank] += _half[rank] ? 1 : 0;
            _gathering.Pushed(rank, _half[rank] || rank == Liar, 1, _speeds.Pushed(rank, 1, _now), _now);
            Answer();
        }

        private void Answer()
        {
            for (int rank = 0; rank < Seconds.Length; rank++)
            {
                if (_computes[rank] || _gone[rank] || !_gathering.MayHave(rank))
                    continue;
                bool isFirst = _gathering.IsFirst(rank);
                _speeds.Sent(rank, _now);
                _gathering.Sent(rank);
                Begin(rank, isFirst, _half[rank]);
            }
        }

        private void Begin(int rank, bool isFirst, bool wasHalf)
        {
            _half[rank] = _halves && isFirst && !wasHalf;
            _computes[rank] = true;
            _dueAt[rank] = _now + ((wasHalf ? SecondHalf : Seconds[rank]) * (1 + (Jitter * ((2 * _random.NextDouble()) - 1))) * (Outliers > 0 && _random.NextDouble() < Outliers ? 10 : 1));
        }
    }
}
