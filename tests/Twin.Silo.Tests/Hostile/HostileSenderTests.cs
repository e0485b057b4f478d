using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;

namespace Twin.Silo.Tests.Hostile;

/// <summary>What a sloppy or hostile sender posts to a running service.</summary>
public sealed class HostileSenderTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private readonly TestDirectory _directory = new();
    private EmbeddedFleet _fleet = null!;
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }

    public Task InitializeAsync() => Start();

    private async Task Start()
    {
        var options = new EmbeddedOptions { DataPath = _directory.Sub("data"), HorizonDays = 0, Shards = 2 };
        _fleet = EmbeddedFleet.Open(options, new TwinFactory(), null);
        _app = await ApiHost.Start(_fleet, 0, ServiceMode.Live, CancellationToken.None, new Clock());
        _client = new HttpClient { BaseAddress = new Uri(ApiHost.Address(_app)) };
    }

    private async Task Stop()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _fleet.DisposeAsync();
    }

    public async Task DisposeAsync()
    {
        await Stop();
        _directory.Dispose();
    }

    private async Task<(string Status, string Reason)[]> Post(params string[] lines)
    {
        using var body = new StringContent(string.Join('\n', lines), Encoding.UTF8);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        using var answer = await _client.PostAsync(new Uri("/api/v1/observations", UriKind.Relative), body);
        var text = await answer.Content.ReadAsStringAsync();
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Line)];
    }

    private static (string, string) Line(string text)
    {
        using var json = JsonDocument.Parse(text);
        return (json.RootElement.GetProperty("status").GetString()!,
            json.RootElement.GetProperty("reason").GetString() ?? "");
    }

    private async Task<string> Statuses(params string[] lines) =>
        string.Join(' ', (await Post(lines)).Select(r => r.Status));

    private static string Reading(string meter, string start) =>
        $$"""{"meter":"{{meter}}","start":"{{start}}","interval_minutes":30,"import_wh":5}""";

    private static string Day(string meter, string date, int interval, int value)
    {
        var values = string.Join(',', Enumerable.Repeat(value, 1440 / interval));
        var head = $"\"meter\":\"{meter}\",\"start\":\"{date}T00:00:00Z\",\"interval_minutes\":{interval}";
        return $"{{{head},\"values\":[{values}]}}";
    }

    private async Task<MeterView> View(string meter)
    {
        var key = MeterId.FromUtilityId(meter).Twin;
        return MeterView.From(key, (await _fleet.State(key, null, CancellationToken.None))!);
    }

    [Theory]
    [InlineData("""{"meter":"F","start":"2199-01-01T00:00:00Z","interval_minutes":30,"import_wh":5}""")]
    [InlineData("""{"meter":"F","start":"2026-11-23T11:45:00Z","interval_minutes":15,"values":[1,2]}""")]
    [InlineData("""{"meter":"F","at":"2026-11-23T12:00:01Z","code":"x"}""")]
    [InlineData("""{"meter":"F","at":"2199-01-01T00:00:00Z","register_wh":5}""")]
    public async Task What_lies_over_a_day_ahead_of_the_clock_is_rejected_and_closes_no_day(string line)
    {
        Assert.Equal("accepted accepted", await Statuses(Reading("A", "2026-11-22T11:00:00Z"),
            Reading("B", "2026-11-23T11:30:00Z")));
        var closed = _fleet.Status.ClosedThroughDay;
        var refused = Assert.Single(await Post(line));
        Assert.Equal("rejected", refused.Status);
        Assert.Contains("more than a day ahead of the service's clock", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(closed, _fleet.Status.ClosedThroughDay);
        Assert.Null(await _fleet.State(MeterId.FromUtilityId("F").Twin, null, CancellationToken.None));
    }

    /// <summary>The id that the API shows is no second name: it must not take the meter from its own sender.</summary>
    [Fact]
    public async Task A_meter_may_be_called_by_its_id_without_losing_its_name()
    {
        Assert.Equal("accepted", await Statuses(Reading("A", "2026-11-22T00:00:00Z")));
        await Stop();
        await Start();
        var id = MeterId.FromUtilityId("A").ToString();
        Assert.Equal("accepted accepted accepted", await Statuses(Reading(id, "2026-11-22T00:30:00Z"),
            Reading("A", "2026-11-22T01:00:00Z"), Reading(id.ToUpperInvariant(), "2026-11-22T01:30:00Z")));
        var view = await View("A");
        Assert.Equal(("A", 4), (view.Name, view.Channels[0].Stored));
    }

    [Fact]
    public async Task Sixteen_zeros_are_a_name_and_not_everyone() =>
        Assert.Equal("accepted", await Statuses(Reading("0000000000000000", "2026-11-22T00:30:00Z")));

    [Fact]
    public async Task An_offset_that_no_zone_has_is_rejected_whole()
    {
        Assert.Equal("rejected accepted", await Statuses(Reading("A", "2026-11-22T00:00:00+14:30"),
            Reading("B", "2026-11-22T00:00:00+14:00")));
        Assert.Null(await _fleet.State(MeterId.FromUtilityId("A").Twin, null, CancellationToken.None));
    }

    [Fact]
    public async Task A_fact_told_twice_in_one_request_counts_once()
    {
        const string x = """{"meter":"E","at":"2026-11-22T00:00:00Z","code":"x"}""";
        const string y = """{"meter":"E","at":"2026-11-22T00:00:00Z","code":"y"}""";
        Assert.Equal("accepted accepted duplicate duplicate duplicate", await Statuses(x, y, x, y, x));
        Assert.Equal("duplicate", await Statuses(x));
        Assert.Equal([1, 1], (await View("E")).EventCounts.Select(c => c.Count));
    }

    private async Task CloseThrough15November()
    {
        await Statuses(Day("I", "2026-11-14", 15, 1), Day("J", "2026-11-14", 15, 1));
        await Statuses(Day("J", "2026-11-18", 15, 1));
    }

    [Fact]
    public async Task A_late_day_told_twice_in_one_request_counts_once()
    {
        await CloseThrough15November();
        var late = Day("I", "2026-11-05", 30, 7);
        Assert.Equal("accepted duplicate", await Statuses(late, late));
        var import = (await View("I")).Channels[0];
        Assert.Equal((96 + 48, 96 + 48 * 7, 48), (import.Stored, (int)import.Sum, import.Late));
    }

    [Fact]
    public async Task A_closed_day_keeps_its_interval_length_whatever_the_meter_has_now()
    {
        await CloseThrough15November();
        Assert.Equal("accepted", await Statuses(Day("I", "2026-11-05", 30, 7)));
        var other = Assert.Single(await Post(Day("I", "2026-11-05", 60, 100)));
        Assert.Contains("30 minutes; send one interval length a day", other.Reason, StringComparison.Ordinal);
        Assert.Equal("rejected", await Statuses(Day("I", "2026-11-05", 15, 1)));
        Assert.Equal("accepted rejected", await Statuses(Day("I", "2026-11-06", 30, 7), Day("I", "2026-11-06", 60, 9)));
        Assert.Equal(Enumerable.Repeat(7, 96), await Values("I", "2026-11-05", "2026-11-06"));
    }

    private async Task<List<int>> Values(string meter, string from, string to)
    {
        static int Number(string date) => DateOnly.ParseExact(date, "yyyy-MM-dd").DayNumber
            - new DateOnly(1970, 1, 1).DayNumber;
        var values = new List<int>();
        await _fleet.Series(MeterId.FromUtilityId(meter), Channel.Import, Number(from), Number(to),
            (_, _, slots, _) => values.AddRange(slots), CancellationToken.None);
        return values;
    }

    /// <summary>When every source is idle no day closes; the engine goes on.</summary>
    [Fact]
    public async Task Silence_of_all_sources_stops_nothing()
    {
        Assert.Equal("accepted", await Statuses(Reading("A", "2026-11-20T00:00:00Z")));
        for (var i = 0; i <= Watermark.IdleTicks; i++)
        {
            var batch = new InputBatch("host");
            batch.Add(new Tick(new UnixTime(Now.ToUnixTimeSeconds() + i)));
            var receipt = await _fleet.Append(batch, CancellationToken.None);
            Assert.Equal(AdmissionStatus.Accepted, receipt.Items[0].Status);
        }
        Assert.Equal("accepted", await Statuses(Reading("A", "2026-11-22T00:00:00Z")));
    }
}
