using System;
using System.IO;
using System.Text.Json;

namespace HpAsyncPs.Cli.Planning;

/// <summary>What machines and traffic cost: a price file.</summary>
internal sealed record Prices
{
    private const double Most = 1e6;
    private const int MostLetters = 8;

    /// <summary>They are made up.</summary>
    public bool Example { get; private set; }

    /// <summary>Where they are from.</summary>
    public string Note { get; private set; } = "";

    /// <summary>Its name, for tables.</summary>
    public string Currency { get; private set; } = "";

    /// <summary>Of a worker's machine.</summary>
    public double WorkerPerHour { get; private set; } = double.NaN;

    /// <summary>Of a server's machine.</summary>
    public double ServerPerHour { get; private set; } = double.NaN;

    /// <summary>Of 1e9 bytes between workers and servers, either way.</summary>
    public double PerGb { get; private set; } = double.NaN;

    /// <exception cref="InputException">It cannot be read, or says no prices.</exception>
    public static Prices Read(string path)
    {
        InputFile.Check("--prices", path);
        var prices = new Prices();
        try
        {
            using JsonDocument file = JsonDocument.Parse(File.ReadAllText(path));
            if (file.RootElement.ValueKind != JsonValueKind.Object)
                throw Wrong(path, "it is no JSON object");
            foreach (JsonProperty one in file.RootElement.EnumerateObject())
            {
                if (prices.Take(one.Name, one.Value) is { } wrong)
                    throw Wrong(path, wrong);
            }
        }
        catch (JsonException e)
        {
            throw Wrong(path, $"it is no JSON from line {(e.LineNumber ?? 0) + 1} on");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"--prices {path}: cannot be read ({e.Message})", e);
        }

        foreach ((string key, double price) in (ReadOnlySpan<(string, double)>)[("worker_per_hour", prices.WorkerPerHour), ("server_per_hour", prices.ServerPerHour), ("per_gb", prices.PerGb)])
        {
            if (double.IsNaN(price))
                throw Wrong(path, $"it has no {key}");
        }

        return prices.Currency.Length > 0 ? prices : throw Wrong(path, "it has no currency");
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

    /// <summary>Takes one entry; returns what is wrong with it, or null.</summary>
    private string? Take(string key, JsonElement value)
    {
        switch (key)
        {
            case "example" when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                Example = value.GetBoolean();
                return null;
            case "example":
                return $"example must be true or false; it is {value}";
            case "note" or "currency" when value.ValueKind != JsonValueKind.String:
                return $"{key} must be a text between quotation marks; it is {value}";
            case "note":
                Note = value.GetString()!;
                return null;
            case "currency":
                Currency = value.GetString()!.Trim();
                foreach (char letter in Currency)
                {
                    if (char.IsControl(letter))
                        return $"currency must be letters, as in EUR; it has a control character (code {(int)letter})";
                }

                return Currency.Length is > 0 and <= MostLetters ? null : $"currency must have 1 to {MostLetters} characters, as in EUR; it is '{Currency}'";
            case "worker_per_hour" or "server_per_hour" or "per_gb":
                if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double price) || price is not (>= 0 and <= Most))
                    return $"{key} must be a number from 0 to {Most:0}; it is {value}";
                (WorkerPerHour, ServerPerHour, PerGb) = key switch
                {
                    "worker_per_hour" => (price, ServerPerHour, PerGb),
                    "server_per_hour" => (WorkerPerHour, price, PerGb),
                    _ => (WorkerPerHour, ServerPerHour, price),
                };
                return null;
            default:
                return $"{key} is not known";
        }
    }

    private static InputException Wrong(string path, string what) =>
        new($"--prices {path}: is no price file: {what}; one has currency, worker_per_hour, server_per_hour and per_gb, and may have note and example, as tools/prices.example.json");
}

/// <summary>What a run costs, in the currency of the prices.</summary>
/// <param name="Machines">By the hour.</param>
/// <param name="Traffic">By the GB.</param>
/// <param name="Total">Both.</param>
internal sealed record Cost(double Machines, double Traffic, double Total);
