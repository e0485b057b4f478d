using System.Globalization;
using System.Text.Json;
using Twin.Hardware;
using Twin.Silo.Tests.Answers;
using static Twin.Silo.Tests.Answers.AnsweredDirectory;

namespace Twin.Silo.Tests.Commands;

/// <summary>What people do with cases by the command line.</summary>
public sealed class CaseCommandTests : IAsyncLifetime
{
    private AnsweredDirectory _directory = null!;

    public async Task InitializeAsync() => _directory = await Copy();

    public Task DisposeAsync()
    {
        _directory.Dispose();
        return Task.CompletedTask;
    }

    private string[] With(string verb, params string[] args) => [verb, .. args, "--data", _directory.Path];

    private static string At(int minutes) =>
        new UnixTime(End + 60 * minutes).ToString();

    private Task<string> Act(params string[] args) =>
        InProcess.Well(With("case", [.. args, "--by", "Ada", "--at", At(1)]));

    private Task<string> Refused(params string[] args) =>
        InProcess.Wrong(With("case", [.. args, "--by", "Ada", "--at", At(2)]));

    private async Task<JsonElement> Show(int meter = 1) => await InProcess.Json(With("case", "show", Case(meter)));

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    [Fact]
    public async Task Open_cases_are_listed_by_desk_and_others_on_demand()
    {
        var all = await InProcess.Json(With("case", "list"));
        var ids = all.EnumerateArray().Select(c => Text(c, "id")).ToList();
        // The third is about the commands that the fleet's guard holds.
        Assert.Equal((3, true, true), (ids.Count, ids.Contains(Case(1)), ids.Contains(Case(2))));
        Assert.All(all.EnumerateArray(), c => Assert.Equal(("new", "open"),
            (Text(c, "handling"), Text(c, "verdict"))));
        var grid = (await InProcess.Json(With("case", "list", "--desk", "grid"))).EnumerateArray().Single();
        Assert.Equal("fleet", Text(grid, "subject"));
        Assert.Equal("no cases\n", await InProcess.Well(With("case", "list", "--desk", "metering_faults")));
        Assert.Contains("security, revenue_protection", await InProcess.Wrong(With("case", "list", "--desk", "sea")));
        var lines = await InProcess.Well(With("case", "list"));
        Assert.Equal(3, lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains($"{Case(1)}  high ", lines);
    }

    [Fact]
    public async Task A_case_shows_findings_responses_and_why()
    {
        var shown = await InProcess.Well(With("case", "show", Case(1)));
        Assert.StartsWith($"{Case(1)}  MT-1  (security)\n", shown);
        Assert.Contains("untrusted_certificate: 1 from 2026-01-12T08:00:00Z", shown);
        Assert.Contains($"{Response(1, 3)}  disconnect             proposed    MT-1, 0 of 2 approvals", shown);
        var json = await Show();
        Assert.Equal(["block_writes", "notify", "disconnect"],
            json.GetProperty("responses").EnumerateArray().Select(r => Text(r, "rung")));
        Assert.Equal("2026-01-12T08:01:00Z", Text(json, "aware_at"));
    }

    [Fact]
    public async Task A_case_goes_from_hand_to_hand_until_it_is_resolved_and_opened_again()
    {
        Assert.StartsWith("✓ Acknowledge by Ada; journalled as input ", await Act("ack", Case(1)));
        Assert.Contains("it is acknowledged already", await Refused("ack", Case(1)));
        await Act("assign", Case(1), "Ben");
        var now = await Show();
        Assert.Equal(("in_progress", "Ben"), (Text(now, "handling"), Text(now, "assignee")));
        await Act("comment", Case(1), "the installer was called");
        await Act("escalate", Case(1), "--why", "second call");
        Assert.Equal("critical", Text(await Show(), "severity"));
        Assert.Contains("true, benign, false", await Refused("resolve", Case(1), "fine"));
        Assert.Contains("disposition", await Refused("resolve", Case(1), "none"));
        await Act("resolve", Case(1), "true", "--why", "mended");
        now = await Show();
        Assert.Equal(("resolved", "true"), (Text(now, "handling"), Text(now, "disposition")));
        Assert.Contains("it is resolved already", await Refused("resolve", Case(1), "true"));
        Assert.Contains("reopen it first", await Refused("assign", Case(1), "Cem"));
        Assert.Contains("reopen it first", await Refused("escalate", Case(1)));
        Assert.Contains("reopen it first", await Refused("confirm", Case(1)));
        Assert.DoesNotContain(Case(1), await InProcess.Well(With("case", "list")));
        Assert.Contains(Case(1), await InProcess.Well(With("case", "list", "--all")));
        await Act("reopen", Case(1));
        Assert.Contains("it is not resolved", await Refused("reopen", Case(1)));
        now = await Show();
        Assert.Equal(("in_progress", "none"), (Text(now, "handling"), Text(now, "disposition")));
        var texts = (await InProcess.Json(With("ledger", "list", "--case", Case(1)))).EnumerateArray()
            .Where(e => Text(e, "kind") == "act").Select(e => Text(e, "text")).ToList();
        Assert.Equal(["ConfirmDangerous by Anna: smoke at the meter", "Acknowledge by Ada", "Assign by Ada",
            "Comment by Ada: the installer was called", "Escalate by Ada: second call",
            "Resolve by Ada as True: mended", "Reopen by Ada"], texts);
    }

    [Fact]
    public async Task A_confirmation_is_kept_and_may_name_a_danger()
    {
        await Act("confirm", Case(2));
        await Act("confirm", Case(2), "--dangerous", "--why", "it burns");
        var acts = (await InProcess.Json(With("ledger", "list", "--case", Case(2)))).EnumerateArray()
            .Where(e => Text(e, "kind") == "act").Select(e => Text(e, "text"));
        Assert.Equal(["Confirm by Ada", "ConfirmDangerous by Ada: it burns"], acts);
    }

    [Theory]
    [InlineData("ack")]
    [InlineData("show")]
    [InlineData("reopen")]
    public async Task An_id_that_is_none_or_nobodys_is_named(string verb)
    {
        Assert.Contains("'seven' is no id of a case", await InProcess.Wrong(With("case", verb, "seven")));
        Assert.Contains("There is no case 00000000000000aa-1",
            await InProcess.Wrong(With("case", verb, "00000000000000aa-1")));
        var later = Case(1)[..^1] + 2.ToString(CultureInfo.InvariantCulture);
        Assert.Contains($"There is no case {later}", await InProcess.Wrong(With("case", verb, later)));
    }

    [Fact]
    public async Task A_person_needs_a_name_and_a_time_is_a_time()
    {
        Assert.Contains("an act needs a person", await InProcess.Wrong(With("case", "ack", Case(1), "--by", " ")));
        Assert.Contains("'soon' is no time", await InProcess.Wrong(With("case", "ack", Case(1), "--at", "soon")));
        Assert.NotEmpty(await InProcess.Wrong("case", "list", "--data", _directory.Sub("none")));
        Assert.False(Directory.Exists(_directory.Sub("none")));
    }
}
