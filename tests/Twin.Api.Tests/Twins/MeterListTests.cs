using System.Text.Json.Nodes;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api.Tests.Twins;

/// <summary>Lists of meters and what is counted over them, from twins that were fed.</summary>
public class MeterListTests
{
    private static async Task<Service> WithMeters(Identify? identify = null)
    {
        var service = await Service.Start(identify: identify);
        for (var i = 0; i < 12; i++)
        {
            var name = $"M{i:00}";
            service.Fleet.Feed(new MeterRelation(MeterId.FromUtilityId(name), name,
                i == 0 ? MeterRole.Observer : MeterRole.Customer, $"F{i % 3}", "E350", i < 6 ? "1.0" : "1.1", "L1", "",
                $"U{i}", "", "UTC", i < 4 ? "C1" : "", i % 2 == 0 ? "north" : "south",
                i == 5 ? CustomerCategory.Medical : CustomerCategory.Ordinary, 20_000 + i, int.MaxValue));
        }
        return service;
    }

    private static async Task<string> Names(Service service, string query)
    {
        var names = new List<string>();
        for (var next = (string?)("/api/v1/meters" + query); next is not null;)
        {
            var page = await service.Get(next);
            names.AddRange(page["meters"]!.AsArray().Select(m => (string)m!["name"]!));
            next = (string?)page["next"];
        }
        return string.Join(' ', names);
    }

    [Theory]
    [InlineData("?sort=name&limit=5", "M00 M01 M02 M03 M04 M05 M06 M07 M08 M09 M10 M11")]
    [InlineData("?sort=name&feeder=f1", "M01 M04 M07 M10")]
    [InlineData("?sort=name&role=observer", "M00")]
    [InlineData("?sort=name&concentrator=C1&region=north", "M00 M02")]
    [InlineData("?sort=name&firmware=1.1&feeder=F2", "M08 M11")]
    [InlineData("?sort=name&category=medical", "M05")]
    [InlineData("?sort=name&name=m1", "M10 M11")]
    [InlineData("?model=E351", "")]
    [InlineData("?score_min=1", "")]
    [InlineData("?finding=zero_run", "M03")]
    public async Task FiltersNarrowAndPagesHoldEachMeterOnce(string query, string names)
    {
        await using var service = await WithMeters();
        var third = MeterId.FromUtilityId("M03");
        service.Fleet.Add(FindingsTests.Make(third.Twin, "M03", FindingKind.ZeroRun, 0, 1));
        Assert.Equal(names, await Names(service, query));
    }

    [Theory]
    [InlineData("score")]
    [InlineData("last_reading")]
    [InlineData("name")]
    [InlineData("id")]
    public async Task EveryOrderIsStableOverPages(string sort)
    {
        await using var service = await WithMeters();
        var whole = await Names(service, $"?sort={sort}");
        Assert.Equal(12, whole.Split(' ').Distinct().Count());
        Assert.Equal(whole, await Names(service, $"?sort={sort}&limit=1"));
        await service.AssertProblem($"/api/v1/meters?sort={sort}&cursor=bTIuejEyMw", 400, "bad_cursor");
    }

    [Fact]
    public async Task AnItemTellsWhatTheRegistrySaysAndFieldsLeavesOutTheRest()
    {
        await using var service = await WithMeters();
        var page = await service.Get("/api/v1/meters?name=M05");
        var id = MeterId.FromUtilityId("M05");
        Assert.Equal(1, (int)page["total"]!);
        Assert.Equal($$"""
            {"id":"{{id}}","name":"M05","role":"customer","feeder":"F2","concentrator":"","region":"south",
            "model":"E350","firmware":"1.0","lot":"L1","usage_point":"U5","category":"medical","last_reading":null,
            "score":null,"score_day":null,"link":"/api/v1/meters/{{id}}"}
            """.ReplaceLineEndings(""), page["meters"]![0]!.ToJsonString());
        var fields = await service.Get("/api/v1/meters?name=M05&fields=name,feeder");
        Assert.Equal("""[{"name":"M05","feeder":"F2"}]""", fields["meters"]!.ToJsonString());
    }

