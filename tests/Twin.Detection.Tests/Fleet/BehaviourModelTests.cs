using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Tests.Fleet;

/// <summary>Devices against those that are alike, images against their elders, lots against each other.</summary>
public class BehaviourModelTests
{
    private const ulong Old = 0xA1, New = 0xB2;
    private static readonly Party Self = new(new TwinKey(TwinKind.Cohort, 9), "behaviour of Z");
    private readonly FindingList _found = [];
    private readonly BehaviourModel _model = new();
    private readonly SplitMix64 _draw = new(7);

    private static Party Meter(int i) => new(new MeterId(1_000 + (ulong)i).Twin, $"M{i}");

    private float[] Honest(int meter) =>
    [
        (float)(180 + 6 * _draw.NextNormal()), (float)(360 + 3 * _draw.NextNormal()),
        (float)Math.Max(0, 2 + 0.7 * _draw.NextNormal()), _draw.Next(3),
        (float)(3 * (meter % 5 - 2) + 0.05 * _draw.NextNormal()), (float)(1 + 0.1 * _draw.NextNormal()),
        _draw.Next(30) == 0 ? 1 : 0, (float)(4 + 0.2 * _draw.NextNormal()),
    ];

    private void Take(int meter, int day, float[] values, ulong image = Old, string lot = "L1", float register = 0) =>
        _model.Take(new DevicePrint(Meter(meter), new UnixTime(day * 86_400L), image, 0, lot, "", register, values),
            "Z",
            Self, 1, _found);

    private void Days(int from, int to, int meters, Func<int, int, float[], float[]>? change = null,
        Func<int, int, ulong>? image = null)
    {
        for (var d = from; d < to; d++)
            for (var m = 0; m < meters; m++)
            {
                var values = Honest(m);
                Take(m, d, change is null ? values : change(m, d, values), image?.Invoke(m, d) ?? Old,
                    m % 2 == 0 ? "L1" : "L2");
            }
    }

    [Fact]
    public void Honest_meters_raise_nothing_in_a_year()
    {
        Days(0, 365, 24);
        Assert.Empty(_found);
        Assert.Equal((1, 0), (_model.Groups, _model.Suspects));
    }

    [Fact]
    public void A_meter_that_was_never_like_the_others_is_found_and_nobody_else()
    {
        Days(0, 30, 12, (m, _, v) =>
        {
            if (m == 3) (v[0], v[2], v[7]) = (v[0] + 40, v[2] + 3, v[7] + 3);
            return v;
        });
        var f = Assert.Single(_found);
        Assert.Equal((Meter(3).Key, FindingKind.FirmwareBehaviour, "T0857"), (f.Subject, f.Kind, f.Technique));
        Assert.Equal(["response_latency", "transmit_time"],
            f.Evidence.Take(2).Select(e => e.Feature).Order(StringComparer.Ordinal));
        Assert.InRange(f.Evidence.Sum(e => e.Contribution), 0.8, 1.0001);
        Assert.Contains("12 meters that claim the same firmware", f.Sentence, StringComparison.Ordinal);
    }

    /// <summary>Each feature is usual, and their combination is not: what only the correlation shows.</summary>
    [Fact]
    public void A_combination_that_nobody_has_is_further_away_than_its_features()
    {
        var prints = new List<float>();
        for (var i = 0; i < 200; i++)
        {
            var (v, load) = (Honest(0), (float)_draw.NextNormal());
            (v[0], v[7]) = (180 + 20 * load, 4 + 2 * load);
            prints.AddRange(v);
        }
        var cloud = RobustCloud.Fit(prints.ToArray());
        Span<double> shares = stackalloc double[DeviceTraits.Count];
        float[] with = [210, 360, 2, 1, -6, 1, 0, 7], against = [210, 360, 2, 1, -6, 1, 0, 1];
        var (usual, odd) = (cloud.Distance(with, shares), cloud.Distance(against, shares));
        Assert.True(odd > 1.4 * usual, $"{odd} against {usual}");
    }

    [Fact]
    public void A_quarter_of_compromised_members_does_not_move_the_cloud()
    {
        var (clean, dirty) = (new List<float>(), new List<float>());
        for (var i = 0; i < 160; i++)
        {
            var v = Honest(i);
            clean.AddRange(v);
            if (i % 5 == 0) (v[0], v[7]) = (v[0] + 200, v[7] + 50);
            dirty.AddRange(v);
        }
        Span<double> shares = stackalloc double[DeviceTraits.Count];
        float[] implant = [380, 360, 2, 1, 0, 1, 0, 54];
        var (a, b) = (RobustCloud.Fit(clean.ToArray()), RobustCloud.Fit(dirty.ToArray()));
        Assert.InRange(b.Distance(implant, shares) / a.Distance(implant, shares), 0.7, 1.1);
        Assert.InRange(b.Centre(0), 178, 186);
    }

