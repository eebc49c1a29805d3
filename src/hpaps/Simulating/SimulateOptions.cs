using System;
using System.CommandLine;
using System.Globalization;
using System.Threading;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Cli.Simulating;

/// <summary>The options that hpaps simulate has beside those of hpaps train; their defaults are what --deterministic takes.</summary>
internal sealed class SimulateOptions
{
    private const string DefaultPassTime = "1s";
    private const string DefaultLatency = "100us";
    private const string DefaultBandwidth = "1Gbit";

    private readonly Option<string> _passTime = new("--pass-time") { HelpName = "TIME", Description = $"Virtual time of one pass of a worker over its own data: a number and {Durations.Units}.", DefaultValueFactory = _ => DefaultPassTime };
    private readonly Option<string> _latency = new("--latency") { HelpName = "TIME", Description = "Virtual time from the last byte of a message to its arrival; 0s: none.", DefaultValueFactory = _ => DefaultLatency };
    private readonly Option<string> _bandwidth = new("--bandwidth") { HelpName = "RATE", Description = "Of each worker's link, in each direction, a second: a number and kbit, Mbit, Gbit, or kB, MB, GB (powers of ten), or 'unlimited'.", DefaultValueFactory = _ => DefaultBandwidth };

    public SimulateOptions()
    {
        Check(_passTime, static text => TryTime(text, out TimeSpan time) && time > TimeSpan.Zero, $"a number and its unit ({Durations.Units}), more than 0 and at most 24h, as in 1s or 250ms");
        Check(_latency, static text => TryTime(text, out _), $"a number and its unit ({Durations.Units}), at most 24h, as in 100us or 0s");
        Check(_bandwidth, static text => TryParseBandwidth(text, out _), "a number and its unit a second (kbit, Mbit, Gbit, kB, MB or GB), more than 0, or 'unlimited', as in 1Gbit or 100MB");
    }

    /// <summary>All of them, in the order of the help.</summary>
    public Option[] All => [_passTime, _latency, _bandwidth];

    /// <summary>What --deterministic takes.</summary>
    public static SimulationPlan DefaultPlan(Func<TrainSettings, CancellationToken, Func<SimulatedJob>> read) => Plan(DefaultPassTime, DefaultLatency, DefaultBandwidth, read);

    /// <summary>What was given.</summary>
    public SimulationPlan Plan(ParseResult parsed, Func<TrainSettings, CancellationToken, Func<SimulatedJob>> read) =>
        Plan(parsed.GetValue(_passTime)!, parsed.GetValue(_latency)!, parsed.GetValue(_bandwidth)!, read);

    /// <summary>Reads a bandwidth in bytes a second.</summary>
    public static bool TryParseBandwidth(string text, out double bytesPerSecond)
    {
        bytesPerSecond = double.PositiveInfinity;
        if (text == "unlimited")
            return true;
        int digits = text.Length;
        while (digits > 0 && char.IsAsciiLetter(text[digits - 1]))
            digits--;
        double unit = text[digits..] switch
        {
            "kbit" => 1e3 / 8,
            "Mbit" => 1e6 / 8,
            "Gbit" => 1e9 / 8,
            "kB" => 1e3,
            "MB" => 1e6,
            "GB" => 1e9,
            _ => double.NaN,
        };
        bool good = double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number);
        bytesPerSecond = number * unit;
        return good && bytesPerSecond >= 1 && double.IsFinite(bytesPerSecond);
    }

    private static SimulationPlan Plan(string passTime, string latency, string bandwidth, Func<TrainSettings, CancellationToken, Func<SimulatedJob>> read)
    {
        _ = TryTime(passTime, out TimeSpan pass); // checked before, all three
        _ = TryTime(latency, out TimeSpan late);
        _ = TryParseBandwidth(bandwidth, out double rate);
        return new SimulationPlan(read, pass, new LinkSpeed(late, rate));
    }

    private static bool TryTime(string text, out TimeSpan time) => Durations.TryParse(text, out time) && time <= TimeSpan.FromDays(1);

    private static void Check(Option<string> option, Func<string, bool> isGood, string form) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && !isGood(token.Value))
            result.AddError($"{option.Name} must be {form}; it is '{token.Value}'.");
    });
}
