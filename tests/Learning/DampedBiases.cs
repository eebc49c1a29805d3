using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Tests.Learning;

/// <summary>The yardstick of recommenders: mean + bias of the item + bias of the user, each damped as by five ratings of zero.</summary>
internal static class DampedBiases
{
    private const double Damping = 5;

    /// <summary>Root mean squared error over the held-out ratings.</summary>
    public static double Rmse(Ratings ratings, double holdout, ulong seed)
    {
        double mean = Mean(ratings, holdout, seed);
        double[] items = new double[ratings.Items.Count], users = new double[ratings.Users.Count];
        Fit(items, ratings.ItemOf, r => ratings.Values[r] - mean);
        Fit(users, ratings.UserOf, r => ratings.Values[r] - mean - items[ratings.ItemOf[r]]);
        double squares = 0;
        int count = 0;
        for (int r = 0; r < ratings.Count; r++)
        {
            if (!ratings.IsHeldOut(r, holdout, seed))
                continue;
            double error = ratings.Values[r] - mean - items[ratings.ItemOf[r]] - users[ratings.UserOf[r]];
            squares += error * error;
            count++;
        }

        return System.Math.Sqrt(squares / count);

        void Fit(double[] biases, int[] of, System.Func<int, double> rest)
        {
            double[] counts = new double[biases.Length];
            for (int r = 0; r < ratings.Count; r++)
            {
                if (ratings.IsHeldOut(r, holdout, seed))
                    continue;
                biases[of[r]] += rest(r);
                counts[of[r]]++;
            }

            for (int j = 0; j < biases.Length; j++)
                biases[j] /= counts[j] + Damping;
        }
    }

    private static double Mean(Ratings ratings, double holdout, ulong seed)
    {
        double sum = 0;
        int count = 0;
        for (int r = 0; r < ratings.Count; r++)
        {
            if (ratings.IsHeldOut(r, holdout, seed))
                continue;
            sum += ratings.Values[r];
            count++;
        }

        return sum / count;
    }
}
