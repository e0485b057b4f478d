using System.Runtime.CompilerServices;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// The judging half of a meter's model: six tracked features against the meter's own past and its cohort's day, two
/// against the cohort's members, and the feeder's attribution, fused to one score a day. About 110 bytes.
/// </summary>
/// <remarks>
/// Each piece is divided by the value that one honest home in a hundred reaches in three months (see
/// <see cref="Pieces"/>), so that 1 means the same for all, and bounded at 3; the score is the fourth root of the sum
/// of fourth powers, near the largest, a little more when others agree.
/// </remarks>
internal struct DayJudgement
{
    /// <summary>
    /// Judged days before the cumulative sums run; a change of character needs to know the character first.
    /// </summary>
    private const int WarmUpDays = 7;

    /// <summary>Scores of the first weeks grow into their full weight.</summary>
    private const int FullWeightDays = 14;
    private const double QuietScore = 0.8;
    private const int QuietDaysToRearm = 14;

    /// <summary>
    /// Weight of what a home does otherwise while its feeder does not miss it, up to the strength at which it does.
    /// After a fortnight without a statement the feeder is no witness any more.
    /// </summary>
    private const float UnmissedWeight = 0.4f, MissedStrength = 3f;
    private const byte MaxFeederAge = 14;

    /// <summary>
    /// Weights of inferred and imported innocent causes, and the days of daylight zeros that make PV likely.
    /// </summary>
    private const float RiseWeight = 0.6f, PvWeight = 0.6f;
    private const double ContextWeight = 0.7;
    private const int EnoughPvDays = 6, MaxPvDays = 28;
    private const float PeerRate = 1f / 10;

    [InlineArray(Pieces.Features)]
    private struct Tracked
    {
        private TrackedFeature _first;
    }

    public DayJudgement()
    {
    }

    private Tracked _tracked;
    private ushort _days;
    private ushort _peerFlat, _peerNight, _feeder;
    private byte _feederAge = MaxFeederAge, _quietDays, _zeroDays, _pvDays;
    private bool _open;

    public DayVerdict Judge(in DayFeatures day, in DaySubject subject, in CohortDay? cohort, in FeederDay? feeder,
        IFindingSink findings)
    {
        if (subject.Role == MeterRole.Observer) return new DayVerdict(0, "observer");
        Span<float> pieces = stackalloc float[Pieces.Count];
        Update(day, subject, cohort);
        if (feeder is { IsStatement: true } f)
            Attribute(f, new MeterId(subject.Key.Id));
        else if (_feederAge < MaxFeederAge && ++_feederAge == MaxFeederAge) _feeder = 0;
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
        if (subject.Context != ContextFlags.None) score *= ContextWeight;
        score = Fusion.Score(score, subject.Others);
        Report(score, top, pieces, day, subject, feeder, findings);
        if (_days < WarmUpDays && top is not (Pieces.Repeat or Pieces.Stuck or Pieces.Feeder))
            return new DayVerdict(score, "warm_up");
        return new DayVerdict(score, score < 0.01 ? "none" : Pieces.Names[top]);
    }

    /// <summary>
    /// For naming the strongest: a lower level also bends the shape against a profile that is still learning it, never
    /// the other way.
    /// </summary>
    private static float Rank(ReadOnlySpan<float> pieces, int i) =>
        i is Pieces.Scale or 2 * Pieces.Level ? 1.4f * pieces[i] : pieces[i];

    private void Attribute(in FeederDay feeder, MeterId meter)
    {
        if (!feeder.IsAttributed) return;
        _feeder = LogFloat.Encode(feeder.Of(meter).Strength);
        _feederAge = 0;
    }

    private void Update(in DayFeatures day, in DaySubject subject, in CohortDay? cohort)
    {
        var isNewCharacter = (subject.Context & (ContextFlags.MoveIn | ContextFlags.Exchange)) != 0;
        if (isNewCharacter) this = new DayJudgement();
        _zeroDays = day.Has(DayMarks.AllZero) ? (byte)Math.Min(255, _zeroDays + 1) : (byte)0;
        if (day.Has(DayMarks.DaylightZeros)) _pvDays = (byte)Math.Min(MaxPvDays, _pvDays + 2);
        else if (_pvDays > 0 && day.Has(DayMarks.Usable)) _pvDays--;
        // A run of days without consumption is one event, and the validation rules tell it.
        if (_zeroDays > 1) return;
        if (day.Has(DayMarks.Usable | DayMarks.Warm) && !day.Has(DayMarks.Vacant) && day.ExpectedWh > 0)
            Track(day, cohort);
        if (day.Has(DayMarks.Usable) && day.TotalWh > 0) Compare(day, cohort);
    }

