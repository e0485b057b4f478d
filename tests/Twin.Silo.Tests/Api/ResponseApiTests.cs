using System.Text.Json.Nodes;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Api;

/// <summary>Responses, policies, covers and the freeze over HTTP.</summary>
public sealed class ResponseApiTests
{
    private const string Cases = "/api/v1/cases";
    private static readonly string s_danger = $"{Cases}/{AnsweredDirectory.Case(1)}";

    private static JsonNode Of(JsonNode list, string rung) =>
        list["responses"]!.AsArray().Last(r => (string)r!["rung"]! == rung)!;

    [Fact]
    public async Task Two_persons_approve_and_what_went_out_is_undone()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var waiting = await service.Get("/api/v1/responses?waiting=true");
        Assert.Equal(2, waiting["responses"]!.AsArray().Count);
        var number = (int)Of(waiting, "disconnect")["number"]!;
        var response = Of(await service.Get(s_danger + "/responses"), "disconnect");
        Assert.Equal(2, (int)response["needed"]!);
        number = (int)response["number"]!;
        var acts = $"{s_danger}/responses/{number}/acts";
        const string yes = """{"act":"approve","why":"seen"}""";
        await service.Bad(acts, "operator", yes, 403, "role_not_sufficient");
        await service.Do(acts, "approver1", yes);
        await service.Bad(acts, "approver1", yes, 409, "act_refused");
        var done = await service.Do(acts, "approver2", yes);
        Assert.Equal(["approver1", "approver2"], done["approvals"]!.AsArray().Select(a => (string)a!["by"]!));
        var state = "";
        for (var minute = 0; minute < 200 && state != "executing"; minute++)
        {
            await service.Sweep();
            state = (string)Of(await service.Get(s_danger + "/responses"), "disconnect")["state"]!;
        }
        Assert.Equal("executing", state);
        var measures = await service.Get("/api/v1/meters/MT-1/measures");
        Assert.Contains(measures["responses"]!.AsArray(), r => (string)r!["rung"]! == "disconnect");
        var undone = await service.Do(acts, "operator", """{"act":"undo","why":"wrong house"}""");
        Assert.Equal("undone", (string)undone["state"]!);
        await service.Bad($"{s_danger}/responses/99/acts", "operator", """{"act":"undo"}""", 404,
            "response_not_found");
        await service.Bad($"{s_danger}/responses/x/acts", "operator", """{"act":"undo"}""", 400, "bad_response");
        await service.Bad(acts, "operator", """{"act":"quarantine"}""", 400, "bad_member");
    }

    [Fact]
    public async Task A_proposal_is_tried_first_and_what_it_would_do_is_told()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var path = $"{Cases}/{AnsweredDirectory.Case(2)}/responses";
        var before = await service.Get(path);
        var dry = await service.Do(path, "operator", """{"rung":"isolate_communications","dry_run":true}""");
        Assert.True((bool)dry["dry_run"]!);
        Assert.NotNull(dry["response"]);
        Assert.Equal(before.ToJsonString(), (await service.Get(path)).ToJsonString());
        var made = await service.Do(path, "operator", """{"rung":"isolate_communications","why":"look closer"}""");
        Assert.Equal(("isolate_communications", "operator"), ((string)made["rung"]!, (string)made["requested_by"]!));
        await service.Bad(path, "operator", """{"rung":"log"}""", 409, "act_refused");
        await service.Bad(path, "analyst", """{"rung":"notify"}""", 403, "role_not_sufficient");
    }

    [Fact]
    public async Task A_key_does_an_act_once_also_when_the_service_is_killed_in_between()
    {
        using var directory = await AnsweredDirectory.Copy();
        var acts = s_danger + "/acts";
        const string body = """{"act":"comment","text":"a note"}""";
        var key = ("Idempotency-Key", "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"");
        await using (var service = ActService.Over(directory))
        {
            await service.Do(acts, "analyst", body, key);
            using var again = await service.Post(acts, "analyst", body, key);
            await ActService.Good(again);
            Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
            await service.Bad(acts, "analyst", """{"act":"comment","text":"another"}""", 422,
                "idempotency_key_reused", key);
            await service.Bad(acts, "analyst", body, 400, "bad_idempotency_key", ("Idempotency-Key", "a b"));
        }
        await using (var restarted = ActService.Over(directory))
        {
            using var again = await restarted.Post(acts, "analyst", body, key);
            var detail = await ActService.Good(again);
            Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
            Assert.Single(detail["comments"]!.AsArray(), c => (string)c!["text"]! == "a note");
            await restarted.Bad(acts, "analyst", """{"act":"comment","text":"another"}""", 422,
                "idempotency_key_reused", key);
            // Of somebody else it is another key.
            var other = await restarted.Do(acts, "operator", body, key);
            Assert.Equal(2, other["comments"]!.AsArray().Count(c => (string)c!["text"]! == "a note"));
        }
    }

    [Fact]
    public async Task A_freeze_takes_one_person_and_its_end_two()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        const string freeze = """{"frozen":true,"why":"look first"}""", thaw = """{"frozen":false,"why":"fine"}""";
        async Task<JsonNode> Put(string who, string body)
        {
            using var response = await service.Send(HttpMethod.Put, "/api/v1/freeze", who, body);
            return await ActService.Good(response);
        }
        Assert.True((bool)(await Put("operator", freeze))["frozen"]!);
        using (var no = await service.Send(HttpMethod.Put, "/api/v1/freeze", "operator", thaw))
            await ActService.Bad(no, 403, "role_not_sufficient");
        using (var no = await service.Send(HttpMethod.Put, "/api/v1/freeze", "operator:R-1", freeze))
            await ActService.Bad(no, 403, "region_not_yours");
        Assert.True((bool)(await Put("approver1", thaw))["frozen"]!);
        Assert.False((bool)(await Put("approver2", thaw))["frozen"]!);
    }

    [Fact]
    public async Task Suppressions_are_previewed_put_changed_and_ended()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        const string path = "/api/v1/suppressions/S-1", body = """{"place":"feeder:F-1","why":"known"}""";
        var preview = await service.Do("/api/v1/suppressions/preview", "analyst", body);
        Assert.True((int)preview["findings"]! >= 2);
        using (var put = await service.Send(HttpMethod.Put, path, "operator", body)) await ActService.Good(put);
        var list = await service.Get("/api/v1/suppressions");
        Assert.Equal("feeder:F-1", (string)list["suppressions"]![0]!["place"]!);
        using (var no = await service.Send(HttpMethod.Put, path, "operator", body, ("If-Match", "\"old\"")))
            await ActService.Bad(no, 412, "changed_meanwhile");
        using (var end = await service.Send(HttpMethod.Delete, path, "operator", null)) await ActService.Good(end);
        await service.Sweep();
        await service.Sweep();
        Assert.Empty((await service.Get("/api/v1/suppressions"))["suppressions"]!.AsArray());
        using (var no = await service.Send(HttpMethod.Delete, path, "operator", null))
            await ActService.Bad(no, 404, "cover_not_found");
        foreach (var (wrong, code) in ((string, string)[])[("""{"why":"known"}""", "bad_act"),
            ("""{"place":"feeder:F-1"}""", "bad_act"), ("""{"place":"feeder:F-1","why":"x","to":"tomorrow"}""",
                "bad_member")])
            using (var no = await service.Send(HttpMethod.Put, path, "operator", wrong))
                await ActService.Bad(no, 400, code);
        using (var work = await service.Send(HttpMethod.Put, "/api/v1/planned-work/W-1", "operator",
            """{"place":"feeder:F-1","expect":["clock_drift"],"owner":"crew 7"}""")) await ActService.Good(work);
        Assert.Equal("crew 7", (string)(await service.Get("/api/v1/planned-work"))["planned_work"]![0]!["owner"]!);
    }

    [Fact]
    public async Task A_policy_is_validated_tested_and_put_in_force()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var shipped = (string)(await service.Get("/api/v1/policies/default"))["text"]!;
        var mine = shipped.Replace("version: 1", "version: 2", StringComparison.Ordinal);
        Assert.NotEqual(shipped, mine);
        string Body(string text) => new JsonObject { ["text"] = text }.ToJsonString();
        Assert.True((bool)(await service.Do("/api/v1/policies/validate", "analyst", Body(mine)))["holds"]!);
        var broken = await service.Do("/api/v1/policies/validate", "analyst", Body("policy: x\nrules: 7\n"));
        Assert.False((bool)broken["holds"]!);
        Assert.NotEmpty(broken["errors"]!.AsArray());
        Assert.True((bool)(await service.Do("/api/v1/policies/test", "analyst", Body(mine)))["holds"]!);
        await service.Bad("/api/v1/policies/activate", "approver", Body("policy: x\n"), 422, "policy_does_not_hold");
        await service.Bad("/api/v1/policies/activate", "operator", Body(mine), 403, "role_not_sufficient");
        var now = await service.Do("/api/v1/policies/activate", "approver", Body(mine));
        Assert.Equal((2, "approver"), ((int)now["version"]!, (string)now["by"]!));
        Assert.Equal(mine, (string)(await service.Get("/api/v1/policies/current"))["text"]!);
    }

    [Fact]
    public async Task Commands_and_verdicts_are_taken_once()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var path = "/api/v1/meters/MT-1/commands";
        var asked = await service.Do(path, "operator",
            """{"request":"B-7","rung":"reconnect","order":"WO-1","why":"paid"}""");
        await service.Do(path, "operator", """{"request":"B-7","rung":"reconnect","order":"WO-1"}""");
        await service.Sweep();
        var made = await service.Get($"{Cases}/{(string)asked["case"]!}/responses");
        Assert.Single(made["responses"]!.AsArray());
        await service.Bad(path, "operator", """{"request":"B-8","rung":"notify"}""", 400, "bad_act");
        await service.Bad("/api/v1/meters/MT-9/commands", "operator", """{"request":"B-8","rung":"reconnect"}""", 404,
            "meter_not_found");
        var finding = (string)(await service.Get("/api/v1/findings?subject=MT-1"))["findings"]![0]!["id"]!;
        const string told = """{"outcome":"benign","why":"a test"}""";
        Assert.False((bool)(await service.Do($"/api/v1/findings/{finding}/verdict", "analyst", told))["is_repeat"]!);
        Assert.True((bool)(await service.Do($"/api/v1/findings/{finding}/verdict", "operator", told))["is_repeat"]!);
        await service.Bad("/api/v1/findings/00000000000000ff/verdict", "analyst", told, 404, "finding_not_found");
    }

    [Fact]
    public async Task The_ledger_is_read_in_pages_to_its_end()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var end = await service.Get("/api/v1/ledger/end");
        var (numbers, next) = (new List<long>(), "/api/v1/ledger?limit=7");
        while (next is not null)
        {
            var page = await service.Get(next);
            numbers.AddRange(page["ledger"]!.AsArray().Select(e => (long)e!["number"]!));
            next = (string?)page["next"];
        }
        Assert.Equal(Enumerable.Range(1, (int)end["number"]!).Select(n => (long)n), numbers);
        var acts = await service.Get($"/api/v1/ledger?case={AnsweredDirectory.Case(1)}&kind=act");
        Assert.Equal("Anna", (string)acts["ledger"]![0]!["who"]!);
        Assert.Empty((await service.Get("/api/v1/ledger?kind=case", "analyst:R-2"))["ledger"]!.AsArray());
    }
}
