using System.Runtime.InteropServices;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Dlms;

/// <summary>
/// What a push holds that is kept: cumulative energy registers of a list, a load profile, or what a device reports of
/// itself (event log, quote, session, outcome of a command). Powers, voltages and
/// currents of an instant are no interval readings and are not kept; a list of nothing else was just heard.
/// </summary>
internal sealed class PushContent
{
    private readonly List<(Channel Channel, long WattHours)> _registers = [];
    private readonly List<ProfileRow> _rows = [];
    private readonly List<Input> _reported = [];
    private int _periodMinutes;
    private byte[] _seal = [];
    private bool _isMistrusted;

    private PushContent() { }

    /// <summary>The meter that the content names; null when it does not.</summary>
    public string? Meter { get; private set; }

    /// <summary>The time that the content or its head tells; null when neither does.</summary>
    public UnixTime? Time { get; private set; }

    /// <summary>The latest time that anything in it speaks of; null when nothing does.</summary>
    public UnixTime? Latest { get; private set; }

    /// <summary>Nothing in it is kept.</summary>
    public bool IsEmpty => _registers.Count == 0 && _rows.Count == 0 && _reported.Count == 0;

    /// <summary>True when it holds rows of a load profile.</summary>
    public bool HasProfile => _rows.Count > 0;

    /// <summary>How the load profile stands to the seal of the meter's metrology.</summary>
    public SealVerdict Judge(SealKeys keys, MeterId meter) =>
        keys.Judge(meter, CollectionsMarshal.AsSpan(_rows), _seal);

    /// <summary>
    /// The metrology did not measure what the load profile tells: its readings stay as told, and are marked suspect, so
    /// that nothing is learned from them and sound ones may take their place. Its last registers, which carry no mark,
    /// are not kept.
    /// </summary>
    public string Mistrust()
    {
        _isMistrusted = true;
        return $"the seal of the metrology does not hold over {_rows.Count} rows from {_rows[0].End} to "
            + $"{_rows[^1].End}";
    }

    /// <summary>Null when the body is none of the known, with the error counted within the body.</summary>
    /// <param name="received">Event time of reports whose head tells none.</param>
    public static PushContent? Read(in DataNotification push, FrameChannel channel, UnixTime? received,
        out WireError error)
    {
        var content = new PushContent { Time = push.HasTime ? channel.TimeOf(push.Time) : null };
        var known = LoadProfilePush.Matches(push.Body) ? content.ReadProfile(push.Body, out error)
            : DeviceReport.Matches(push.Body) ? content.ReadReport(push.Body, channel, received, out error)
            : content.ReadList(push.Body, channel, out error);
        content.Reach(content.Time);
        return known ? content : null;
    }

    private void Reach(UnixTime? time)
    {
        if (time is { } t && (Latest is not { } latest || t.CompareTo(latest) > 0)) Latest = t;
    }

    private bool ReadReport(ReadOnlySpan<byte> body, FrameChannel channel, UnixTime? received, out WireError error)
    {
        // Without a meter or a time the caller takes nothing of it: any will do to see whether it is sound.
        var meter = MeterId.ParseOrMap(channel.Meter ?? "?");
        var at = Time ?? received ?? channel.LastTime ?? new UnixTime(0);
        if (!DeviceReport.TryRead(body, meter, at, _reported, out error)) return false;
        foreach (var input in _reported) Reach(Input.EventTime(input.ToBytes()));
        return true;
    }

    private bool ReadList(ReadOnlySpan<byte> body, FrameChannel channel, out WireError error)
    {
        var values = new List<PushValue>();
        if (!PushList.TryRead(body, values, out _, out error)) return false;
        Meter = PushList.MeterText(values)?.Trim();
        if (Meter is "") Meter = null;
        foreach (var value in values)
        {
            // The list's own clock tells when the registers were taken; the head's, when the list was sent.
            if (value.Time is { } clock && value.Name is { C: 1, D: 0, E: 0 } && channel.TimeOf(clock) is { } time)
                Time = time;
            if (ChannelOf(value) is not { } energy || !TryWhole(value, out var wattHours)) continue;
            if (value.Unit == Unknown)
            {
                if (channel.ListEnergyWh is not { } each || wattHours > long.MaxValue / each)
                {
                    channel.WithoutUnit++;
                    continue;
                }
                wattHours *= each;
            }
            _registers.Add((energy, wattHours));
        }
        return true;
    }

    /// <summary>COSEM units.</summary>
    private const byte WattHour = 30, Unknown = 255;

    /// <summary>Total active energy: medium electricity, quantity 1 or 2, processing 8, tariff 0.</summary>
    private static Channel? ChannelOf(in PushValue value)
    {
        if (value.Name is not { A: 1, D: 8, E: 0 } || value.Unit is not (WattHour or Unknown)
            || value.Text is not null || value.Time is not null || value.Value < 0) return null;
        return value.Name.C switch { 1 => Channel.Import, 2 => Channel.Export, _ => null };
    }

