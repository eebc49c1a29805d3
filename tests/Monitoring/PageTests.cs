using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Tests.Cluster;
using Microsoft.Playwright;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>The page, in a real browser without a window.</summary>
public sealed class PageTests(ITestOutputHelper output)
{
    private const string Chromium = "/usr/bin/chromium";

    [Fact]
    public async Task Numbers_are_those_of_the_metrics_and_a_killed_worker_shows_as_gone()
    {
        SkipUnlessThere();
        using var folder = new TempFolder();
        using MonitoredRun run = MonitoredRun.Start(folder, workers: 3);
        await using Browser browser = await Browser.Open(run.Address);
        IPage page = browser.Page;
        await Until(page, "Number(document.getElementById('tile-pushes').dataset.value) > 100 && document.getElementById('tile-objective').dataset.value");
        await Until(page, "document.getElementById('table').rows.length === 3");
        using var client = new System.Net.Http.HttpClient { BaseAddress = run.Address };
        bool isSame = false;
        for (int attempt = 0; attempt < 20 && !isSame; attempt++)
        {
            // A second is the same for all who ask within it: page, metrics, page again.
            double before = await Value(page, "pushes");
            Dictionary<string, double> metrics = MetricsTests.Parse(await client.GetStringAsync(new Uri("metrics", UriKind.Relative)));
            double bytes = await Value(page, "uplink_bytes"), objective = await Value(page, "objective");
            string[] pushes = await page.EvaluateAsync<string[]>("[...document.getElementById('table').rows].map(row => row.dataset.pushes)");
            if (await Value(page, "pushes") != before || before != metrics["hpaps_pushes_total{shard=0}"])
                continue;
            isSame = true;
            Assert.Equal(metrics["hpaps_uplink_bytes_total{shard=0}"], bytes);
            Assert.Equal(metrics["hpaps_objective{shard=0}"], objective);
            for (int rank = 0; rank < 3; rank++)
                Assert.Equal(metrics[$"hpaps_worker_pushes_total{{rank={rank},shard=0}}"], double.Parse(pushes[rank], CultureInfo.InvariantCulture));
        }

        Assert.True(isSame, "page and metrics were never of the same second");
        run.Kill(1);
        await Until(page, "document.getElementById('worker-1').dataset.state === 'gone'");
        Assert.Contains("Worker 1 is gone", await page.InnerTextAsync("#attention"), StringComparison.Ordinal);
        Assert.Contains("gone", await page.InnerTextAsync("#worker-1"), StringComparison.Ordinal);
        await Until(page, "document.getElementById('events').textContent.includes('→ gone')");
        Assert.Contains("1 gone", await page.TitleAsync(), StringComparison.Ordinal);
        run.KillServer();
        await Until(page, "document.getElementById('connection').textContent.includes('lost')");
        Assert.Empty(browser.Errors);
    }

    [Theory]
    [InlineData(360, 3)]
    [InlineData(320, 64)]
    [InlineData(390, 1000)]
    [InlineData(1280, 1000)]
    public async Task Fits_the_screen(int width, int workers)
    {
        SkipUnlessThere();
        var job = new SimulatedJob(workers) { Gone = 1 };
        job.Add(MonitorEventKind.State, 1, "a reason that is long and has no blank:" + new string('x', 300));
        await using MonitoredServer monitored = await MonitoredServer.Of(job);
        await using Browser browser = await Browser.Open(new Uri(monitored.Address), width);
        await Until(browser.Page, "Number(document.body.dataset.number) > 2");
        int scroll = await browser.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
        Assert.True(scroll <= width, $"{scroll} pixels on a screen of {width}");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Dark_where_the_reader_wants_it_and_readable_in_both()
    {
        SkipUnlessThere();
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(4));
        await using Browser browser = await Browser.Open(new Uri(monitored.Address));
        foreach (ColorScheme scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            await browser.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
            await Until(browser.Page, "Number(document.body.dataset.number) > 1");
            double back = await Luminance("getComputedStyle(document.documentElement).backgroundColor"), text = await Luminance("getComputedStyle(document.body).color"),
                dim = await Luminance("getComputedStyle(document.querySelector('dt')).color");
            Assert.True(scheme == ColorScheme.Dark ? back < 0.05 : back > 0.8, $"{scheme}: {back}");
            Assert.True(Contrast(back, text) >= 7 && Contrast(back, dim) >= 4.5, $"{scheme}: contrast of text {Contrast(back, text):0.0}, of small print {Contrast(back, dim):0.0}");
        }

        async Task<double> Luminance(string colour) => await browser.Page.EvaluateAsync<double>(
            $"(() => {{ const c = {colour}.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]; }})()");
    }

