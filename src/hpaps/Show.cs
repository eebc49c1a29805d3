using System;

namespace HpAsyncPs.Cli;

/// <summary>Numbers for people; files and JSON have them exact.</summary>
internal static class Show
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    public static string Bytes(double bytes)
    {
        int unit = 0;
        while (bytes >= 999.5 && unit < Units.Length - 1)
        {
            bytes /= 1000;
            unit++;
        }

        if (unit == 0)
            return $"{bytes:0} B";
        return bytes < 10 ? $"{bytes:0.00} {Units[unit]}" : $"{bytes:0.0} {Units[unit]}";
    }

    /// <summary>A duration: 0.53 s, 12.3 s, 4 min 10 s, 3 h 20 min.</summary>
    public static string Duration(double seconds)
    {
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

    public static string Share(double share) => $"{100 * share:0} %";

    public static string Count(double count) => $"{count:#,0}";

    public static string Objective(double? objective) => objective is { } value ? $"{value:0.000000000}" : "not evaluated";

    public static string Gap(double gap) => $"{gap:0.00e+0}";
}
