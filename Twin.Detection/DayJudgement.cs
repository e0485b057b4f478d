using System.Runtime.CompilerServices;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// The judging half of a meter's model: eight tracked features against the meter's own past and its cohort's day, two
/// against the cohort's members, what life does not do (a ceiling, days of zero between days of use, repeated days),
/// and what the feeder says, fused to one score a day. About 120 bytes.
/// </summary>
/// <remarks>
/// Each piece is divided by the value that one honest home in a hundred reaches in three months (see
/// <see cref="Pieces"/>), so that 1 means the same for all, and bounded; the score is the fourth root of the sum
/// of fourth powers, near the largest, a little more when others agree. An innocent cause that explains a piece better
/// takes weight from it: new PV, a new appliance, an empty home, a feeder that misses nothing.
/// </remarks>
internal struct DayJudgement
{
    /// <summary>Length of the first version's encoding, which is passed over.</summary>
    public const int FirstVersionBytes = 6 * 12 + 4 * 2 + 4 + 1;

    /// <summary>
    /// Judged days before the cumulative sums run; a change of character needs to know the character first.
    /// </summary>
    private const int WarmUpDays = 7;

    /// <summary>Scores of the first weeks grow into their full weight.</summary>
    private const int FullWeightDays = 14;
    /// <summary>
    /// How soon a piece stops growing: it is 1 at the honest hundredth and ends at 1 + 1/bend. However much a life
    /// changes, it stays below what life does not do.
    /// </summary>
    private const float LifeBend = 1f, FactBend = 0.25f;
    private const double QuietScore = 0.6;
    private const int QuietDaysToRearm = 14;

    /// <summary>
    /// Weight of what a home does otherwise while its feeder does not miss it; strengths from which on it begins to,
    /// and at which it surely does. Half of the honest homes reach the former at some time.
    /// After a fortnight without a statement the feeder is no witness any more.
    /// </summary>
    private const float UnmissedWeight = 0.65f, MissedFrom = 1.5f, MissedStrength = 4f;
    private const byte MaxFeederAge = 14;

    /// <summary>Weights of innocent causes: more is used, PV that is sure, imported context.</summary>
    private const float RiseWeight = 0.3f, PvWeight = 0.3f;
    private const double ContextWeight = 0.7;

    /// <summary>
    /// Signs of PV: a day with one counts 2, a day without one takes 1 away and zeros at night more; likely from the
    /// first number on, sure from the second.
    /// </summary>
    private const int LikelyPvDays = 6, SurePvDays = 20, MaxPvDays = 28, NoPvDays = 6;

    /// <summary>A level this surely higher is a new occupant or appliance: the past does not bind any more.</summary>
    private const float SureRise = 25f;

    /// <summary>From here on a higher level excuses as much as it can.</summary>
    private const float PlainRise = 10f;

    /// <summary>A home that uses less than this a day has little to hide, and changes much in percent.</summary>
    private const float SmallWhPerDay = 2000f;

    /// <summary>What a day counts on which nobody seems to be at home: most come back.</summary>
    private const float HolidayWeight = 0.1f;

    /// <summary>Of values over what is usual: beyond it, more is just more.</summary>
    private const float MostOfUsual = 3f;

    /// <summary>
    /// What is less by this share of what is usual counts as much as it is sure; a smaller fall counts less, however
    /// sure it is, because households change by a tenth for good all the time.
    /// </summary>
    private const float PlainFall = 0.5f, FallBend = 0.25f;

    /// <summary>A day of zeros counts when use goes on before the third; how slowly such days are forgotten.</summary>
    private const int LongestZeroEpisode = 2;
    private const float ZeroMemory = 0.97f, OrdinaryShare = 0.4f;
    private const float PeerRate = 1f / 10;

    /// <summary>Keeps the rhythm, which may be negative, in the range of the tracked numbers.</summary>
    private const float RhythmShift = 1f;

    [InlineArray(Pieces.Tracked)]
    private struct Tracked
    {
        private TrackedFeature _first;
    }