    [Fact]
    public async Task Keyboard_chooses_a_worker_and_it_is_read_out()
    {
        SkipUnlessThere();
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(1000));
        await using Browser browser = await Browser.Open(new Uri(monitored.Address));
        await Until(browser.Page, "Number(document.body.dataset.number) > 1");
        await browser.Page.FocusAsync("#lanes");
        await browser.Page.Keyboard.PressAsync("End");
        Assert.StartsWith("Worker 999: ", await browser.Page.InnerTextAsync("#chosen"), StringComparison.Ordinal);
        await browser.Page.Keyboard.PressAsync("ArrowUp");
        Assert.StartsWith("Worker 998: ", await browser.Page.InnerTextAsync("#chosen"), StringComparison.Ordinal);
        Assert.Contains("lanes of 1000 workers", await browser.Page.GetAttributeAsync("#lanes", "aria-label"), StringComparison.Ordinal);
    }

    /// <summary>How often a page of a thousand workers is painted: at least once a second, whatever else the machine does, is said; that it goes on is tested.</summary>
    [Fact]
    public async Task Thousand_workers_are_painted_each_second()
    {
        SkipUnlessThere();
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(1000));
        await using Browser browser = await Browser.Open(new Uri(monitored.Address));
        await Until(browser.Page, "Number(document.body.dataset.number) > 1");
        double took = await browser.Page.EvaluateAsync<double>(
            """
            new Promise(done => {
              const seen = [], observer = new MutationObserver(() => { seen.push(performance.now()); if (seen.length === 6) { observer.disconnect(); done((seen[5] - seen[0]) / 5); } });
              observer.observe(document.body, { attributes: true, attributeFilter: ['data-number'] });
            })
            """);
        output.WriteLine($"{took:0} ms between two seconds of 1000 workers");
        Assert.InRange(took, 100, 20_000);
        Assert.Empty(browser.Errors);
    }

    /// <summary>What a server says in words is shown as text, whatever is in it.</summary>
    [Fact]
    public async Task Text_of_events_is_no_markup()
    {
        SkipUnlessThere();
        var job = new SimulatedJob(2);
        job.Add(MonitorEventKind.Handshake, null, "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>");
        await using MonitoredServer monitored = await MonitoredServer.Of(job);
        await using Browser browser = await Browser.Open(new Uri(monitored.Address));
        await Until(browser.Page, "document.getElementById('events').textContent.includes('<script>')");
        Assert.Equal(0, await browser.Page.EvaluateAsync<int>("document.querySelectorAll('#events img, #events script').length"));
        Assert.StartsWith("HpAsyncPs", await browser.Page.TitleAsync(), StringComparison.Ordinal);
    }

    /// <summary>The next job at the same port: what happened in it is shown, from its first event on, and nothing of the one before.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(9)]
    public async Task Next_job_begins_with_its_first_event(int events)
    {
        SkipUnlessThere();
        var before = new SimulatedJob(2);
        for (int j = 1; j <= 5; j++)
            before.Add(MonitorEventKind.Membership, 0, $"before {j}");
        await using MonitoredServer first = await MonitoredServer.Of(before);
        await using Browser browser = await Browser.Open(new Uri(first.Address));
        await Until(browser.Page, "document.getElementById('events').textContent.includes('before 5')");
        await first.DisposeAsync();
        var job = new SimulatedJob(2);
        for (int j = 1; j <= events; j++)
            job.Add(MonitorEventKind.Membership, 0, $"after {j}");
        await using MonitoredServer second = await MonitoredServer.Of(job, new MonitorOptions { Address = new Uri(first.Address).Authority, Version = "1" });
        await Until(browser.Page, $"document.getElementById('events').textContent.includes('after {events}')");
        string shown = await browser.Page.InnerTextAsync("#events");
        Assert.Contains("after 1", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("before", shown, StringComparison.Ordinal);
    }

    /// <summary>A page that is open for days: its curve has as many points as that of a short run.</summary>
    [Fact]
    public async Task Page_that_is_open_for_days_goes_on()
    {
        SkipUnlessThere();
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2));
        await using Browser browser = await Browser.Open(new Uri(monitored.Address));
        await Until(browser.Page, "Number(document.body.dataset.number) > 1");
        int length = await browser.Page.EvaluateAsync<int>("(() => { for (let j = 0; j < 300000; j++) points.push([j / 1e6, 1 / (j + 1)]); return points.length; })()");
        Assert.True(length >= 300_000, $"{length}");
        await Until(browser.Page, $"Number(document.body.dataset.number) > {await browser.Page.EvaluateAsync<int>("Number(document.body.dataset.number)")} + 1");
        Assert.InRange(await browser.Page.EvaluateAsync<int>("points.length"), 100, 5000);
        Assert.Empty(browser.Errors);
    }

    private static void SkipUnlessThere() => Assert.SkipUnless(File.Exists(Chromium), $"{Chromium} is not there: apt-get install chromium");

    /// <summary>Waits until an expression holds. Not by the driver's own way, which evaluates a string in the page: the page's policy forbids that.</summary>
    private static async Task Until(IPage page, string expression)
    {
        for (int attempt = 0; attempt < 600; attempt++)
        {
            if (await page.EvaluateAsync<bool>($"Boolean({expression})"))
                return;
            await Task.Delay(100);
        }

        Assert.Fail($"{expression} did not come to be; the page: {await page.InnerTextAsync("body")}");
    }

    private static double Contrast(double first, double second) => (Math.Max(first, second) + 0.05) / (Math.Min(first, second) + 0.05);

    private static async Task<double> Value(IPage page, string tile) =>
        double.Parse(await page.EvaluateAsync<string>($"document.getElementById('tile-{tile}').dataset.value"), CultureInfo.InvariantCulture);

    /// <summary>A browser with one page open, and what went wrong in it.</summary>
    private sealed class Browser : IAsyncDisposable
    {
        private readonly IPlaywright _playwright;
        private readonly IBrowser _browser;

        private Browser(IPlaywright playwright, IBrowser browser, IPage page) => (_playwright, _browser, Page) = (playwright, browser, page);

        public IPage Page { get; }

        /// <summary>Errors of scripts, and what the policy of the page kept from being loaded.</summary>
        public List<string> Errors { get; } = [];

        public static async Task<Browser> Open(Uri address, int width = 1100)
        {
            IPlaywright playwright = await Playwright.CreateAsync();
            IBrowser chromium = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = Chromium,
                Headless = true,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
            });
            IPage page = await chromium.NewPageAsync(new BrowserNewPageOptions { ViewportSize = new ViewportSize { Width = width, Height = 800 } });
            var browser = new Browser(playwright, chromium, page);
            page.PageError += (_, error) => browser.Errors.Add(error);
            page.Console += (_, message) =>
            {
                if (message.Type == "error" && !message.Text.Contains("ERR_", StringComparison.Ordinal)) // not that the server has gone
                    browser.Errors.Add(message.Text);
            };
            page.SetDefaultTimeout(60_000);
            await page.GotoAsync(address.ToString());
            return browser;
        }

        public async ValueTask DisposeAsync()
        {
            await _browser.DisposeAsync();
            _playwright.Dispose();
        }
    }
}
