using Twin.Hardware;

namespace Twin.Api.Tests;

public class FindingsTests
{
    internal static Finding Make(TwinKey subject, string name, FindingKind kind, long from, long detected,
        string sentence = "It is so.") =>
        new(subject, name, kind, new UnixTime(from), new UnixTime(from + 3600), new UnixTime(detected), 4.5,
            Severity.High, 0.75, "level", 2, "", sentence,
            [new Evidence("day_sum", 12.5, double.PositiveInfinity, 1, "kWh")],
            ["an outage was near"]);

    private static async Task<Service> WithFindings()
    {
        var service = await Service.Start();
        var m1 = service.Fleet.AddMeter("m1");
        var feeder = TwinKey.Named(TwinKind.Feeder, "F1");
        service.Fleet.AddTwin(feeder);
        service.Fleet.Add(Make(m1.Twin, "m1", FindingKind.LevelShift, 0, 100));
        service.Fleet.Add(Make(m1.Twin, "m1", FindingKind.ZeroRun, 86_400, 300));
        service.Fleet.Add(Make(feeder, "F1", FindingKind.FeederLoss, 172_800, 200));
        return service;
    }

    [Theory]
    [InlineData("", "zero_run feeder_loss level_shift")]
    [InlineData("?limit=2", "zero_run feeder_loss")]
    [InlineData("?subject=m1", "zero_run level_shift")]
    [InlineData("?subject=meter:m1", "zero_run level_shift")]
    [InlineData("?subject=feeder:F1", "feeder_loss")]
    [InlineData("?kind=level_shift", "level_shift")]
    [InlineData("?from=1970-01-02T00:00:00Z&to=1970-01-03T00:00:00Z", "zero_run")]
    [InlineData("?kind=spike", "")]
    public async Task FiltersNarrowAndTheNewestIsFirst(string query, string kinds)
    {
        await using var service = await WithFindings();
        var json = await service.Get("/api/v1/findings" + query);
        Assert.Equal(kinds, string.Join(' ', json["findings"]!.AsArray().Select(f => (string)f!["kind"]!)));
    }

    [Fact]
    public async Task AFindingIsShownWhole()
    {
        await using var service = await WithFindings();
        var f = (await service.Get("/api/v1/findings?kind=level_shift"))["findings"]![0]!;
        var id = MeterId.FromUtilityId("m1");
        var made = Make(id.Twin, "m1", FindingKind.LevelShift, 0, 100);
        Assert.Equal($$"""
            {"id":"{{made.Id}}","subject":"meter:{{id}}","subject_name":"m1","kind":"level_shift",
            "from":"1970-01-01T00:00:00Z","to":"1970-01-01T01:00:00Z","detected_at":"1970-01-01T00:01:40Z",
            "score":4.5,"severity":"high","confidence":0.75,
            "evidence":[{"feature":"day_sum","observed":12.5,"expected":null,"contribution":1,"unit":"kWh"}],
            "counter_evidence":["an outage was near"],"technique":null,"detector":"level","detector_version":2,
            "sentence":"It is so."}
            """.ReplaceLineEndings(""), f.ToJsonString());
    }

    [Fact]
    public async Task TheSubjectOfAFindingIsAFilter()
    {
        await using var service = await WithFindings();
        foreach (var f in (await service.Get("/api/v1/findings"))["findings"]!.AsArray())
        {
            var own = await service.Get($"/api/v1/findings?subject={f!["subject"]}");
            Assert.Contains(own["findings"]!.AsArray(), o => (string)o!["id"]! == (string)f["id"]!);
        }
    }

    [Theory]
    [InlineData("?kind=LevelShift", 400, "bad_kind")]
    [InlineData("?kind=32", 400, "bad_kind")]
    [InlineData("?subject=nobody", 404, "meter_not_found")]
    [InlineData("?subject=feeder:none", 404, "subject_not_found")]
    [InlineData("?subject=feeder:", 400, "bad_subject")]
    [InlineData("?from=2020-01-02&to=2020-01-01", 400, "bad_range")]
    [InlineData("?limit=1001", 400, "bad_limit")]
    [InlineData("?severity=awful", 400, "bad_severity")]
    [InlineData("?sverity=high", 400, "unknown_parameter")]
    [InlineData("?cursor=x", 400, "bad_cursor")]
    [InlineData("?fields=nothing", 400, "bad_fields")]
    [InlineData("?known_at=soon", 400, "bad_known_at")]
    public async Task AWrongFilterIsNamed(string query, int status, string code)
    {
        await using var service = await WithFindings();
        await service.AssertProblem("/api/v1/findings" + query, status, code);
    }
}
