using Twin.Detection;
using Twin.Detection.Specification;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>
/// The twin of one meter. Its days are open (readings are held and compared in memory) or closed (folded, learned from
/// and judged; readings only in the history). DESIGN, invariant 4.
///
/// Invariant: while a day is open, the state is a function of the set of readings, not of their order. So a day folds
/// when it closes and not before, however complete it looks: a revision may still come (docs/adr/0002).
/// </summary>
public sealed partial class MeterTwin : ReportingTwin
{
    /// <summary>
    /// Most open days a channel; readings of a further day are rejected until the horizon closes some.
    /// </summary>
    public const int MaxOpenDays = 64;

    /// <summary>
    /// Readings further ahead of all that is known of the meter are rejected: a clock that is wrong by decades.
    /// Recordings with holes of years are honest, and a meter whose first stamp lies far back is told right by what
    /// follows: the rule holds from <see cref="EnoughToJudgeClock"/> stored readings on.
    /// </summary>
    public const int MaxDaysAhead = 3_660;

    /// <summary>Stored readings from which on <see cref="MaxDaysAhead"/> holds.</summary>
    public const int EnoughToJudgeClock = 1_000;

    /// <summary>
    /// Days without any reading that are folded in a row, so that missing-data rules see them. At the bound the meter
    /// counts as silent: further empty days are skipped until readings return.
    /// </summary>
    public const int MaxSilentDays = 40;

    private const int NoDay = int.MinValue;

    /// <summary>Days that inputs may name: about ±950 years around 1970.</summary>
    internal const int MaxDayNumber = 350_000;

    private string _name = "";
    private ZoneRules _zone = ZoneRules.Utc;
    private string _lastTop = "";
    private byte[]? _supply;
    private ReadingModel? _model;
    private MeterLog? _log;
    private MeterSecurity? _security;
    private ChannelState[]? _others;
    private OpenDays _open;
    private Relations _relations;
    private Contexts _contexts;
    private ChannelState _import = ChannelState.Of(Channel.Import);
    private double _lastScore;
    private int _lastScoreDay = NoDay;
    private int _closedThrough = NoDay;

    /// <summary>The last folded day on which the meter told of export.</summary>
    private int _exportDay = NoDay;
    private byte _silentDays;

    /// <summary>
    /// Features of the day that is closing, until feeder and cohort have answered; null between closings.
    /// </summary>
    private byte[]? _closing;

    private byte _zoneRank;

    public MeterTwin(ulong id) : base(id) { }

    internal MeterId Meter => new(Id);
    internal string Name => KnownName() is { Length: > 0 } name ? name : Meter.ToString();

    /// <summary>
    /// The utility's name, empty when nobody told it. A name that a relation row holds is not kept twice.
    /// </summary>
    private string KnownName() => _name.Length > 0 ? _name : _relations.Name();

