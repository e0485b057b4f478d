using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api.Tests;

public class MetersTests
{
    [Theory]
    [InlineData(0, 7)]
    [InlineData(7, 7)]
    [InlineData(20, 7)]
    [InlineData(21, 7)]
    [InlineData(1203, 1000)]
    public async Task PagesHoldEveryMeterExactlyOnceInIdOrder(int meters, int limit)
    {
        await using var service = await Service.Start();
        var expected = Enumerable.Range(0, meters).Select(i => service.Fleet.AddMeter($"m{i}").ToString())
            .Order(StringComparer.Ordinal).ToArray();
        var seen = new List<string>();
        for (var next = $"/api/v1/meters?limit={limit}"; next is not null;)
        {
            var page = await service.Get(next);
            var ids = page["meters"]!.AsArray().Select(m => (string)m!["id"]!).ToArray();
            Assert.True(ids.Length <= limit);
            seen.AddRange(ids);
            next = (string?)page["next"];
            if (next is not null) Assert.Equal(limit, ids.Length);
        }
        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task NameFilterFindsPartsInAnyCaseOverAllPages()
    {
        await using var service = await Service.Start();
        for (var i = 0; i < 1500; i++) service.Fleet.AddMeter($"{(i % 3 == 0 ? "Home" : "shop")}-{i}");
        var names = new List<string>();
        for (var next = "/api/v1/meters?limit=90&name=hOmE"; next is not null;)
        {
            var page = await service.Get(next);
            names.AddRange(page["meters"]!.AsArray().Select(m => (string)m!["name"]!));
            next = (string?)page["next"];
        }
        Assert.Equal(500, names.Count);
        Assert.Equal(500, names.Distinct().Count());
        Assert.All(names, n => Assert.StartsWith("Home-", n));
    }

    [Fact]
    public async Task MeterIsFoundByIdAndByUtilityIdAndAsOfATime()
    {
        await using var service = await Service.Start();
        var id = service.Fleet.AddMeter("Main Street 1");
        var byId = await service.Get($"/api/v1/meters/{id}");
        var byName = await service.Get("/api/v1/meters/Main%20Street%201");
        Assert.Equal(byId.ToJsonString(), byName.ToJsonString());
        Assert.Equal(id.ToString(), (string?)byId["id"]);
        Assert.Equal("Main Street 1", (string?)byId["name"]);
        Assert.Null(byId["at"]);
        Assert.Equal(id.ToString(), (string?)byId["twin"]!["id"]);

        var past = await service.Get($"/api/v1/meters/{id}?at=2020-06-01T02:00:00%2B02:00");
        Assert.Equal("2020-06-01T00:00:00Z", (string?)past["at"]);
        var then = new UnixTime(1_590_969_600);
        Assert.Equal(new AsOf(then, null), service.Fleet.LastAsOf);
        var known = await service.Get($"/api/v1/meters/{id}?known_at=2020-06-01");
        Assert.Equal("2020-06-01T00:00:00Z", (string?)known["known_at"]);
        Assert.Equal(new AsOf(null, then), service.Fleet.LastAsOf);
        await service.AssertProblem($"/api/v1/meters/{id}?at=1999-01-01", 404, "meter_not_found");
    }

    [Fact]
    public async Task AUtilityIdOfSixteenDigitsIsFoundAlthoughItLooksLikeAMeterId()
    {
        await using var service = await Service.Start();
        var id = service.Fleet.AddMeter("1234567890123456");
        Assert.Equal(id.ToString(), (string?)(await service.Get("/api/v1/meters/1234567890123456"))["id"]);
        Assert.Empty((await service.Get("/api/v1/findings?subject=1234567890123456"))["findings"]!.AsArray());
        Assert.Equal(id.Twin, service.Fleet.LastQuery!.Subject);
    }

    [Theory]
    [InlineData("/api/v1/meters?limit=0", "bad_limit")]
    [InlineData("/api/v1/meters?limit=1001", "bad_limit")]
    [InlineData("/api/v1/meters?limit=ten", "bad_limit")]
    [InlineData("/api/v1/meters?limit=99999999999999999999", "bad_limit")]
    [InlineData("/api/v1/meters?cursor=nonsense", "bad_cursor")]
    [InlineData("/api/v1/meters?cursor=%00", "bad_cursor")]
    [InlineData("/api/v1/meters?cursor=bTEuMDAwMDAwMDAwMDAwMDAwMA", "bad_cursor")]
    [InlineData("/api/v1/meters?name=", "bad_name")]
    [InlineData("/api/v1/meters?nmae=x", "unknown_parameter")]
    [InlineData("/api/v1/meters?limit=1&limit=2", "repeated_parameter")]
    [InlineData("/api/v1/meters/m1?at=yesterday", "bad_at")]
    [InlineData("/api/v1/meters/m1?at=2020-01-01T00:00:00", "bad_at")]
    [InlineData("/api/v1/meters/m1?at=01/02/2020", "bad_at")]
    [InlineData("/api/v1/meters/m1?at=2020-01-01T00:00:00+02:00", "bad_at")]
    [InlineData("/api/v1/meters/%20", "bad_id")]
    public async Task AWrongParameterIsNamed(string path, string code)
    {
        await using var service = await Service.Start();
        service.Fleet.AddMeter("m1");
        await service.AssertProblem(path, 400, code);
    }

    [Fact]
    public async Task UnknownMeterIs404AndLongInputIsNotEchoed()
    {
        await using var service = await Service.Start();
        await service.AssertProblem("/api/v1/meters/nobody", 404, "meter_not_found");
        await service.AssertProblem("/api/v1/meters/0000000000000000", 404, "meter_not_found");
        var problem = await service.AssertProblem($"/api/v1/meters/{new string('x', 5000)}", 400, "bad_id");
        Assert.DoesNotContain("xxx", problem.ToJsonString());
        Assert.True(MeterId.FromUtilityId("nobody").IsMapped);
    }
}
