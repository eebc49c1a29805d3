using System;
using HpAsyncPs.Cli.Generating;

namespace HpAsyncPs.Cli.Preparing;

/// <summary>Where a prepared file is to be.</summary>
internal static class PreparedOutput
{
    private const string PackedEnding = ".gz";

    /// <summary>Refuses what must not be written, before time is spent.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="data">What it is made of.</param>
    /// <param name="force">It may be there.</param>
    /// <exception cref="InputException">Names the option and what to do.</exception>
    public static void Check(string path, string data, bool force)
    {
        GeneratedFile.Check("--out", path, force);
        if (path.EndsWith(PackedEnding, StringComparison.OrdinalIgnoreCase))
            throw new InputException($"--out {path}: a prepared file is not packed, for workers begin to read anywhere in it; leave {PackedEnding} out of its name");
        if (InputFile.IsSame(path, data))
            throw new InputException($"--out {path}: this is the file of --data; name another");
    }
}
