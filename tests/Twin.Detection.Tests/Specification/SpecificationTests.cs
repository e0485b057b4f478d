using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Detection.Tests.Specification;

public sealed class SpecificationTests
{
    /// <summary>ATT&amp;CK for ICS v18.1, the techniques that a meter's own record can show.</summary>
    private static readonly string[] Techniques = ["", "T0804", "T0806", "T0814", "T0816", "T0830", "T0831", "T0836",
        "T0839", "T0848", "T0849", "T0855", "T0856", "T0857", "T0859", "T0862", "T0872", "T0878"];

    private static IEnumerable<FindingKind> MetersOwn => Enum.GetValues<FindingKind>()
        .Where(k => (byte)k is >= 128 and < 208 && k is not (FindingKind.UnknownImage or FindingKind.ClonedKey
            or FindingKind.WithdrawnRelease or FindingKind.WeakRandomness or FindingKind.CommandVolume
            or FindingKind.ContractorSeries or FindingKind.SimultaneousSwitching or FindingKind.MetrologySuspect));

    [Fact]
    public void Every_kind_has_a_rule_with_a_known_technique()
    {
        foreach (var kind in MetersOwn)
        {
            var rule = SecurityRules.Of(kind);
            Assert.Contains(rule.Technique, Techniques);
            Assert.InRange(rule.Confidence, 0.5, 0.95);
            Assert.InRange(rule.SilentDays, 1, 30);
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => SecurityRules.Of(FindingKind.ClonedKey));
    }

    [Fact]
    public void A_known_innocent_cause_halves_the_confidence()
    {
        var claim = new SecurityClaim(FindingKind.Tamper, 100, 0, "x");
        var plain = claim.About(new MeterId(7).Twin, "M", new UnixTime(200));
        var softened = (claim with { Counter = ["work"] }).About(new MeterId(7).Twin, "M", new UnixTime(200));
        Assert.Equal(2 * softened.Confidence, plain.Confidence);
        Assert.Equal(("specification:tamper", 100L, 200L), (plain.Detector, plain.From.Seconds, plain.To.Seconds));
    }

    [Theory]
    [InlineData(10, 6, 2, 1, 1, 0, 0, 0)]
    [InlineData(13, 6, 2, 1, 1, 0, 0, 3)]
    [InlineData(13, 6, 2, 1, 1, 1, 0, 0)]
    [InlineData(13, 6, 2, 1, 1, 0, 1, 0)]
    [InlineData(6, 6, 2, 1, 1, 0, 0, -4)]
    public void Boots_are_their_causes_with_tolerance(uint boots, uint power, ushort watchdog, ushort activation,
        ushort commanded, ushort unrecorded, long years, long unexplained) => Assert.Equal(unexplained,
            BootCheck.Unexplained(new CakCounters(boots, power, watchdog, activation, commanded, 0), 0, unrecorded,
                years));

    [Theory]
    [InlineData(1_000u, 900u, 1_000u, 0)]
    [InlineData(1_121u, 900u, 1_000u, 121)]
    [InlineData(1_120u, 900u, 1_000u, 0)]
    [InlineData(779u, 900u, 9_000u, -121)]
    [InlineData(780u, 900u, 9_000u, 0)]
    [InlineData(10u, 0u, 9_000u, 0)]
    public void A_clock_is_wrong_only_beyond_what_travel_explains(uint meter, uint issued, uint received, long drift) =>
        Assert.Equal(drift, ClockCheck.Drift(meter, issued, received));

    [Fact]
    public void A_rate_counts_within_its_window()
    {
        var rate = new RateMark();
        Assert.Equal(1, rate.Add(100, 60));
        Assert.Equal(2, rate.Add(160, 60));
        Assert.Equal(1, rate.Add(161, 60));
        Assert.Equal(2, rate.Add(90, 60));
    }

    [Theory]
    [InlineData(true, 1, true)]
    [InlineData(false, 1, false)]
    [InlineData(true, 2, false)]
    [InlineData(false, 0, true)]
    public void Output_follows_the_control_state(bool output, byte state, bool agrees) =>
        Assert.Equal(agrees, SwitchCheck.Agrees(new SwitchState(output, state, 4)));

    private static Fingerprint Print(int day, params float[] values) => new(new MeterId(1), new UnixTime(day * 86_400L),
        0, values);

    [Fact]
    public void Noise_of_years_is_never_strange_and_one_feature_alone_is_not_enough()
    {
        for (var seed = 0ul; seed < 20; seed++)
        {
            var (draw, drift) = (new SplitMix64(seed), new FirmwareDrift());
            for (var day = 0; day < 1_000; day++)
            {
                var latency = 200 + 20 * draw.NextNormal() + (day is > 500 and < 520 ? 2_000 : 0);
                var found = drift.Take(Print(day, (float)latency, (float)(100 + 5 * draw.NextNormal()), draw.Next(4),
                    draw.Next(4), (float)draw.NextNormal()), out _);
                Assert.True(found is null, $"seed {seed}, day {day}");
            }
        }
    }

    [Theory]
    [InlineData(0f, false)]
    [InlineData(40f, true)]
    public void Late_answers_with_retries_are_the_radios_unless_frames_change_too(float frames, bool stated)
    {
        var (draw, drift, count) = (new SplitMix64(3), new FirmwareDrift(), 0);
        for (var day = 0; day < 60; day++)
        {
            var bad = day < 20 ? 0 : 1;
            var print = Print(day, (float)(200 + 120 * bad + 5 * draw.NextNormal()),
                (float)(100 + frames * bad + draw.NextNormal()), 2 + 30 * bad + draw.Next(2));
            if (drift.Take(print, out _) is not null) count++;
        }
        Assert.Equal(stated ? 1 : 0, count);
    }

    [Fact]
    public void A_lasting_change_is_stated_once_and_then_learnt()
    {
        var (draw, drift, stated) = (new SplitMix64(3), new FirmwareDrift(), new List<int>());
        for (var day = 0; day < 120; day++)
        {
            var off = day < 40 ? 0 : 300;
            var print = Print(day, (float)(200 + off + 5 * draw.NextNormal()), (float)(100 + off + draw.NextNormal()));
            if (drift.Take(print, out var since) is null) continue;
            stated.Add(day);
            Assert.Equal(40u * Moment.Day, since);
            var (first, second) = (new ByteWriter(), new ByteWriter());
            drift.Write(first);
            var r = new ByteReader(first.Written);
            FirmwareDrift.Read(ref r).Write(second);
            Assert.Equal(first.ToArray(), second.ToArray());
        }
        Assert.Equal([42], stated);
        Assert.Equal(0, drift.Streak);
    }
}
