using System.Diagnostics;
using System.Globalization;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Emulator;
using Twin.Silo.Embedded;

namespace Twin.Silo.Bench;

/// <summary>
/// Reads over HTTP while readings come in: p99 of a twin, of ten years at 1,200 columns, of a twin in the past.
/// </summary>
internal static class Reads
{
    /// <summary>Twins in the fleet; of <see cref="OldMeters"/> ten years are stored.</summary>
    private const int Twins = 100_000, OldMeters = 20, Years = 10;

    private const int Requests = 500, PerSecond = 50, ReadingsPerSecond = 20_000;
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
        var scale = string.Create(CultureInfo.InvariantCulture,
            $"{Twins:n0} twins, {ReadingsPerSecond:n0} readings/s in, {PerSecond} requests/s: 7 twins, 2 series, 1 "
                + $"past of 10; {Requests} requests");
        bench.Say("reads: requests");
        var times = await Mix(client, (kind, i) => kind switch
        {
            Kind.Twin => $"/api/v1/meters/{meters[i * 331 % Twins]}",
            Kind.Series => $"/api/v1/meters/{old[i % OldMeters]}/series?from={from}&to={to}&columns=1200",
            _ => $"/api/v1/meters/{old[i % OldMeters]}?at={past}",
        }, cancel);
        bench.AtMost("GET of a twin, p99", "ms", 5, P99(times[Kind.Twin]), scale);
        bench.AtMost("GET of a 10-year series at 1,200 columns, p99", "ms", 50, P99(times[Kind.Series]), scale);
        bench.AtMost("GET of a twin five years ago, p99", "ms", 300, P99(times[Kind.Past]), scale);
        await stop.CancelAsync();
        await feeding;
        await app.StopAsync(cancel);
    }

    private enum Kind { Twin, Series, Past }

    private static Kind KindOf(int request) =>
        (request % 10) switch { 3 or 8 => Kind.Series, 5 => Kind.Past, _ => Kind.Twin };

    private static double P99(List<double> times)
    {
        times.Sort();
        return times[(int)(times.Count * 0.99)];
    }

    /// <summary>
    /// Requests at a steady rate whether or not earlier ones have been answered; the first few warm up.
    /// </summary>
    private static async Task<Dictionary<Kind, List<double>>> Mix(HttpClient client, Func<Kind, int, string> url,
        CancellationToken cancel)
    {
        const int warmUp = 50;
        var times = Enum.GetValues<Kind>().ToDictionary(k => k, _ => new List<double>());
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / PerSecond));
        var running = new List<Task>();
        for (var i = 0; i < warmUp + Requests; i++)
        {
            await timer.WaitForNextTickAsync(cancel);
            running.Add(One(i));
        }
        await Task.WhenAll(running);
        return times;

        async Task One(int i)
        {
            var watch = Stopwatch.StartNew();
            using var response = await client.GetAsync(url(KindOf(i), i / 10), cancel);
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsByteArrayAsync(cancel);
            if (i < warmUp) return;
            lock (times) times[KindOf(i)].Add(watch.Elapsed.TotalMilliseconds);
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
                    ReadingBlock.WriteRaw(raw, meters[next % meters.Length], Channel.Import, 30, minute,
                        [(int)(next % 500)], [], 0);
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
