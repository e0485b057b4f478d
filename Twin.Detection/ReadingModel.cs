using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// What one meter has been doing: the streaming model behind its day scores. Two halves that never touch each other's
/// state, so that their interleaving cannot matter: <see cref="Fold"/> runs when a day is complete (validation,
/// profile, features);
/// <see cref="Judge"/> runs when the day closes for everybody (cohort, feeder, fusion).
/// One object of about 500 bytes, no matter how long the history; no allocation on a day without a finding.
/// </summary>
public sealed class ReadingModel
{
    /// <summary>Days of profile before a reading model may speak; validation rules speak from the first day.</summary>
    public const int WarmUpDays = 14;
    private const byte EncodingVersion = 2;

    /// <summary>
    /// So many days in a row with so much more than the profile has: somebody moved in, and the profile learns anew.
    /// </summary>
    private const int RiseDays = 5;
    private const float RiseFactor = 1.6f;

    private SeasonalProfile _profile;
    private ValidationRules _rules;
    private RecentDays _recent;
    private ushort _nightW, _topW;
    private CapWatch _cap;
    private byte _riseDays, _emptyDays;
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
        var usual = ShapeMatch.Mean(expected);
        var marks = _rules.Check(day, shape, usual, subject, findings);
        NoteRise(shape, usual, (marks & DayMarks.Usable) != 0);
        if (_profile.Days >= WarmUpDays) marks |= DayMarks.Warm;
        if (_recent.Note(shape)) marks |= DayMarks.Repeated;
        var features = Describe(day, shape, expected, marks);
        if (features.Has(DayMarks.Usable) && (marks & (DayMarks.AllZero | DayMarks.Stuck)) == 0
            && subject.Role == MeterRole.Customer && !features.Has(DayMarks.Holiday))
            Learn(day.Day.IsWeekend, shape, features.NightW, features.TopW);
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

    /// <summary>
    /// What is usual at each half-hour of a working day or a weekend day: mean power and mean absolute deviation, W.
    /// Null before <see cref="WarmUpDays"/> were learnt.
    /// </summary>
    public (float[] Power, float[] Deviation)? Usual(bool weekend)
    {
        if (_profile.Days < WarmUpDays) return null;
        var (power, deviation) = (new float[DayShape.Slots], new float[DayShape.Slots]);
        _profile.Expected(weekend, power);
        _profile.Deviation(deviation);
        return (power, deviation);
    }

    /// <summary>The pieces of the last day's score are recomputed by tests and evaluation through this.</summary>
    internal ref DayJudgement Judgement => ref _judgement;

    private DayFeatures Describe(in DayReadings day, in DayShape shape, ReadOnlySpan<float> expected, DayMarks marks)
    {
        var (mean, expectedMean) = (shape.MeanPower(), ShapeMatch.Mean(expected));
        var isWarm = (marks & DayMarks.Warm) != 0;
        var f = new DayFeatures
        {
            Day = day.Day.Number,
            StartMinute = day.Day.StartMinute,
            Minutes = (short)day.Day.Minutes,
            TotalWh = Math.Max(0, shape.SumWh),
            ExpectedWh = isWarm ? expectedMean * day.Day.Minutes / 60f : 0f,
            NightW = shape.NightBase(),
            ExpectedNightW = LogFloat.Decode(_nightW),
            TopW = shape.Top(),
            ExpectedTopW = LogFloat.Decode(_topW),
            Roughness = shape.Roughness(mean),
            ZeroShare = shape.Present == 0 ? 0f : (float)shape.Zeros / shape.Present,
            ShapeDistance = ShapeMatch.Distance(shape.Power, mean, expected, expectedMean),
            Rhythm = ShapeMatch.Rhythm(shape.Power, mean, expected, expectedMean),
        };
        // An empty home has no evening, and its few values repeat.
        if (shape.Present > 0 && (!isWarm || f.Rhythm > LeastRhythm)) _cap.Note(day, shape.MaxWh, f.NightW);
        (f.CapHits, f.CapWh) = (_cap.Hits, _cap.CapWh);
        TellBlocks(shape, expected, isWarm, ref f);
        if (isWarm && LooksVacant(f)) marks |= DayMarks.Vacant;
        if (IsHoliday(marks)) marks |= DayMarks.Holiday;
        if (isWarm && ShapeMatch.IsLessByDay(shape.Power, expected)) marks |= DayMarks.LessByDay;
        if (shape.OnlyDaylightZeros()) marks |= DayMarks.DaylightZeros;
        if (isWarm && f.ZeroShare > DeadZeros && f.TotalWh < DeadShare * f.ExpectedWh) marks |= DayMarks.Dead;
        f.Marks = marks;
        return f;
    }

