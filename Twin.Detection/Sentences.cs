using Twin.Hardware;

namespace Twin.Detection;

/// <summary>
/// Turns a judged day into a finding: one plain sentence with its numbers, and the evidence behind each piece.
/// </summary>
internal static class Sentences
{
    private static readonly string[] Units = ["x", "x", "", "", "x", ""];
    private static readonly string[] Features =
        ["level_vs_cohort", "night_base_vs_cohort", "shape_distance", "roughness", "evening_share_vs_cohort",
            "zero_share"];

    public static Finding Of(double score, int top, ReadOnlySpan<float> pieces, ReadOnlySpan<TrackedFeature> tracked,
        in DayFeatures day,
        in DaySubject subject, in FeederDay? feeder)
    {
        var kind = KindOf(top);
        var days = top switch
        {
            Pieces.Scale => tracked[Pieces.Level].DownDays,
            < 2 * Pieces.Features => top % 2 == 0 ? tracked[top / 2].DownDays : tracked[top / 2].UpDays,
            _ => 1,
        };
        days = Math.Max(1, days);
        var from = new UnixTime(day.Start.Seconds - (days - 1) * 86_400L);
        var since = LocalDay.FormatDate(day.Day - days + 1);
        var suspect = feeder is { } f ? f.Of(new MeterId(subject.Key.Id)) : default;
        var sentence = Say(top, since, tracked, day, suspect);
        var severity = score > 3 ? Severity.High : Severity.Medium;
        var natures = Natures(pieces);
        var confidence = Math.Min(0.95, 0.4 + 0.1 * score + 0.1 * natures);
        var finding = Statements.Make(subject, kind, from, day.End, score, severity, confidence,
            kind == FindingKind.BalanceSuspect ? Statements.Balance : Statements.Reading, sentence,
            EvidenceOf(pieces, tracked, day, suspect));
        return Soften(finding, day);
    }

    internal static FindingKind KindOf(int top) => top switch
    {
        0 or 1 or Pieces.Scale => FindingKind.LevelShift,
        2 => FindingKind.NightBaseLost,
        Pieces.PeerFlat or Pieces.PeerNight => FindingKind.CohortDeviation,
        Pieces.Feeder => FindingKind.BalanceSuspect,
        Pieces.Repeat => FindingKind.RepeatedDay,
        10 or 11 => FindingKind.UnusualDay,
        _ => FindingKind.ShapeChange,
    };

    private static string Say(int top, string since, ReadOnlySpan<TrackedFeature> tracked, in DayFeatures day,
        in Attribution suspect)
    {
        var t = top < 2 * Pieces.Features ? tracked[top / 2] : tracked[top == Pieces.Scale ? Pieces.Level : 0];
        var change = Change(t);
        var than = change < 0 ? "less" : "more";
        var own = day.ExpectedWh > 0 ? day.TotalWh / day.ExpectedWh - 1 : 0;
        return top switch
        {
            0 or 1 => $"Since {since} the meter registers {Statements.Percent(change)} {than} than its cohort's "
                + "day lets expect"
                + (own * change > 0 ? $"; on the last day {Statements.Kwh(day.TotalWh)} where its own profile has "
                    + $"{Statements.Kwh(day.ExpectedWh)} ({Signed(own)})." : "."),
            Pieces.Scale => $"Since {since} the meter registers {Statements.Percent(change)} {than} than its "
                + $"cohort's day lets expect, and its night base is "
                    + $"{Statements.Percent(Change(tracked[Pieces.Night]))} lower too: everything shrank together.",
            2 or 3 => $"Since {since} the night base is {Statements.Percent(change)} {than} than before"
                + ((day.NightW - day.ExpectedNightW) * change > 0 ? $", now {Statements.Number(day.NightW)} W where "
                    + $"{Statements.Number(day.ExpectedNightW)} W was usual." : "."),
            4 or 5 => $"Since {since} the shape of the day has changed: its distance from the profile is "
                + $"{Statements.Number(t.Recent)}, {Statements.Number(t.Usual)} was usual.",
            6 or 7 => $"Since {since} the load curve is {(change < 0 ? "smoother" : "rougher")} than this home's: "
                + $"neighbouring half-hours differ by {Statements.Number(t.Recent)} of the mean, "
                + $"{Statements.Number(t.Usual)} was usual.",
            8 or 9 => $"Since {since} the share of energy from 17:00 to 21:00, measured against the cohort's, is "
                + $"{Statements.Number(t.Recent)}; {Statements.Number(t.Usual)} was usual.",
            10 or 11 => $"Since {since} {Statements.Percent(t.Recent)} of the intervals read zero, "
                + $"{Statements.Percent(t.Usual)} was usual.",
            Pieces.PeerFlat => $"The load curve is far smoother than any of its cohort: neighbouring half-hours "
                + $"differ by {Statements.Number(day.Roughness)} of the mean.",
            Pieces.PeerNight => $"The night base is {Statements.Percent(day.NightShare)} of the mean, far more "
                + $"than in its cohort.",
            Pieces.Feeder => $"The feeder misses about {Statements.Kwh(suspect.WhPerDay)} a day that follow this "
                + $"meter's days and hours ({Statements.Number(suspect.Strength)} standard errors); the meter "
                    + $"registered "
                + $"{Statements.Kwh(day.TotalWh)}.",
            Pieces.Repeat => $"On {since} the readings are those of an earlier day of the same week, value by value.",
            _ => $"On {since} all readings are the same.",
        };
    }

