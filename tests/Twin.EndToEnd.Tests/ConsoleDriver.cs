using Microsoft.Playwright;

namespace Twin.EndToEnd.Tests;

/// <summary>A browser, one for all tests, and what they ask of a page.</summary>
public sealed class ConsoleDriver : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        if (new BrowserFactAttribute().Skip is not null) return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = BrowserFactAttribute.Browser,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    /// <summary>A page of a new person at a new screen.</summary>
    public async Task<IPage> Page(Uri address, ColorScheme theme = ColorScheme.Light)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address.ToString(), ColorScheme = theme, TimezoneId = "UTC", Locale = "en-GB",
            ReducedMotion = ReducedMotion.Reduce, ViewportSize = new ViewportSize { Width = 1440, Height = 900 },
        });
        context.SetDefaultTimeout(45_000);
        var page = await context.NewPageAsync();
        page.PageError += (_, error) => Errors.Add(error);
        page.Console += (_, said) =>
        {
            if (said.Type == "error" && !said.Text.Contains("Failed to load resource", StringComparison.Ordinal))
                Errors.Add(said.Text);
        };
        return page;
    }

    /// <summary>What scripts failed with, on any page; refused requests are not among them.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Keeps what is seen, beside the test results.</summary>
    public static Task Keep(IPage page, string name) => page.ScreenshotAsync(new PageScreenshotOptions
    {
        Path = Path.Combine(Folder, name + ".png"), FullPage = true,
    });

    private static string Folder { get; } = Environment.GetEnvironmentVariable("METERTWIN_SCREENSHOTS")
        ?? Path.Combine(AppContext.BaseDirectory, "screenshots");

    /// <summary>Every violation that axe-core finds on the page as it stands.</summary>
    public static async Task<string[]> Violations(IPage page)
    {
        // A script tag would need another content security policy; an evaluated script is the tester's own.
        await page.EvaluateAsync(await File.ReadAllTextAsync(AxeFile));
        return await page.EvaluateAsync<string[]>(
            "async () => (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', "
            + "'best-practice'] })).violations.map(v => v.id + ': ' + v.help + ' at ' "
            + "+ v.nodes.map(n => n.target.join(' ')).slice(0, 5).join(', '))");
    }

    private static string AxeFile
    {
        get
        {
            for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
            {
                foreach (var edition in (string[])["standalone", "full"])
                {
                    var file = Path.Combine(d.FullName, "Twin.Api", "obj", edition, "console", "node_modules",
                        "axe-core", "axe.min.js");
                    if (File.Exists(file)) return file;
                }
            }
            throw new InvalidOperationException("axe-core is not there; the build installs it with the console.");
        }
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
