using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// What one meter has been doing: the streaming model behind its day scores. Two halves that never touch each other's
/// state, so that their interleaving cannot matter: <see cref="Fold"/> runs when a day is complete (validation,
/// profile, features);
/// <see cref="Judge"/> runs when the day closes for everybody (cohort, feeder, fusion).
/// One object of about 450 bytes, no matter how long the history; no allocation on a day without a finding.
/// </summary>
public sealed class ReadingModel
{
    /// <summary>Days of profile before a reading model may speak; validation rules speak from the first day.</summary>
    public const int WarmUpDays = 14;
    private const byte EncodingVersion = 1;

    private SeasonalProfile _profile;
    private ValidationRules _rules;
    private RecentDays _recent;
    private ushort _nightW;
    private DayJudgement _judgement = new();

    /// <summary>Folds a day (days come in ascending order; whole days may be missing) and learns from it.</summary>
    public DayFeatures Fold(in DayReadings day, in DaySubject subject, IFindingSink findings)
    {
        Span<float> power = stackalloc float[DayShape.Slots];
        Span<float> expected = stackalloc float[DayShape.Slots];
        Span<float> blocks = stackalloc float[DayShape.Blocks];
        var shape = DayShape.Of(day, power, blocks);
        _profile.Expected(day.Day.IsWeekend, expected);
        if ((subject.Context & (ContextFlags.MoveIn | ContextFlags.Exchange)) != 0) _profile.Doubt();
        var marks = _rules.Check(day, shape, Mean(expected), subject, findings);
        if (_profile.Days >= WarmUpDays) marks |= DayMarks.Warm;
        if (_recent.Note(shape)) marks |= DayMarks.Repeated;
        var features = Describe(day, shape, expected, marks);
        if (features.Has(DayMarks.Usable) && (marks & (DayMarks.AllZero | DayMarks.Stuck)) == 0
            && subject.Role == MeterRole.Customer)
            Learn(day.Day.IsWeekend, shape, features.NightW);
        return features;
    }

    /// <summary>
    /// Compares the advance of a cumulative register with the sum of the intervals between its two readings (the sum
    /// check of VEE). Belongs to the folding half: call it in the order of event time, before or after the fold of the
    /// last day concerned.
    /// </summary>
    public void CheckSum(UnixTime from, UnixTime to, WattHours intervals, WattHours register, in DaySubject subject,
        IFindingSink findings) =>
        _rules.CheckSum(from, to, intervals, register, subject, findings);

    /// <summary>
    /// Ends the waiting of a day folded with <see cref="DaySubject.AwaitsBackhaul"/>: so many of its missing minutes
    /// before and after its last reading are explained by a lost backhaul; what is left is stated when it is enough.
    /// Belongs to the folding half: call it once, before the next day folds.
    /// </summary>
    public void ExplainGap(in LocalDay day, int minutesWithin, int minutesAfter, in DaySubject subject,
        IFindingSink findings) =>
        _rules.ExplainGap(day, minutesWithin, minutesAfter, subject, findings);

    /// <summary>Judges a folded day against what its cohort and feeder did. Either may be absent.</summary>
    public DayVerdict Judge(in DayFeatures day, in DaySubject subject, in CohortDay? cohort, in FeederDay? feeder,
        IFindingSink findings) =>
        _judgement.Judge(day, subject, cohort, feeder, findings);

    /// <summary>The pieces of the last day's score are recomputed by tests and evaluation through this.</summary>
    internal ref DayJudgement Judgement => ref _judgement;

