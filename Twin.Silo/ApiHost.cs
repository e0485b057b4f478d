using System.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Twin.Api;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Ingest.Dlms;
using Twin.Ingest.Readers;
using Twin.Silo.Commands;
using Twin.Silo.Embedded;
using Twin.Silo.Jobs;
using Twin.Silo.WhatIf;

namespace Twin.Silo;

/// <summary>The HTTP API around a fleet: loopback only, structured logs on stderr.</summary>
internal static class ApiHost
{
    /// <summary>How far ahead of the host's clock the clock of a source may be.</summary>
    private static readonly TimeSpan MaxAhead = TimeSpan.FromDays(1);

    /// <param name="fleet">Serves the requests; stays the caller's.</param>
    /// <param name="port">Port on the loopback address; 0 for any free one.</param>
    /// <param name="mode">Where the data come from.</param>
    /// <param name="cancel">Gives up the start.</param>
    /// <param name="clock">
    /// Observations over <see cref="MaxAhead"/> ahead of it are rejected; null where event time outruns every clock,
    /// as in the demo.
    /// </param>
    /// <param name="now">Time that acts bear; null: <paramref name="clock"/>.</param>
    /// <param name="replies">Reads what a head-end replies; null: orders go to none.</param>
    /// <param name="identify">Finds who asks; null: keys, sessions, and what the entrance lets in.</param>
    /// <param name="frames">Opens frames that come over HTTP; null: without keys.</param>
    /// <param name="replayFolder">Recordings that jobs may replay; null: none.</param>
    /// <param name="entrance">How it is reached; null: on the loopback address.</param>
    /// <param name="tour">What it has to show; null: nothing.</param>
    /// <param name="metrics">More figures; null: none.</param>
    public static async Task<WebApplication> Start(IFleet fleet, int port, ServiceMode mode,
        CancellationToken cancel, TimeProvider? clock = null, ReplyReader? replies = null,
        Func<UnixTime>? now = null, Identify? identify = null,
        string? replayFolder = null, FrameSettings? frames = null, Entrance? entrance = null,
        Func<CancellationToken, ValueTask<IReadOnlyList<TourStep>>>? tour = null,
        Func<IReadOnlyList<Metric>>? metrics = null)
    {
        // Who asks must not wait while the whole heap is looked through; who replays (see Cli) wants it done sooner.
        GCSettings.LatencyMode = GCLatencyMode.Interactive;
        var door = entrance ?? Entrance.Loopback;
        var builder = Builder(door, port);
        builder.Services.AddSingleton<IFleet>(new Borrowed(fleet));
        var announced = new AnnouncedMeters();
        var scratch = fleet is EmbeddedFleet own ? new Scratch(own.Folder) : null;
        builder.Services.AddTwinApi(new ApiOptions
        {
            NewReader = batch => Reader(new ObservationBatch(batch, announced, Latest(clock))),
            NewSink = batch => new ObservationBatch(batch, announced, Latest(clock)),
            ReadReply = replies,
            TryProposal = async (act, cancel) =>
            {
                var run = await DryRun.Of(fleet, act, cancel);
                return new DryRunAnswer(run.Response, run.Persons, run.Guards);
            },
            VerdictOn = fleet is EmbeddedFleet embedded ? f => embedded.VerdictOn(f)?.Said : null,
            Latest = () => Latest(clock),
            Frames = frames ?? new FrameSettings(FrameIntake.Keyless, null, null),
            MakeJob = scratch is null ? null : new FleetJobs((EmbeddedFleet)fleet, scratch).Make,
            NewUpload = scratch is null ? null : scratch.New,
            ReplayFolder = replayFolder,
            Identify = identify,
            ReadToken = door.ReadToken,
            ReadCertificate = door.ReadCertificate,
            IsTls = door.IsTls,
            AllowedHosts = door.Hosts,
            Tour = tour,
            MoreMetrics = metrics ?? (static () => []),
            Now = now ?? (() => new UnixTime((clock ?? TimeProvider.System).GetUtcNow().ToUnixTimeSeconds())),
            Edition = Edition.Name,
            Mode = mode,
        });
        var app = builder.Build();
        app.MapTwinApi();
        try
        {
            await app.StartAsync(cancel);
        }
        catch (IOException e)
        {
            throw new IOException($"The API cannot listen on {door.Address}:{port} ({e.Message}). Use another --port, "
                + "or 0 for any free one.", e);
        }
        return app;
    }

    private static WebApplicationBuilder Builder(Entrance door, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => door.Listen(k, port));
        builder.Logging.ClearProviders();
        builder.Logging.AddJsonConsole(o => o.UseUtcTimestamp = true);
        builder.Logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o =>
            o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        return builder;
    }

    private static UnixTime? Latest(TimeProvider? clock) =>
        clock is null ? null : new UnixTime((clock.GetUtcNow() + MaxAhead).ToUnixTimeSeconds());

    private static ObservationReader Reader(ObservationBatch lines) =>
        new((ReadOnlySpan<byte> line, out string error) =>
    {
        error = lines.Add(line)?.ToString() ?? "";
        return error.Length == 0;
    }, lines.Committed);

    public static string Address(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>The web server disposes its services; the fleet is ours to dispose.</summary>
    private sealed class Borrowed(IFleet fleet) : IFleet
    {
        public FleetStatus Status => fleet.Status;
        public ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel) =>
            fleet.Append(batch, cancel);
        public ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel) =>
            fleet.State(key, asOf, cancel);
        public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit,
            CancellationToken cancel) => fleet.Keys(kind, after, limit, cancel);
        public ILedgerSource Ledger => fleet.Ledger;
        public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
            fleet.Findings(query, cancel);
        public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
            DayVisitor visit, CancellationToken cancel) =>
            fleet.Series(meter, channel, fromDay, toDay, knownAt, visit, cancel);
        public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
            UnixTime? knownAt, CancellationToken cancel) =>
            fleet.Publications(from, fromDay, toDay, knownAt, cancel);
        public ValueTask<string> StateHash(CancellationToken cancel) => fleet.StateHash(cancel);
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