    private static double Change(in TrackedFeature t) => t.Usual > 0 ? t.Recent / t.Usual - 1 : 0;

    private static string Signed(double fraction) => (fraction < 0 ? "−" : "+") + Statements.Percent(fraction);

    /// <summary>How many kinds of evidence agree: own past, cohort, feeder.</summary>
    private static int Natures(ReadOnlySpan<float> pieces)
    {
        var own = false;
        for (var i = 0; i < 2 * Pieces.Features; i++) own |= pieces[i] > 0.5f;
        return (own ? 1 : 0) + (Math.Max(pieces[Pieces.PeerFlat], pieces[Pieces.PeerNight]) > 0.5f ? 1 : 0)
            + (pieces[Pieces.Feeder] > 0.5f ? 1 : 0);
    }

    private static Evidence[] EvidenceOf(ReadOnlySpan<float> pieces, ReadOnlySpan<TrackedFeature> tracked,
        in DayFeatures day, in Attribution suspect)
    {
        var sum = 0.0;
        foreach (var p in pieces) sum += p * p;
        var list = new List<Evidence> { new("energy", day.TotalWh, day.ExpectedWh, 0, "Wh") };
        for (var j = 0; j < Pieces.Features; j++)
        {
            var part = (pieces[2 * j] * pieces[2 * j] + pieces[2 * j + 1] * pieces[2 * j + 1]
                + (j == Pieces.Level ? pieces[Pieces.Scale] * pieces[Pieces.Scale] : 0)) / sum;
            if (part >= 0.05) list.Add(new Evidence(Features[j], tracked[j].Recent, tracked[j].Usual, part, Units[j]));
        }
        Span<int> others = [Pieces.PeerFlat, Pieces.PeerNight, Pieces.Feeder, Pieces.Repeat];
        foreach (var i in others)
        {
            var part = pieces[i] * pieces[i] / sum;
            if (part < 0.05) continue;
            list.Add(i switch
            {
                Pieces.Feeder => new Evidence("feeder_unmetered_energy", suspect.WhPerDay, 0, part, "Wh/d"),
                Pieces.PeerFlat => new Evidence("roughness_vs_peers", day.Roughness, 0.5, part, ""),
                Pieces.PeerNight => new Evidence("night_share_vs_peers", day.NightShare, 0.4, part, ""),
                _ => new Evidence("repeated_day", 1, 0, part, ""),
            });
        }
        return [.. list];
    }

    /// <summary>Innocent causes that the day itself suggests.</summary>
    private static Finding Soften(Finding finding, in DayFeatures day)
    {
        var texts = new List<string>(finding.CounterEvidence);
        if (day.Has(DayMarks.DaylightZeros))
            texts.Add("zeros fall between 08:00 and 18:00 only: new PV would look like this");
        if (day.Has(DayMarks.Vacant))
            texts.Add("the night base is intact and nothing else runs: an empty home would look like this");
        if (day.Has(DayMarks.CatchUp)) texts.Add("a catch-up read makes up for the gap before it");
        return texts.Count == finding.CounterEvidence.Length ? finding
            : finding with { CounterEvidence = [.. texts], Confidence = finding.Confidence * 0.6 };
    }
}
