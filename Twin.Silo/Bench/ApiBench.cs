using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Emulator;
using Twin.Silo.Embedded;

namespace Twin.Silo.Bench;

/// <summary>
/// The HTTP service under load, over loopback: readings come in as lines of JSON, and questions of every kind are
/// asked at a steady rate whether or not earlier ones have been answered.
/// </summary>
internal sealed class ApiBench(BenchRun bench, int twins, CancellationToken cancel)
{
    /// <summary>Most twins, and those of them of which ten years are stored.</summary>
    private const int MaxTwins = 100_000, OldMeters = 20, Years = 10;

    private const int Requests = 3_000, PerSecond = 50, WarmUp = 100, ReadingsPerSecond = 20_000;
    private const int Slots = 48, Columns = 1_200;

    /// <summary>One meter in so many has an open cover, and so a case.</summary>
    private const int MetersPerCase = 50;

    private sealed record Kind(string Name, double BudgetMs, int PerTwenty, Func<int, string> Url);

    /// <summary>As <c>metertwin generate --meters 20 --years 10</c> writes them.</summary>
    private readonly World _world = new(new WorldOptions { Meters = OldMeters, Start = new DateOnly(2015, 1, 5) }
        .OverYears(Years));

    private readonly int _twins = Math.Min(twins, MaxTwins);

    private UnixTime Begin => Midnight(0);
    private UnixTime End => Midnight(_world.Options.Days);

    private static UnixTime Midnight(DateOnly day) =>
        new((day.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber) * 86_400L);

    private UnixTime Midnight(int day) => Midnight(_world.Options.Start.AddDays(day));

    public async Task Run(string path)
    {
        bench.Say("api: loading");
        await using var fleet = EmbeddedFleet.Open(BenchRun.Options(path), new TwinFactory(), null);
        var feed = new WorldFeed(_world, "bench");
        await fleet.Append(feed.Fleet(), cancel);
        for (var day = 0; day < _world.Options.Days; day++) await fleet.Append(feed.Day(day), cancel);
        // The other twins come when the years are over: each closing goes to all that there are.
        var meters = Enumerable.Range(0, _twins - _world.Fleet.Count).Select(IngestBench.Meter).ToArray();
        await IngestBench.Register(fleet, meters);
        await OpenCases(fleet, meters);
        await using var app = await ApiHost.Start(fleet, 0, ServiceMode.Replay, cancel);
        using var client = new HttpClient { BaseAddress = new Uri(ApiHost.Address(app)) };
        var kinds = Kinds(meters);
        // The index is made when it is first asked for, and once per process.
        await client.GetByteArrayAsync("/api/v1/fleet", cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var feeding = Task.Run(() => Feed(client, stop.Token), cancel);
        bench.Say("api: requests");
        var times = await Ask(client, kinds);
        await stop.CancelAsync();
        var rate = await feeding;
        var scale = string.Create(CultureInfo.InvariantCulture, $"{_twins:n0} twins, {OldMeters} of them with {Years} "
            + $"years of half-hours, {rate:n0} readings/s in over HTTP, {PerSecond} requests/s, {Requests} requests");
        foreach (var kind in kinds)
        {
            var sorted = times[kind.Name];
            sorted.Sort();
            bench.AtMost($"GET {kind.Name}, p99", "ms", kind.BudgetMs, sorted[(int)(sorted.Count * 0.99)],
                string.Create(CultureInfo.InvariantCulture, $"{scale}; p50 {sorted[sorted.Count / 2]:0.0} ms, "
                    + $"{sorted.Count} of them"));
        }
        await app.StopAsync(cancel);
    }

    private Kind[] Kinds(MeterId[] meters)
    {
        // Each kind has its turn every twentieth time: the quotient makes it meet all of them.
        string Old(int i) => $"/api/v1/meters/{_world.Fleet[(i + i / 20) % OldMeters].Meter}";
        var (from, middle, to) = (Begin, Midnight(_world.Options.Days / 2), End);
        return
        [
            new("a twin", 5, 9, i => $"/api/v1/meters/{meters[i * 331 % meters.Length]}"),
            new("a 10-year series at 1,200 columns", 50, 3,
                i => $"{Old(i)}/series?from={from}&to={to}&columns={Columns}"),
            new("a 10-year series, a new look for the ledger", 50, 1,
                i => $"{Old(i)}/series?from={from}&to={to}&columns={Columns}&purpose=case-{i}"),
            new("a 10-year series with its expected band", 50, 1,
                i => $"{Old(i)}/series?from={from}&to={to}&columns={Columns}&band=true"),
            new("a twin five years ago", 300, 1, i => $"{Old(i)}?at={middle}"),
            new("a twin as it was known five years ago", 300, 1, i => $"{Old(i)}?known_at={middle}"),
            new("a filtered page of cases", 50, 2, i => $"/api/v1/cases?desk=security&limit=50&severity=low"),
            new("a filtered page of meters", 50, 1, i => $"/api/v1/meters?feeder=F{i}&sort=score&limit=50"),
            new("the heat strip of the feeders", 300, 1, _ => "/api/v1/fleet/heat?days=30"),
        ];
    }

    private async Task OpenCases(IFleet fleet, MeterId[] meters)
    {
        var batch = new InputBatch("bench");
        var at = End;
        for (var m = 0; m < meters.Length; m += MetersPerCase)
            batch.Add(new DeviceEvent(meters[m], at, "idis", "44", ""));
        await fleet.Append(batch, cancel);
        var sweep = new InputBatch("bench");
        sweep.Add(new Sweep(at));
        await fleet.Append(sweep, cancel);
    }

    /// <summary>Kinds in turn, each so often in twenty; the first ones warm up.</summary>
    private async Task<Dictionary<string, List<double>>> Ask(HttpClient client, Kind[] kinds)
    {
        Kind[] turns = [.. kinds.SelectMany(k => Enumerable.Range(0, k.PerTwenty)
            .Select(i => (Kind: k, Place: (i + 0.5) / k.PerTwenty))).OrderBy(t => t.Place).Select(t => t.Kind)];
        var times = kinds.ToDictionary(k => k.Name, _ => new List<double>());
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / PerSecond));
        var running = new List<Task>();
        for (var i = 0; i < WarmUp + Requests; i++)
        {
            await timer.WaitForNextTickAsync(cancel);
            running.Add(One(turns[i % turns.Length], i));
        }
        await Task.WhenAll(running);
        return times;

