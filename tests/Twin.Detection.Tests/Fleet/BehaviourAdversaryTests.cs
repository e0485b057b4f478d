using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Xunit.Abstractions;

namespace Twin.Detection.Tests.Fleet;

/// <summary>Compromised shares of a fleet from one meter to most of it, and honest changes that look like it.</summary>
public class BehaviourAdversaryTests(ITestOutputHelper output)
{
    private static void Implant(float[] print)
    {
        (print[0], print[2], print[7]) = (print[0] + 40, print[2] + 3, print[7] + 3);
    }

    private static string[] Names(int count) =>
        [.. Enumerable.Range(0, count).Select(i => $"M{i}").Order(StringComparer.Ordinal)];

    [Theory]
    [InlineData(100, 1)]
    [InlineData(100, 5)]
    [InlineData(6, 1)]
    public void A_few_implants_are_named_and_nobody_else(int meters, int compromised)
    {
        var fleet = new HonestFleet(meters, 5) { Change = (m, _, v) => { if (m < compromised) Implant(v); } };
        fleet.Run(0, 40);
        Assert.Equal(Names(compromised), fleet.Alarmed);
        Assert.All(fleet.Found, f => Assert.Equal(FindingKind.FirmwareBehaviour, f.Kind));
    }

    /// <summary>Who is the odd one among so many? Nobody can tell from inside: the image is said to have two ways.
    /// </summary>
    [Theory]
    [InlineData(100, 50)]
    [InlineData(100, 60)]
    [InlineData(6, 3)]
    [InlineData(6, 4)]
    public void Where_many_claim_an_image_and_behave_otherwise_the_image_is_named_once_and_no_meter(int meters,
        int compromised)
    {
        var fleet = new HonestFleet(meters, 6) { Change = (m, _, v) => { if (m < compromised) Implant(v); } };
        fleet.Run(0, 60);
        output.WriteLine(string.Join("\n", fleet.Found.Select(f => $"{f.DetectedAt} {f.Severity} {f.Sentence}")));
        Assert.Equal(["Z image 000000000000"], fleet.Alarmed);
        var f = Assert.Single(fleet.Found);
        Assert.Equal((HonestFleet.Self.Key, "transmit_time"), (f.Subject, f.Evidence[0].Feature));
        Assert.InRange(f.Evidence[0].Observed, 6.9, 7.4);
        Assert.InRange(f.Evidence[0].Expected, 3.9, 4.4);
    }

    [Fact]
    public void An_honest_release_for_half_the_fleet_that_answers_sooner_and_says_more_is_a_note_at_most()
    {
        var fleet = new HonestFleet(120, 7)
        {
            Image = (m, d) => m % 2 == 0 && d >= 20 + m / 24 ? HonestFleet.Second : HonestFleet.First,
        };
        fleet.Change = (m, d, v) =>
        {
            if (fleet.Image(m, d) == HonestFleet.Second) (v[0], v[1], v[7]) = (v[0] - 40, v[1] + 80, v[7] + 0.8f);
        };
        fleet.Run(0, 80);
        Assert.Empty(fleet.Alarmed);
        Assert.InRange(fleet.Found.Count, 0, 1);
    }

    [Fact]
    public void A_bad_radio_path_is_a_note_at_most()
    {
        var fleet = new HonestFleet(60, 8)
        {
            Change = (m, d, v) =>
            {
                if (m == 3 && d >= 25) (v[0], v[2], v[7]) = (v[0] + 60, v[2] + 9, v[7] + 0.4f);
            },
        };
        fleet.Run(0, 60);
        Assert.Empty(fleet.Alarmed);
        Assert.InRange(fleet.Found.Count, 0, 1);
    }

    [Fact]
    public void A_slow_concentrator_accuses_none_of_its_meters()
    {
        var fleet = new HonestFleet(240, 9)
        {
            Change = (m, d, v) =>
            {
                if (m / 24 == 2 && d is >= 25 and < 45) (v[0], v[2]) = (v[0] + 90, v[2] + 2);
            },
        };
        fleet.Run(0, 60);
        Assert.Empty(fleet.Found);
    }

