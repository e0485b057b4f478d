using System.Buffers;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>One member's contribution to a cohort or feeder day.</summary>
public readonly record struct Member(MeterId Meter, MeterRole Role, DayFeatures Features);

/// <summary>
/// Median of a cohort and its spread: median absolute deviation × 1.4826, a standard deviation where errors are
/// normal.
/// </summary>
public readonly record struct Peers(float Median, float Spread)
{
    internal void Write(ByteWriter to)
    {
        to.Single(Median);
        to.Single(Spread);
    }

    internal static Peers Read(ref ByteReader from) => new(from.Single(), from.Single());
}

/// <summary>
/// What a cohort did on a day. <paramref name="Factor"/>: the day's energy over the members' own profiles, which is
/// where weather, season and holidays show. <paramref name="Warm"/> counts the members behind it,
/// <paramref name="Members"/> those behind the rest.
/// </summary>
public readonly record struct CohortDay(int Day, int Members, int Warm, Peers Factor, Peers Night, Peers Roughness,
    Peers NightShare, Peers Top, Peers Rhythm)
{
    /// <summary>With fewer members a median says more about them than about the weather.</summary>
    public const int FewestMembers = 5;

    public void Write(ByteWriter to)
    {
        to.VarInt(Day);
        to.VarUInt((ulong)Members);
        to.VarUInt((ulong)Warm);
        Factor.Write(to);
        Night.Write(to);
        Roughness.Write(to);
        NightShare.Write(to);
        Top.Write(to);
        Rhythm.Write(to);
    }

    /// <summary>
    /// Reads what a message of this version holds: the first one told the evening's share, and nothing of peaks and
    /// rhythm.
    /// </summary>
    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static CohortDay Read(ref ByteReader from, int version)
    {
        var day = new CohortDay(checked((int)from.VarInt()), from.Count(int.MaxValue), from.Count(int.MaxValue),
            Peers.Read(ref from), Peers.Read(ref from), Peers.Read(ref from), Peers.Read(ref from),
            Peers.Read(ref from), default);
        return version == 1
            ? day with { Top = default, Rhythm = new Peers(1f, 0f) }
            : day with { Rhythm = Peers.Read(ref from) };
    }
}

/// <summary>
/// A cohort's model: members folded in id order. Keeps nothing but the last day: the members' memory is in the
/// members.
/// </summary>
public sealed class CohortModel
{
    private const byte EncodingVersion = 1;
    private int _lastDay;

    public CohortDay Fold(int day, ReadOnlySpan<Member> members)
    {
        _lastDay = day;
        var pool = ArrayPool<float>.Shared;
        var values = pool.Rent(Math.Max(1, members.Length));
        try
        {
            var factor = Median(members, values, static (in f) => IsWarm(f) && f.ExpectedWh > 0
                ? f.TotalWh / f.ExpectedWh : -1f, out var warm);
            var night = Median(members, values, static (in f) => IsWarm(f) && f.ExpectedNightW > 0
                ? f.NightW / f.ExpectedNightW : -1f, out _);
            var rough = Median(members, values, static (in f) => IsAlive(f) ? f.Roughness : -1f, out var alive);
            var share = Median(members, values, static (in f) => IsAlive(f) ? f.NightShare : -1f, out _);
            var top = Median(members, values, static (in f) => IsWarm(f) && f.ExpectedTopW > 0
                ? f.TopW / f.ExpectedTopW : -1f, out _);
            // Shifted, because a median is taken over what is not below zero.
            var rhythm = Median(members, values, static (in f) => IsWarm(f) ? f.Rhythm + RhythmShift : -1f, out _);
            return new CohortDay(day, alive, warm, factor, night, rough, share, top,
                rhythm with { Median = rhythm.Median - (warm > 0 ? RhythmShift : 0f) });
        }
        finally
        {
            pool.Return(values);
        }
    }

    private const float RhythmShift = 2f;

    private static bool IsWarm(in DayFeatures f) => f.Has(DayMarks.Usable | DayMarks.Warm);
    private static bool IsAlive(in DayFeatures f) => f.Has(DayMarks.Usable) && f.TotalWh > 0;

    private delegate float Pick(in DayFeatures features);

    /// <summary>
    /// Median and spread over the customers for which <paramref name="pick"/> gives a number not below zero.
    /// </summary>
    private static Peers Median(ReadOnlySpan<Member> members, float[] values, Pick pick, out int count)
    {
        count = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            var value = pick(member.Features);
            if (value >= 0) values[count++] = value;
        }
        if (count == 0) return default;
        var span = values.AsSpan(0, count);
        var median = Quantiles.Median(span);
        foreach (ref var v in span) v = v < median ? median - v : v - median;
        return new Peers(median, 1.4826f * Quantiles.Median(span));
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarInt(_lastDay);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static CohortModel Read(ref ByteReader from)
    {
        var version = from.Byte();
        if (version != EncodingVersion)
            throw from.Bad($"a cohort model has encoding version {version}, this MeterTwin knows {EncodingVersion}");
        return new CohortModel { _lastDay = checked((int)from.VarInt()) };
    }
}
