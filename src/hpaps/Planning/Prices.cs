using System;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HpAsyncPs.Cli.Planning;

/// <summary>What machines and traffic cost: a price file.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record Prices
{
    private const double Most = 1e6;

    /// <summary>They are made up.</summary>
    public bool Example { get; init; }

    /// <summary>Where they are from.</summary>
    public string Note { get; init; } = "";

    /// <summary>Its name, for tables.</summary>
    public required string Currency { get; init; }

    /// <summary>Of a worker's machine.</summary>
    public required double WorkerPerHour { get; init; }

    /// <summary>Of a server's machine.</summary>
    public required double ServerPerHour { get; init; }

    /// <summary>Of 1e9 bytes between workers and servers, either way.</summary>
    public required double PerGb { get; init; }

    /// <exception cref="InputException">It cannot be read, or says no prices.</exception>
    public static Prices Read(string path)
    {
        InputFile.Check("--prices", path);
        Prices prices;
        try
        {
            prices = JsonSerializer.Deserialize(File.ReadAllText(path), CliJson.Default.Prices) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new InputException($"--prices {path}: is no price file ({e.Message}); tools/prices.example.json is one", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"--prices {path}: cannot be read ({e.Message})", e);
        }

        foreach ((string key, double price) in (ReadOnlySpan<(string, double)>)[("worker_per_hour", prices.WorkerPerHour), ("server_per_hour", prices.ServerPerHour), ("per_gb", prices.PerGb)])
        {
            if (price is not (>= 0 and <= Most))
                throw new InputException($"--prices {path}: {key} must be 0 to {Most:0}; it is {price:R}");
        }

        return prices.Currency.Trim().Length is > 0 and <= 8 ? prices : throw new InputException($"--prices {path}: currency must have 1 to 8 characters, as in EUR; it is '{prices.Currency}'");
    }

    /// <summary>What a run costs.</summary>
    /// <param name="workers">Machines of workers.</param>
    /// <param name="servers">Machines of servers.</param>
    /// <param name="seconds">That it takes; a part of an hour is paid as a part.</param>
    /// <param name="bytes">Both ways.</param>
    public Cost Of(int workers, int servers, double seconds, long bytes)
    {
        double machines = seconds / 3600 * ((workers * WorkerPerHour) + (servers * ServerPerHour)), traffic = bytes / 1e9 * PerGb;
        return new Cost(machines, traffic, machines + traffic);
    }
}

/// <summary>What a run costs, in the currency of the prices.</summary>
/// <param name="Machines">By the hour.</param>
/// <param name="Traffic">By the GB.</param>
/// <param name="Total">Both.</param>
internal sealed record Cost(double Machines, double Traffic, double Total);