    [Fact]
    public async Task ACallerOfARegionSeesItsMetersAndNoOthers()
    {
        var north = new Caller("Nora", "key", true, Role.Analyst, ["north"], false);
        await using var service = await WithMeters(_ => new(north));
        service.Fleet.Add(FindingsTests.Make(MeterId.FromUtilityId("M03").Twin, "M03", FindingKind.ZeroRun, 0, 1));
        service.Fleet.Add(FindingsTests.Make(MeterId.FromUtilityId("M04").Twin, "M04", FindingKind.ZeroRun, 0, 1));
        Assert.Equal("M00 M02 M04 M06 M08 M10", await Names(service, "?sort=name"));
        Assert.Equal("M02", (string?)(await service.Get("/api/v1/meters/M02"))["name"]);
        foreach (var path in (string[])["", "/lineage", "/keys", "/series?from=2020-01-01&to=2020-01-02&purpose=test"])
            await service.AssertProblem($"/api/v1/meters/M03{path}", 404, "meter_not_found");
        var findings = (await service.Get("/api/v1/findings"))["findings"]!.AsArray();
        Assert.Equal(["M04"], findings.Select(f => (string)f!["subject_name"]!));
        var fleet = await service.Get("/api/v1/fleet");
        Assert.Equal((6, 1), ((int)fleet["meters"]!, (int)fleet["observers"]!));
    }

