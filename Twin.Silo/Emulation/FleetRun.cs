using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Wire;
using Twin.Ingest.Dlms;
using Twin.Ingest.Readers;
using Twin.Silo.Gateways;

namespace Twin.Silo.Emulation;

/// <summary>
/// Counts of a run: frames that came in and were refused, inputs appended, and those that the fleet refused; readings
/// and quotes that it took.
/// </summary>
public sealed record FleetRunTotals(long Frames, long RejectedFrames, long Items, long RejectedItems, long Readings,
    long Duplicates, long Quotes);

/// <summary>
/// Joins an emulated fleet to the twins: what its head-end receives goes through the frame intake like frames of real
/// meters, what its utility knows comes as inputs of the registry, all in order of arrival into one
/// <see cref="IFleet"/>. Nothing else of the emulated world reaches the twins. With responses the circle is closed:
/// what the ledger orders is done in the emulation before it goes on, and commands wait for their order.
/// </summary>
public sealed class FleetRun
{
    public const string Source = "emulated";

    /// <summary>Reasons of refused frames and items that are kept for a person; later ones are counted.</summary>
    public const int MaxReasons = 20;

    /// <summary>So often the twins are asked what is to be done, and the emulation waits for them.</summary>
    private const int ResponseMinutes = 15;

    private readonly IFleet _fleet;
    private readonly FrameIntake _intake;
    private readonly AnnouncedMeters _announced = new();
    private readonly Dictionary<string, FrameChannel> _channels = [];
    private InputBatch _batch = new(Source), _other = new(Source);
    private ValueTask<AppendReceipt>? _underWay;
    private readonly List<string> _reasons = [];
    private ObservationBatch? _sink, _otherSink;
    private readonly OrderDispatcher _orders;
    private bool _isRegistered;

    public FleetRun(EmulatedFleet emulated, IFleet fleet)
    {
        (Emulated, _fleet) = (emulated, fleet);
        Gateway = new EmulatedGateway(emulated);
        _orders = new OrderDispatcher(fleet.Ledger, fleet, Gateway);
        (emulated.SweepMinutes, emulated.HeadEnd.IsGated) = (ResponseMinutes, true);
        _intake = new FrameIntake(emulated.HeadEnd.Keys, emulated.Meters.Select(m => m.Id).ToHashSet(),
            emulated.HeadEnd.Keys.ToSealKeys());
    }

    public EmulatedFleet Emulated { get; }

    /// <summary>Does in the emulated fleet what is ordered.</summary>
    public EmulatedGateway Gateway { get; }
    public FleetRunTotals Totals { get; private set; } = new(0, 0, 0, 0, 0, 0, 0);

    /// <summary>Why frames and items were refused: the first of each, at most <see cref="MaxReasons"/>.</summary>
    public IReadOnlyList<string> Reasons => _reasons;

    /// <summary>Appends the registry, if that was not done, and then all that arrives up to a time.</summary>
    public async Task Until(UnixTime to, CancellationToken cancel)
    {
        if (!_isRegistered) await Register(cancel);
        var stride = 60 * Math.Max(ResponseMinutes, Emulated.Plan.Options.IntervalMinutes);
        while (Emulated.Now.Seconds < Math.Min(to.Seconds, Emulated.Plan.End.Seconds))
        {
            var before = Emulated.Now;
            var items = Emulated.Step(new UnixTime(Math.Min(to.Seconds, before.Seconds + stride)));
            if (Emulated.Now.Seconds == before.Seconds) break;
            foreach (var item in items)
            {
                if (_batch.IsFull) await Hand(cancel);
                if (item.Frame is { } frame) Take(frame);
                else _batch.Add(item.Input);
            }
            await Hand(cancel);
            await Settle();
            await _orders.Step(cancel);
        }
        await Commit(cancel);
    }