    private const float LeastRhythm = 0.15f, DeadZeros = 0.7f, DeadShare = 0.15f;

    private static void TellBlocks(in DayShape shape, ReadOnlySpan<float> expected, bool isWarm, ref DayFeatures f)
    {
        for (var b = 0; b < DayShape.Blocks; b++)
        {
            f.Blocks[b] = LogFloat.Encode(shape.BlockWh[b]);
            if (isWarm) f.ExpectedBlocks[b] = LogFloat.Encode(expected[b] * 0.5f);
        }
    }

    private void NoteRise(in DayShape shape, float usual, bool isUsable)
    {
        var rises = isUsable && _profile.Days >= RiseDays && shape.MeanPower() > RiseFactor * usual;
        _riseDays = rises ? (byte)(_riseDays + 1) : (byte)0;
        if (_riseDays < RiseDays) return;
        _profile.Loosen();
        (_nightW, _topW) = (LogFloat.Encode(shape.NightBase()), LogFloat.Encode(shape.Top()));
        _riseDays = 0;
    }

    private void Learn(bool weekend, in DayShape shape, float night, float top)
    {
        var days = _profile.Days;
        _profile.Learn(weekend, shape.Power);
        _nightW = Follow(_nightW, night, days);
        _topW = Follow(_topW, top, days);
    }

    private static ushort Follow(ushort code, float value, int days)
    {
        var usual = LogFloat.Decode(code);
        var step = value - usual;
        if (days >= 5) step = Math.Clamp(step, -0.5f * usual - 1f, 0.5f * usual + 1f);
        return LogFloat.Encode(usual + Math.Max(1f / (days + 1), 1f / 30) * step);
    }

    /// <summary>
    /// Well below the profile, without the day's usual rhythm, and what is left is rather base than peak, or hardly
    /// anything: nobody at home. A meter that counts a share of everything keeps the rhythm and the contrast between
    /// peak and base; an empty home loses both.
    /// </summary>
    private static bool LooksVacant(in DayFeatures f)
    {
        if (f.TotalWh >= 0.7f * f.ExpectedWh || f.ExpectedNightW <= 0 || f.CapHits >= 4) return false;
        return f.Rhythm < 0.4f && (f.TotalWh < 0.3f * f.ExpectedWh
            || f.TopW * f.ExpectedNightW < 0.75f * f.ExpectedTopW * f.NightW);
    }

    /// <summary>
    /// Holidays end within three weeks or so. The profile does not learn from them; what goes on longer is learnt, and
    /// judged like any other day.
    /// </summary>
    private bool IsHoliday(DayMarks marks)
    {
        var isEmpty = (marks & DayMarks.Vacant) != 0;
        _emptyDays = (byte)(isEmpty ? Math.Min(byte.MaxValue, _emptyDays + 1) : Math.Max(0, _emptyDays - 2));
        return isEmpty && _emptyDays <= LongestHoliday;
    }

    private const int LongestHoliday = 23;

    /// <summary>Appends the canonical encoding: two models that fold and judge alike have the same bytes.</summary>
    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        _profile.Write(to);
        _rules.Write(to);
        _recent.Write(to);
        to.UInt16(_nightW);
        to.UInt16(_topW);
        _cap.Write(to);
        to.Byte(_riseDays);
        to.Byte(_emptyDays);
        _judgement.Write(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ReadingModel Read(ref ByteReader from)
    {
        var version = from.Byte();
        if (version is not (1 or EncodingVersion))
            throw from.Bad($"a reading model has encoding version {version}, this MeterTwin knows {EncodingVersion}");
        var model = new ReadingModel
        {
            _profile = SeasonalProfile.Read(ref from),
            _rules = ValidationRules.Read(ref from),
            _recent = RecentDays.Read(ref from),
            _nightW = from.UInt16(),
        };
        // What the first version tracked is another thing: its judgement begins anew, profile and rules go on.
        if (version == 1)
        {
            _ = from.Bytes(DayJudgement.FirstVersionBytes);
            return model;
        }
        (model._topW, model._cap, model._riseDays) = (from.UInt16(), CapWatch.Read(ref from), from.Byte());
        model._emptyDays = from.Byte();
        model._judgement = DayJudgement.Read(ref from);
        return model;
    }
}

/// <summary>Fused score of a day, higher is more anomalous, and the name of the strongest feature.</summary>
public readonly record struct DayVerdict(double Score, string Top);
