using Twin.Detection.Network;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// What API and command line show of a twin, made from the bytes of its state.

/// <summary>Lifetime figures of one channel; sums in the channel's unit, minutes since 1970.</summary>
public sealed record ChannelView(Channel Channel, int IntervalMinutes, long FirstMinute, long LastMinute, int Stored,
    int Missing, int Late, long Sum);

/// <summary>A meter for people. Texts are empty and days null where nothing is known.</summary>
public sealed record MeterView(MeterId Id, string Name, string Zone, int ZoneRank, MeterRelation? Relation,
    MeterRelation[] Relations, SupplyRecord? Supply, ChannelView[] Channels, int OpenDays,
    int? ClosedThrough, int? LastScoreDay, double LastScore, string LastTop, ContextSpan[] Contexts,
    LoggedEvent[] Events, CodeCount[] EventCounts, RegisterReading[] Registers, SecurityView? Security)
{
    /// <summary>The import channel; null before its first reading.</summary>
    public ChannelView? Import => Array.Find(Channels, c => c.Channel == Channel.Import);
    public MeterRole Role => Relation?.Role ?? MeterRole.Customer;
    public string Feeder => Relation?.Feeder ?? "";
    public string Model => Relation?.Model ?? "";
    public string Firmware => Relation?.Firmware ?? "";
    public string Lot => Relation?.Lot ?? Supply?.Lot ?? "";
    public string UsagePoint => Relation?.UsagePoint ?? "";
    public CustomerCategory Category => Relation?.Category ?? CustomerCategory.Unknown;
    public UnixTime? FirstReading => Import is { } c ? UnixTime.FromMinutes(c.FirstMinute) : null;

    /// <summary>End of the last reading.</summary>
    public UnixTime? LastReading => Import is { } c ? UnixTime.FromMinutes(c.LastMinute) : null;
    public int Stored => Import?.Stored ?? 0;
    public int Missing => Import?.Missing ?? 0;
    public double SumKilowattHours => new WattHours(Import?.Sum ?? 0).KilowattHours;

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static MeterView From(TwinKey key, ReadOnlySpan<byte> state) => MeterTwin.Restore(key.Id, state).View();
}

/// <summary>A feeder for people.</summary>
public sealed record FeederView(TwinKey Key, string Name, int? LastDay, int Members, int MembersWithData)
{
    /// <summary>Dated context of the feeder itself that has not ended by its last day.</summary>
    public IReadOnlyList<ContextSpan> Contexts { get; init; } = [];

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static FeederView From(TwinKey key, ReadOnlySpan<byte> state) => FeederTwin.Restore(key.Id, state).View;
}

/// <summary>What people said of findings of a kind, as far as it is remembered.</summary>
public sealed record VerdictCount(FindingKind Kind, int True, int Benign, int False);

/// <summary>A cohort for people.</summary>
public sealed record CohortView(TwinKey Key, string Name, int? LastDay, int Members)
{
    /// <summary>The score from which a day is a finding, as the fleet learnt it; 0 while too little is known.</summary>
    public double Bar { get; init; }

    /// <summary>Verdicts on its members' findings.</summary>
    public IReadOnlyList<VerdictCount> Verdicts { get; init; } = [];

    /// <summary>What verdicts made of the bar, by kind of finding; null without verdicts.</summary>
    public IReadOnlyDictionary<FindingKind, double>? Factors { get; init; }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static CohortView From(TwinKey key, ReadOnlySpan<byte> state) => CohortTwin.Restore(key.Id, state).View;
}

/// <summary>
/// A partition of the fleet's registry for people. <paramref name="SharedKeys"/>: keys with more than one user;
/// <paramref name="UnknownImages"/>: images in use that no release vouches for; <paramref name="Switchings"/>: of the
/// last day.
/// </summary>
public sealed record FleetView(TwinKey Key, UnixTime? SweptAt, int Keys, int SharedKeys, int Signatures, int Releases,
    int UnknownImages, int Tools, int Campaigns, int Switchings, int Groups, bool OrdersKnown)
{
    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static FleetView From(TwinKey key, ReadOnlySpan<byte> state) => FleetTwin.Restore(key.Id, state).View();
}

/// <summary>
/// A concentrator for people. <paramref name="Lost"/>: spans in which nothing was heard of it, seconds;
/// <paramref name="PeriodSeconds"/>: usual time between reports; <paramref name="Parts"/>: its own firmware as attested
/// last.
/// </summary>
public sealed record ConcentratorView(TwinKey Key, string Name, UnixTime? LastReport, long PeriodSeconds,
    bool IsBackhaulLost, LostSpan[] Lost, int LatencyMs, RouteMember[] Members, Neighbour[] Neighbours,
    bool IsBaselined, PartState[] Parts)
{
    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ConcentratorView From(TwinKey key, ReadOnlySpan<byte> state) =>
        ConcentratorTwin.Restore(key.Id, state).View();
}

public sealed partial class MeterTwin
{
    /// <summary>
    /// The twin for people. The relation is the one that holds on the last day with readings, else the latest.
    /// </summary>
    public MeterView View()
    {
        var rows = _relations.ToArray(Meter);
        var channels = new List<ChannelView>();
        if (_import.Stored > 0) channels.Add(ViewOf(_import));
        foreach (var c in _others ?? [])
            if (c.Stored > 0) channels.Add(ViewOf(c));
        var today = LastMinute() is > long.MinValue and var last ? DayAt(last - 1).Number : int.MaxValue - 1;
        var row = _relations.At(today);
        var open = 0;
        for (var at = 0; at < _open.Used; at = _open.Next(at)) open += _open[at].Channel == Channel.Import ? 1 : 0;
        var relation = row.IsNone ? rows.LastOrDefault() : row.ToInput(Meter);
        return new MeterView(Meter, Name, _zone.Name, _zoneRank, relation, rows, Supply(), [.. channels], open,
            DayOrNull(_closedThrough), DayOrNull(_lastScoreDay), _lastScore, _lastTop,
            _contexts.Spans.ToArray(), _log?.Events ?? [], _log?.Codes ?? [], _log?.Registers ?? [],
            _security?.View(Meter, _lastScoreDay == NoDay ? double.NaN : _lastScore));
    }

    internal SupplyRecord? Supply()
    {
        if (_supply is null) return null;
        var w = new ByteWriter(_supply.Length + Envelope.Length);
        new Envelope(InputKind.SupplyRecord, Meter.Twin).Write(w);
        w.Bytes(_supply);
        return Input.Read(w.Written) as SupplyRecord;
    }

    private static int? DayOrNull(int day) => day == NoDay ? null : day;

    private static ChannelView ViewOf(in ChannelState c) =>
        new(c.Channel, c.IntervalMinutes, c.FirstMinute, c.LastMinute, c.Stored, c.Missing, c.Late, c.Sum);
}