    [Fact]
    public void A_release_that_is_too_quiet_is_one_finding_on_the_model()
    {
        Days(0, 40, 16, (m, d, v) =>
        {
            if (m < 8 && d >= 15) v[5] *= 0.25f;
            return v;
        }, (m, d) => m < 8 && d >= 15 ? New : Old);
        var f = Assert.Single(_found);
        Assert.Equal((Self.Key, FindingKind.FirmwareBehaviour, "metrology_noise"),
            (f.Subject, f.Kind, f.Evidence[0].Feature));
        Assert.InRange(f.Evidence[0].Observed, 0.2, 0.3);
        Assert.InRange(f.Evidence[0].Expected, 0.95, 1.05);
        Assert.Single(f.CounterEvidence);
    }

    [Fact]
    public void A_release_that_behaves_as_before_is_no_finding()
    {
        Days(0, 60, 16, image: (m, d) => m < 8 && d >= 15 ? New : Old);
        Assert.Empty(_found);
        Assert.Equal(2, _model.Groups);
    }

    [Fact]
    public void A_lot_of_which_the_clocks_drift_together_is_one_finding_on_the_lot()
    {
        Days(0, 120, 24, (m, d, v) =>
        {
            if (m % 2 == 0) v[4] += Math.Max(0, d - 30) * 0.1f;
            return v;
        });
        var f = Assert.Single(_found, f => f.Kind == FindingKind.MetrologySuspect);
        Assert.Equal(("lot L1 of Z", "lot_clock_drift"), (f.SubjectName, f.Evidence[0].Feature));
        Assert.Equal(TwinKey.Named(TwinKind.Cohort, "lot|Z|L1"), f.Subject);
    }

    [Fact]
    public void A_lot_of_which_registers_run_ahead_of_the_intervals_is_found()
    {
        var nothing = Enumerable.Repeat(float.NaN, DeviceTraits.Count).ToArray();
        for (var d = 0; d < 80; d++)
            for (var m = 0; m < 20; m++)
                Take(m, d, nothing, 0, m < 10 ? "L1" : "L2",
                    (float)_draw.NextNormal() * 0.2f + (m < 10 ? Math.Max(0, d - 20) * 0.1f : 0));
        var f = Assert.Single(_found);
        Assert.Equal(("lot L1 of Z", "lot_register_vs_intervals", 0), (f.SubjectName, f.Evidence[0].Feature,
            _model.Groups));
    }

    [Fact]
    public void State_survives_and_goes_on_the_same()
    {
        Days(0, 25, 12);
        var w = new ByteWriter();
        _model.Write(w);
        var r = new ByteReader(w.Written);
        var copy = BehaviourModel.Read(ref r);
        Assert.True(r.AtEnd);
        var other = new FindingList();
        for (var d = 25; d < 60; d++)
            for (var m = 0; m < 12; m++)
            {
                var v = Honest(m);
                if (m == 5) v[0] += 60;
                var print = new DevicePrint(Meter(m), new UnixTime(d * 86_400L), Old, 0, "L1", "", 0, v);
                _model.Take(print, "Z", Self, 1, _found);
                copy.Take(print, "Z", Self, 1, other);
            }
        Assert.Equal([.. _found.Select(f => f.Sentence)], other.Select(f => f.Sentence));
        Assert.Single(_found);
        var (one, two) = (new ByteWriter(), new ByteWriter());
        _model.Write(one);
        copy.Write(two);
        Assert.Equal(one.ToArray(), two.ToArray());
    }

    [Fact]
    public void Tables_stay_within_their_bounds()
    {
        for (var i = 0; i < 2 * BehaviourModel.MaxGroups; i++) Take(i, 1, Honest(i), (ulong)i + 1, $"lot {i:000}");
        Assert.Equal(BehaviourModel.MaxGroups, _model.Groups);
        Days(2, 60, 40);
        var w = new ByteWriter();
        _model.Write(w);
        Assert.InRange(w.Length, 1, BehaviourModel.MaxGroups * 400
            + (AlikeMeters.MaxFitted + AlikeMeters.MaxNew) * (8 + 4 * DeviceTraits.Count) + 64 * 1_400);
    }
}