    /// <summary>All days from where the fleet stands, a day at a time.</summary>
    public async Task Days(int days, CancellationToken cancel)
    {
        for (var d = 0; d < days; d++)
            await Until(new UnixTime(Emulated.Now.Seconds + 86_400), cancel);
    }

    /// <summary>Declares that nothing more comes: the last days close.</summary>
    public async Task End(CancellationToken cancel)
    {
        _batch.Add(new SourceEnded(Source));
        await Commit(cancel);
    }

    /// <summary>Any input that does not come from the fleet: what a script has the registry say.</summary>
    public async Task Append(Input input, CancellationToken cancel)
    {
        if (!_isRegistered) await Register(cancel);
        _batch.Add(input);
        await Commit(cancel);
    }

    /// <summary>The same, as the journal encodes it: readings are no <see cref="Input"/>.</summary>
    public async Task Append(byte[] input, CancellationToken cancel)
    {
        if (!_isRegistered) await Register(cancel);
        _batch.Add(input);
        await Commit(cancel);
    }

    /// <summary>Many of them at once.</summary>
    public async Task Append(IReadOnlyList<byte[]> inputs, CancellationToken cancel)
    {
        if (!_isRegistered) await Register(cancel);
        foreach (var input in inputs)
        {
            if (_batch.IsFull) await Commit(cancel);
            _batch.Add(input);
        }
        await Commit(cancel);
    }

    private async Task Register(CancellationToken cancel)
    {
        _isRegistered = true;
        foreach (var input in Emulated.Registry())
        {
            if (_batch.IsFull) await Commit(cancel);
            _batch.Add(input);
        }
        await Commit(cancel);
    }

    private void Take(Delivery frame)
    {
        _sink ??= new ObservationBatch(_batch, _announced);
        if (!_channels.TryGetValue(frame.Concentrator, out var channel))
            _channels[frame.Concentrator] = channel = new FrameChannel(frame.Concentrator, null, null);
        var result = _intake.Take(channel, LinkKind.Wrapper, frame.Bytes, frame.ReceivedAt, _sink);
        if (!result.IsValid) Note($"frame by {frame.Concentrator} at {frame.ReceivedAt}: {result.Reason}");
        Totals = Totals with
        {
            Frames = Totals.Frames + 1,
            RejectedFrames = Totals.RejectedFrames + (result.IsValid ? 0 : 1),
        };
    }

    /// <summary>Hands what was collected over, and has it durable.</summary>
    private async Task Commit(CancellationToken cancel)
    {
        await Hand(cancel);
        await Settle();
    }

    /// <summary>Hands what was collected over; the batch before it is durable then.</summary>
    private async Task Hand(CancellationToken cancel)
    {
        await Settle();
        if (_batch.Count == 0) return;
        (_batch, _other, _sink, _otherSink) = (_other, _batch, null, _sink);
        _underWay = _fleet.Append(_other, cancel);
    }

    private async Task Settle()
    {
        if (_underWay is not { } underWay) return;
        _underWay = null;
        var receipt = await underWay;
        var totals = receipt.Totals();
        long quotes = 0;
        for (var i = 0; i < receipt.Items.Length; i++)
        {
            var (status, kind) = (receipt.Items[i].Status, Envelope.Read(_other[i]).Kind);
            if (status == AdmissionStatus.Rejected) Note($"{kind}: {receipt.Items[i].Reason}");
            else if (status == AdmissionStatus.Accepted && kind == InputKind.AttestationQuote) quotes++;
        }
        Totals = Totals with
        {
            Items = Totals.Items + _other.Count,
            RejectedItems = Totals.RejectedItems + totals.RejectedItems,
            Readings = Totals.Readings + totals.Readings,
            Duplicates = Totals.Duplicates + totals.Duplicates,
            Quotes = Totals.Quotes + quotes,
        };
        _otherSink?.Committed();
        _other.Clear();
    }

    private void Note(string reason)
    {
        if (_reasons.Count < MaxReasons) _reasons.Add(reason);
    }
}
