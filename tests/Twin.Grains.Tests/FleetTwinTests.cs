using Twin.Hardware;
using Twin.Hardware.Coding;
using static Twin.Grains.Tests.Letters;

namespace Twin.Grains.Tests;

public class FleetTwinTests
{
    private readonly TwinHarness _fleet = new();

    private Finding[] Of(FindingKind kind) => [.. _fleet.Findings.Where(f => f.Kind == kind)];

    [Fact]
    public void One_key_of_two_meters_is_a_finding_on_both()
    {
        _fleet.Post([KeySeen(1, 0xABC), KeySeen(2, 0xDEF)]);
        Assert.Empty(_fleet.Findings);
        _fleet.Post([KeySeen(3, 0xABC, Hour)]);
        Assert.Equal([Key(1), Key(3)], Of(FindingKind.ClonedKey).Select(f => f.Subject).OrderBy(k => k == Key(3)));
        var first = Of(FindingKind.ClonedKey).Single(f => f.Subject == Key(1));
        Assert.Equal(("M-0001", "T0849", Severity.Critical), (first.SubjectName, first.Technique, first.Severity));
        Assert.Contains("M-0003", first.Sentence);
        _fleet.Post([KeySeen(3, 0xABC, Day), KeySeen(1, 0xABC, Day)]);
        Assert.Equal(2, _fleet.Findings.Count);
    }

    [Fact]
    public void A_meter_that_renews_its_key_and_tells_it_again_is_no_copy()
    {
        for (var i = 0; i < 5; i++) _fleet.Post([KeySeen(1, 0xABC + (ulong)i, i * Day), KeySeen(2, 0x999, i * Day)]);
        // One device under the system title and the utility's id: the same name.
        var other = new TwinKey(TwinKind.Meter, 0x5A45_0000_0000_0001);
        _fleet.Post([(other, KeySeen(2, 0x999).Item2)]);
        Assert.Empty(_fleet.Findings);
    }

    [Fact]
    public void A_key_that_a_lot_shares_is_weak_randomness()
    {
        for (var m = 1; m <= 40; m++) _fleet.Post([KeySeen(m, 0xABC, m)]);
        Assert.Equal(2, Of(FindingKind.ClonedKey).Length);
        var weak = Of(FindingKind.WeakRandomness);
        Assert.Equal(Enumerable.Range(1, 32).Select(Key).Order(),
            weak.Where(f => f.Subject.Kind == TwinKind.Meter).Select(f => f.Subject).Distinct().Order());
        Assert.Single(weak, f => f.Subject.Kind == TwinKind.Fleet);
        Assert.Equal(33, weak.Length);
    }

    [Theory]
    [InlineData(1, 0x1111_0000_0000_0000UL, "m1", 0)]
    [InlineData(1, 0x1111_0000_0000_0000UL, "", 0)]
    [InlineData(1, 0x1111_0000_0000_0000UL, "m2", 1)]
    [InlineData(2, 0x2222_0000_0000_0000UL, "m2", 2)]
    public void An_r_value_may_come_back_with_the_same_message_only(int meter, ulong key, string message, int findings)
    {
        _fleet.Post([Signed(1, 77, 0x1111_0000_0000_0000UL, "m1")]);
        _fleet.Post([Signed(meter, 77, key, message, Hour)]);
        Assert.Equal(findings, Of(FindingKind.WeakRandomness).Length);
        Assert.All(_fleet.Findings, f => Assert.Equal(Severity.Critical, f.Severity));
    }

    [Fact]
    public void An_image_that_nobody_registered_is_found_where_the_registry_covers_the_model()
    {
        _fleet.Append(Release("good"));
        _fleet.Sweep(At(0));
        _fleet.Post([Image(1, Short("good"), false), Image(2, Short("evil"), false), Image(3, Short("old"), true),
            Image(4, Short("other"), false, "other model")]);
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((FindingKind.UnknownImage, Key(2), Severity.Critical, "T0857"),
            (f.Kind, f.Subject, f.Severity, f.Technique));
        _fleet.Post([Image(2, Short("evil"), false, at: Day)]);
        Assert.Single(_fleet.Findings);
        var key = FleetPartition.Of(Short("evil"));
        Assert.Equal(1, FleetView.From(key, _fleet.State(key)).UnknownImages);
    }

    /// <summary>Meters first seen in service run what was never registered: no violation.</summary>
    [Fact]
    public void An_image_older_than_all_that_were_registered_is_coverage()
    {
        _fleet.Append(Release("good") with { Version = 8 });
        _fleet.Sweep(At(0));
        _fleet.Post([Image(1, Short("legacy"), false)]);
        Assert.Empty(_fleet.Findings);
        _fleet.Append(Release("older") with { Version = 3 });
        _fleet.Sweep(At(Day));
        _fleet.Post([Image(2, Short("legacy"), false, at: Day)]);
        Assert.Equal([Key(2)], Of(FindingKind.UnknownImage).Select(f => f.Subject));
    }

