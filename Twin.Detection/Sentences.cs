using Twin.Hardware;

namespace Twin.Detection;

/// <summary>What a finding is told from, besides the tracked features.</summary>
/// <param name="CohortFactor">The cohort's day over its members' profiles; 0 where there is none.</param>
internal readonly record struct ToldDay(DayFeatures Day, Attribution Suspect, ExchangedPair Pair, float ZeroEpisodes,
    bool IsLikelyPv, bool IsRising, bool FeederSpeaks, float CohortFactor);

/// <summary>
/// Turns a judged day into a finding: one plain sentence with its numbers, and the evidence behind each piece.
/// </summary>
internal static class Sentences
{
    /// <summary>Feature and unit of the evidence, by tracked feature.</summary>
    private static readonly (string Feature, string Unit)[] Tracked =
    [
        ("level_vs_cohort", "x"), ("peak_vs_cohort", "x"), ("energy_in_other_hours", ""),
        ("rhythm_vs_cohort", "x"), ("zero_share", ""), ("roughness", ""), ("night_base_vs_cohort", "x"),
    ];

    /// <summary>The rhythm is tracked one higher than it is told, because it may be negative.</summary>
    private const double RhythmShift = 1;

    public static Finding Of(double score, int top, ReadOnlySpan<float> pieces, ReadOnlySpan<TrackedFeature> tracked,
        in ToldDay told, in DaySubject subject)
    {
        var kind = KindOf(top);
        var days = Math.Max(1, top switch
        {
            < Pieces.Rise => tracked[top == Pieces.Uniform ? Pieces.Level : top].Days,
            Pieces.Exchanged => told.Pair.Days,
            _ => 1,
        });
        var from = new UnixTime(told.Day.Start.Seconds - (days - 1) * 86_400L);
        var since = LocalDay.FormatDate(told.Day.Day - days + 1);
        var severity = score > 3 ? Severity.High : Severity.Medium;
        var confidence = Math.Min(0.95, 0.4 + 0.1 * score + 0.1 * Natures(pieces));
        var detector = kind is FindingKind.BalanceSuspect or FindingKind.MetersExchanged
            ? Statements.Balance : Statements.Reading;
        var finding = Statements.Make(subject, kind, from, told.Day.End, score, severity, confidence, detector,
            Say(top, since, tracked, told, new MeterId(subject.Key.Id)), EvidenceOf(pieces, tracked, told));
        return Soften(finding, pieces, told);
    }

    internal static FindingKind KindOf(int top) => top switch
    {
        Pieces.Level or Pieces.Uniform => FindingKind.LevelShift,
        Pieces.PeerFlat or Pieces.PeerNight => FindingKind.CohortDeviation,
        Pieces.Feeder => FindingKind.BalanceSuspect,
        Pieces.Night => FindingKind.NightBaseLost,
        Pieces.Exchanged => FindingKind.MetersExchanged,
        Pieces.Repeat => FindingKind.RepeatedDay,
        Pieces.ZeroDays => FindingKind.UnusualDay,
        _ => FindingKind.ShapeChange,
    };

