using System.Net;
using System.Text;
using Twin.Hardware;

namespace Twin.Api.Tests;

/// <summary>What of load curves is shown is in the ledger: that, and nothing else, however it was asked for.</summary>
public sealed class LookTests : IAsyncLifetime
{
    private const string OneDay = "from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z";
    private static readonly Actor s_root = new("root", "test");

    private Service _service = null!;
    private string _ana = "", _rita = "";

    public async Task InitializeAsync()
    {
        _service = await Service.Start(keys: true);
        var fleet = _service.Fleet;
        for (var i = 1; i <= 3; i++)
        {
            fleet.AddMeter($"M{i}");
            fleet.Feed(new MeterRelation(MeterId.FromUtilityId($"M{i}"), $"M{i}", MeterRole.Customer, "F1", "ZX", "1.0",
                "L1", "", "", "", "UTC", "", "R1", CustomerCategory.Ordinary, int.MinValue, int.MaxValue));
        }
        _ana = await Add("Ana", []);
        _rita = await Add("Rita", ["R2"]);
        fleet.Noted.Clear();
    }

    public async Task DisposeAsync() => await _service.DisposeAsync();

    private async Task<string> Add(string name, string[] regions)
    {
        var at = new UnixTime(Service.Now.Seconds - 86_400);
        var (text, made) = ApiKey.Make(at, s_root, name, null, "");
        await _service.Fleet.Access(
            [new HolderSet(at, s_root, name, false, Role.Analyst, regions, false, false, ""), made]);
        return text;
    }

    private async Task<HttpResponseMessage> Ask(string key, string path, string? site = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1" + path);
        request.Headers.Authorization = new("Bearer", key);
        if (site is not null) request.Headers.Add("Sec-Fetch-Site", site);
        return await _service.Client.SendAsync(request);
    }

    [Theory]
    [InlineData("/meters/M1/series?purpose=x&columns=24&", 1)]
    [InlineData("/meters/%20M1%20/series?purpose=x&columns=24&", 1)]
    [InlineData("/export/series?meter=M1&purpose=x&", 1)]
    [InlineData("/export/series?meter=%20M1&purpose=x&", 1)]
    [InlineData("/export/series?feeder=F1&purpose=x&", 3)]
    [InlineData("/export/series?feeder=%20F1%20&purpose=x&", 3)]
    public async Task What_is_shown_is_noted_with_its_range_and_its_meters(string path, long meters)
    {
        using var answer = await Ask(_ana, path + OneDay);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var noted = Assert.Single(_service.Fleet.Noted);
        Assert.Equal(("Ana", "x", meters), (noted.By.Person, noted.Purpose, noted.Count));
        Assert.Equal(("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"), (noted.From.ToString(), noted.To.ToString()));
        Assert.Equal(meters == 3 ? TwinKey.Named(TwinKind.Feeder, "F1") : MeterId.FromUtilityId("M1").Twin,
            noted.Subject);
    }

    [Fact]
    public async Task A_range_that_was_not_given_is_noted_as_it_was_shown()
    {
        _service.Fleet.Status = _service.Fleet.Status with { Watermark = new UnixTime(Service.Now.Seconds) };
        using var answer = await Ask(_ana, "/meters/M1/series?purpose=x");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var noted = Assert.Single(_service.Fleet.Noted);
        Assert.Equal((Service.Now.Seconds - 7 * 86_400, Service.Now.Seconds), (noted.From.Seconds, noted.To.Seconds));
    }

    [Fact]
    public async Task Who_looks_closer_looks_once_and_who_looks_further_looks_again()
    {
        async Task<int> Look(string query)
        {
            using var answer = await Ask(_ana, "/meters/M1/series?columns=10&purpose=x&" + query);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return _service.Fleet.Noted.Count;
        }
        Assert.Equal(1, await Look(OneDay));
        Assert.Equal(1, await Look("from=2026-01-05T06:00:00Z&to=2026-01-05T09:00:00Z"));
        Assert.Equal(2, await Look("from=1990-01-01T00:00:00Z&to=2026-01-06T00:00:00Z"));
        Assert.Equal(2, await Look(OneDay));
    }

    [Fact]
    public async Task What_is_refused_is_no_look()
    {
        foreach (var (key, path, status, code) in ((string, string, int, string)[])
        [
            (_ana, "/export/series?purpose=everything&" + OneDay, 400, "meter_or_feeder"),
            (_ana, "/meters/M1/series?" + OneDay, 400, "purpose_required"),
            (_ana, "/meters/M9/series?purpose=x&" + OneDay, 404, "meter_not_found"),
            (_ana, "/export/series?meter=M1&format=xls&purpose=x&" + OneDay, 400, "bad_format"),
            (_rita, "/meters/M1/series?purpose=x&" + OneDay, 404, "meter_not_found"),
            (_rita, "/export/series?feeder=F1&purpose=x&" + OneDay, 404, "feeder_not_found"),
        ])
        {
            using var answer = await Ask(key, path);
            await Service.AssertProblem(answer, status, code);
        }
        using var forged = await Ask(_ana, "/meters/M1/series?purpose=x&" + OneDay, "same-site");
        await Service.AssertProblem(forged, 403, "cross_site_refused");
        Assert.Empty(_service.Fleet.Noted);
    }

    [Fact]
    public async Task The_plain_page_and_a_meters_measures_stay_in_the_callers_regions()
    {
        using var page = await Ask(_rita, "/../../plain");
        var text = await page.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.DoesNotContain("M1", text, StringComparison.Ordinal);
        using var own = await Ask(_ana, "/../../plain");
        Assert.Contains("M1", await own.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var measures = await Ask(_rita, "/meters/M1/measures");
        await Service.AssertProblem(measures, 404, "meter_not_found");
    }

    [Fact]
    public async Task A_packed_sign_in_is_not_unpacked()
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes("{}"));
        content.Headers.ContentType = new("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        using var answer = await _service.Client.PostAsync("/api/v1/session", content);
        await Service.AssertProblem(answer, 415, "unsupported_media_type");
    }
}
