using System;
using System.Globalization;

namespace HpAsyncPs.Programs.Rendezvous;

/// <summary>Variables that launchers set, read with their limits. One that is empty counts as not set.</summary>
/// <param name="get">The value of a variable, or null.</param>
internal sealed class LaunchVariables(Func<string, string?> get)
{
    /// <summary>Of this process.</summary>
    public static LaunchVariables Own { get; } = new(Environment.GetEnvironmentVariable);

    /// <summary>The value, or null.</summary>
    /// <param name="name">Of the variable.</param>
    public string? Text(string name) => get(name) is { Length: > 0 } text ? text : null;

    /// <summary>A whole number, or null.</summary>
    /// <param name="name">Of the variable.</param>
    /// <exception cref="InputException">It is none, or out of bounds.</exception>
    public int? Number(string name)
    {
        if (Text(name) is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new InputException($"{name}={text} is no number from 0 to {int.MaxValue}: a launcher sets it; unset it, or say by hand what it is for.");
    }

    /// <summary>What two variables say that mean the same; null where neither is set.</summary>
    /// <param name="name">The one.</param>
    /// <param name="other">The other.</param>
    /// <exception cref="InputException">They differ.</exception>
    public int? Same(string name, string other)
    {
        int? one = Number(name), two = Number(other);
        if (one is not null && two is not null && one != two)
        {
            throw new InputException($"{name}={one} and {other}={two} contradict each other: they are of different launchers, or of a job of several parts. "
                + "Unset those that are not of this launch, or give --part I/N.");
        }

        return one ?? two;
    }
}