    /// <summary>The calibrated pieces of the day just taken in.</summary>
    internal readonly void Weigh(in DayFeatures day, Span<float> pieces)
    {
        pieces.Clear();
        var weight = Math.Min(1f, (float)_days / FullWeightDays);
        for (var j = 0; j < Pieces.Features; j++)
        {
            pieces[2 * j] = weight * _tracked[j].Down;
            pieces[2 * j + 1] = weight * _tracked[j].Up;
        }
        pieces[Pieces.Scale] = Math.Min(pieces[2 * Pieces.Level], pieces[2 * Pieces.Night]);
        pieces[Pieces.PeerFlat] = weight * LogFloat.Decode(_peerFlat);
        pieces[Pieces.PeerNight] = weight * LogFloat.Decode(_peerNight);
        pieces[Pieces.Feeder] = LogFloat.Decode(_feeder);
        for (var i = 0; i < Pieces.Count; i++)
        {
            var p = pieces[i] / Pieces.HonestHundredth[i];
            pieces[i] = p * 1.5f / (1f + 0.5f * p);
        }
        // Theft and most faults do not raise what a meter registers; a new appliance does, and changes the shape of
        // the day with it.
        if (_tracked[Pieces.Level].Up > _tracked[Pieces.Level].Down)
            for (var i = 2 * Pieces.Night; i < 2 * Pieces.Zero; i++) pieces[i] *= RiseWeight;
        // Zeros that keep to daylight, day after day, are new PV far more often than theft: less evidence, not none.
        if (_pvDays >= EnoughPvDays)
            for (var i = 0; i < 2 * Pieces.Features; i++) pieces[i] *= PvWeight;
        if (_feederAge < MaxFeederAge)
        {
            // What a home does otherwise than before is its own affair as long as the feeder does not miss it.
            var missed = Math.Min(1f, LogFloat.Decode(_feeder) / MissedStrength);
            var trust = UnmissedWeight + (1f - UnmissedWeight) * missed;
            for (var i = 0; i < Pieces.Feeder; i++) pieces[i] *= trust;
            pieces[Pieces.Scale] *= trust;
        }
        if (day.Has(DayMarks.Repeated)) pieces[Pieces.Repeat] = 4f;
        if (day.Has(DayMarks.Stuck)) pieces[Pieces.Stuck] = 4f;
    }

    private void Track(in DayFeatures day, in CohortDay? cohort)
    {
        float factor = 1f, night = 1f, evening = 0.25f;
        if (cohort is { } c)
        {
            if (c.Warm >= CohortDay.FewestMembers && c.Factor.Median > 0) factor = c.Factor.Median;
            if (c.Warm >= CohortDay.FewestMembers && c.Night.Median > 0) night = c.Night.Median;
            if (c.Members >= CohortDay.FewestMembers && c.EveningShare.Median > 0) evening = c.EveningShare.Median;
        }
        var isWarm = _days >= WarmUpDays;
        Span<float> values =
        [
            day.TotalWh / (day.ExpectedWh * factor),
            day.ExpectedNightW > 0 ? day.NightW / (day.ExpectedNightW * night) : 1f,
            day.ShapeDistance, day.Roughness, day.EveningShare / evening,
            day.Has(DayMarks.DaylightZeros) ? 0f : day.ZeroShare,
        ];
        for (var j = 0; j < Pieces.Features; j++)
            _tracked[j].Take(Math.Min(values[j], 20f), _days, Pieces.Floors[j], Pieces.Slacks[j], isWarm);
        _days = (ushort)Math.Min(ushort.MaxValue, _days + 1);
    }

    /// <summary>
    /// Against the members as they are, not as they change: what has been wrong since the first day shows only here
    /// and on the feeder.
    /// </summary>
    private void Compare(in DayFeatures day, in CohortDay? cohort)
    {
        if (cohort is not { } c || c.Members < 2 * CohortDay.FewestMembers) return;
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

    private void Report(double score, int top, ReadOnlySpan<float> pieces, in DayFeatures day, in DaySubject subject,
        in FeederDay? feeder, IFindingSink findings)
    {
        _quietDays = score < QuietScore ? (byte)Math.Min(255, _quietDays + 1) : (byte)0;
        if (_quietDays >= QuietDaysToRearm) _open = false;
        var bar = subject.Bar.Of(Sentences.KindOf(top), AlarmBar.Fixed);
        if (_open || score < bar || !day.Has(DayMarks.Usable | DayMarks.Warm)) return;
        // A suspicion of the feeder is told on a day on which the feeder has its numbers.
        if (top == Pieces.Feeder && (feeder is not { IsAttributed: true } f
            || Math.Abs(f.Of(new MeterId(subject.Key.Id)).WhPerDay) < LeastWhPerDay)) return;
        // The validation rules tell of a constant day, and of days of zeros once they are a run.
        if ((day.Marks & (DayMarks.Stuck | DayMarks.AllZero)) != 0) return;
        _open = true;
        ReadOnlySpan<TrackedFeature> tracked = _tracked;
        findings.Add(Fusion.Joined(Sentences.Of(score, top, pieces, tracked, day, subject, feeder), subject.Others));
    }

    public readonly void Write(ByteWriter to)
    {
        ReadOnlySpan<TrackedFeature> tracked = _tracked;
        foreach (ref readonly var t in tracked) t.Write(to);
        to.UInt16(_days);
        to.UInt16(_peerFlat);
        to.UInt16(_peerNight);
        to.UInt16(_feeder);
        to.Byte(_feederAge);
        to.Byte(_quietDays);
        to.Byte(_zeroDays);
        to.Byte(_pvDays);
        to.Bool(_open);
    }

    public static DayJudgement Read(ref ByteReader from)
    {
        var j = new DayJudgement();
        for (var i = 0; i < Pieces.Features; i++) j._tracked[i] = TrackedFeature.Read(ref from);
        j._days = from.UInt16();
        j._peerFlat = from.UInt16();
        j._peerNight = from.UInt16();
        j._feeder = from.UInt16();
        j._feederAge = from.Byte();
        j._quietDays = from.Byte();
        j._zeroDays = from.Byte();
        j._pvDays = from.Byte();
        j._open = from.Bool();
        return j;
    }
}