    private static string Say(int top, string since, ReadOnlySpan<TrackedFeature> tracked, in ToldDay told,
        MeterId meter)
    {
        var day = told.Day;
        var t = tracked[top is Pieces.Uniform or >= Pieces.Rise ? Pieces.Level : top];
        var lost = Statements.Percent(Math.Min(0, Change(t)));
        return top switch
        {
            Pieces.Level => $"Since {since} the meter registers {lost} less than its cohort's day lets expect"
                + (day.TotalWh < day.ExpectedWh ? $"; on the last day {Statements.Kwh(day.TotalWh)} where its own "
                    + $"profile has {Statements.Kwh(day.ExpectedWh)}." : "."),
            Pieces.Uniform => $"Since {since} the meter registers {lost} less than its cohort's day lets expect, and "
                + $"everything shrank together: on the last day the night base is {Watts(day.NightW)} "
                    + $"({Watts(day.ExpectedNightW)} was usual), the peak {Watts(day.TopW)} "
                    + $"({Watts(day.ExpectedTopW)}), the day {Statements.Kwh(day.TotalWh)} "
                    + $"({Statements.Kwh(day.ExpectedWh)}).",
            Pieces.Shape => $"Since {since} the shape of the day has changed: {Statements.Percent(t.Recent)} of its "
                + $"energy falls into other hours than the profile has, {Statements.Percent(t.Usual)} was usual.",
            Pieces.Rhythm => $"Since {since} the day has lost its rhythm: what it swings from hour to hour follows the "
                + $"usual day by {Statements.Number(t.Recent - RhythmShift)}, "
                    + $"{Statements.Number(t.Usual - RhythmShift)} was usual.",
            Pieces.Zero => $"Since {since} the meter counts nothing for {Statements.Number(24 * t.Recent)} hours a day "
                + $"({Statements.Percent(t.Recent)} of the intervals read zero, {Statements.Percent(t.Usual)} was "
                    + $"usual) and {Statements.Kwh(day.TotalWh)} in the others of the last day "
                    + $"({Statements.Kwh(day.ExpectedWh)} expected of all).",
            Pieces.Rough => $"Since {since} the load curve is rougher than this home's: neighbouring half-hours differ "
                + $"by {Statements.Number(t.Recent)} of the mean, {Statements.Number(t.Usual)} was usual.",
            Pieces.Night => $"Since {since} the night base is {lost} less than its cohort's night lets expect, now "
                + $"{Watts(day.NightW)} where {Watts(day.ExpectedNightW)} was usual.",
            Pieces.PeerFlat => "The load curve is far smoother than any of its cohort: neighbouring half-hours "
                + $"differ by {Statements.Number(day.Roughness)} of the mean.",
            Pieces.PeerNight => $"The night base is {Statements.Percent(day.NightShare)} of the mean, far more "
                + "than in its cohort.",
            Pieces.Cap => $"By {since} the meter has read {day.CapWh} Wh an interval {day.CapHits} times and never "
                + "more: what lies above a limit is cut.",
            Pieces.ZeroDays => $"By {since} days that read nothing have come between days of ordinary use again and "
                + $"again ({Statements.Number(told.ZeroEpisodes)} times of late).",
            Pieces.Exchanged => $"Since {since} this meter's days fit the profile of meter "
                + $"{(told.Pair.First == meter ? told.Pair.Second : told.Pair.First)} of its feeder better than its "
                    + "own, and that meter's days fit this one's: the two count each other's home.",
            Pieces.Feeder when told.Suspect.IsMoved => $"The feeder misses about "
                + $"{Statements.Kwh(told.Suspect.WhPerDay)} a day at some hours of this meter's days and finds as much "
                + $"at others ({Statements.Number(told.Suspect.Strength)} standard errors): the readings tell the "
                + "energy at other hours than it was used.",
            Pieces.Feeder => $"The feeder misses about {Statements.Kwh(told.Suspect.WhPerDay)} a day that follow this "
                + $"meter's days and hours ({Statements.Number(told.Suspect.Strength)} standard errors); the meter "
                    + $"registered {Statements.Kwh(day.TotalWh)}.",
            Pieces.Repeat => $"On {since} the readings are those of an earlier day of the same week, value by value.",
            _ => $"On {since} all readings are the same.",
        };
    }

    private static double Change(in TrackedFeature t) => t.Usual > 0 ? t.Recent / t.Usual - 1 : 0;

    private static string Watts(double w) => Statements.Number(Math.Round(w)) + " W";

    /// <summary>How many kinds of evidence agree: own past, cohort, feeder.</summary>
    private static int Natures(ReadOnlySpan<float> pieces)
    {
        var own = false;
        for (var i = 0; i < Pieces.Rise; i++) own |= pieces[i] > 0.5f;
        return (own || pieces[Pieces.Cap] > 0.5f || pieces[Pieces.ZeroDays] > 0.5f ? 1 : 0)
            + (Math.Max(pieces[Pieces.PeerFlat], pieces[Pieces.PeerNight]) > 0.5f ? 1 : 0)
            + (Math.Max(pieces[Pieces.Feeder], pieces[Pieces.Exchanged]) > 0.5f ? 1 : 0);
    }

    private static Evidence[] EvidenceOf(ReadOnlySpan<float> pieces, ReadOnlySpan<TrackedFeature> tracked,
        in ToldDay told)
    {
        var day = told.Day;
        var sum = 0.0;
        foreach (var p in pieces) sum += p * p;
        var list = new List<Evidence> { new("energy", day.TotalWh, day.ExpectedWh, 0, "Wh") };
        for (var i = 0; i < pieces.Length; i++)
        {
            var part = pieces[i] * pieces[i] / sum;
            if (part < 0.05) continue;
            var shift = i == Pieces.Rhythm ? RhythmShift : 0;
            list.Add(i switch
            {
                < Pieces.Rise => new Evidence(Tracked[i].Feature, tracked[i].Recent - shift, tracked[i].Usual - shift,
                    part, Tracked[i].Unit),
                Pieces.PeerFlat => new Evidence("roughness_vs_peers", day.Roughness, 0.5, part, ""),
                Pieces.PeerNight => new Evidence("night_share_vs_peers", day.NightShare, 0.4, part, ""),
                Pieces.Cap => new Evidence("intervals_at_ceiling", day.CapHits, 1, part, ""),
                Pieces.ZeroDays => new Evidence("zero_episodes", told.ZeroEpisodes, 0, part, ""),
                Pieces.Exchanged => new Evidence("days_fit_other_profile", told.Pair.Days, 0, part, "d"),
                Pieces.Feeder => new Evidence("feeder_unmetered_energy", told.Suspect.WhPerDay, 0, part, "Wh/d"),
                Pieces.Repeat => new Evidence("repeated_day", 1, 0, part, ""),
                _ => new Evidence("stuck_day", 1, 0, part, ""),
            });
        }
        return [.. list];
    }

    private static Finding Soften(Finding finding, ReadOnlySpan<float> pieces, in ToldDay told)
    {
        var texts = InnocentCauses.Of(finding.Kind, pieces, told);
        return texts.Count == 0 ? finding : finding with
        {
            CounterEvidence = [.. finding.CounterEvidence, .. texts],
            Confidence = finding.Confidence * 0.6,
        };
    }
}
