using System.Text.Json.Nodes;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Api;

/// <summary>Cases over HTTP, and what people do with them.</summary>
public sealed class CaseApiTests
{
    private const string Cases = "/api/v1/cases";

    private static string[] Ids(JsonNode page) => [.. page["cases"]!.AsArray().Select(c => (string)c!["id"]!)];

    [Fact]
    public async Task Cases_are_found_by_what_people_ask_for()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        string[] both = [AnsweredDirectory.Case(1), AnsweredDirectory.Case(2)];
        var all = await service.Get(Cases + "?desk=security");
        Assert.Equal(both.Order(StringComparer.Ordinal), Ids(all).Order(StringComparer.Ordinal));
        Assert.Equal(2, (int)all["total"]!);
        foreach (var query in (string[])["desk=security", "condition=ongoing", "handling=new", "severity=low",
            "subject=MT-1", "feeder=F-1", "kind=untrusted_certificate", "text=mt-1", "all=true"])
        {
            var page = await service.Get($"{Cases}?{query}");
            Assert.True(Ids(page).Contains(AnsweredDirectory.Case(1)), $"{query}: {page}");
            Assert.Equal(Ids(page).Length, (int)page["total"]!);
        }
        foreach (var query in (string[])["desk=grid&subject=MT-1", "condition=ended", "handling=resolved",
            "disposition=true",
            "severity=critical&text=nobody", "subject=MT-9", "feeder=F-2", "kind=level_shift", "assignee=Ben"])
            Assert.Empty(Ids(await service.Get($"{Cases}?{query}")));
        var one = (await service.Get($"{Cases}?subject=MT-1"))["cases"]![0]!;
        Assert.Equal("R-1", (string)one["region"]!);
        Assert.Equal(1, (int)one["pending"]!);
    }

    [Fact]
    public async Task Pages_in_every_order_hold_each_case_once()
    {
        using var directory = new TestDirectory();
        await (await AnswerScene.Make(directory.Sub("data"), 9)).DisposeAsync();
        await using var service = ActService.Over(directory.Sub("data"), AnsweredDirectory.End);
        foreach (var query in (string[])["sort=changed", "sort=severity", "sort=opened",
            "known_at=2026-01-12T14:00:00Z", "known_at=2026-01-12T14:00:00Z&sort=severity"])
        {
            var (seen, next) = (new List<string>(), $"{Cases}?all=true&limit=4&{query}");
            while (next is not null)
            {
                var page = await service.Get(next);
                Assert.True(Ids(page).Length <= 4);
                seen.AddRange(Ids(page));
                next = (string?)page["next"];
            }
            Assert.Equal(seen.Distinct().Count(), seen.Count);
            var whole = await service.Get($"{Cases}?all=true&limit=1000&{query}");
            Assert.True(seen.Count >= 9);
            Assert.Equal(Ids(whole), seen);
        }
    }

    [Fact]
    public async Task A_case_tells_why_and_what_was_known_when()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var now = await service.Get($"{Cases}/{AnsweredDirectory.Case(1)}");
        Assert.Equal("MT-1", (string)now["subject_name"]!);
        Assert.NotEmpty(now["findings"]!.AsArray());
        Assert.NotEmpty(now["timeline"]!.AsArray());
        Assert.Equal("smoke at the meter", (string)now["comments"]![0]!["text"]!);
        var decision = now["decision"]!;
        Assert.NotEqual("", (string)decision["why"]!);
        Assert.Contains(decision["milder"]!.AsArray(), m => (string?)m!["rung"] == "notify");
        Assert.NotEmpty(decision["harsher"]!.AsArray());
        Assert.Contains(now["responses"]!.AsArray(), r => (string)r!["rung"]! == "disconnect"
            && (string)r["state"]! == "proposed" && r["may"]!.AsArray().Any(m => (string)m! == "approve"));
        var then = await service.Get($"{Cases}/{AnsweredDirectory.Case(1)}?known_at=2026-01-12T08:03:00Z");
        Assert.Empty(then["comments"]!.AsArray());
        Assert.True(then["timeline"]!.AsArray().Count < now["timeline"]!.AsArray().Count);
        using var before = await service.Send(HttpMethod.Get,
            $"{Cases}/{AnsweredDirectory.Case(1)}?known_at=2026-01-11", "analyst", null);
        await ActService.Bad(before, 404, "case_not_found");
        // What nobody found and somebody wants has no case in the ledger.
        var held = await service.Get($"{Cases}/{AnsweredDirectory.Held}");
        Assert.Equal("quarantined", (string)held["responses"]![0]!["state"]!);
    }

    [Fact]
    public async Task An_act_changes_the_case_at_once_and_only_as_it_was_seen()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var path = $"{Cases}/{AnsweredDirectory.Case(2)}";
        var etag = (string)(await service.Get(path))["etag"]!;
        var done = await service.Do(path + "/acts", "analyst1", """{"act":"acknowledge"}""",
            ("If-Match", $"\"{etag}\""));
        Assert.Equal("acknowledged", (string)done["handling"]!);
        Assert.NotEqual(etag, (string)done["etag"]!);
        await service.Bad(path + "/acts", "analyst2", """{"act":"escalate"}""", 412, "changed_meanwhile",
            ("If-Match", $"\"{etag}\""));
        await service.Bad(path + "/acts", "analyst2", """{"act":"acknowledge"}""", 409, "act_refused");
        await service.Do(path + "/acts", "analyst2", """{"act":"assign","assignee":"Ben"}""",
            ("If-Match", $"\"{(string)done["etag"]!}\""));
        Assert.Equal([AnsweredDirectory.Case(2)], Ids(await service.Get(Cases + "?assignee=Ben")));
        await service.Do(path + "/acts", "analyst2", """{"act":"resolve","disposition":"benign","text":"a test"}""");
        Assert.Equal([AnsweredDirectory.Case(2)],
            Ids(await service.Get(Cases + "?handling=resolved&disposition=benign")));
        var similar = (await service.Get($"{Cases}/{AnsweredDirectory.Case(1)}"))["similar"]!;
        Assert.Equal(AnsweredDirectory.Case(2), (string)similar[0]!["id"]!);
    }

    [Fact]
    public async Task A_bulk_act_takes_what_it_may_and_says_why_not_the_rest()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        await service.Do($"{Cases}/{AnsweredDirectory.Case(2)}/acts", "analyst", """{"act":"acknowledge"}""");
        const string act = """ "act":{"act":"acknowledge"} """;
        var dry = await service.Do(Cases + "/bulk", "analyst",
            $$"""{"filter":{"desk":"security"},"dry_run":true,{{act}}}""");
        Assert.Equal((2, 1, 1), ((int)dry["matched"]!, (int)dry["done"]!, dry["skipped"]!.AsArray().Count));
        Assert.Equal("new", (string)(await service.Get($"{Cases}/{AnsweredDirectory.Case(1)}"))["handling"]!);
        var done = await service.Do(Cases + "/bulk", "analyst", $$"""{"filter":{"desk":"security"},{{act}}}""");
        Assert.Equal((2, 1), ((int)done["matched"]!, (int)done["done"]!));
        Assert.Contains("acknowledged already", (string)done["skipped"]![0]!["reason"]!, StringComparison.Ordinal);
        var named = await service.Do(Cases + "/bulk", "analyst",
            $$"""{"filter":{"ids":["{{AnsweredDirectory.Case(1)}}","00000000000000ff-1","x"]},{{act}}}""");
        Assert.Equal((3, 0, 3), ((int)named["matched"]!, (int)named["done"]!, named["skipped"]!.AsArray().Count));
    }

    [Fact]
    public async Task What_lies_elsewhere_is_neither_listed_nor_read_nor_acted_on()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        Assert.Equal(2, Ids(await service.Get(Cases + "?desk=security", "analyst:r-1")).Length);
        Assert.Empty(Ids(await service.Get(Cases, "analyst:R-2")));
        var path = $"{Cases}/{AnsweredDirectory.Case(1)}";
        using var read = await service.Send(HttpMethod.Get, path, "analyst:R-2", null);
        await ActService.Bad(read, 404, "case_not_found");
        await service.Bad(path + "/acts", "analyst:R-2", """{"act":"acknowledge"}""", 403, "region_not_yours");
        await service.Bad(path + "/responses", "operator:R-2", """{"rung":"notify"}""", 403, "region_not_yours");
    }

    [Theory]
    [InlineData("", 400, "bad_json")]
    [InlineData("{\"act\":\"acknowledge\"", 400, "bad_json")]
    [InlineData("{\"act\":\"acknowledge\",\"act\":\"resolve\"}", 400, "bad_json")]
    [InlineData("[]", 400, "bad_member")]
    [InlineData("{}", 400, "bad_member")]
    [InlineData("{\"act\":7}", 400, "bad_member")]
    [InlineData("{\"act\":\"nothing\"}", 400, "bad_member")]
    [InlineData("{\"act\":\"acknowledge\",\"why\":\"x\"}", 400, "unknown_member")]
    [InlineData("{\"act\":\"comment\"}", 400, "bad_act")]
    [InlineData("{\"act\":\"comment\",\"text\":\"\\ud800\"}", 400, "bad_member")]
    [InlineData("{\"act\":\"comment\",\"text\":\"a\\nb\"}", 400, "bad_act")]
    [InlineData("{\"act\":\"resolve\"}", 400, "bad_act")]
    public async Task A_body_that_says_nothing_sensible_is_refused_with_its_place(string body, int status, string code)
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var path = $"{Cases}/{AnsweredDirectory.Case(1)}/acts";
        await service.Bad(path, "analyst", body, status, code);
        await service.Bad(path, "analyst", $$"""{"act":"comment","text":"{{new string('x', 70_000)}}"}""", 413,
            "body_too_large");
        using var form = new StringContent("act=acknowledge");
        using var wrong = await service.Client.PostAsync(path, form);
        await ActService.Bad(wrong, 415, "unsupported_media_type");
    }
}
