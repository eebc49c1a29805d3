using System;
using System.Collections.Generic;
using System.IO;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Learning.Output.Report;
using HpAsyncPs.Server;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>report.html: well-formed, self-contained, complete, and true to the run, whatever the run was.</summary>
public sealed class ReportTests
{
    [Fact]
    public void Page_has_every_number_of_the_summary_and_stands_alone()
    {
        RunResult result = SyntheticRun.Of(4, 100);
        RunSummary summary = SyntheticRun.SummaryOf(result);
        string page = ReportPage.Of(result, summary, null);
        XDocument document = Parse(page);
        string text = Text(document);
        string[] expected =
        [
            "Logistic regression", "async, 4 workers", "logreg", "fp32", "77", "0.001", "1,234", "4,006", "321.3", "3.50 s", "2.25 s", "0.500123456",
            "2.47e-4", "85.17 %", "0.8349", "80", "20.0 MB", "12.3 MB up, 7.65 MB down", "Median 9, percentile 99 18, at most 19",
            "ended at the target", "hpaps train logreg --data 'a & b.svm' --out run", "2026-03-04 05:06:07 +01:00", $"HpAsyncPs {summary.Version}",
            "target 1.00e-3", "60 %", "10 %", "30 %", "1,003", "103.0",
        ];
        foreach (string each in expected)
            Assert.Contains(each, text, StringComparison.Ordinal);
        foreach (string exact in new[] { "0.000246912", "0.500123456", "0.851668", "12345678 bytes from workers, 7654321 bytes to them", "321.25" })
            Assert.Contains($"title=\"{exact}", page, StringComparison.Ordinal);
        Assert.Equal("en", document.Root!.Attribute("lang")!.Value);
        Assert.Equal("Logistic regression, async, 4 workers – HpAsyncPs", document.Root.Element("head")!.Element("title")!.Value);
        foreach (XElement image in document.Descendants("svg"))
            Assert.True(image.Attribute("aria-label")?.Value.Length > 5 || image.Attribute("aria-hidden")?.Value == "true");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 5000)]
    [InlineData(1000, 200)]
    public void Page_is_well_formed_and_bounded_whatever_the_size(int workers, int samples)
    {
        RunResult result = SyntheticRun.Of(workers, samples);
        string page = ReportPage.Of(result, SyntheticRun.SummaryOf(result), new ReportMetric("held-out RMSE", row => row.Values[1]));
        XDocument document = Parse(page);
        Assert.InRange(page.Length, 1000, 600_000);
        Assert.Equal(Math.Min(workers, 24), Count(document, "svg", svg => svg.Attribute("aria-label")?.Value.StartsWith("worker ", StringComparison.Ordinal) == true));
        Assert.Equal(workers == 0 ? 0 : 1 + Math.Min(workers, 64), Count(document, "tr", _ => true));
        Assert.Equal((samples == 0 ? 0 : 6) + (workers == 0 ? 0 : 1), Count(document, "figure", _ => true));
        Assert.Equal(samples == 0, page.Contains("No evaluation was made", StringComparison.Ordinal));
        Assert.Equal(workers > 24, page.Contains($"Lanes of 24 of the {workers} workers", StringComparison.Ordinal));
        Assert.Equal(workers > 64, page.Contains($"Rows of 64 of the {workers} workers", StringComparison.Ordinal));
        if (workers == 1000)
        {
            foreach (int rank in new[] { 0, 31, 968, 999 })
                Assert.Equal(1, Count(document, "th", th => th.Value == $"{rank}"));
            Assert.Equal(0, Count(document, "th", th => th.Value == "500"));
        }
    }

    [Fact]
    public void Text_of_users_and_peers_is_escaped()
    {
        const string evil = "</pre><script>alert('1')</script>\u0001\ud800<!-- end head --> & \"x\" http://evil";
        RunResult good = SyntheticRun.Of(2, 3);
        RunResult result = good with
        {
            Reason = evil,
            Settings = [new("task", evil), new(evil, evil)],
            Status = good.Status with { Workers = [good.Status.Workers[0] with { Peer = evil }] },
        };
        RunSummary summary = RunSummary.Of(result, evil, 1) with { Command = evil, Failure = evil, Codec = evil, Version = evil };
        using var folder = new Cluster.TempFolder();
        string path = folder.In("report.html");
        ReportPage.Write(path, result, summary, new ReportMetric(evil, row => row.Objective));
        string before = File.ReadAllText(path);
        Assert.DoesNotContain("<script", before, StringComparison.OrdinalIgnoreCase);
        XDocument document = XDocument.Parse(before);
        Assert.Equal(evil.Replace('\u0001', '\uFFFD').Replace('\ud800', '\uFFFD'), Find(document, "pre").Value);
        Assert.Equal(2, Count(document, "section", section => section.Element("h2")?.Value is "Settings" or "Workers"));
        ReportPage.Complete(path, summary);
        Assert.Equal(before, File.ReadAllText(path));
    }

    [Fact]
    public void Completing_replaces_what_the_summary_says_and_nothing_else()
    {
        RunResult result = SyntheticRun.Of(3, 30);
        RunSummary late = SyntheticRun.SummaryOf(result);
        RunSummary early = late with { Command = "hpaps-server --workers 3", TestAccuracy = null, TestRmse = null, WallSeconds = 2.5 };
        using var folder = new Cluster.TempFolder();
        string path = folder.In("report.html");
        ReportPage.Complete(path, late);
        Assert.Empty(folder.Entries());
        ReportPage.Write(path, result, early, null);
        Assert.DoesNotContain("Test accuracy", File.ReadAllText(path), StringComparison.Ordinal);
        ReportPage.Complete(path, late);
        Assert.Equal(ReportPage.Of(result, late, null), File.ReadAllText(path));
        File.WriteAllText(path, "a page of somebody else");
        ReportPage.Complete(path, late);
        Assert.Equal("a page of somebody else", File.ReadAllText(path));
        Assert.Equal(["report.html"], folder.Entries());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(double.MaxValue)]
    [InlineData(double.MinValue)]
    [InlineData(double.Epsilon)]
    [InlineData(0)]
    [InlineData(-1)]
    public void Odd_numbers_anywhere_leave_coordinates_finite(double odd)
    {
        RunResult result = SyntheticRun.Of(2, 5);
        var trace = new List<TraceRow>(result.Trace);
        trace.Add(trace[^1] with { Objective = odd, RelativeGap = odd, Seconds = 1, Values = [odd, odd, odd] });
        trace.Add(trace[^2] with { Seconds = odd, Passes = odd });
        var metric = new ReportMetric("metric", row => row.Values[0]);
        foreach (bool all in new[] { false, true })
        {
            List<TraceRow> rows = all ? [trace[^2], trace[^1] with { Objective = odd, RelativeGap = odd }] : trace;
            foreach (bool withGap in new[] { false, true })
            {
                RunResult bad = result with
                {
                    Trace = withGap ? rows : rows.ConvertAll(row => row with { RelativeGap = null }),
                    Objective = odd,
                    Target = odd,
                    Status = result.Status with { Seconds = odd, Passes = odd, RelativeGap = withGap ? odd : null, Workers = [new WorkerRecord(0, "x", odd, odd, 0, odd, odd, odd)] },
                };
                RunSummary summary = RunSummary.Of(bad, "async", odd) with { TestAccuracy = odd, TestRmse = odd };
                Parse(ReportPage.Of(bad, summary, metric));
            }
        }
    }

    [Fact]
    public void Nothing_known_gives_a_page_that_says_so()
    {
        var result = new RunResult { Status = new RunStatus { Phase = "Failed" }, Reason = "failed", Failure = "the roof came down" };
        string text = Text(Parse(ReportPage.Of(result, RunSummary.Of(result, "bsp", 0), null)));
        foreach (string expected in new[] { "the roof came down", "with a failure", "No evaluation was made", "No worker told", "No push was applied", "No worker took part" })
            Assert.Contains(expected, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Samples_that_a_logarithmic_axis_cannot_show_are_counted()
    {
        RunResult result = SyntheticRun.Of(1, 10);
        var trace = new List<TraceRow>(result.Trace);
        trace.Add(trace[^1] with { RelativeGap = -1e-9, Seconds = 1 });
        trace.Add(trace[^1] with { RelativeGap = 0, Seconds = 2 });
        string page = ReportPage.Of(result with { Trace = trace }, SyntheticRun.SummaryOf(result), null);
        Assert.Contains("2 samples at or below 0", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Metric_of_factorisation_is_the_held_out_rmse_and_only_where_there_is_one()
    {
        RunResult result = SyntheticRun.Of(2, 10, "mf");
        using var folder = new Cluster.TempFolder();
        RunFolder.Write(folder.In("run"), result, SyntheticRun.SummaryOf(result));
        string page = File.ReadAllText(folder.In("run/report.html"));
        double last = Math.Sqrt(result.Trace[^1].Values[1] / 50);
        Assert.Equal(3, Regex.Count(page, $"aria-label=\"test RMSE over [a-z]+: {last:0.####} after"));
        Assert.Contains("<h2>Test RMSE</h2>", page, StringComparison.Ordinal);
        Assert.Equal(["model", "report.html", "summary.json", "trace.csv"], Names(folder.In("run")));

        Assert.NotNull(ReportMetric.For(result.Trace));
        Assert.True(double.IsNaN(ReportMetric.For(result.Trace)!.Of(result.Trace[0] with { Values = [1, 0, 0] })));
        Assert.Null(ReportMetric.For([]));
        Assert.Null(ReportMetric.For([result.Trace[0] with { Values = [1, 2, 0] }]));
    }

    [Fact]
    public void Lanes_and_bars_are_as_high_as_what_they_show()
    {
        XDocument document = Parse(ReportPage.Of(SyntheticRun.Of(1, 0), SyntheticRun.SummaryOf(SyntheticRun.Of(1, 0)), null));

        // 60 % computing of a lane of height 20 leaves a roof at 8; evaluating, 10 %, reaches 6; waiting the top.
        XElement lane = Find(document, "svg", svg => svg.Attribute("aria-label")?.Value == "worker 0: 60 % computing, 30 % waiting");
        var areas = new List<string>();
        foreach (XElement path in lane.Elements("path"))
            areas.Add($"{path.Attribute("class")!.Value} {path.Attribute("d")!.Value}");
        Assert.Equal(["busy M0 20H0V8H240V20H0Z", "striped M0 8H0V6H240V8H0Z", "idle M0 6H0V0H240V6H0Z"], areas);

        // Lags 0 to 19, one each: 4 bars of one push, then pairs, then fours, and the last from 16 to 23 with four.
        var counts = new List<string>();
        foreach (XElement bar in document.Descendants("rect"))
        {
            if (bar.Element("title") is { } title)
                counts.Add(title.Value);
        }

        Assert.Equal(9, counts.Count);
        Assert.Equal("lag 0: 1 of 20 pushes, 5 %", counts[0]);
        Assert.Equal("lag 4–5: 2 of 20 pushes, 10 %", counts[4]);
        Assert.Equal("lag 16–23: 4 of 20 pushes, 20 %", counts[8]);
    }

    /// <summary>Refuses what is not XML, what would be fetched or run, and coordinates that are no numbers.</summary>
    private static XDocument Parse(string page)
    {
        XDocument document = XDocument.Parse(page);
        Assert.DoesNotMatch("https?://|<script|src=|href=|@import|javascript:", page);
        Assert.Empty(Regex.Matches(page, "url\\((?!#)"));
        foreach (XElement element in document.Descendants())
        {
            foreach (string name in new[] { "d", "x", "y", "width", "height", "cx", "cy", "style" })
            {
                if (element.Attribute(name) is { } attribute && element.Name != "meta")
                    Assert.Matches("^[-MLHVhvZ0-9. ]*$|^device|^left:[0-9.]+%$", attribute.Value);
            }
        }

        return document;
    }

    private static string Text(XDocument document)
    {
        var text = new System.Text.StringBuilder();
        foreach (XText node in Texts(document.Root!.Element("body")!))
            text.Append(node.Value).Append(' ');
        return Regex.Replace(text.ToString(), "\\s+", " ");
    }

    private static IEnumerable<XText> Texts(XContainer container)
    {
        foreach (XNode node in container.DescendantNodes())
        {
            if (node is XText text)
                yield return text;
        }
    }

    private static XElement Find(XDocument document, string name, Predicate<XElement>? which = null)
    {
        foreach (XElement element in document.Descendants(name))
        {
            if (which is null || which(element))
                return element;
        }

        throw new InvalidOperationException($"no <{name}>");
    }

    private static int Count(XDocument document, string name, Predicate<XElement> which)
    {
        int count = 0;
        foreach (XElement element in document.Descendants(name))
            count += which(element) ? 1 : 0;
        return count;
    }

    private static string[] Names(string folder)
    {
        string[] names = Array.ConvertAll(Directory.GetFileSystemEntries(folder), path => Path.GetFileName(path)!);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }
}