    [Fact]
    public void A_withdrawn_release_is_one_finding_and_one_for_each_meter_that_takes_it_on_later()
    {
        _fleet.Append(Release("weak"));
        _fleet.Sweep(At(0));
        _fleet.Post(Enumerable.Range(1, 20).Select(m => Image(m, Short("weak"), true, at: Hour)));
        Assert.Empty(_fleet.Findings);
        _fleet.Append(Release("weak", Day, Day));
        var all = Assert.Single(_fleet.Findings);
        Assert.Equal((FindingKind.WithdrawnRelease, TwinKind.Fleet, 20.0),
            (all.Kind, all.Subject.Kind, all.Evidence[0].Observed));
        _fleet.Sweep(At(2 * Day));
        _fleet.Post([Image(30, Short("weak"), false, at: 2 * Day), Image(31, Short("weak"), true, at: Hour)]);
        Assert.Equal([TwinKey.All(TwinKind.Fleet).Kind, TwinKind.Meter], _fleet.Findings.Select(f => f.Subject.Kind));
        Assert.Equal(Key(30), _fleet.Findings[1].Subject);
    }

    [Fact]
    public void A_contractors_series_is_found_and_honest_field_work_is_not()
    {
        for (var day = 0; day < 28; day++)
        {
            _fleet.Sweep(At(day * Day));
            // Honest: eight meters a day with orders, and one order in twenty-five missing.
            _fleet.Post(Enumerable.Range(0, 8).Select(i => Tool(day * 8 + i, "tool-1", (day * 8 + i) % 25 != 0,
                day * Day + i * Hour)));
        }
        Assert.Empty(_fleet.Findings);
        _fleet.Sweep(At(29 * Day));
        _fleet.Post(Enumerable.Range(0, 8).Select(i => Tool(500 + i, "tool-2", false, 29 * Day + i * Hour)));
        Assert.All(_fleet.Findings, f => Assert.Equal((FindingKind.ContractorSeries, "tool-2", Severity.High),
            (f.Kind, f.SubjectName, f.Severity)));
        Assert.Single(_fleet.Findings.Select(f => f.Id).Distinct());
        Assert.Contains("M-0500", _fleet.Findings[0].Sentence);
    }

    [Fact]
    public void Without_imported_orders_it_takes_more_and_says_so()
    {
        _fleet.Post(Enumerable.Range(0, 8).Select(i => Tool(i, "tool-2", false, i * Hour)));
        Assert.Empty(_fleet.Findings);
        _fleet.Post(Enumerable.Range(8, 4).Select(i => Tool(i, "tool-2", false, i * Hour)));
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((Severity.Medium, 1), (f.Severity, f.CounterEvidence.Length));
    }

    [Fact]
    public void A_campaign_is_stuck_only_when_others_moved_on()
    {
        _fleet.Post(Enumerable.Range(0, 100).Select(m => Campaign(m, "C", CampaignState.Verified, 0)));
        for (var day = 0; day <= 6; day++) _fleet.Sweep(At(day * Day));
        Assert.Empty(_fleet.Findings);
        // Activated: all but four stragglers.
        _fleet.Post(Enumerable.Range(4, 96).Select(m => Campaign(m, "C", CampaignState.Updated, 6 * Day)));
        for (var day = 7; day <= 14; day++) _fleet.Sweep(At(day * Day));
        Assert.Empty(_fleet.Findings);

        _fleet.Post(Enumerable.Range(0, 100).Select(m => Campaign(m, "D",
            m < 70 ? CampaignState.Updated : CampaignState.Verified, 15 * Day)));
        _fleet.Sweep(At(17 * Day));
        Assert.Empty(_fleet.Findings);
        _fleet.Sweep(At(19 * Day));
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((FindingKind.CampaignStuck, "D", 0.3), (f.Kind, f.SubjectName, f.Evidence[0].Observed));
    }

    [Fact]
    public void Meters_that_open_together_by_firmware_are_a_time_bomb()
    {
        _fleet.Sweep(At(0));
        _fleet.Post(Enumerable.Range(0, 18).Select(m => Switched(m, CommandKind.Disconnect, CommandOrigin.Firmware,
            false, m * 5)));
        var f = Assert.Single(Of(FindingKind.SimultaneousSwitching));
        Assert.Equal((Severity.Critical, 18.0, FleetPartition.Whole),
            (f.Severity, f.Evidence[0].Observed, f.Subject));
    }

