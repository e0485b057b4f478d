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

    /// <summary>Wait after the first failure; it doubles up to the longest.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromMinutes(1);

    private readonly Hardware.SplitMix64 _jitter = new(jitterSeed);
    private readonly Lock _gate = new();
    private long _delivered, _unreadable;
    private string _lastError = "";
    private int _failures;

    public string Name => name;

    /// <summary>The name under which the ledger keeps how far a sink has come.</summary>
    public static string ReaderOf(string sink) => "sink/" + sink;

    /// <summary>Called after each failure and after the first success behind one.</summary>
    public Action<SinkStatus>? Changed { get; init; }

    public SinkStatus Status()
    {
        var cursor = ledger.Cursor(ReaderOf(name));
        var lag = ledger.Entries(cursor, MaxLag).Count;
        lock (_gate) return new SinkStatus(name, cursor, lag, _delivered, _unreadable, _lastError, _failures);
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
    public async Task Run(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var wait = Look;
                try
                {
                    var more = await Step(cancel);
                    if (Recovered()) Changed?.Invoke(Status());
                    if (more) continue;
                }
                catch (Exception e) when (e is SinkException or Twin.Grains.StorageUnavailableException or IOException
                    or InvalidDataException)
                {
                    wait = Failed(e.Message);
                    Changed?.Invoke(Status());
                }
                await Task.Delay(wait, clock, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The host stops; the cursor says where to go on.
        }
    }

    private bool Recovered()
    {
        lock (_gate)
        {
            if (_failures == 0) return false;
            (_failures, _lastError) = (0, "");
            return true;
        }
    }

    /// <summary>Half of the wait is by chance, so that many senders do not come back at once.</summary>
    private TimeSpan Failed(string error)
    {
        lock (_gate)
        {
            _lastError = error;
            var whole = FirstWait * (1 << Math.Min(_failures, 6));
            _failures++;
            if (whole > LongestWait) whole = LongestWait;
            return whole / 2 + whole / 2 * _jitter.NextDouble();
        }
    }
}