    private static bool TryWhole(in PushValue value, out long wattHours)
    {
        wattHours = value.Value;
        for (var s = value.Scaler; s > 0; s--)
        {
            if (wattHours > long.MaxValue / 10) return false;
            wattHours *= 10;
        }
        for (var s = value.Scaler; s < 0; s++) wattHours /= 10;
        return true;
    }

    private bool ReadProfile(ReadOnlySpan<byte> body, out WireError error)
    {
        if (!LoadProfilePush.TryRead(body, out var profile, out error)) return false;
        Meter = profile.Serial;
        _seal = profile.Seal.ToArray();
        _periodMinutes = profile.PeriodSeconds / 60;
        if (profile.PeriodSeconds % 60 != 0 || 1440 % _periodMinutes != 0)
            return Bad(new WireError(WireCode.BadValue, 0), out error);
        var rows = profile.GetRows();
        while (rows.TryNext(out var row))
        {
            _rows.Add(row);
            Reach(row.End);
        }
        error = rows.Error;
        if (_rows.Count > 0) Time ??= _rows[^1].End;
        return !error.IsError;
    }

    private static bool Bad(WireError found, out WireError error)
    {
        error = found;
        return false;
    }

    /// <summary>Hands on what is kept; the caller has checked meter and time.</summary>
    public void Emit(string meter, UnixTime at, UnixTime? received, ObservationSink sink)
    {
        sink.OffsetMinutes = 0;
        foreach (var (channel, wattHours) in _registers) sink.Register(meter, channel, at, wattHours);
        foreach (var input in _reported)
        {
            // A quote is held against the head-end's clock: what its own says stands in it.
            var taken = input is AttestationQuote quote && received is { } heard ? quote with { At = heard } : input;
            sink.Other(meter, taken, Input.EventTime(taken.ToBytes()) ?? at);
        }
        if (_rows.Count == 0) return;
        Intervals(meter, Channel.Import, static r => r.ImportWattHours, sink);
        if (_rows.Exists(static r => r.ExportWattHours > 0))
            Intervals(meter, Channel.Export, static r => r.ExportWattHours, sink);
        if (_isMistrusted) return;
        sink.Register(meter, Channel.Import, _rows[^1].End, _rows[^1].ImportWattHours);
        if (_rows[^1].ExportWattHours > 0)
            sink.Register(meter, Channel.Export, _rows[^1].End, _rows[^1].ExportWattHours);
    }

    // Half-hour zones shift the grid by half an hour: quarters of an hour are the finest that all share.
    private bool IsOnGrid(UnixTime end) => end.Seconds % 60 == 0 && end.Minutes % Math.Min(_periodMinutes, 15) == 0;

    /// <summary>
    /// The differences of neighbouring rows. Where rows are missing, a clock or register went back, or a clock stood
    /// off the grid, there is no reading: the sum of a gap is told by the registers, not spread over it.
    /// </summary>
    private void Intervals(string meter, Channel channel, Func<ProfileRow, long> register, ObservationSink sink)
    {
        var slots = new List<int>();
        var qualities = new List<Quality>();
        long start = 0;
        for (var i = 1; i < _rows.Count; i++)
        {
            var from = _rows[i - 1].End.Minutes;
            var used = register(_rows[i]) - register(_rows[i - 1]);
            var isNext = _rows[i].End.Minutes - from == _periodMinutes && IsOnGrid(_rows[i].End)
                && IsOnGrid(_rows[i - 1].End) && used is >= 0 and < int.MaxValue;
            if (!isNext || slots.Count == ValueCodec.MaxValues) Flush();
            if (!isNext) continue;
            if (slots.Count == 0) start = from;
            slots.Add((int)used);
            qualities.Add(_isMistrusted ? Quality.Suspect : QualityOf(_rows[i].Status));
        }
        Flush();

        void Flush()
        {
            if (slots.Count == 0) return;
            var plain = qualities.TrueForAll(static q => q == Quality.Actual);
            sink.Readings(meter, channel, _periodMinutes, start, slots.ToArray(), plain ? default
                : qualities.ToArray(), 0);
            slots.Clear();
            qualities.Clear();
        }
    }

    private static Quality QualityOf(ProfileStatus status)
    {
        const ProfileStatus bad = ProfileStatus.CriticalError | ProfileStatus.ClockInvalid
            | ProfileStatus.DataNotValid;
        if ((status & bad) != 0) return Quality.Suspect;
        return (status & ProfileStatus.RecoveredValue) != 0 ? Quality.Estimated : Quality.Actual;
    }
}
