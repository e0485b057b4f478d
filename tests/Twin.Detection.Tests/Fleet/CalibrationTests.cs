using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Tests.Fleet;

/// <summary>The bar that the fleet learns, what verdicts do to it, and fusion of natures.</summary>
public class CalibrationTests
{
    private static ScoreSketch SketchOf(IEnumerable<double> scores)
    {
        var sketch = new ScoreSketch();
        foreach (var s in scores) sketch.Add(LogFloat.Encode((float)s));
        return sketch;
    }

    private static byte[] Bytes(Action<ByteWriter> write)
    {
        var w = new ByteWriter();
        write(w);
        return w.ToArray();
    }

    [Fact]
    public void Quantiles_are_right_within_a_bin_and_sketches_add_up()
    {
        var draw = new SplitMix64(3);
        double[] scores = [.. Enumerable.Range(0, 20_000).Select(_ => 0.1 + draw.NextDouble() * draw.NextDouble() * 4)];
        var (whole, sum) = (SketchOf(scores), SketchOf(scores[..7_000]));
        sum.Add(SketchOf(scores[7_000..]));
        Assert.Equal(Bytes(whole.Write), Bytes(sum.Write));
        Assert.Equal(20_000, whole.Count);
        Array.Sort(scores);
        foreach (var share in (double[])[0.5, 0.1, 0.01, 0.003])
            Assert.InRange(whole.Above(share) / scores[(int)(scores.Length * (1 - share))], 0.999, 1.07);
        var r = new ByteReader(Bytes(whole.Write));
        Assert.Equal(Bytes(whole.Write), Bytes(ScoreSketch.Read(ref r).Write));
    }

    [Fact]
    public void Old_scores_count_half_after_a_year()
    {
        var sketch = SketchOf(Enumerable.Repeat(1.0, 1_000));
        sketch.Pass(10);
        sketch.Pass(374);
        Assert.Equal(1_000, sketch.Count);
        sketch.Pass(375);
        Assert.Equal(500, sketch.Count);
    }

    [Fact]
    public void The_bar_lets_as_many_pass_as_the_budget_has_room_for()
    {
        var draw = new SplitMix64(11);
        double[] blocks = [.. Enumerable.Range(0, 130_000).Select(_ => 0.4 + 0.25 * Math.Abs(draw.NextNormal())
            + 0.25 * Math.Abs(draw.NextNormal()))];
        var bar = AlarmBar.From(SketchOf(blocks));
        // 130,000 blocks of 28 days are 9,973 meter-years; the budget is 0.04 each.
        Assert.InRange(blocks.Count(b => b > bar), 0.75 * 0.04 * 9_973, 0.04 * 9_973);
    }

    [Fact]
    public void Too_few_blocks_leave_the_fixed_bar_and_a_strange_fleet_moves_it_within_limits()
    {
        Assert.Equal(0, AlarmBar.From(SketchOf(Enumerable.Repeat(5.0, AlarmBar.EnoughBlocks - 1))));
        Assert.Equal(1.6, default(AlarmBar).Of(FindingKind.LevelShift, 1.6));
        Assert.Equal(3.2, new AlarmBar(40, []).Of(FindingKind.LevelShift, 1.6), 6);
        Assert.Equal(1.2, new AlarmBar(0.01, []).Of(FindingKind.LevelShift, 1.6), 6);
    }

