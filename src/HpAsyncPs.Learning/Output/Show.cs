using System;

namespace HpAsyncPs.Learning.Output;

/// <summary>Numbers for people; files and JSON have them exact.</summary>
public static class Show
{
    private const string NotANumber = "unknown";

    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>An amount of bytes: 12 B, 3.40 kB, 56.7 MB.</summary>
    public static string Bytes(double bytes)
    {
        if (!double.IsFinite(bytes))
            return NotANumber;
        (double factor, string unit) = UnitOf(bytes);
        bytes /= factor;
        if (factor == 1)
            return $"{bytes:0} B";
        return bytes < 10 ? $"{bytes:0.00} {unit}" : $"{bytes:0.0} {unit}";
    }

    /// <summary>The unit that an amount of bytes is best told in.</summary>
    public static (double Bytes, string Name) UnitOf(double bytes)
    {
        int unit = 0;
        double factor = 1;
        while (bytes / factor >= 999.5 && unit < Units.Length - 1)
        {
            factor *= 1000;
            unit++;
        }

        return (factor, Units[unit]);
    }

    /// <summary>A duration: 0.53 s, 12.3 s, 4 min 10 s, 3 h 20 min.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds))
            return NotANumber;
        if (seconds < 10)
            return $"{seconds:0.00} s";
        if (seconds < 60)
            return $"{seconds:0.0} s";
        long whole = (long)Math.Round(seconds);
        if (whole < 3600)
            return $"{whole / 60} min {whole % 60} s";
        return $"{whole / 3600} h {whole % 3600 / 60} min";
    }

    /// <summary>A duration that is only an estimate: whole seconds, then whole minutes.</summary>
    public static string About(double seconds)
    {
        if (seconds < 60)
            return $"{Math.Ceiling(seconds):0} s";
        if (seconds < 3600)
            return $"{Math.Ceiling(seconds / 60):0} min";
        return seconds < 100 * 3600 ? $"{Math.Ceiling(seconds / 3600):0} h" : "days";
    }

    /// <summary>A share in percent.</summary>
    public static string Share(double share) => $"{100 * share:0} %";

    /// <summary>A whole number, with marks of thousands.</summary>
    public static string Count(double count) => $"{count:#,0}";

    /// <summary>An objective, or that there is none.</summary>
    public static string Objective(double? objective) => objective is { } value ? $"{value:0.000000000}" : "not evaluated";

    /// <summary>A relative gap.</summary>
    public static string Gap(double gap) => $"{gap:0.00e+0}";

    /// <summary>Why a run ended, to follow "ended".</summary>
    public static string Reason(string reason) => reason switch
    {
        "passes" => "after the passes asked for",
        "target" => "at the target",
        "plateau" => "on a plateau",
        "time limit" => "at the time limit",
        "stopped" => "because you stopped it",
        "all workers left" => "when all workers had left",
        "failed" => "with a failure",
        _ => reason,
    };
}