    public DayJudgement()
    {
    }

    private Tracked _tracked;
    private ushort _days;
    private ushort _peerFlat, _peerNight, _feeder, _exchanged, _zeroEpisodes;
    private byte _feederAge = MaxFeederAge, _quietDays, _zeroDays, _pvDays;

    /// <summary>Whether the episode has been stated, or excused, and then for how many lived-in days.</summary>
    private byte _gate;

    public DayVerdict Judge(in DayFeatures day, in DaySubject subject, in CohortDay? cohort, in FeederDay? feeder,
        IFindingSink findings)
    {
        if (subject.Role == MeterRole.Observer) return new DayVerdict(0, "observer");
        Span<float> pieces = stackalloc float[Pieces.Count];
        Update(day, subject, cohort);
        Hear(feeder, new MeterId(subject.Key.Id));
        Weigh(day, pieces);
        var sum = 0f;
        var top = 0;
        for (var i = 0; i < pieces.Length; i++)
        {
            var square = pieces[i] * pieces[i];
            sum += square * square;
            if (Rank(pieces, i) > Rank(pieces, top)) top = i;
        }
        var score = Math.Sqrt(Math.Sqrt(sum));
        // No record of a tariff or of work explains energy that the feeder misses.
        if (subject.Believed != ContextFlags.None && pieces[Pieces.Feeder] < Witness.Missed) score *= ContextWeight;
        if (subject.Learned > 0) score = Fusion.WithLearned(score, subject.Learned);
        score = Fusion.Score(score, subject.Others);
        Report(score, top, pieces, day, subject, cohort, feeder, findings);
        if (_days < WarmUpDays && top < Pieces.OfLife) return new DayVerdict(score, "warm_up");
        return new DayVerdict(score, score < 0.01 ? "none" : Pieces.Names[top]);
    }

    /// <summary>
    /// For naming the strongest: a lower level also bends the shape against a profile that is still learning it, never
    /// the other way.
    /// </summary>
    private static float Rank(ReadOnlySpan<float> pieces, int i) =>
        i is Pieces.Uniform or Pieces.Level ? 1.4f * pieces[i] : pieces[i];

    private void Hear(in FeederDay? feeder, MeterId meter)
    {
        _exchanged = feeder is { } any ? LogFloat.Encode(any.PairOf(meter).Strength) : (ushort)0;
        if (feeder is not { IsStatement: true } f)
        {
            if (_feederAge < MaxFeederAge && ++_feederAge == MaxFeederAge) _feeder = 0;
        }
        else if (f.IsAttributed)
        {
            _feeder = LogFloat.Encode(f.Of(meter).Strength);
            _feederAge = 0;
        }
    }

    private void Update(in DayFeatures day, in DaySubject subject, in CohortDay? cohort)
    {
        var isNewCharacter = (subject.Context & (ContextFlags.MoveIn | ContextFlags.Exchange)) != 0;
        if (isNewCharacter) this = new DayJudgement();
        CountZeroDays(day);
        if (day.Has(DayMarks.DaylightZeros) || day.Has(DayMarks.LessByDay | DayMarks.Usable))
            _pvDays = (byte)Math.Min(MaxPvDays, _pvDays + 2);
        else if (day.Has(DayMarks.Usable)) _pvDays = (byte)Math.Max(0, _pvDays - (day.ZeroShare > 0 ? NoPvDays : 1));
        // A run of days without consumption is one event, and the validation rules tell it.
        if (_zeroDays > 1) return;
        if (day.Has(DayMarks.Usable | DayMarks.Warm) && day.ExpectedWh > 0)
            Track(day, cohort);
        if (day.Has(DayMarks.Usable) && day.TotalWh > 0) Compare(day, cohort);
    }

