using System.Diagnostics;
using System.Globalization;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Emulator;
using Twin.Silo.Embedded;

namespace Twin.Silo.Bench;

/// <summary>Reads over HTTP while readings come in: p99 of a twin, of ten years at 1,200 columns, of a twin in the past.</summary>
internal static class Reads
{
    /// <summary>Twins in the fleet; of <see cref="OldMeters"/> ten years are stored.</summary>
    private const int Twins = 100_000, OldMeters = 20, Years = 10;

    private const int Requests = 300, PerSecond = 50, ReadingsPerSecond = 20_000;
    private const int FirstDay = 14_305;

    public static async Task Run(string path, BenchRun bench, CancellationToken cancel)
    {
        bench.Say("reads: loading");
        var options = new EmbeddedOptions { DataPath = path, SnapshotOnClose = false };
        await using var fleet = EmbeddedFleet.Open(options, new TwinFactory(), null);
        var old = Enumerable.Range(0, OldMeters).Select(IngestBench.Meter).ToArray();
        await IngestBench.Register(fleet, old);
        await IngestBench.Load(fleet, old, 0, Years * 365);
        var meters = Enumerable.Range(0, Twins).Select(IngestBench.Meter).ToArray();
        await IngestBench.Register(fleet, meters[OldMeters..]);
        await using var app = await ApiHost.Start(fleet, 0, ServiceMode.Replay, cancel);
        using var client = new HttpClient { BaseAddress = new Uri(ApiHost.Address(app)) };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var feeding = Task.Run(() => Feed(fleet, meters, stop.Token), cancel);
        var past = UnixTime.FromMinutes((FirstDay + Years * 180L) * 1440).ToString();
        var to = UnixTime.FromMinutes((FirstDay + Years * 365L) * 1440).ToString();
        var from = UnixTime.FromMinutes(FirstDay * 1440L).ToString();
        var scale = string.Create(CultureInfo.InvariantCulture, $"{Twins:n0} twins, {ReadingsPerSecond:n0} readings/s in, {PerSecond} requests/s, {Requests} requests");
        bench.Say("reads: twin");
        bench.AtMost("GET of a twin, p99", "ms", 5, await P99(client, i => $"/api/v1/meters/{meters[i * 331 % Twins]}", cancel), scale);
        bench.Say("reads: series");
        bench.AtMost("GET of a 10-year series at 1,200 columns, p99", "ms", 50,
            await P99(client, i => $"/api/v1/meters/{old[i % OldMeters]}/series?from={from}&to={to}&columns=1200", cancel), scale);
        bench.Say("reads: past");
        bench.AtMost("GET of a twin five years ago, p99", "ms", 300, await P99(client, i => $"/api/v1/meters/{old[i % OldMeters]}?at={past}", cancel), scale);
        await stop.CancelAsync();
        await feeding;
        await app.StopAsync(cancel);
    }

    private static async Task<double> P99(HttpClient client, Func<int, string> url, CancellationToken cancel)
    {
        for (var i = 0; i < 20; i++) (await client.GetAsync(url(i), cancel)).EnsureSuccessStatusCode();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / PerSecond));
        var times = new List<double>();
        var running = new List<Task>();
        for (var i = 0; i < Requests; i++)
        {
            await timer.WaitForNextTickAsync(cancel);
            running.Add(One(url(i)));
        }
        await Task.WhenAll(running);
        times.Sort();
        return times[(int)(times.Count * 0.99)];

        async Task One(string address)
        {
            var watch = Stopwatch.StartNew();
            using var response = await client.GetAsync(address, cancel);
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsByteArrayAsync(cancel);
            lock (times) times.Add(watch.Elapsed.TotalMilliseconds);
        }
    }

    /// <summary>Half hours of the current day, meter by meter, at a steady rate.</summary>
    private static async Task Feed(IFleet fleet, MeterId[] meters, CancellationToken cancel)
    {
        const int perBatch = ReadingsPerSecond / 10;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var raw = new ByteWriter(64);
        long next = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
            {
                var batch = new InputBatch("bench");
                for (var i = 0; i < perBatch; i++, next++)
                {
                    raw.Clear();
                    var minute = (FirstDay + Years * 365L) * 1440 + next / meters.Length * 30;
                    ReadingBlock.WriteRaw(raw, meters[next % meters.Length], Channel.Import, 30, minute, [(int)(next % 500)], [], 0);
                    batch.Add(raw.Written);
                }
                await fleet.Append(batch, CancellationToken.None);
            }
        }
        catch (OperationCanceledException)
        {
            // The measurements are done.
        }
    }
}
