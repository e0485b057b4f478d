using Twin.Grains.Learned;
using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests.Learned;

/// <summary>Models come into shadow before they count, and what they say moves a score only then.</summary>
public sealed class ModelsTwinTests
{
    private const long Start = 1_700_000_000, Day = 86_400;
    private static readonly Actor s_ada = new("Ada", "key-1");

    private readonly TwinHarness _given = new();

    private string Do(ulong model, ModelStage stage, long days) => _given.Append(new ModelActivation(
        new UnixTime(Start + days * Day), s_ada, model, stage, "trees", "")).Reason;

    private ModelStage[] Stages => [.. ModelsTwin.From(ModelActivation.Twin, _given.State(ModelActivation.Twin))
        .OrderBy(m => m.Model).Select(m => m.Stage)];

    [Fact]
    public void A_model_runs_in_shadow_for_a_week_and_one_counts_at_a_time()
    {
        Assert.Contains("shadow first", Do(1, ModelStage.Promoted, 0));
        Assert.Equal("", Do(1, ModelStage.Shadow, 0));
        Assert.Contains("in use already", Do(1, ModelStage.Shadow, 1));
        Assert.Contains("7 days", Do(1, ModelStage.Promoted, 6));
        Assert.Equal("", Do(1, ModelStage.Promoted, 7));
        Assert.Equal("", Do(2, ModelStage.Shadow, 8));
        Assert.Equal("", Do(2, ModelStage.Promoted, 15));
        Assert.Equal([ModelStage.Shadow, ModelStage.Promoted], Stages);
        Assert.Equal("", Do(1, ModelStage.Retired, 16));
        Assert.Contains("shadow first", Do(1, ModelStage.Promoted, 30));
        Assert.Equal("", Do(1, ModelStage.Shadow, 31));
        Assert.Contains("7 days", Do(1, ModelStage.Promoted, 32));
        var before = _given.State(ModelActivation.Twin);
        _given.Restart(ModelActivation.Twin);
        Assert.Equal(before, _given.State(ModelActivation.Twin));
        Assert.Equal(6, _given.Ledger.Count);
    }

    private double ScoreWith(bool? isPromoted, int age = 1)
    {
        var given = new TwinHarness();
        given.Append(Relation(Meter));
        for (var d = 0; d < 30; d++)
        {
            given.Append(UtcDay(Day0 + d));
            given.Close(Day0 + d);
        }
        if (isPromoted is { } counts)
            Assert.Equal("", given.Append(Opinion(Day0 + 29, counts)).Reason);
        for (var d = 30; d < 30 + age; d++)
        {
            given.Append(UtcDay(Day0 + d));
            given.Close(Day0 + d);
        }
        var before = given.State(Meter.Twin);
        given.Restart(Meter.Twin);
        Assert.Equal(before, given.State(Meter.Twin));
        return given.Scores[^1].Score;
    }

    private static ModelOpinion Opinion(int day, bool isPromoted, float score = 2) =>
        new(Meter, new UnixTime((day + 1L) * Day), day, 7, score, isPromoted);

    [Fact]
    public void An_opinion_in_shadow_moves_nothing_and_one_that_counts_fades_after_a_week()
    {
        var without = ScoreWith(null);
        Assert.Equal(without, ScoreWith(false));
        Assert.Equal(Twin.Detection.Fusion.WithLearned(without, 2), ScoreWith(true), 9);
        Assert.Equal(ScoreWith(null, MeterTwin.OpinionDays + 1), ScoreWith(true, MeterTwin.OpinionDays + 1));
    }

    [Fact]
    public void An_opinion_is_of_a_day_that_closed_told_once_and_gone_with_what_it_is_of()
    {
        _given.Append(UtcDay(Day0));
        _given.Close(Day0);
        Assert.Contains("not closed", _given.Append(Opinion(Day0 + 1, true)).Reason);
        Assert.Contains("0 to 3", _given.Append(Opinion(Day0, true, float.NaN)).Reason);
        Assert.Equal(AdmissionStatus.Accepted, _given.Append(Opinion(Day0, true)).Status);
        Assert.Equal(AdmissionStatus.Duplicate, _given.Append(Opinion(Day0, true)).Status);
        Assert.NotNull(MeterTwin.Restore(Meter.Value, _given.State(Meter.Twin)).Opinion);
        _given.Append(new Erasure(Meter, Day0 + 1, "asked for"));
        Assert.Null(MeterTwin.Restore(Meter.Value, _given.State(Meter.Twin)).Opinion);
    }
}