    private DayFeatures Describe(in DayReadings day, in DayShape shape, ReadOnlySpan<float> expected, DayMarks marks)
    {
        var mean = shape.MeanPower();
        var f = new DayFeatures
        {
            Day = day.Day.Number,
            StartMinute = day.Day.StartMinute,
            Minutes = (short)day.Day.Minutes,
            TotalWh = Math.Max(0, shape.SumWh),
            NightW = shape.NightBase(),
            ExpectedNightW = LogFloat.Decode(_nightW),
            Roughness = shape.Roughness(mean),
            EveningShare = shape.EveningShare(mean),
            ZeroShare = shape.Present == 0 ? 0f : (float)shape.Zeros / shape.Present,
        };
        var expectedMean = Mean(expected);
        if ((marks & DayMarks.Warm) != 0) f.ExpectedWh = expectedMean * day.Day.Minutes / 60f;
        f.ShapeDistance = Distance(shape.Power, mean, expected, expectedMean);
        for (var b = 0; b < DayShape.Blocks; b++) f.Blocks[b] = LogFloat.Encode(shape.BlockWh[b]);
        if ((marks & DayMarks.Warm) != 0)
        {
            const int Each = DayShape.Slots / DayShape.Blocks;
            for (var b = 0; b < DayShape.Blocks; b++)
            {
                var sum = 0f;
                foreach (var p in expected.Slice(b * Each, Each)) sum += p;
                f.ExpectedBlocks[b] = LogFloat.Encode(sum * 0.5f);
            }
            if (LooksVacant(f)) marks |= DayMarks.Vacant;
        }
        if (OnlyDaylightZeros(shape)) marks |= DayMarks.DaylightZeros;
        f.Marks = marks;
        return f;
    }

    private void Learn(bool weekend, in DayShape shape, float night)
    {
        var days = _profile.Days;
        _profile.Learn(weekend, shape.Power);
        var usual = LogFloat.Decode(_nightW);
        var step = night - usual;
        if (days >= 5) step = Math.Clamp(step, -0.5f * usual - 1f, 0.5f * usual + 1f);
        _nightW = LogFloat.Encode(usual + Math.Max(1f / (days + 1), 1f / 30) * step);
    }

    /// <summary>
    /// At the night base all day, well below the profile: nobody is at home, and what always runs still runs.
    /// </summary>
    private static bool LooksVacant(in DayFeatures f) =>
        f.TotalWh < 0.65f * f.ExpectedWh && f.NightW > 0.7f * f.ExpectedNightW && f.NightW < 1.4f * f.ExpectedNightW
        && f.NightShare > 0.6f && f.ExpectedNightW > 0 && f.ZeroShare < 0.05f;

    private static bool OnlyDaylightZeros(in DayShape shape)
    {
        var zeros = 0;
        for (var s = 0; s < DayShape.Slots; s++)
        {
            if (shape.Power[s] != 0) continue;
            if (s is < 16 or >= 36) return false;
            zeros++;
        }
        return zeros > 0;
    }

    private static float Mean(ReadOnlySpan<float> power)
    {
        var sum = 0f;
        foreach (var p in power) sum += p;
        return sum / DayShape.Slots;
    }

    private static float Distance(ReadOnlySpan<float> power, float mean, ReadOnlySpan<float> expected,
        float expectedMean)
    {
        if (mean <= 0 || expectedMean <= 0) return 0f;
        var sum = 0f;
        float a = 1f / mean, b = 1f / expectedMean;
        for (var s = 0; s < DayShape.Slots; s++)
        {
            if (power[s] < 0) continue;
            var d = power[s] * a - expected[s] * b;
            sum += d < 0 ? -d : d;
        }
        return sum / (2 * DayShape.Slots);
    }

    /// <summary>Appends the canonical encoding: two models that fold and judge alike have the same bytes.</summary>
    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        _profile.Write(to);
        _rules.Write(to);
        _recent.Write(to);
        to.UInt16(_nightW);
        _judgement.Write(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ReadingModel Read(ref ByteReader from)
    {
        var version = from.Byte();
        if (version != EncodingVersion)
            throw from.Bad($"a reading model has encoding version {version}, this MeterTwin knows {EncodingVersion}");
        return new ReadingModel
        {
            _profile = SeasonalProfile.Read(ref from),
            _rules = ValidationRules.Read(ref from),
            _recent = RecentDays.Read(ref from),
            _nightW = from.UInt16(),
            _judgement = DayJudgement.Read(ref from),
        };
    }
}

/// <summary>Fused score of a day, higher is more anomalous, and the name of the strongest feature.</summary>
public readonly record struct DayVerdict(double Score, string Top);