    /// <summary>
    /// A dead meter or an empty house stays at zero; zeros for a day or two between days of ordinary use come back.
    /// </summary>
    private void CountZeroDays(in DayFeatures day)
    {
        if ((day.Marks & (DayMarks.AllZero | DayMarks.Dead)) != 0)
        {
            _zeroDays = (byte)Math.Min(255, _zeroDays + 1);
            return;
        }
        var isEpisode = _zeroDays is > 0 and <= LongestZeroEpisode && day.TotalWh > OrdinaryShare * day.ExpectedWh;
        _zeroEpisodes = LogFloat.Encode(LogFloat.Decode(_zeroEpisodes) * ZeroMemory + (isEpisode ? 1f : 0f));
        _zeroDays = 0;
    }

    /// <summary>The calibrated pieces of the day just taken in.</summary>
    internal readonly void Weigh(in DayFeatures day, Span<float> pieces)
    {
        pieces.Clear();
        var weight = Math.Min(1f, (float)_days / FullWeightDays);
        for (var j = 0; j < Pieces.Rise; j++) pieces[j] = weight * _tracked[j].Weighed;
        foreach (var j in (ReadOnlySpan<int>)[Pieces.Level, Pieces.Uniform, Pieces.Night])
            pieces[j] *= (1f + FallBend / PlainFall) * _tracked[j].Fall / (_tracked[j].Fall + FallBend);
        // A fridge does not shrink with the family: only what takes a share of everything lowers all three.
        pieces[Pieces.Uniform] = Math.Min(pieces[Pieces.Uniform],
            Math.Min(pieces[Pieces.Level], pieces[Pieces.Night]));
        pieces[Pieces.PeerFlat] = weight * LogFloat.Decode(_peerFlat);
        pieces[Pieces.PeerNight] = weight * LogFloat.Decode(_peerNight);
        pieces[Pieces.Cap] = day.CapHits;
        pieces[Pieces.ZeroDays] = LogFloat.Decode(_zeroEpisodes);
        pieces[Pieces.Exchanged] = LogFloat.Decode(_exchanged);
        pieces[Pieces.Feeder] = LogFloat.Decode(_feeder);
        for (var i = 0; i < Pieces.Count; i++)
        {
            var p = pieces[i] / Pieces.HonestHundredth[i];
            var bend = i < Pieces.OfLife ? LifeBend : FactBend;
            pieces[i] = p * (1f + bend) / (1f + bend * p);
        }
        var size = Math.Min(1f, day.ExpectedWh / SmallWhPerDay);
        for (var i = 0; i < Pieces.Feeder; i++) pieces[i] *= size;
        Excuse(pieces);
        if (day.Has(DayMarks.Repeated)) pieces[Pieces.Repeat] = 4f;
        if (day.Has(DayMarks.Stuck)) pieces[Pieces.Stuck] = 4f;
    }

    /// <summary>Innocent causes take weight from the pieces that they explain.</summary>
    private readonly void Excuse(Span<float> pieces)
    {
        // Theft and most faults do not raise what a meter registers; a new appliance does, and changes the shape of
        // the day with it.
        if (IsRising)
        {
            var sure = Math.Min(1f, (_tracked[Pieces.Rise].Sum - _tracked[Pieces.Level].Sum) / PlainRise);
            for (var i = 0; i < Pieces.Rise; i++)
                if (i != Pieces.Zero) pieces[i] *= 1f - (1f - RiseWeight) * sure;
        }
        // What is missing by daylight only, day after day, is new PV far more often than theft: less evidence, not
        // none. Zeros at night have no such excuse.
        if (IsLikelyPv)
        {
            var pv = 1f - (1f - PvWeight) * Math.Min(1f, (float)_pvDays / SurePvDays);
            for (var i = 0; i < Pieces.Exchanged; i++)
                if (i != Pieces.Zero) pieces[i] *= pv;
        }
        if (_feederAge >= MaxFeederAge) return;
        // What a home does otherwise than before is its own affair as long as the feeder does not miss it.
        var missed = Math.Clamp((LogFloat.Decode(_feeder) - MissedFrom) / (MissedStrength - MissedFrom), 0f, 1f);
        var trust = UnmissedWeight + (1f - UnmissedWeight) * missed;
        for (var i = 0; i < Pieces.OfLife; i++) pieces[i] *= trust;
    }

