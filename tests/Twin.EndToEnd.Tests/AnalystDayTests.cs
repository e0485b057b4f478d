using Microsoft.Playwright;

namespace Twin.EndToEnd.Tests;

/// <summary>A day of an analyst, by the keyboard alone, in a real browser on the real program.</summary>
[Collection(nameof(DemoFixture))]
public sealed class AnalystDayTests(DemoFixture demo)
{
    /// <summary>In this utility one more person has to approve an isolation.</summary>
    private async Task OneMustApprove()
    {
        var text = (string)(await demo.Ask("ben", "/api/v1/policies/default"))["text"]!;
        text = text[..text.IndexOf("\nexamples:", StringComparison.Ordinal)] + "\n";
        const string isolation = "isolate_communications: {enforcer: concentrator, ";
        Assert.Contains(isolation, text);
        await demo.Ask("ben", "/api/v1/policies/activate", new
        {
            text = text.Replace(isolation, isolation + "approvals: 1, ", StringComparison.Ordinal),
            why = "isolations are a matter of two",
        });
    }

    [BrowserFact]
    public async Task A_case_is_found_understood_answered_undone_and_resolved()
    {
        await OneMustApprove();
        var page = await demo.Browser.Page(demo.Demo.Address);
        // The link of the demo is good once, and belongs to whoever started it: here a key does.
        await page.GotoAsync("/triage?kind=firmware_behaviour&all=true");
        await SignIn(page, "anna");
        await page.See("#cases tbody tr[data-case-id]");
        await page.WaitForFunctionAsync("() => document.title.startsWith('[Demo]')");
        await ConsoleDriver.Keep(page, "day-1-triage");

        await FindCase(page);
        await page.Press("Enter");
        await page.Say("h1", "behaves otherwise");
        await page.See("[aria-labelledby=evidence] table");
        await ConsoleDriver.Keep(page, "day-2-case");
        var id = page.Url.Split('/')[^1].Split('?')[0];

        await page.Press("a");
        await page.Say("[aria-labelledby=handling]", "acknowledged");

        await page.Press("p");
        await page.Choose("#propose-dialog select", "isolate_communications");
        await page.Reach("#propose-dialog textarea");
        await page.Write("until the vendor has answered");
        await page.Reach("#propose-dialog button[type=submit]");
        await page.Press("Enter");
        await page.See("#propose-dialog .preview");
        await page.Reach("#propose-dialog button[type=submit]");
        await page.Press("Enter");
        await page.Say("[aria-labelledby=responses] .response", "isolate communications");

        await Approve(page);
        await page.See("[aria-labelledby=responses] button[data-act=undo]:not([disabled])");
        await ConsoleDriver.Keep(page, "day-3-isolated");

        await Act(page, "undo", "the vendor has answered");
        await page.Say("[aria-labelledby=responses] .response", "undone");

        await page.Press("r");
        await page.Reach("#resolve input[type=radio]");
        await page.Press("Space");
        await page.Reach("#resolve textarea");
        await page.Write("the vendor confirms a faulty build");
        await page.Reach("#resolve button[type=submit]");
        await page.Press("Enter");
        await page.Say("[aria-labelledby=handling]", "resolved");
        await ConsoleDriver.Keep(page, "day-4-resolved");

        var seen = await demo.Ask("anna", $"/api/v1/cases/{id}");
        Assert.Equal(("resolved", "true", "Anna Berg"), ((string?)seen["handling"], (string?)seen["disposition"],
            (string?)seen["assignee"]));
        var isolation = seen["responses"]!.AsArray().Single(r => (string?)r!["rung"] == "isolate_communications"
            && !(bool)r["is_undo"]!)!;
        Assert.Equal(("Anna Berg", "Ben Cole"), ((string?)isolation["requested_by"],
            (string?)isolation["approvals"]![0]!["by"]));
        Assert.Empty(demo.Browser.Errors);
    }

    /// <summary>Walks down the rows to the first case of one meter.</summary>
    private static async Task FindCase(IPage page)
    {
        var rows = await page.Locator("#cases tbody tr[data-case-id]").CountAsync();
        for (var i = 0; i < rows; i++)
        {
            await page.Press("j");
            var (text, row) = (await page.EvaluateAsync<string>("() => document.activeElement.textContent"),
                await page.EvaluateAsync<string>("() => document.activeElement.closest('tr')?.textContent ?? ''"));
            if (text.Contains("the meter behaves otherwise", StringComparison.Ordinal)
                && row.Contains("MT-", StringComparison.Ordinal)) return;
        }
        Assert.Fail("No case of one meter is among the rows.");
    }

    /// <summary>The second person signs in on the same page, and approves.</summary>
    private async Task Approve(IPage page)
    {
        var path = new Uri(page.Url).PathAndQuery;
        await page.Press("i");
        await page.Reach("#switch #key");
        await page.Write(demo.Key("ben"));
        await page.Press("Enter");
        await page.Say("#session", "Ben Cole");
        Assert.Equal(path, new Uri(page.Url).PathAndQuery);
        // Until the next sweep nobody is asked: the policy has not yet said how many have to approve.
        await Act(page, "approve", "seen with Anna");
    }

    /// <summary>Does something with a response, and says why.</summary>
    private static async Task Act(IPage page, string act, string why)
    {
        const string responses = "[aria-labelledby=responses]";
        await page.Reach($"{responses} button[data-act={act}]:not([disabled])");
        await page.Press("Enter");
        await page.Reach($"{responses} form input");
        await page.Write(why);
        await page.Press("Enter");
    }

    private async Task SignIn(IPage page, string person)
    {
        await page.Reach("#key");
        await page.Write(demo.Key(person));
        await page.Press("Enter");
        await page.See("#session");
    }
}
