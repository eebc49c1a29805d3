using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Models;

/// <summary>hpaps recommend: what a user would rate highest.</summary>
internal static class RecommendCommand
{
    private const int MostItems = 10_000;

    public static Command Create()
    {
        Option<string> model = new Option<string>("--model") { HelpName = "DIR", Description = "Folder that 'hpaps train mf' wrote: the run's, or model/ in it.", Required = true }.NotEmpty();
        Option<string> user = new Option<string>("--user") { HelpName = "ID", Description = "The user, as in the file of ratings.", Required = true }.NotEmpty();
        Option<int> top = new Option<int>("--top") { HelpName = "N", Description = "How many items.", DefaultValueFactory = _ => 10 }.Within(1, MostItems);
        Option<string> titles = new Option<string>("--titles") { HelpName = "FILE", Description = "Titles of the items: lines of an id and a title, as in movies.csv of MovieLens." }.NotEmpty();
        Option<int> least = new Option<int>("--min-ratings") { HelpName = "N", Description = "Leave out items with fewer ratings: little is known of them.", DefaultValueFactory = _ => 5 }.Within(1, int.MaxValue);
        var rated = new Option<bool>("--rated") { Description = "Also items that the user has rated." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object on standard output." };
        var command = new Command("recommend", CommonOptions.WithExamples(
            "Prints the items that a user is predicted to rate highest, those left out that the user has rated.",
            "hpaps recommend --model run --user 42",
            "hpaps recommend --model run --user 42 --top 20 --titles movies.csv"))
        {
            model, user, top, titles, least, rated, json,
        };
        command.SetAction(parsed =>
        {
            TitleTable? names = parsed.GetValue(titles) is { } file ? TitleTable.Read(file, CancellationToken.None) : null;
            FactorModel of = FactorModel.Read(parsed.GetValue(model)!);
            Recommendations found = Find(of, parsed.GetValue(user)!, parsed.GetValue(top), parsed.GetValue(least), parsed.GetValue(rated), names);
            if (!found.KnownUser)
            {
                Console.Error.WriteLine($"hpaps: user {found.User} has no ratings in the model: these are the items that are liked best in general "
                    + "(the mean and the items' biases alone)");
            }

            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(found, CliJson.Default.Recommendations));
            else
                Print(found);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static Recommendations Find(FactorModel of, string id, int top, int least, bool rated, TitleTable? names)
    {
        int user = of.Users.Find(Encoding.UTF8.GetBytes(id));
        int[] raters = of.Raters();
        var seen = new HashSet<int>(rated ? [] : of.Rated(user));
        var best = new PriorityQueue<int, (double Rating, int Earlier)>();
        for (int item = 0; item < of.Items.Count; item++)
        {
            if (seen.Contains(item) || raters[item] < least || !of.KnowsItem(item))
                continue;
            best.Enqueue(item, (of.Predict(user, item), -item));
            if (best.Count > top)
                best.Dequeue();
        }

        var items = new List<Recommendation>();
        while (best.TryDequeue(out int item, out (double Rating, int Earlier) order))
            items.Add(new Recommendation(of.Items.Text(item), Plain(names?[of.Items.Text(item)]), order.Rating, raters[item]));
        items.Reverse();
        return new Recommendations { User = id, KnownUser = of.KnowsUser(user), Items = items };
    }

    // Titles go to terminals: nothing that these would act on.
    private static string? Plain(string? title) => title is null
        ? null
        : string.Create(title.Length, title, static (to, from) =>
        {
            for (int j = 0; j < to.Length; j++)
                to[j] = char.IsControl(from[j]) ? '?' : from[j];
        });

    private static void Print(Recommendations found)
    {
        if (found.Items.Count == 0)
        {
            Console.Error.WriteLine("hpaps: nothing is left to recommend; try --min-ratings 1, or --rated");
            return;
        }

        int width = "item".Length;
        foreach (Recommendation one in found.Items)
            width = Math.Max(width, one.Item.Length);
        Console.Out.WriteLine($"{"rating",6}  {"ratings",7}  {"item".PadRight(width)}  title".TrimEnd());
        foreach (Recommendation one in found.Items)
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{one.Rating,6:0.00}  {one.Ratings,7}  {one.Item.PadRight(width)}  {one.Title}").TrimEnd());
    }
}

/// <summary>What is recommended to a user.</summary>
internal sealed record Recommendations
{
    public string User { get; init; } = "";

    /// <summary>The user has training ratings; without, the items' biases alone decide.</summary>
    public bool KnownUser { get; init; }

    public IReadOnlyList<Recommendation> Items { get; init; } = [];
}

/// <summary>One item.</summary>
/// <param name="Item">Its id.</param>
/// <param name="Title">Its title, if one is known.</param>
/// <param name="Rating">The predicted rating.</param>
/// <param name="Ratings">How many ratings it has, held out or not.</param>
internal sealed record Recommendation(string Item, string? Title, double Rating, int Ratings);