    private readonly bool IsRising => _tracked[Pieces.Rise].Sum > _tracked[Pieces.Level].Sum;
    private readonly bool IsLikelyPv => _pvDays >= LikelyPvDays;

    private void Track(in DayFeatures day, in CohortDay? cohort)
    {
        float factor = 1f, night = 1f, top = 1f, rhythm = 1f;
        if (cohort is { Warm: >= CohortDay.FewestMembers } c)
        {
            if (c.Factor.Median > 0) factor = c.Factor.Median;
            if (c.Night.Median > 0) night = c.Night.Median;
            if (c.Top.Median > 0) top = c.Top.Median;
            rhythm = c.Rhythm.Median;
        }
        var level = day.TotalWh / (day.ExpectedWh * factor);
        var nightLevel = day.ExpectedNightW > 0 ? day.NightW / (day.ExpectedNightW * night) : level;
        var topLevel = day.ExpectedTopW > 0 ? day.TopW / (day.ExpectedTopW * top) : level;
        Span<float> values =
        [
            level,
            topLevel,
            day.ShapeDistance, Math.Max(0f, day.Rhythm - rhythm + 1f + RhythmShift),
            day.Has(DayMarks.DaylightZeros) ? 0f : day.ZeroShare, day.Roughness, nightLevel,
            level,
        ];
        var isWarm = _days >= WarmUpDays;
        var weight = !isWarm ? 0f : day.Has(DayMarks.Holiday) ? HolidayWeight : 1f;
        for (var j = 0; j < Pieces.Tracked; j++)
            _tracked[j].Take(Math.Min(values[j], MostOfUsual), Pieces.Signs[j], _days, Pieces.Floors[j],
                Pieces.Slacks[j], weight);
        _days = (ushort)Math.Min(ushort.MaxValue, _days + 1);
        if (_tracked[Pieces.Rise].Sum <= SureRise || _tracked[Pieces.Level].Sum > 0) return;
        _tracked = default;
        _days = 0;
    }

    /// <summary>
    /// Against the members as they are, not as they change: what has been wrong since the first day shows only here
    /// and on the feeder.
    /// </summary>
    private void Compare(in DayFeatures day, in CohortDay? cohort)
    {
        if (cohort is not { Members: >= 2 * CohortDay.FewestMembers } c) return;
        var flat = (c.Roughness.Median - day.Roughness) / (c.Roughness.Spread + 0.02f);
        var night = (day.NightShare - c.NightShare.Median) / (c.NightShare.Spread + 0.02f);
        _peerFlat = LogFloat.Encode(LogFloat.Decode(_peerFlat) * (1f - PeerRate) + PeerRate * Math.Clamp(flat, 0f, 8f));
        _peerNight = LogFloat.Encode(LogFloat.Decode(_peerNight) * (1f - PeerRate)
            + PeerRate * Math.Clamp(night, 0f, 8f));
    }

    /// <summary>
    /// A pattern in the feeder's balance that moves less energy a day than this accuses nobody, however clear it is.
    /// The value is ours: a lamp of 4 W.
    /// </summary>
    private const float LeastWhPerDay = 100f;

    /// <summary>Values of the gate; from <see cref="Excused"/> on it counts.</summary>
    private const byte Closed = 0, Stated = 1, Excused = 2;

    /// <summary>
    /// After so many days of a home that is lived in again, an empty home explains nothing any more.
    /// </summary>
    private const byte LivedInDays = 14;

