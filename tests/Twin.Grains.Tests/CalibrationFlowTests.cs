using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Grains.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

/// <summary>How scores, bars, verdicts and fingerprints go from meters to the fleet and back.</summary>
public class CalibrationFlowTests
{
    private readonly TwinHarness _fleet = new();
    private readonly MeterId[] _meters = [.. Enumerable.Range(0, 12).Select(i => MeterId.FromUtilityId($"C-{i}"))];
    private static readonly TwinKey Cohort = TwinKey.Named(TwinKind.Cohort, "ZX|1.0|L7");

    private CohortView View(TwinKey key) => CohortView.From(key, _fleet.State(key));

    private void Days(int from, int to)
    {
        for (var d = from; d < to; d++)
        {
            for (var i = 0; i < _meters.Length; i++)
                _fleet.Append(Raw((Day0 + d) * 1440L,
                    [.. Values(Day0 + d).Select((v, s) => v + (s * 7 + i * 3 + d) % 9)], meter: _meters[i]));
            _fleet.Close(Day0 + d);
        }
    }

    private void Register()
    {
        foreach (var m in _meters) _fleet.Append(Relation(m));
    }

    private Verdict Say(int meter, FindingKind kind, Outcome outcome, long at = 1) =>
        new(_meters[meter].Twin, new UnixTime(Day0 * 86_400L + at), 7, kind, outcome, "kim", "went there");

    [Fact]
    public void A_verdict_moves_the_bar_of_its_kind_in_its_cohort_when_the_next_day_closes()
    {
        Register();
        Days(0, 2);
        Assert.Equal(AdmissionStatus.Accepted,
            _fleet.Append(Say(3, FindingKind.LevelShift, Outcome.False)).Status);
        _fleet.Restart(_meters[3].Twin);
        Assert.Null(View(Cohort).Factors);
        Days(2, 3);
        Assert.Equal(0.5 + 5.0 / 9, View(Cohort).Factors![FindingKind.LevelShift], 9);
        Days(3, 4);
        Assert.Equal(0.5 + 5.0 / 9, View(Cohort).Factors![FindingKind.LevelShift], 9);
        _fleet.Restart(Cohort);
        Assert.Equal(0.5 + 5.0 / 9, View(Cohort).Factors![FindingKind.LevelShift], 9);
    }

    [Fact]
    public void Every_kind_of_twin_takes_verdicts_on_its_findings_and_refuses_long_ones()
    {
        Register();
        Days(0, 1);
        foreach (var key in (TwinKey[])[Cohort, TwinKey.Named(TwinKind.Feeder, "F1"), FleetPartition.Whole,
            TwinKey.Named(TwinKind.Concentrator, "DC-1"), _meters[0].Twin])
        {
            var verdict = Say(0, FindingKind.FeederLoss, Outcome.Benign) with { Subject = key };
            Assert.Equal(AdmissionStatus.Accepted, _fleet.Append(verdict).Status);
            var refused = _fleet.Append(verdict with { Why = new string('x', Verdict.MaxText + 1) });
            Assert.Equal(AdmissionStatus.Rejected, refused.Status);
            Assert.Contains("shorten", refused.Reason, StringComparison.Ordinal);
        }
        // Said of the cohort itself, it counts at once.
        Assert.Equal(1, View(Cohort).Factors![FindingKind.FeederLoss], 9);
    }

