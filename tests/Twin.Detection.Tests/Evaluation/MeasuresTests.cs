using Twin.Detection.Evaluation;

namespace Twin.Detection.Tests.Evaluation;

/// <summary>Measures against values worked out by hand.</summary>
public sealed class MeasuresTests
{
    private static ScoredCase Case(int home, string kind, Cause cause, int onset, double score, int day)
    {
        var days = new double[Protocol.Days];
        days[day] = score;
        return new ScoredCase(0, home, home, kind, cause, onset, days, []);
    }

    private static ScoredCase Honest(int score) => Case(score, "honest", Cause.Honest, 0, score, 30);

    /// <summary>Honest meters with the scores 1 to 100.</summary>
    private static List<ScoredCase> Hundred() => [.. Enumerable.Range(1, 100).Select(Honest)];

    [Fact]
    public void Shares_found_area_and_delay_of_two_kinds()
    {
        var cases = Hundred();
        cases.Add(Case(201, "h1", Cause.Theft, 40, 99.5, 44));
        cases.Add(Case(202, "h1", Cause.Theft, 40, 100.5, 50));
        cases.Add(Case(203, "h1", Cause.Theft, 40, 95.5, 50));
        cases.Add(Case(204, "h1", Cause.Theft, 40, 50, 50));
        cases.Add(Case(205, "f3", Cause.Theft, 0, 200, 30));
        var result = Measures.Of(cases);
        // One of a hundred lies above 99, five above 95.
        Assert.Equal((99, 95), (result.ThresholdAt1, result.ThresholdAt5));
        Assert.Equal(["h1", "f3"], result.Kinds.Select(k => k.Kind));
        var h1 = result.Kinds[0].Measured.Value;
        Assert.Equal((4, 0.5, 0.75), (h1.Cases, h1.TprAt1, h1.TprAt5));
        Assert.Equal((0.99 + 1 + 0.95 + 0.495) / 4, h1.Auc, 12);
        Assert.Equal((4 + 10) / 2.0, h1.Delay);
        // Of a theft from the first day, days count from the first judged one.
        Assert.Equal(9, result.Kinds[1].Measured.Value.Delay);
        var macro = result.Macro.Value;
        Assert.Equal((5, 0.75, 0.875, 9), (macro.Cases, macro.TprAt1, macro.TprAt5, macro.Delay));
        Assert.Equal((h1.Auc + 1) / 2, macro.Auc, 12);
    }

    [Fact]
    public void What_ties_with_honest_meters_is_no_detection_and_half_an_area()
    {
        List<ScoredCase> cases = [.. Enumerable.Range(0, 50).Select(i => Case(i, "honest", Cause.Honest, 0, 0, 30))];
        cases.Add(Case(60, "h1", Cause.Theft, 30, 0, 40));
        var h1 = Measures.Of(cases).Macro.Value;
        Assert.Equal((0.5, 0, 0), (h1.Auc, h1.TprAt1, h1.TprAt5));
        Assert.True(double.IsNaN(h1.Delay));
    }

    [Fact]
    public void Days_before_the_first_judged_one_do_not_count() =>
        Assert.Equal(0, Case(1, "honest", Cause.Honest, 0, 9, Protocol.FirstJudgedDay - 1).Score);

    [Fact]
    public void A_score_that_is_no_number_is_none() =>
        Assert.Equal(0, Case(1, "honest", Cause.Honest, 0, double.NaN, 40).Score);

    [Fact]
    public void Alarms_are_counted_once_until_a_fortnight_is_quiet()
    {
        var days = new double[Protocol.Days];
        foreach (var d in (ReadOnlySpan<int>)[22, 23, 30, 44, 59]) days[d] = 2;
        // 22 begins one, 23, 30 and 44 go on, 59 comes 15 days later.
        Assert.Equal(2, new ScoredCase(0, 0, 0, "honest", Cause.Honest, 0, days, []).Alarms(1));
    }

