using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Factorization.Prepared;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Programs;

/// <summary>The ratings of a run, of which each part makes its task: all of them from text, a part of them from a prepared file.</summary>
internal sealed class FactorInput
{
    private readonly Func<RowPart, FactorData> _part;
    private readonly IdTable _items;
    private readonly IReadOnlyList<KeyValuePair<string, string>> _settings;

    private FactorInput(Ratings ratings, Ratings? test, double holdout, ulong seed)
    {
        _part = part => FactorData.Of(ratings, test, holdout, seed, part.Index, part.Count);
        _items = ratings.Items;
        _settings = Described(ratings.Count, ratings.Users.Count, ratings.Items.Count, test is null ? holdout.ToString("R", CultureInfo.InvariantCulture) : Text(test.Count), Fingerprint(ratings, test));
    }

    private FactorInput(PreparedRatings prepared, double holdout, CancellationToken stop)
    {
        _part = part => prepared.Part(part, stop);
        _items = prepared.Items;
        _settings = Described(prepared.Ratings, prepared.Users, prepared.Items.Count, holdout.ToString("R", CultureInfo.InvariantCulture), $"prepared {prepared.Fingerprint}");
    }

    /// <param name="data">Path of the ratings to train on, text or prepared.</param>
    /// <param name="testFile">Path of those to measure on, or null.</param>
    /// <param name="holdout">Share that is held out without such a file.</param>
    /// <param name="seed">Of what is held out.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="InputException">A file cannot be read.</exception>
    public static FactorInput Read(string data, string? testFile, double holdout, ulong seed, CancellationToken stop)
    {
        if (PreparedRatings.TryOpen(data) is { } prepared)
        {
            prepared.Check(testFile is not null, holdout, seed);
            return new FactorInput(prepared, holdout, stop);
        }

        var users = new IdTable();
        var items = new IdTable();
        Ratings ratings = RatingsReader.Read(data, users, items, needsRatings: true, stop);
        Ratings? test = testFile is null ? null : RatingsReader.Read(testFile, users, items, needsRatings: true, stop);
        return new FactorInput(ratings, test, holdout, seed);
    }

    /// <summary>The data of a part.</summary>
    /// <exception cref="InputException">Nothing falls to it, or what was prepared is damaged.</exception>
    public FactorData Part(RowPart part) => _part(part);

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
            task.StartFrom(warmStart.StartFor(_items, data, settings.Rank));
        return task;
    }

    private FactorTask Task(FactorData data, FactorSettings settings, int parts, KeyValuePair<string, string>[] more) => new(data, settings, parts, [.. more, .. _settings]);

    private static KeyValuePair<string, string>[] Described(long ratings, int users, int items, string heldOut, string fingerprint) =>
        [new("ratings", Text(ratings)), new("users", Text(users)), new("items", Text(items)), new("held_out", heldOut), new("data", fingerprint)];

    /// <summary>Adds the users of a part to the model, once training has ended well.</summary>
    /// <exception cref="ClusterException">They cannot be written.</exception>
    public void WriteUsers(string folder, RowPart part, FactorTask task, FactorData data)
    {
        // Not after a failure: item rows of a job that failed are those of no evaluation, and users would fit them badly.
        if (task.Evaluated.Checksum == 0)
            return;
        try
        {
            UserPart.Write(folder, part.Index, part.Count, task, data, _items);
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
