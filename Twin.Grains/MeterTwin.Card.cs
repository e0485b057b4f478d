using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains;

/// <summary>From that day on (UTC, days since 1970) a meter ran that firmware.</summary>
/// <param name="Day">Day number; <c>int.MinValue</c>: since ever.</param>
/// <param name="Version">As the registry wrote it; empty when it was attested.</param>
/// <param name="Image">The first 16 bytes of the attested image in hexadecimal; empty when it never was.</param>
/// <param name="Number">The attested version.</param>
public readonly record struct FirmwareStep(int Day, string Version, string Image, uint Number);

/// <summary>
/// What lists and figures of the fleet need of a meter, without its models. <paramref name="LoadWatts"/>: mean power
/// over its closed days, −1 where none is known. <paramref name="MeanVoltage"/>: mean of all stored intervals, tenths
/// of a volt, 0 where none is.
/// </summary>
public sealed record MeterCard(MeterId Id, string Name, MeterRelation? Relation, UnixTime? FirstReading,
    UnixTime? LastReading, int? ScoreDay, double Score, int LoadWatts, SwitchState? Switch, long MeanVoltage,
    FirmwareStep[] Firmware)
{
    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static MeterCard From(TwinKey key, ReadOnlySpan<byte> state) => MeterTwin.Restore(key.Id, state).Card();
}

/// <summary>
/// What is usual for a meter at each half-hour, as its twin has learnt it: mean power and mean absolute deviation, W,
/// of working days and of weekend days. The zone is that of its local days.
/// </summary>
public sealed record UsualDays(string Zone, float[] WorkingDay, float[] WeekendDay, float[] Deviation)
{
    /// <summary>Null while too little was learnt.</summary>
    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static UsualDays? From(TwinKey key, ReadOnlySpan<byte> state) => MeterTwin.Restore(key.Id, state).Usual();
}

// What many meters are asked for at once.
public sealed partial class MeterTwin
{
    /// <summary>The relation is the one of <see cref="View"/>.</summary>
    public MeterCard Card()
    {
        var rows = _relations.ToArray(Meter);
        var last = LastMinute();
        var row = _relations.At(last > long.MinValue ? DayAt(last - 1).Number : int.MaxValue - 1);
        var relation = row.IsNone ? rows.LastOrDefault() : row.ToInput(Meter);
        var (state, isKnown) = _security?.Switch ?? (default, false);
        long voltage = 0;
        foreach (ref readonly var c in _others.AsSpan())
            if (c is { Channel: Channel.Voltage, Stored: > 0 }) voltage = c.Sum / c.Stored;
        return new MeterCard(Meter, Name, relation,
            _import.Stored > 0 ? UnixTime.FromMinutes(_import.FirstMinute) : null,
            _import.Stored > 0 ? UnixTime.FromMinutes(_import.LastMinute) : null, DayOrNull(_lastScoreDay), _lastScore,
            MeanWatts(), isKnown ? state : null, voltage, FirmwareSteps(rows));
    }

    internal UsualDays? Usual() => _model?.Usual(false) is { } working && _model.Usual(true) is { } weekend
        ? new UsualDays(_zone.Name, working.Power, weekend.Power, working.Deviation) : null;

    /// <summary>What was attested counts from its baseline on; before that, and without, the registry's word.</summary>
    private FirmwareStep[] FirmwareSteps(MeterRelation[] rows)
    {
        var attested = _security?.ApplicationSteps() ?? [];
        var until = attested.Length > 0 ? attested[0].Day : int.MaxValue;
        return [.. rows.Where(r => r.Firmware.Length > 0 && r.ValidFromDay < until)
            .Select(r => new FirmwareStep(r.ValidFromDay, r.Firmware, "", 0)), .. attested];
    }
}