    [Fact]
    public void Verdicts_move_the_bar_of_their_kind_and_only_within_their_limits()
    {
        var book = new VerdictBook();
        Assert.Equal(1, book.FactorOf(FindingKind.LevelShift));
        book.Note(FindingKind.LevelShift, Outcome.False);
        Assert.InRange(book.FactorOf(FindingKind.LevelShift), 1.04, 1.07);
        for (var i = 0; i < 1_000; i++) book.Note(FindingKind.LevelShift, Outcome.False);
        Assert.InRange(book.FactorOf(FindingKind.LevelShift), 1.4, VerdictBook.MostFactor);
        for (var i = 0; i < 1_000; i++) book.Note(FindingKind.ShapeChange, Outcome.True);
        Assert.InRange(book.FactorOf(FindingKind.ShapeChange), VerdictBook.LeastFactor, 0.85);
        for (var i = 0; i < 1_000; i++) book.Note(FindingKind.UnusualDay, Outcome.Benign);
        Assert.Equal(1, book.FactorOf(FindingKind.UnusualDay), 6);
        Assert.Equal(1, book.FactorOf(FindingKind.StuckReading));
        var r = new ByteReader(Bytes(book.Write));
        Assert.Equal(Bytes(book.Write), Bytes(VerdictBook.Read(ref r).Write));
        var bar = new AlarmBar(2, book.Factors);
        Assert.InRange(bar.Of(FindingKind.LevelShift, 1.6), 2.8, 3);
        Assert.Equal(2, bar.Of(FindingKind.StuckReading, 1.6), 6);
        var again = new ByteReader(Bytes(bar.Write));
        Assert.Equal(bar.Of(FindingKind.LevelShift, 1.6), AlarmBar.Read(ref again).Of(FindingKind.LevelShift, 1.6));
    }

    /// <summary>With half of the verdicts undone by later ones the factor goes back: nothing is for ever.</summary>
    [Fact]
    public void Later_verdicts_outweigh_earlier_ones()
    {
        var book = new VerdictBook();
        for (var i = 0; i < 64; i++) book.Note(FindingKind.LevelShift, Outcome.False);
        for (var i = 0; i < 128; i++) book.Note(FindingKind.LevelShift, Outcome.True);
        Assert.True(book.FactorOf(FindingKind.LevelShift) < 0.95);
    }

    [Fact]
    public void Natures_that_agree_make_a_finding_of_what_each_alone_does_not()
    {
        const double theft = 1.2;
        Assert.Equal(theft, Fusion.Score(theft, default));
        var opened = new OtherEvidence(0.5f, 0);
        Assert.True(Fusion.Score(theft, opened) > AlarmBar.Fixed);
        Assert.True(Fusion.Score(0, new OtherEvidence(1, 1)) < AlarmBar.LeastOfFixed * AlarmBar.Fixed);
        Assert.True(Fusion.Score(theft, new OtherEvidence(0.5f, 0.5f)) > Fusion.Score(theft, opened));
        Assert.Equal(1.2 * (1 + 0.25 + 0.125 + 0.0625) + 0.125 + 0.0625,
            Fusion.Score(theft, new OtherEvidence(0.5f, 0.5f)), 9);
        Assert.Throws<ArgumentOutOfRangeException>(() => Fusion.Score(1, new OtherEvidence(1.5f, 0)));
    }

    [Fact]
    public void Evidence_fades_and_every_kind_has_its_nature()
    {
        Assert.Equal((1f, 0.5f, 0f, 0f), (Fusion.Faded(1, 0), Fusion.Faded(1, 30), Fusion.Faded(1, 60),
            Fusion.Faded(1, 900)));
        Assert.Equal(Nature.Physical, Fusion.NatureOf(FindingKind.Tamper));
        Assert.Equal(Nature.Cyber, Fusion.NatureOf(FindingKind.UnknownImage));
        Assert.All(Enum.GetValues<FindingKind>().Where(k => k < FindingKind.ChainBroken),
            k => Assert.Null(Fusion.NatureOf(k)));
        Assert.Null(Fusion.NatureOf(FindingKind.CorrelatedSilence));
    }

    [Fact]
    public void A_joined_finding_says_what_agrees_with_it()
    {
        var finding = new Finding(new MeterId(1).Twin, "M1", FindingKind.LevelShift, new UnixTime(0), new UnixTime(1),
            new UnixTime(1), 2, Severity.Medium, 0.5, "reading_model", 1, "", "It fell.", [], []);
        Assert.Same(finding, Fusion.Joined(finding, default));
        var joined = Fusion.Joined(finding, new OtherEvidence(1, 0));
        Assert.Equal("It fell. Signs of hands at the meter in the last weeks point the same way.", joined.Sentence);
        Assert.Equal((0.75, "physical_evidence"), (joined.Confidence, joined.Evidence[0].Feature));
    }
}