    private void Report(double score, int top, ReadOnlySpan<float> pieces, in DayFeatures day, in DaySubject subject,
        in CohortDay? cohort, in FeederDay? feeder, IFindingSink findings)
    {
        _quietDays = score < QuietScore ? (byte)Math.Min(255, _quietDays + 1) : (byte)0;
        if (_quietDays >= QuietDaysToRearm) _gate = Closed;
        if (_gate == Stated || !day.Has(DayMarks.Usable | DayMarks.Warm)) return;
        if (score < subject.Bar.Of(Sentences.KindOf(top), AlarmBar.Fixed))
        {
            _gate = Closed;
            return;
        }
        // A suspicion of the feeder is told on a day on which the feeder has its numbers.
        var meter = new MeterId(subject.Key.Id);
        if (top == Pieces.Feeder && (feeder is not { IsAttributed: true } f
            || Math.Abs(f.Of(meter).WhPerDay) < LeastWhPerDay)) return;
        // The validation rules tell of a constant day, and of days of zeros once they are a run.
        if ((day.Marks & (DayMarks.Stuck | DayMarks.AllZero)) != 0) return;
        if (top == Pieces.Cap && !Witness.CanBeCut(day)) return;
        if (top < Pieces.OfLife && (IsLife(pieces, day, subject, cohort) || HasGone(top))) return;
        _gate = Stated;
        var told = new ToldDay(day, feeder?.Of(meter) ?? default, feeder?.PairOf(meter) ?? default,
            LogFloat.Decode(_zeroEpisodes), IsLikelyPv, IsRising, _feederAge < MaxFeederAge,
            cohort?.Factor.Median ?? 0);
        ReadOnlySpan<TrackedFeature> tracked = _tracked;
        findings.Add(Fusion.Joined(Fusion.Learned(Sentences.Of(score, top, pieces, tracked, told, subject),
            subject.Learned), subject.Others));
    }

    /// <summary>A sum takes weeks to forget what has ended: a change that the last days do not show is not stated.
    /// </summary>
    private readonly bool HasGone(int top) => top < Pieces.Rise
        && Pieces.Signs[top] * (_tracked[top].Recent - _tracked[top].Usual) <= Pieces.Floors[top];

    /// <summary>
    /// True where a change of habits is not stated: nobody else speaks of it, or the home looks empty and neither its
    /// feeder nor evidence of another nature contradicts.
    /// </summary>
    private bool IsLife(ReadOnlySpan<float> pieces, in DayFeatures day, in DaySubject subject, in CohortDay? cohort)
    {
        if (!Witness.IsThere(cohort, pieces[Pieces.Feeder], subject.Others)) return true;
        if (Witness.IsThere(null, pieces[Pieces.Feeder], subject.Others)) return false;
        if (Witness.LooksEmpty(day)) _gate = Excused;
        else if (_gate >= Excused) _gate++;
        return _gate is >= Excused and < Excused + LivedInDays;
    }

    public readonly void Write(ByteWriter to)
    {
        ReadOnlySpan<TrackedFeature> tracked = _tracked;
        foreach (ref readonly var t in tracked) t.Write(to);
        to.UInt16(_days);
        to.UInt16(_peerFlat);
        to.UInt16(_peerNight);
        to.UInt16(_feeder);
        to.UInt16(_exchanged);
        to.UInt16(_zeroEpisodes);
        to.Byte(_feederAge);
        to.Byte(_quietDays);
        to.Byte(_zeroDays);
        to.Byte(_pvDays);
        to.Byte(_gate);
    }

    public static DayJudgement Read(ref ByteReader from)
    {
        var j = new DayJudgement();
        for (var i = 0; i < Pieces.Tracked; i++) j._tracked[i] = TrackedFeature.Read(ref from);
        j._days = from.UInt16();
        j._peerFlat = from.UInt16();
        j._peerNight = from.UInt16();
        j._feeder = from.UInt16();
        j._exchanged = from.UInt16();
        j._zeroEpisodes = from.UInt16();
        j._feederAge = from.Byte();
        j._quietDays = from.Byte();
        j._zeroDays = from.Byte();
        j._pvDays = from.Byte();
        // Until an empty home was an excuse this was a bool of the same values.
        j._gate = from.Byte();
        return j;
    }
}