    [Fact]
    public void What_concentrators_and_lots_share_survives_a_restart()
    {
        var fleet = new HonestFleet(96, 13)
        {
            Lot = m => m < 15 ? "L9" : $"L{m % 3}",
            Change = (m, d, v) =>
            {
                if (m / 24 == 2 && d >= 20) (v[0], v[2]) = (v[0] + 90, v[2] + 2);
                if (m < 15) v[5] *= 2.2f;
            },
        };
        fleet.Run(0, 40);
        var (one, two) = (new ByteWriter(), new ByteWriter());
        fleet.Model.Write(one);
        var r = new ByteReader(one.Written);
        BehaviourModel.Read(ref r).Write(two);
        Assert.True(r.AtEnd);
        Assert.Equal(one.ToArray(), two.ToArray());
        var shared = new CommonCauses();
        for (var i = 0; i < 2 * CommonCauses.MaxPlaces; i++) shared.Note((ulong)i + 1, 1, true);
        for (var i = 0; i < 7; i++) shared.Note(1, (ulong)i + 2, true);
        Assert.True(shared.IsShared(1));
        for (var i = 0; i < 20; i++) shared.Note(2, 7, true);
        Assert.Equal((false, false), (shared.IsShared(2), shared.IsShared(CommonCauses.MaxPlaces + 1)));
        Assert.Equal((true, false), (shared.State(1), shared.State(1)));
    }

    /// <summary>What is silent for a quarter makes room for new images, and nothing else does.</summary>
    [Fact]
    public void A_group_that_is_silent_for_a_quarter_makes_room_for_a_new_image()
    {
        var image = 1ul;
        var fleet = new HonestFleet(1, 14) { Image = (_, _) => image };
        for (; image <= BehaviourModel.MaxGroups; image++) fleet.Run(0, 1);
        fleet.Run(89, 90);
        Assert.Equal(BehaviourModel.MaxGroups, fleet.Model.Groups);
        image = 1_000;
        fleet.Run(89, 90);
        var before = fleet.Model.Groups;
        fleet.Run(91, 95);
        Assert.Equal((BehaviourModel.MaxGroups, BehaviourModel.MaxGroups), (before, fleet.Model.Groups));
        var w = new ByteWriter();
        fleet.Model.Write(w);
        Assert.Contains(Convert.ToHexString(BitConverter.GetBytes(image)), Convert.ToHexString(w.Written),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_lot_with_noisy_metrology_is_one_finding_on_the_lot()
    {
        var fleet = new HonestFleet(100, 10)
        {
            Lot = m => m < 15 ? "L9" : $"L{m % 3}",
            Change = (m, _, v) => { if (m < 15) v[5] *= 2.2f; },
        };
        fleet.Run(0, 60);
        var f = Assert.Single(fleet.Found);
        Assert.Equal((FindingKind.MetrologySuspect, "lot L9 of Z"), (f.Kind, f.SubjectName));
    }

    [Fact]
    public void Meters_that_grow_older_are_compared_with_those_of_their_age()
    {
        var fleet = new HonestFleet(100, 11)
        {
            Age = (m, d) => BehaviourModel.AgeOf((m % 12 * 365 + d) / 365),
        };
        fleet.Change = (m, d, v) => v[5] *= 1 + 0.1f * fleet.Age(m, d);
        fleet.Run(300, 420);
        Assert.Empty(fleet.Found);
        fleet.Change = (m, d, v) =>
        {
            v[5] *= 1 + 0.1f * fleet.Age(m, d);
            if (m == 40) Implant(v);
        };
        fleet.Run(420, 440);
        Assert.Equal(["M40"], fleet.Alarmed);
    }

    /// <summary>The budget of a fleet is a few in a thousand meter-years; 1,000 meters for 60 days are 164.</summary>
    [Fact]
    public void A_thousand_honest_meters_raise_next_to_nothing_in_two_months()
    {
        var fleet = new HonestFleet(1_000, 12) { Age = (m, _) => (byte)(m % 5), Lot = m => $"L{m % 11}" };
        fleet.Run(0, 60);
        output.WriteLine($"{fleet.Found.Count} findings in {1_000 * 60 / 365} meter-years");
        foreach (var f in fleet.Found) output.WriteLine($"{f.Severity} {f.SubjectName}: {f.Sentence}");
        Assert.InRange(fleet.Found.Count, 0, 1);
    }
}