    [Fact]
    public void Block_maxima_become_the_bar_of_every_cohort_and_days_are_judged_by_it()
    {
        Register();
        Days(0, 2);
        var sketch = new ScoreSketch();
        for (var i = 0; i < AlarmBar.EnoughBlocks; i++) sketch.Add(LogFloat.Encode(0.5f + i % 100 * 0.015f));
        var bytes = new ByteWriter();
        FleetNews.WriteScores(bytes, Day0, sketch);
        var body = bytes.ToArray();
        Assert.Equal(0, View(Cohort).Bar);
        // The first word makes the bar known to the partition, the second brings it to the cohort.
        for (var i = 0; i < 2; i++) _fleet.Deliver((Cohort, FleetPartition.Of(Cohort.Id), body));
        Assert.InRange(View(Cohort).Bar, 1.9, 2.1);
        foreach (var key in (TwinKey[])[Cohort, FleetPartition.Of(Cohort.Id), FleetPartition.Whole])
        {
            var state = _fleet.State(key);
            _fleet.Restart(key);
            Assert.Equal(state, _fleet.State(key));
        }
        _fleet.Sent.Clear();
        Days(2, 3);
        var answer = _fleet.Sent.First(m => m.From == Cohort && m.To == _meters[0].Twin).Body;
        var r = new ByteReader(answer);
        _ = (MessageHead.Read(ref r, out var version), MessageHead.ReadDay(ref r), CohortDay.Read(ref r, version));
        Assert.Equal(View(Cohort).Bar, AlarmBar.Read(ref r).Learnt, 5);
    }

    [Fact]
    public void Each_meter_tells_its_block_once_in_28_days()
    {
        Register();
        Days(0, 60);
        var told = _fleet.Sent.Where(m => m.To == Cohort && m.From.Kind == TwinKind.Meter)
            .Where(m => !MeterDayMessage.Read(m.Body).News.IsEmpty).GroupBy(m => m.From).ToArray();
        Assert.Equal(_meters.Length, told.Length);
        Assert.All(told, g => Assert.InRange(g.Count(), 1, 3));
        Assert.Contains(_fleet.Sent, m => m.To == FleetPartition.Whole && FleetNews.Is(m.Body));
    }

    [Fact]
    public void Fingerprints_reach_the_twin_of_the_model_at_a_sweep_and_an_odd_meter_is_found_there()
    {
        Register();
        var draw = new SplitMix64(3);
        for (var d = 0; d < 30; d++)
        {
            for (var i = 0; i < _meters.Length; i++)
                _fleet.Append(new Fingerprint(_meters[i], new UnixTime((Day0 + d) * 86_400L), 5,
                [
                    (float)(180 + 6 * draw.NextNormal() + (i == 4 ? 50 : 0)), 360, 2, 1, 0.1f * i,
                    (float)(1 + 0.1 * draw.NextNormal()), 0, (float)(4 + 0.2 * draw.NextNormal() + (i == 4 ? 3 : 0)),
                ]));
            if (d == 10) foreach (var m in _meters) _fleet.Restart(m.Twin);
            _fleet.Sweep(new UnixTime((Day0 + d) * 86_400L + 3_600));
            Assert.All(_meters, m => Assert.False(_fleet[m.Twin].Waits));
        }
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((_meters[4].Twin, FindingKind.FirmwareBehaviour, "fleet_behaviour"),
            (f.Subject, f.Kind, f.Detector));
        var twin = DevicePrintMessage.KeyOf("ZX");
        // What is strange is not learnt from: in the end the sample is of the others.
        Assert.Equal(("behaviour of ZX", 11), (View(twin).Name, View(twin).Members));
        var state = _fleet.State(twin);
        _fleet.Restart(twin);
        Assert.Equal(state, _fleet.State(twin));
    }

    [Fact]
    public void A_replay_of_the_journal_gives_the_same_twins()
    {
        Register();
        Days(0, 20);
        _fleet.Append(Say(1, FindingKind.ShapeChange, Outcome.True));
        _fleet.Append(new Fingerprint(_meters[2], new UnixTime((Day0 + 20) * 86_400L), 5, [1, 2, 3, 4, 5, 6, 7, 8]));
        _fleet.Sweep(new UnixTime((Day0 + 20) * 86_400L + 60));
        Days(20, 40);
        Assert.Equal(_fleet.AllStates(), TwinHarness.Replay(_fleet.Journal).AllStates());
    }
}