    /// <exception cref="InvalidDataException">Damaged, or a kind no meter knows.</exception>
    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        try
        {
            Dispatch(input, outbox);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"An input of meter {Name} is damaged: {e.Message}", e);
        }
    }

    private void Dispatch(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        if (Envelope.Read(input).Kind == InputKind.ReadingBlock)
        {
            ApplyReadings(ReadingBlock.Read(input));
            if (_security is { IsRetired: true }) HearReadings(ReadingBlock.Read(input).EndMinute, outbox);
            return;
        }
        switch (Input.Read(input))
        {
            case DayClosed closed: CloseDay(closed.Day, outbox); break;
            case MeterSeen seen: ApplySeen(seen); break;
            case MeterRelation relation: ApplyRelation(relation); break;
            case SupplyRecord supply:
                ApplySupply(supply, input);
                _security?.SupplyChanged(SceneOf(outbox));
                break;
            case ContextPeriod period: ApplyContext(period); break;
            case DeviceEvent e:
                (_log ??= new MeterLog()).Add(e);
                ApplySecurity(e, outbox);
                break;
            case RegisterSnapshot s:
                (_log ??= new MeterLog()).Add(s);
                _security?.Judge(SceneOf(outbox), s);
                break;
            case Verdict verdict: Apply(verdict); break;
            case ModelOpinion opinion: Apply(opinion); break;
            case Erasure erasure: Erase(erasure.BeforeDay); break;
            case Sweep sweep: _security?.Sweep(SceneOf(outbox), Moment.Of(sweep.At)); break;
            case CustomerStatus status: Apply(status); break;
            case CommandRequest request: Keep(request); break;
            case var other when IsSecurity(other.Kind): ApplySecurity(other, outbox); break;
            case var other: throw new InvalidDataException($"Meter {Name} cannot apply an input of kind {other.Kind}.");
        }
    }

    private void ApplySeen(MeterSeen seen)
    {
        if (seen.Name.Length > 0) _name = seen.Name == _relations.Name() ? "" : seen.Name;
        DeclareZone(seen.Zone, seen.ZoneRank);
    }

    private void ApplyRelation(MeterRelation relation)
    {
        var name = KnownName();
        DeclareZone(relation.Zone, FleetZoneRank);
        _relations.Add(relation);
        _name = name == _relations.Name() ? "" : name;
    }

    private void ApplySupply(SupplyRecord supply, ReadOnlySpan<byte> input)
    {
        if (KnownName().Length == 0) _name = supply.Name;
        _supply = Envelope.Payload(input).ToArray();
    }

    private void ApplyContext(ContextPeriod period)
    {
        _contexts.Add(period);
        ForgetOldContext();
    }

    private void ForgetOldContext()
    {
        if (_closedThrough != NoDay) _contexts.DropEndedBy(_zone.Day(_closedThrough).StartMinute * 60);
    }

    /// <summary>The rank of a fleet file's zone column; see <see cref="MeterSeen.ZoneRank"/>.</summary>
    private const byte FleetZoneRank = 2;

    /// <summary>
    /// A higher rank wins. At equal rank the later word wins, except a row's own offset, which changes with the clock
    /// and would make the zone depend on the order of rows.
    /// </summary>
    private bool WouldChangeZone(string zone, byte rank) => zone.Length > 0
        && (rank > _zoneRank || (rank == _zoneRank && rank >= FleetZoneRank && zone != _zone.Name));

    private void DeclareZone(string zone, byte rank)
    {
        if (!WouldChangeZone(zone, rank)) return;
        if (!ZoneRules.TryGet(zone, out var rules))
            throw new InvalidDataException(
                $"Meter {Name} is put into zone {zone}, which TZDB {ZoneRules.TzdbVersion} does not know.");
        (_zone, _zoneRank) = (rules, rank);
    }

    /// <summary>
    /// Forgets readings before a day. Lifetime sums cannot be split without the history, so counters, sums and
    /// registers begin anew with the days that stay open; when nothing stays, the profile goes too. Name, relations
    /// and device events are no readings.
    /// </summary>
    private void Erase(int beforeDay)
    {
        var everything = true;
        for (var at = 0; at < _open.Used;)
        {
            if (_open[at].Day.Number < beforeDay)
            {
                _open.Remove(at);
                continue;
            }
            everything = false;
            at = _open.Next(at);
        }
        everything &= LastMinute() <= DayOrBound(beforeDay).StartMinute;
        _import = ChannelState.Of(Channel.Import);
        _others = null;
        if (_log is not null) (_log.Registers, _log.SumCheck) = ([], null);
        if (_opinion is { } said && said.Day < beforeDay) _opinion = null;
        if (_lastScoreDay < beforeDay) (_lastScoreDay, _lastScore, _lastTop) = (NoDay, 0, "");
        for (var at = 0; at < _open.Used; at = _open.Next(at)) CountAnew(at);
        if (!everything) return;
        _model = null;
        _silentDays = 0;
    }

    private LocalDay DayOrBound(int day) => _zone.Day(Math.Clamp(day, -MaxDayNumber, MaxDayNumber));

    private void CountAnew(int at)
    {
        var head = _open[at];
        var stored = Scratch.Mine.Stored;
        stored.Load(head, _open.Readings(at));
        ref var channel = ref ChannelOf(head.Channel);
        var (count, sum) = (0, 0L);
        for (var i = 0; i < stored.Values.Length; i++)
        {
            if (stored.Values[i] == ReadingBlock.Missing) continue;
            var start = head.Day.StartMinute + (long)i * head.IntervalMinutes;
            channel.Cover(start, start + head.IntervalMinutes, head.IntervalMinutes);
            (count, sum) = (count + 1, sum + stored.Values[i]);
        }
        channel.Count(count, sum, head.IntervalMinutes);
    }

    /// <summary>End of the last reading of any channel; <c>long.MinValue</c> when there is none.</summary>
    private long LastMinute()
    {
        var last = _import.Stored > 0 ? _import.LastMinute : long.MinValue;
        foreach (ref readonly var c in _others.AsSpan())
            if (c.Stored > 0) last = Math.Max(last, c.LastMinute);
        return last;
    }

    private ref ChannelState ChannelOf(Channel channel)
    {
        if (channel == Channel.Import) return ref _import;
        var i = _others is null ? -1 : Array.FindIndex(_others, c => c.Channel == channel);
        if (i >= 0) return ref _others![i];
        ChannelState[] others = [.. _others ?? [], ChannelState.Of(channel)];
        Array.Sort(others, (a, b) => a.Channel.CompareTo(b.Channel));
        _others = others;
        return ref others[Array.FindIndex(others, c => c.Channel == channel)];
    }
}
