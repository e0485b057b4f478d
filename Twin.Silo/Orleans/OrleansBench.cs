using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using Orleans.Hosting;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Bench;
using Twin.Silo.Embedded;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>
/// The Orleans engine beside the embedded one in the same run: daily blocks of 48 through one silo and through two, a
/// twin's read, memory a twin. Silos share this process and machine, so two are no faster for want of cores.
/// </summary>
internal static class OrleansBench
{
    private const int Days = 8, FillDays = 5;
    private const int SiloPort = 11_311, GatewayPort = 30_311;

    public static async Task Run(BenchRun bench, string folder, string database, int twins, CancellationToken cancel)
    {
        var meters = Enumerable.Range(0, twins).Select(IngestBench.Meter).ToArray();
        var scale = string.Create(CultureInfo.InvariantCulture,
            $"{twins:n0} meters x {Days} days of 48, the last {Days - FillDays}, each with a closing");
        bench.Say("embedded engine, for comparison");
        await using (var fleet = EmbeddedFleet.Open(BenchRun.Options(folder), new TwinFactory(), null))
        {
            bench.Tell("embedded: journalled and judged", "readings/s", await Load(fleet, meters, cancel), scale);
            bench.Tell("embedded: read of a twin, p99", "ms", await Read(fleet, meters, cancel), scale);
        }
        await Cluster(bench, 1, database, meters, scale, cancel);
        await Cluster(bench, 2, database, meters, scale, cancel);
    }

    private static async Task Cluster(BenchRun bench, int count, string database, MeterId[] meters, string scale,
        CancellationToken cancel)
    {
        var name = count == 1 ? "orleans, one silo" : $"orleans, {count} silos";
        bench.Say(name);
        Empty(database);
        var options = new EngineOptions { Database = database };
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var silos = new List<IHost>();
        try
        {
            for (var i = 0; i < count; i++) silos.Add(await StartSilo(options, i, cancel));
            using var journal = new PostgresJournal(database);
            await using var fleet = await OrleansFleet.Open(silos[0].Services.GetRequiredService<IGrainFactory>(),
                journal, new TwinFactory(), TimeProvider.System, cancel);
            while (fleet.Status.Shards < count)
            {
                bench.Say("waiting for the silos to find each other");
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancel);
                await fleet.Look(cancel);
            }
            bench.Tell($"{name}: journalled and judged", "readings/s", await Load(fleet, meters, cancel), scale);
            bench.Tell($"{name}: read of a twin, p99", "ms", await Read(fleet, meters, cancel), scale);
            if (count > 1) return;
            var heap = GC.GetTotalMemory(forceFullCollection: true) - before;
            bench.Tell($"{name}: memory of one meter twin", "bytes", (double)heap / meters.Length,
                scale + ", grain, share of feeder and cohort, tables of sequencer and silo");
        }
        finally
        {
            foreach (var silo in Enumerable.Reverse(silos))
            {
                await silo.StopAsync(CancellationToken.None);
                silo.Dispose();
            }
        }
    }

    private static async Task<IHost> StartSilo(EngineOptions options, int index, CancellationToken cancel)
    {
        var host = Host.CreateApplicationBuilder();
        host.Logging.ClearProviders();
        host.UseOrleans(silo => silo
            .UseLocalhostClustering(SiloPort + index, GatewayPort + index,
                index == 0 ? null : new IPEndPoint(IPAddress.Loopback, SiloPort))
            .AddMeterTwin(options, new TwinFactory()));
        var built = host.Build();
        await built.StartAsync(cancel);
        return built;
    }

    private static void Empty(string database)
    {
        using var connection = new NpgsqlConnection(database);
        connection.Open();
        using var drop = new NpgsqlCommand("DROP SCHEMA IF EXISTS metertwin CASCADE", connection);
        drop.ExecuteNonQuery();
    }

    private static async Task<double> Load(IFleet fleet, MeterId[] meters, CancellationToken cancel)
    {
        await IngestBench.Register(fleet, meters);
        var (readings, seconds) = (0L, 0.0);
        for (var day = 0; day < Days; day++)
        {
            cancel.ThrowIfCancellationRequested();
            var part = await IngestBench.Load(fleet, meters, day, day + 1);
            if (day >= FillDays) (readings, seconds) = (readings + part.Readings, seconds + part.Seconds);
        }
        return readings / seconds;
    }

    /// <summary>Reads of the twin itself, one after another, in milliseconds.</summary>
    private static async Task<double> Read(IFleet fleet, MeterId[] meters, CancellationToken cancel)
    {
        const int warmUp = 100, reads = 1000;
        var times = new List<double>(reads);
        for (var i = 0; i < warmUp + reads; i++)
        {
            var start = Stopwatch.GetTimestamp();
            if (await fleet.State(meters[(int)(i * 7919L % meters.Length)].Twin, null, cancel) is null)
                throw new InvalidOperationException("A twin that reported is not there.");
            if (i >= warmUp) times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        times.Sort();
        return times[(int)(reads * 0.99)];
    }
}
