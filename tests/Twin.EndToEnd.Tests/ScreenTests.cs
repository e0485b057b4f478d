using Microsoft.Playwright;

namespace Twin.EndToEnd.Tests;

/// <summary>Every screen in both themes; time travel; a restart of the service under an open page.</summary>
[Collection(nameof(DemoFixture))]
public sealed class ScreenTests(DemoFixture demo)
{
    private async Task<IPage> SignedIn(ColorScheme theme)
    {
        var page = await demo.Browser.Page(demo.Demo.Address, theme);
        await page.GotoAsync("/sign-in");
        await page.Reach("#key");
        await page.Write(demo.Key("anna"));
        await page.Press("Enter");
        await page.See("#cases tbody tr[data-case-id]");
        return page;
    }

    private async Task<(string Name, string Path, string Ready)[]> Screens()
    {
        var cases = await demo.Ask("anna", "/api/v1/cases?kind=firmware_behaviour&all=true&limit=50");
        var one = cases["cases"]!.AsArray().First(c => ((string)c!["subject"]!).StartsWith("meter:",
            StringComparison.Ordinal))!;
        var meter = ((string)one["subject"]!)["meter:".Length..];
        return
        [
            ("triage", "/triage", "#cases tbody tr"),
                ("case", $"/cases/{one["id"]}", "[aria-labelledby=evidence] table"),
            ("meters", "/meters", "main table tbody tr"), ("meter", $"/meters/{meter}", "#as-of-slider"),
            ("fleet", "/fleet", "main h1"), ("policies", "/policies", "#in-force"),
            ("what-if", "/policies?part=what-if", "#policy-text"), ("jobs", "/policies?part=jobs", "main h1"),
            ("covers", "/policies?part=covers", "main h1"), ("ledger", "/policies?part=ledger", "main table tbody tr"),
        ];
    }

    [BrowserFact]
    public async Task Axe_finds_nothing_on_any_screen_in_light() => await Check(ColorScheme.Light);

    [BrowserFact]
    public async Task Axe_finds_nothing_on_any_screen_in_dark() => await Check(ColorScheme.Dark);

    private async Task Check(ColorScheme theme)
    {
        var (page, found) = (await SignedIn(theme), new List<string>());
        foreach (var (name, path, ready) in await Screens())
        {
            await page.GotoAsync(path);
            await page.See(ready);
            await page.WaitForLoadStateAsync(LoadState.DOMContentLoaded);
            if (name == "meter") await ShowCurve(page);
            found.AddRange((await ConsoleDriver.Violations(page)).Select(v => $"{name}: {v}"));
            await ConsoleDriver.Keep(page, $"{name}-{theme.ToString().ToLowerInvariant()}");
        }
        await page.GotoAsync("/triage");
        await page.See("#cases tbody tr");
        await page.Press("?");
        await page.See("#help");
        found.AddRange((await ConsoleDriver.Violations(page)).Select(v => $"help: {v}"));
        Assert.True(found.Count == 0, string.Join('\n', found));
        Assert.Empty(demo.Browser.Errors);
    }

    private static async Task ShowCurve(IPage page)
    {
        await page.Locator("#purpose-select, [aria-labelledby=load-curve] canvas").First.WaitForAsync();
        if (await page.Locator("#purpose-select").CountAsync() > 0)
        {
            await page.Choose("#purpose-select", "investigation");
            await page.Reach("#purpose button[type=submit]");
            await page.Press("Enter");
        }
        await page.See("[aria-labelledby=load-curve] canvas");
    }

    [BrowserFact]
    public async Task The_slider_shows_the_twin_of_a_day_and_the_address_keeps_it()
    {
        var page = await SignedIn(ColorScheme.Light);
        var (_, path, _) = (await Screens())[3];
        await page.GotoAsync(path);
        await page.Reach("#as-of-slider");
        for (var i = 0; i < 30; i++) await page.Press("ArrowLeft");
        await page.See("#past");
        Assert.Contains("at=", page.Url);
        var then = await page.Locator("[aria-labelledby=facts]").InnerTextAsync();
        await page.ReloadAsync();
        await page.See("#past");
        Assert.Equal(then, await page.Locator("[aria-labelledby=facts]").InnerTextAsync());
        await page.GotoAsync(path);
        await page.See("[aria-labelledby=facts]");
        Assert.NotEqual(then, await page.Locator("[aria-labelledby=facts]").InnerTextAsync());
    }

    [BrowserFact]
    public async Task The_tour_has_six_steps_and_each_leads_somewhere()
    {
        var page = await SignedIn(ColorScheme.Light);
        await page.Reach("#tour-start");
        await page.Press("Enter");
        string[] titles = ["every cryptographic check passes", "deliberately not flagged",
            "disconnections by a valid account",
            "before and after", "Kill it", "careless policy"];
        for (var i = 0; i < titles.Length; i++)
        {
            await page.Say("#tour-title", titles[i]);
            await ConsoleDriver.Keep(page, $"tour-{i + 1}");
            Assert.Empty(await ConsoleDriver.Violations(page));
            if (i == titles.Length - 1) break;
            await page.Reach("#tour-next");
            await page.Press("Enter");
        }
        await page.WaitForFunctionAsync(
            "() => document.querySelector('#policy-text')?.value.includes('policy: careless')");
    }

    [BrowserFact]
    public async Task A_page_goes_on_by_itself_when_the_service_comes_back()
    {
        using var data = new ScratchDirectory();
        var path = Path.Combine(data.Path, "data");
        var first = DemoService.Serve(path);
        var port = first.Address.Port;
        var page = await demo.Browser.Page(first.Address);
        try
        {
            await page.GotoAsync("/triage");
            await page.Say("#connection", "connected");
        }
        finally
        {
            first.Kill();
            first.Dispose();
        }
        await page.See("#connection[data-state=broken]");
        using var second = DemoService.Serve(path, port);
        await page.See("#connection[data-state=live]");
    }
}