    [Fact]
    public void Alarms_a_month_are_those_of_honest_meters_over_the_judged_days()
    {
        // Two of 200 honest meters lie above the 99th percentile, each once in 71 days.
        List<ScoredCase> cases = [.. Enumerable.Range(1, 200).Select(Honest)];
        cases.Add(Case(300, "h1", Cause.Theft, 30, 500, 40));
        Assert.Equal(1000 * 2 / (200 * 71 / 30.44), Measures.Of(cases).AlarmsPer1000MetersMonth, 9);
    }

    [Fact]
    public void Look_alikes_and_faults_are_shares_by_kind_and_their_mean()
    {
        var cases = Hundred();
        cases.Add(Case(301, "h1", Cause.Theft, 30, 500, 40));
        cases.Add(Case(302, "pv", Cause.LookAlike, 30, 500, 40));
        cases.Add(Case(303, "pv", Cause.LookAlike, 30, 5, 40));
        cases.Add(Case(304, "ev", Cause.LookAlike, 30, 5, 40));
        cases.Add(Case(305, "stuck", Cause.Fault, 30, 500, 40));
        var result = Measures.Of(cases);
        Assert.Equal(0.25, result.LookAlikes.Macro);
        Assert.Equal([("ev", 1, 0), ("pv", 2, 0.5)], result.LookAlikes.Kinds);
        Assert.Equal(1, result.Faults.Macro);
        // They are neither thefts nor honest.
        Assert.Equal(99, result.ThresholdAt1);
    }

    [Fact]
    public void Intervals_are_drawn_over_whole_homes_and_hold_the_value()
    {
        var cases = Hundred();
        // Twenty thefts of one home, all found, and twenty of another, none found: two homes, not forty meters.
        for (var i = 0; i < 20; i++)
        {
            cases.Add(Case(401, "h1", Cause.Theft, 30, 500, 40));
            cases.Add(Case(402, "h1", Cause.Theft, 30, 0.5, 40));
        }
        var macro = Measures.Of(cases).Macro;
        Assert.Equal(0.5, macro.Value.TprAt1);
        Assert.Equal((0, 1), (macro.TprAt1.Low, macro.TprAt1.High));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.5, 2.5)]
    [InlineData(0.1, 1.3)]
    [InlineData(1, 4)]
    public void A_percentile_lies_on_the_line_between_its_neighbours(double share, double expected) =>
        Assert.Equal(expected, Measures.Percentile([1, 2, 3, 4], share), 12);

    [Fact]
    public void A_weeks_visits_are_weighted_to_the_prevalence()
    {
        // 1,000 meters at 1 %: ten steal. They rank first: of 5 visits all find one, of 20 half.
        List<ScoredCase> cases = [.. Enumerable.Range(0, 99).Select(i => Constant("honest", Cause.Honest, 1))];
        cases.Add(Constant("h1", Cause.Theft, 2));
        var visits = WeeklyVisits.Of(cases).Where(v => v.Prevalence == 0.01).ToDictionary(v => v.VisitsPer1000);
        Assert.Equal(1, visits[5].Precision, 12);
        Assert.Equal(0.5, visits[20].Precision, 12);
        Assert.Equal(2, visits[20].VisitsPerTheft, 12);
    }

    [Fact]
    public void Visits_to_equal_scores_find_the_prevalence()
    {
        List<ScoredCase> cases = [.. Enumerable.Range(0, 50).Select(i => Constant("honest", Cause.Honest, 1))];
        cases.Add(Constant("h1", Cause.Theft, 1));
        Assert.All(WeeklyVisits.Of(cases), v => Assert.Equal(v.Prevalence, v.Precision, 12));
    }

    private static ScoredCase Constant(string kind, Cause cause, double score)
    {
        var days = new double[Protocol.Days];
        days.AsSpan().Fill(score);
        return new ScoredCase(0, 0, 0, kind, cause, 0, days, []);
    }
}