    [Fact]
    public async Task FirmwareIsCountedDayByDayAndSilenceFromTheWatermark()
    {
        await using var service = await WithMeters();
        service.Fleet.Status = service.Fleet.Status with { Watermark = new UnixTime((20_010 + 1) * 86_400L - 1) };
        var firmware = await service.Get("/api/v1/fleet/firmware?days=12");
        Assert.Equal("2024-10-14", (string?)firmware["days"]!.AsArray()[^1]);
        int[] Counts(int row) => [.. firmware["versions"]![row]!["meters"]!.AsArray().Select(n => (int)n!)];
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6], Counts(0));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5], Counts(1));
        var silent = await service.Get("/api/v1/fleet/silent?days=3&limit=5");
        Assert.Equal((12, 5), ((int)silent["total"]!, silent["meters"]!.AsArray().Count));
        var rest = await service.Get((string)silent["next"]!);
        Assert.Equal(5, rest["meters"]!.AsArray().Count);
    }

    [Fact]
    public async Task HeatAndRankCountFindingsWhereTheyBelong()
    {
        await using var service = await WithMeters();
        service.Fleet.Status = service.Fleet.Status with { Watermark = new UnixTime(20_020 * 86_400L + 60) };
        foreach (var (name, day) in (ReadOnlySpan<(string, int)>)[("M01", 20_019), ("M04", 20_019), ("M02", 20_020)])
            service.Fleet.Add(FindingsTests.Make(MeterId.FromUtilityId(name).Twin, name, FindingKind.ZeroRun,
                day * 86_400L, day * 86_400L + 5));
        var heat = await service.Get("/api/v1/fleet/heat?days=2");
        Assert.Equal(["2024-10-23", "2024-10-24"], heat["days"]!.AsArray().Select(d => (string)d!));
        Assert.Equal(["F1", "F2", "F0"], heat["rows"]!.AsArray().Select(r => (string)r!["name"]!));
        Assert.Equal("""[{"findings":2,"worst":"high"},null]""", heat["rows"]![0]!["cells"]!.ToJsonString());
        Assert.Equal(4, (int)heat["rows"]![0]!["meters"]!);
        var rank = await service.Get("/api/v1/fleet/rank?from=2024-10-23&to=2024-10-24");
        Assert.Equal(["M01", "M04"],
            rank["meters"]!.AsArray().Select(m => (string)m!["meter"]!["name"]!).Order());
        Assert.Equal(4.5, (double)rank["meters"]![0]!["score"]!);
        await service.AssertProblem("/api/v1/fleet/heat?by=colour", 400, "bad_by");
    }

    [Fact]
    public async Task FeedersTellTheirMetersAndNothingThatIsNotKept()
    {
        await using var service = await WithMeters();
        var feeders = (await service.Get("/api/v1/feeders?limit=2"));
        Assert.Equal(3, (int)feeders["total"]!);
        Assert.Equal(["F0", "F1"], feeders["feeders"]!.AsArray().Select(f => (string)f!["name"]!));
        Assert.Equal(4, (int)(await service.Get("/api/v1/feeders/F1"))["now"]!["meters"]!);
        await service.AssertProblem("/api/v1/feeders/F9", 404, "feeder_not_found");
        await service.AssertProblem("/api/v1/feeders/F1?at=2024-10-23", 400, "past_not_kept");
        await service.AssertProblem("/api/v1/concentrators/C1?known_at=2024-10-23", 400, "past_not_kept");
        Assert.Equal(4, (int)(await service.Get("/api/v1/concentrators/C1"))["now"]!["meters"]!);
        Assert.Equal(6, (int)(await service.Get("/api/v1/cohorts/E350%7C1.1%7CL1"))["now"]!["meters"]!);
    }

    [Fact]
    public async Task AnExportIsWholeAndNoSpreadsheetTakesItForAFormula()
    {
        var analyst = new Caller("Ann", "key", true, Role.Analyst, [], false);
        await using var service = await WithMeters(_ => new(analyst));
        service.Fleet.AddMeter("=cmd|' /C calc'!A0");
        var lines = (await service.Client.GetStringAsync("/api/v1/export/meters")).Split('\n',
            StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(13, lines.Length);
        Assert.Contains("M07", lines.Select(l => (string)JsonNode.Parse(l)!["name"]!));
        using var csv = await service.Client.GetAsync("/api/v1/export/meters?format=csv&sort=name");
        Assert.Equal("text/csv", csv.Content.Headers.ContentType?.MediaType);
        var rows = (await csv.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("id,name,role,feeder,", rows[0]);
        Assert.Contains(rows, r => r.Contains(",'=cmd|' /C calc'!A0,", StringComparison.Ordinal));
        Assert.DoesNotContain(rows, r => r.Contains(",=", StringComparison.Ordinal));
        await service.AssertProblem("/api/v1/export/meters?format=xlsx", 400, "bad_format");
        await service.AssertProblem("/api/v1/export/series", 400, "purpose_required");
    }

    [Fact]
    public async Task FindingsGoOnWhereThePageBeforeEnded()
    {
        await using var service = await Service.Start();
        var meter = service.Fleet.AddMeter("m1");
        // Seven at each of three instants: pages end between equal times.
        for (var i = 0; i < 21; i++)
            service.Fleet.Add(FindingsTests.Make(meter.Twin, "m1", FindingKind.ZeroRun, i * 86_400, 100 * (i % 3)));
        var ids = new List<string>();
        for (var next = (string?)"/api/v1/findings?limit=4&severity=high&fields=id"; next is not null;)
        {
            var page = await service.Get(next);
            ids.AddRange(page["findings"]!.AsArray().Select(f => (string)f!["id"]!));
            next = (string?)page["next"];
        }
        Assert.Equal(21, ids.Distinct().Count());
        Assert.Equal(21, ids.Count);
        Assert.Empty((await service.Get("/api/v1/findings?severity=critical"))["findings"]!.AsArray());
        Assert.Equal(ids[0], (string?)(await service.Get($"/api/v1/findings/{ids[0]}"))["id"]);
        await service.AssertProblem("/api/v1/findings/0000000000000000", 404, "finding_not_found");
    }
}
