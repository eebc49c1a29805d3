using System;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.WorkerProgram;

/// <summary>Matrix factorisation at one worker: reads, trains, writes its users.</summary>
internal static class FactorRun
{
    public static void Run(WorkerFlags.Given given, FactorSettings settings, string? testFile, double holdout, string? folder)
    {
        if (folder is null)
            Console.Error.WriteLine("hpaps-worker: without --out the users of this worker are not saved, and the model cannot be used for them");
        var users = new IdTable();
        var items = new IdTable();
        Ratings ratings = RatingsReader.Read(given.Data, users, items, needsRatings: true, given.Stop);
        Ratings? test = testFile is null ? null : RatingsReader.Read(testFile, users, items, needsRatings: true, given.Stop);
        FactorData data = FactorData.Of(ratings, test, holdout, given.Seed, given.Part.Index, given.Part.Count);
        var task = new FactorTask(data, settings, given.Part.Count,
            new("ratings", Text(ratings.Count)), new("users", Text(users.Count)), new("items", Text(items.Count)),
            new("held_out", test is null ? holdout.ToString("R", CultureInfo.InvariantCulture) : Text(test.Count)),
            new("data", Fingerprint(ratings, test)));
        given.Train(task);

        // Not after a failure: item rows of a job that failed are those of no evaluation, and users would fit them badly.
        if (folder is null || task.Evaluated.Checksum == 0)
            return;
        try
        {
            UserPart.Write(folder, given.Part.Index, given.Part.Count, task, data, ratings);
        }
        catch (InputException e)
        {
            // The input was good: the job has ended, and this is no reason to train again with another.
            throw new ClusterException($"the users of part {given.Part.Index} are not saved: {e.Message}", e);
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
