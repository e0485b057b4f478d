using Twin.Grains.Ledger;

namespace Twin.Silo.Soc;

/// <summary>
/// How a sink stands. <paramref name="Lag"/>: entries not yet delivered, at most <see cref="SocDispatcher.MaxLag"/>.
/// <paramref name="LastError"/>: empty when the last delivery went well.
/// </summary>
internal sealed record SinkStatus(string Name, long Cursor, int Lag, long Delivered, long Unreadable, string LastError,
    int Failures);

/// <summary>
/// Brings one sink what stands in the ledger after the sink's cursor, in order. The ledger and the cursor are the
/// outbox: the cursor moves when the receiver has taken a batch, so that after a crash the last batch may come twice
/// and none is lost. Each sink has its own dispatcher; one that is down makes no other wait, nor the engine.
/// </summary>
internal sealed class SocDispatcher(string name, ISocSink sink, ILedgerSource ledger, TimeProvider clock,
    ulong jitterSeed)
{
    /// <summary>Entries of one batch; more wait for the next.</summary>
    public const int MaxBatch = 200;

    /// <summary>Lag is counted up to here.</summary>
    public const int MaxLag = 10_000;

    /// <summary>How often a ledger that had nothing is looked at again.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Backoff _backoff = new(jitterSeed);
    private readonly Lock _gate = new();
    private long _delivered, _unreadable;

    public string Name => name;

    /// <summary>The name under which the ledger keeps how far a sink has come.</summary>
    public static string ReaderOf(string sink) => "sink/" + sink;

    /// <summary>Called after each failure and after the first success behind one.</summary>
    public Action<SinkStatus>? Changed { get; init; }

    public SinkStatus Status()
    {
        var cursor = ledger.Cursor(ReaderOf(name));
        var lag = ledger.Entries(cursor, MaxLag).Count;
        lock (_gate)
            return new SinkStatus(name, cursor, lag, _delivered, _unreadable, _backoff.LastError, _backoff.Failures);
    }

    /// <summary>
    /// Delivers one batch. True: there may be more. False: nothing was there.
    /// </summary>
    /// <exception cref="SinkException">Not taken; the cursor is where it was.</exception>
    public async Task<bool> Step(CancellationToken cancel)
    {
        var reader = ReaderOf(name);
        var entries = ledger.Entries(ledger.Cursor(reader), MaxBatch);
        if (entries.Count == 0) return false;
        var events = new List<SocEvent>(entries.Count);
        var unreadable = 0;
        foreach (var entry in entries)
        {
            try
            {
                if (SocEvent.Of(entry) is { } e) events.Add(e);
            }
            catch (InvalidDataException)
            {
                // 'verify' names it; what stands behind it must not wait for ever.
                unreadable++;
            }
        }
        if (events.Count > 0) await sink.Deliver(events, cancel);
        ledger.SetCursor(reader, entries[^1].Number, reset: false);
        lock (_gate)
        {
            _delivered += events.Count;
            _unreadable += unreadable;
        }
        return true;
    }

    /// <summary>Delivers until it is cancelled; ends normally then.</summary>
    public Task Run(CancellationToken cancel) => _backoff.Repeat(Step, static e => e is SinkException
        or Twin.Grains.StorageUnavailableException or IOException or InvalidDataException,
        () => Changed?.Invoke(Status()), Look, clock, cancel);
}
