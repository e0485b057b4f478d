using Twin.Api;
using Twin.Grains;
using Twin.Ingest.Mirror;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Mirror;

/// <summary>The mirror of a service: trouble is said once, and once that it is over.</summary>
internal sealed class MirrorService : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly IMirrorStore _store;
    private readonly JournalMirror _mirror;
    private readonly Task _running;

    private MirrorService(MirrorSource source, IMirrorStore store, TimeProvider clock, Action<string> message)
    {
        _store = store;
        _mirror = new JournalMirror(source, store, clock, unchecked((ulong)clock.GetTimestamp()))
        {
            Changed = s =>
            {
                if (s.Failures == 1) message($"{s.LastError} What is to be mirrored waits in the journal.");
                if (s.Failures == 0) message($"mirror {s.Name}: takes again, {s.Lag} positions behind.");
            },
        };
        _running = Task.Run(() => _mirror.Run(_stop.Token));
    }

    /// <param name="settings">Where to.</param>
    /// <param name="fleet">The engine; it must have its journal in this process.</param>
    /// <param name="clock">Of the waits.</param>
    /// <param name="message">Takes what a person should know.</param>
    /// <exception cref="SettingException">The settings are wrong.</exception>
    public static MirrorService Start(Settings settings, IFleet fleet, TimeProvider clock, Action<string> message) =>
        new(Source(fleet), Store(settings), clock, message);

    /// <exception cref="SettingException">The engine keeps its journal elsewhere.</exception>
    public static MirrorSource Source(IFleet fleet) => fleet is EmbeddedFleet embedded
        ? new MirrorSource(fleet, embedded.Journal, new TwinFactory())
        : throw new SettingException("--mirror reads the journal of the embedded engine, which this is not. Leave it "
            + "out.");

    /// <summary>The server that the settings name.</summary>
    /// <exception cref="SettingException">They name none, or its secret cannot be used.</exception>
    public static IMirrorStore Store(Settings settings)
    {
        if (settings.Mirror is not { } url)
            throw new SettingException("No mirror is set. Name the address of its server by --mirror.");
        var secret = settings.MirrorTokenFile is { } file
            ? PrivateFile.Read("--mirror-token-file", file, "a token").Trim() : null;
        if (secret is not null && (secret.Length == 0 || secret.Any(c => char.IsControl(c) || c > 126)))
            throw new SettingException($"--mirror-token-file: {settings.MirrorTokenFile} must hold one line of ASCII.");
        try
        {
            return Edition.Mirrors[settings.MirrorKind](new MirrorTarget(new Uri(url), settings.MirrorBucket, secret));
        }
        catch (FormatException e)
        {
            throw new SettingException($"--mirror-kind {settings.MirrorKind}: {e.Message}.");
        }
    }

    public string Describe() => $"{_store.Name}, {_mirror.Status().Lag} positions behind";

    public IReadOnlyList<Metric> Metrics()
    {
        var s = _mirror.Status();
        return
        [
            new("mirror_up", "gauge", "1 when the mirror's server took or had nothing to take at the last try.",
                s.Failures == 0 ? 1 : 0),
            new("mirror_position", "gauge", "Position of the journal up to which the mirror has readings.", s.Position),
            new("mirror_lag_positions", "gauge", "Positions of the journal that the mirror has not yet.", s.Lag),
            new("mirror_points_total", "counter", "Points sent to the mirror, those sent again included.", s.Points),
            new("mirror_batches_total", "counter", "Batches that the mirror took.", s.Batches),
            new("mirror_retries_total", "counter", "Tries of the mirror that failed and are made again.", s.Retries),
            new("mirror_left_out_total", "counter", "Points of instants that the mirror cannot hold.", s.LeftOut),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _store.Dispose();
        _stop.Dispose();
    }
}