    [Fact]
    public void Ordered_disconnections_of_a_busy_day_are_no_finding_and_a_flood_is()
    {
        for (var day = 0; day < 10; day++)
        {
            _fleet.Sweep(At(day * Day));
            _fleet.Post(Enumerable.Range(0, 12).Select(m => Switched(m + day * 40, CommandKind.Disconnect,
                CommandOrigin.HeadEnd, true, day * Day + 9 * Hour + m * 60)));
        }
        Assert.Empty(_fleet.Findings);
        _fleet.Sweep(At(11 * Day));
        _fleet.Post(Enumerable.Range(0, 20).Select(m => Switched(m + 900, CommandKind.Disconnect,
            CommandOrigin.HeadEnd, false, 11 * Day + m * 100)));
        var f = Of(FindingKind.CommandVolume)[0];
        Assert.Equal((Severity.High, 20.0), (f.Severity, f.Evidence[0].Observed));
    }

    [Fact]
    public void Supplies_that_swing_are_found_and_who_commands_it_is_named()
    {
        _fleet.Post(Enumerable.Range(0, 6).SelectMany(m => Enumerable.Range(0, 6).Select(i => Switched(m,
            i % 2 == 0 ? CommandKind.Disconnect : CommandKind.Reconnect, CommandOrigin.HeadEnd, true, i * 300 + m,
            "client-7"))));
        var f = Assert.Single(Of(FindingKind.RapidSwitching));
        Assert.Contains("at the command of client-7", f.Sentence);
    }

    [Fact]
    public void A_storm_is_one_finding_that_keeps_the_odd_one_out()
    {
        _fleet.Sweep(At(0));
        _fleet.Post([.. Enumerable.Range(6, 40).Select(m => Burst(m, 400, m)),
            .. Enumerable.Range(6, 40).Select(m => Stated(m, FindingKind.AuthenticationFailures, m)),
            Stated(3, FindingKind.Tamper, Hour)]);
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((FindingKind.EventFlood, 16_000.0), (f.Kind, f.Evidence[0].Observed));
        Assert.Contains("M-0003 (tamper)", f.Sentence);
        _fleet.Sweep(At(2 * Day));
        _fleet.Post(Enumerable.Range(0, 40).Select(m => Burst(m, 3, 2 * Day + m)));
        Assert.Single(_fleet.Findings);
    }

    [Fact]
    public void The_state_survives_a_restart_at_any_point()
    {
        var other = new TwinHarness();
        foreach (var harness in (TwinHarness[])[_fleet, other])
        {
            for (var step = 0; step < 12; step++)
            {
                harness.Append(Release($"r{step}"));
                harness.Sweep(At(step * Day));
                harness.Post([KeySeen(step, 1), KeySeen(step, (ulong)step), Signed(step, 5, (ulong)step << 40, "x"),
                    Image(step, Short($"r{step % 3}"), step % 2 == 0, at: step * Day),
                    Tool(step, "t", step % 4 == 0, step * Day), Burst(step, 300, step * Day),
                    Campaign(step, "c", (CampaignState)(step % 8), step * Day),
                    Switched(step, CommandKind.Disconnect, CommandOrigin.Firmware, false, step * Day)]);
                if (harness != other) continue;
                foreach (var key in harness.Keys.ToArray()) harness.Restart(key);
            }
        }
        Assert.Equal(_fleet.AllStates(), other.AllStates());
        Assert.Equal(_fleet.Findings.Select(f => f.Id), other.Findings.Select(f => f.Id));
        Assert.NotEmpty(_fleet.Findings);
    }

    [Fact]
    public void The_state_of_version_1_is_read_and_a_newer_one_refused()
    {
        Assert.Null(FleetView.From(FleetPartition.Whole, [1]).SweptAt);
        var e = Assert.Throws<InvalidDataException>(() => FleetTwin.Restore(1, [9]));
        Assert.Contains("version 9", e.Message);
    }

    [Fact]
    public void Damaged_states_and_letters_are_refused_not_swallowed()
    {
        _fleet.Append(Release("r"));
        _fleet.Post([KeySeen(1, 5), Tool(1, "t", false, 0), Campaign(1, "c", CampaignState.Verified, 0)]);
        foreach (var key in _fleet.Keys.ToArray())
        {
            var state = _fleet.State(key);
            for (var length = 0; length < state.Length; length++)
                Assert.Throws<InvalidDataException>(() => FleetTwin.Restore(key.Id, state.AsSpan(0, length)));
        }
        var letter = Image(1, 3, true).Item2 with { Aspect = 99 };
        Assert.Throws<InvalidDataException>(() => _fleet.Post([(Key(1), letter)]));
    }

    [Fact]
    public void A_release_without_digest_and_inputs_for_others_are_refused_at_the_door()
    {
        var none = Release("r") with { Image = default };
        Assert.Equal(AdmissionStatus.Rejected, _fleet.Append(none).Status);
        Assert.Equal(AdmissionStatus.Accepted, _fleet.Append(new Sweep(At(0))).Status);
        Assert.Equal(AdmissionStatus.Accepted, _fleet.Append(new Tick(At(0))).Status);
    }
}