        async Task One(Kind kind, int i)
        {
            var watch = Stopwatch.StartNew();
            using var response = await client.GetAsync(kind.Url(i), HttpCompletionOption.ResponseHeadersRead, cancel);
            // Not kept: large answers in the same process would be garbage that the service has to collect.
            await response.Content.CopyToAsync(Stream.Null, cancel);
            response.EnsureSuccessStatusCode();
            if (i < WarmUp) return;
            lock (times) times[kind.Name].Add(watch.Elapsed.TotalMilliseconds);
        }
    }

    /// <summary>Days of meters, one a line, ten requests a second; returns the readings a second that were taken.
    /// </summary>
    private async Task<double> Feed(HttpClient client, CancellationToken until)
    {
        const int perRequest = ReadingsPerSecond / 10 / Slots;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var watch = Stopwatch.StartNew();
        long sent = 0;
        try
        {
            for (; await timer.WaitForNextTickAsync(until); sent += perRequest)
            {
                var lines = new StringBuilder();
                for (var i = 0; i < perRequest; i++) AddLine(lines, sent + i);
                using var body = new StringContent(lines.ToString());
                body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
                using var answer = await client.PostAsync("/api/v1/observations", body, until);
                answer.EnsureSuccessStatusCode();
            }
        }
        catch (OperationCanceledException)
        {
            // The measurements are done.
        }
        return sent * Slots / watch.Elapsed.TotalSeconds;
    }

    private void AddLine(StringBuilder to, long n)
    {
        var others = _twins - _world.Fleet.Count;
        var start = Midnight(_world.Options.Days + (int)(n / others));
        to.Append(CultureInfo.InvariantCulture, $"{{\"meter\":\"bench-{n % others}\",\"start\":\"{start}\",")
            .Append("\"interval_minutes\":30,\"values\":[");
        for (var s = 0; s < Slots; s++)
            to.Append(s == 0 ? "" : ",").Append((100 + n * 7 + s * 13) % 500);
        to.Append("]}\n");
    }
}
