using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Programs;

/// <summary>All ratings of a run, of which each part makes its task.</summary>
internal sealed class FactorInput
{
    private readonly Ratings _ratings;
    private readonly Ratings? _test;
    private readonly double _holdout;
    private readonly ulong _seed;
    private readonly string _fingerprint;

    private FactorInput(Ratings ratings, Ratings? test, double holdout, ulong seed)
    {
        _ratings = ratings;
        _test = test;
        _holdout = holdout;
        _seed = seed;
        _fingerprint = Fingerprint(ratings, test);
    }

    /// <param name="data">Path of the ratings to train on.</param>
    /// <param name="testFile">Path of those to measure on, or null.</param>
    /// <param name="holdout">Share that is held out without such a file.</param>
    /// <param name="seed">Of what is held out.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="InputException">A file cannot be read.</exception>
    public static FactorInput Read(string data, string? testFile, double holdout, ulong seed, CancellationToken stop)
    {
        var users = new IdTable();
        var items = new IdTable();
        Ratings ratings = RatingsReader.Read(data, users, items, needsRatings: true, stop);
        Ratings? test = testFile is null ? null : RatingsReader.Read(testFile, users, items, needsRatings: true, stop);
        return new FactorInput(ratings, test, holdout, seed);
    }

    /// <summary>The data of a part.</summary>
    public FactorData Part(RowPart part) => FactorData.Of(_ratings, _test, _holdout, _seed, part.Index, part.Count);

    /// <summary>The task of a part.</summary>
    /// <param name="data">The part.</param>
    /// <param name="settings">The same at every worker.</param>
    /// <param name="parts">How many parts there are.</param>
    /// <param name="warmStart">A model to begin from, or null.</param>
    /// <exception cref="InputException">The model does not fit.</exception>
    public FactorTask Task(FactorData data, FactorSettings settings, int parts, FactorModel? warmStart)
    {
        KeyValuePair<string, string>[] warm = warmStart is null ? [] : [new("warm_start", warmStart.Description.Checksum)];
        FactorTask task = Task(data, settings, parts, warm);
        if (warmStart is not null)
            task.StartFrom(warmStart.StartFor(_ratings, data, settings.Rank));
        return task;
    }

    private FactorTask Task(FactorData data, FactorSettings settings, int parts, KeyValuePair<string, string>[] more) => new(data, settings, parts,
        [.. more, new("ratings", Text(_ratings.Count)), new("users", Text(_ratings.Users.Count)), new("items", Text(_ratings.Items.Count)),
        new("held_out", _test is null ? _holdout.ToString("R", CultureInfo.InvariantCulture) : Text(_test.Count)),
        new("data", _fingerprint)]);

    /// <summary>Adds the users of a part to the model, once training has ended well.</summary>
    /// <exception cref="ClusterException">They cannot be written.</exception>
    public void WriteUsers(string folder, RowPart part, FactorTask task, FactorData data)
    {
        // Not after a failure: item rows of a job that failed are those of no evaluation, and users would fit them badly.
        if (task.Evaluated.Checksum == 0)
            return;
        try
        {
            UserPart.Write(folder, part.Index, part.Count, task, data, _ratings);
        }
        catch (InputException e)
        {
            // The input was good: the job has ended, and this is no reason to train again with another.
            throw new ClusterException($"the users of part {part.Index} are not saved: {e.Message}", e);
        }
    }

    /// <summary>A hash of all that was read: workers that agree in it number everything alike.</summary>
    private static string Fingerprint(Ratings ratings, Ratings? test)
    {
        var all = new XxHash3();
        all.Append(BitConverter.GetBytes(ratings.Users.Fingerprint()));
        all.Append(BitConverter.GetBytes(ratings.Items.Fingerprint()));
        foreach (Ratings? one in (Ratings?[])[ratings, test])
        {
            if (one is null)
                continue;
            all.Append(MemoryMarshal.AsBytes(one.UserOf.AsSpan()));
            all.Append(MemoryMarshal.AsBytes(one.ItemOf.AsSpan()));
            all.Append(MemoryMarshal.AsBytes(one.Values.AsSpan()));
        }

        return all.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
