using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Policies;

/// <summary>
/// A fleet with a gateway that does every order at once, and with a policy put in force before the first input, or
/// before the first sweep at a time.
/// </summary>
internal sealed class AnsweringFleet(IFleet inner) : IFleet
{
    private long _read;
    private bool _isInForce;

    /// <summary>Null: that which ships.</summary>
    public string? Policy { get; init; }

    public UnixTime? Since { get; init; }

    /// <summary>False: orders are never heard of again.</summary>
    public bool Answers { get; init; } = true;

    /// <summary>All that was appended, in the parts in which it was; null: not kept.</summary>
    public List<InputBatch>? Tape { get; init; }

    /// <summary>
    /// Names of the orders whose outcomes come by themselves, from a tape. Only those do; null: whatever comes.
    /// </summary>
    public IReadOnlySet<string>? Recorded { get; init; }

    /// <summary>Which order an outcome speaks of: the newest of its number.</summary>
    private readonly Dictionary<(TwinKey, int, bool), string> _orders = [];

    /// <summary>What makes an order the same in two lives.</summary>
    public static string NameOf(ResponseRecord order) => $"{order.IdempotencyKey} {order.Rung} {order.OrderedAt}";

    /// <summary>All orders of a ledger.</summary>
    public static IEnumerable<ResponseRecord> Orders(ILedgerSource ledger, long after)
    {
        for (; ledger.Entries(after, 1_000) is { Count: > 0 } page; after = page[^1].Number)
        {
            foreach (var entry in page.Where(e => e.Entry.Kind == LedgerKind.Order))
            {
                var bytes = new ByteReader(entry.Entry.Body);
                yield return ResponseRecord.Read(ref bytes);
            }
        }
    }

    private bool Fits(ReadOnlySpan<byte> input) => Recorded is null
        || Envelope.Read(input).Kind != InputKind.ResponseOutcome || Input.Read(input) is ResponseOutcome o
            && _orders.TryGetValue((o.Case, o.Response, o.IsUndo), out var order) && Recorded.Contains(order);

    /// <summary>The last sweep that was taken.</summary>
    public UnixTime LastSweep { get; private set; }

    /// <summary>A batch in parts: each sweep alone, so that what it orders is answered before anything else.</summary>
    public async ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel)
    {
        var items = new List<Admission>();
        var part = new InputBatch(batch.Source);
        long position = 0;
        if (Since is null) await Activate(default);
        for (var i = 0; i < batch.Count; i++)
        {
            UnixTime? sweep = Envelope.Read(batch[i]).Kind == InputKind.Sweep ? ((Sweep)Input.Read(batch[i])).At : null;
            if (sweep is not null) await Send();
            if (sweep is { } time && Since is { } since && time.Seconds >= since.Seconds) await Activate(time);
            if (Fits(batch[i])) part.Add(batch[i]);
            else items.Add(Admission.Reject("its order was never given"));
            if (sweep is not { } at) continue;
            await Send();
            if (items[^1].Status == AdmissionStatus.Accepted) LastSweep = at;
        }
        await Send();
        return new AppendReceipt([.. items], position);

        async Task Send()
        {
            if (part.Count == 0) return;
            var receipt = await inner.Append(part, cancel);
            items.AddRange(receipt.Items);
            Tape?.Add(part);
            (position, part) = (receipt.Position, new InputBatch(batch.Source));
            await Answer();
        }
    }

    private async Task Activate(UnixTime at)
    {
        if (Policy is null || _isInForce) return;
        _isInForce = true;
        var receipt = await inner.Send(Feed.Batch("acts", new PolicyActivation(at, new Actor("Eva", "key e"), Policy)));
        Assert.Equal(AdmissionStatus.Accepted, receipt.Items[0].Status);
    }

    private async Task Answer()
    {
        if (!Answers) return;
        var outcomes = new InputBatch("gateway");
        foreach (var order in Orders(inner.Ledger, _read))
        {
            var name = _orders[(order.Case, order.Number, order.IsUndo)] = NameOf(order);
            if (Recorded is null || !Recorded.Contains(name))
                outcomes.Add(new ResponseOutcome(order.Case, order.OrderedAt, order.Number, order.IsUndo,
                    ResponseResult.Done, "test", ""));
        }
        _read = inner.Ledger.End.Number;
        if (outcomes.Count > 0) await inner.Send(outcomes);
    }

    public ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel) =>
        inner.State(key, asOf, cancel);

    public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel) =>
        inner.Keys(kind, after, limit, cancel);

    public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
        inner.Findings(query, cancel);

    public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
        DayVisitor visit, CancellationToken cancel) => inner.Series(meter, channel, fromDay, toDay, knownAt, visit,
        cancel);

    public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
        UnixTime? knownAt, CancellationToken cancel) => inner.Publications(from, fromDay, toDay, knownAt, cancel);

    public ValueTask<string> StateHash(CancellationToken cancel) => inner.StateHash(cancel);
    public ILedgerSource Ledger => inner.Ledger;
    public FleetStatus Status => inner.Status;
    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
