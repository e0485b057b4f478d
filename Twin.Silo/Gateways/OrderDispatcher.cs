using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Silo.Gateways;

/// <summary>
/// Reads orders from the ledger and gives them to a gateway, in order, each at least once: the cursor moves on after
/// outcomes are durable. What the gateway says comes back as inputs.
/// </summary>
public sealed class OrderDispatcher(ILedgerSource ledger, IFleet fleet, IResponseGateway gateway)
{
    /// <summary>Under which name the ledger keeps how far it has come.</summary>
    public const string Cursor = "gateway";

    /// <summary>Source of the outcomes.</summary>
    public const string Source = "gateway";

    /// <summary>Entries read at once.</summary>
    private const int Page = 1_000;

    /// <summary>Entries in one step; what is beyond waits for the next.</summary>
    private const int MaxEntries = 200_000;

    private long _cursor = -1;

    /// <summary>Orders given since the start, those given again included, and outcomes that came back.</summary>
    public long Given { get; private set; }
    public long Outcomes { get; private set; }

    /// <summary>Why the gateway took nothing last; null when it did.</summary>
    public string? Trouble { get; private set; }

    /// <summary>
    /// Gives all orders that wait, then takes what came back. A gateway that takes nothing now stops this step at the
    /// order, which is given again with the next.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Outcomes are not durable: they come again.</exception>
    public async Task Step(CancellationToken cancel)
    {
        if (_cursor < 0) _cursor = ledger.Cursor(Cursor);
        Trouble = null;
        for (var read = 0; read < MaxEntries && Trouble is null; read += Page)
        {
            var entries = ledger.Entries(_cursor, Page);
            if (entries.Count == 0) break;
            await Give(entries, cancel);
        }
        await Append(await gateway.Take(cancel), cancel);
    }

    private async Task Give(IReadOnlyList<StoredEntry> entries, CancellationToken cancel)
    {
        var outcomes = new List<ResponseOutcome>();
        var reached = _cursor;
        foreach (var entry in entries)
        {
            if (entry.Entry.Kind == LedgerKind.Order)
            {
                try
                {
                    outcomes.Add(await gateway.Give(ResponseRecord.Read(entry.Entry.Body), cancel));
                    Given++;
                }
                catch (GatewayUnavailableException e)
                {
                    Trouble = e.Message;
                    break;
                }
            }
            reached = entry.Number;
        }
        await Append(outcomes, cancel);
        if (reached == _cursor) return;
        ledger.SetCursor(Cursor, reached, reset: false);
        _cursor = reached;
    }

    private async Task Append(IReadOnlyList<ResponseOutcome> outcomes, CancellationToken cancel)
    {
        if (outcomes.Count == 0) return;
        var batch = new InputBatch(Source);
        foreach (var outcome in outcomes)
        {
            if (batch.IsFull)
            {
                await fleet.Append(batch, cancel);
                batch = new InputBatch(Source);
            }
            batch.Add(outcome);
        }
        await fleet.Append(batch, cancel);
        Outcomes += outcomes.Count;
    }
}
