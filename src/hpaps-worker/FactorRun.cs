using System.Globalization;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.WorkerProgram;

/// <summary>Matrix factorisation at one worker: reads, trains, writes its users.</summary>
internal static class FactorRun
{
    public static void Run(WorkerFlags.Given given, FactorSettings settings, string? testFile, double holdout, string? folder)
    {
        var users = new IdTable();
        var items = new IdTable();
        Ratings ratings = RatingsReader.Read(given.Data, users, items, needsRatings: true, given.Stop);
        Ratings? test = testFile is null ? null : RatingsReader.Read(testFile, users, items, needsRatings: true, given.Stop);
        FactorData data = FactorData.Of(ratings, test, holdout, given.Seed, given.Part.Index, given.Part.Count);
        var task = new FactorTask(data, settings,
            new("ratings", Text(ratings.Count)), new("users", Text(users.Count)), new("items", Text(items.Count)),
            new("ids", (users.Fingerprint() ^ items.Fingerprint()).ToString("x16", CultureInfo.InvariantCulture)),
            new("held_out", test is null ? holdout.ToString("R", CultureInfo.InvariantCulture) : Text(test.Count)),
            new("parts", Text(given.Part.Count)));
        try
        {
            given.Train(task);
        }
        finally
        {
            // Also when the job failed: what was evaluated last is then as good as it gets.
            if (folder is not null && task.Evaluated.Checksum != 0)
                UserPart.Write(folder, given.Part.Index, given.Part.Count, task, data, ratings);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
