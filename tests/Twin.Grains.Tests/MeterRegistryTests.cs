using Twin.Grains.Meters;
using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

public sealed class MeterRegistryTests
{
    private readonly TwinHarness _given = new();

    private MeterView View() => MeterView.From(Meter.Twin, _given.State(Meter.Twin));
    private static UnixTime At(int day) => new(day * 86_400L);

    [Theory]
    [InlineData("Europe/Paris", 3, "Europe/London", 2, "Europe/Paris")]
    [InlineData("Europe/Paris", 2, "Europe/London", 3, "Europe/London")]
    [InlineData("Europe/Paris", 2, "Europe/London", 2, "Europe/London")]
    [InlineData("+01:00", 1, "+02:00", 1, "+01:00")]
    [InlineData("+01:00", 1, "", 3, "+01:00")]
    public void Who_speaks_of_the_zone_has_a_rank(string first, byte firstRank, string second, byte secondRank,
        string zone)
    {
        _given.Append(new MeterSeen(Meter, "M-1", first, firstRank));
        var a = _given.Append(new MeterSeen(Meter, "M-1", second, secondRank));
        Assert.Equal(zone, View().Zone);
        Assert.Equal(zone == first ? AdmissionStatus.Duplicate : AdmissionStatus.Accepted, a.Status);
    }

    [Fact]
    public void Without_a_word_the_zone_is_UTC_and_an_unknown_one_is_rejected()
    {
        Assert.Contains("Mars/Olympus", _given.Append(new MeterSeen(Meter, "M-1", "Mars/Olympus", 3)).Reason,
            StringComparison.Ordinal);
        Assert.Equal(AdmissionStatus.Accepted, _given.Append(new MeterSeen(Meter, "M-1", "", 0)).Status);
        Assert.Equal(AdmissionStatus.Duplicate, _given.Append(new MeterSeen(Meter, "M-1", "", 0)).Status);
        Assert.Equal(("M-1", "UTC"), (View().Name, View().Zone));
    }

    [Fact]
    public void Two_utility_ids_on_one_meter_id_are_an_error()
    {
        _given.Append(new MeterSeen(Meter, "M-1", "", 0));
        Assert.Contains("rename", _given.Append(new MeterSeen(Meter, "M-9", "", 0)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_undated_row_replaces_the_undated_one_and_its_repeat_is_a_duplicate()
    {
        Assert.Equal(AdmissionStatus.Accepted, _given.Append(Relation(Meter, "F1")).Status);
        Assert.Equal(AdmissionStatus.Duplicate, _given.Append(Relation(Meter, "F1")).Status);
        Assert.Equal(AdmissionStatus.Accepted, _given.Append(Relation(Meter, "F2")).Status);
        Assert.Equal([Relation(Meter, "F2")], View().Relations);
    }

    [Fact]
    public void Relations_are_kept_by_date_up_to_their_bound()
    {
        for (var i = 40; i > 0; i--) _given.Append(Relation(Meter, $"F{i}", from: Day0 + i));
        var rows = View().Relations;
        Assert.Equal(32, rows.Length);
        Assert.Equal((Day0 + 1, "F9"), (rows[0].ValidFromDay, rows[0].Feeder));
        Assert.Equal("F40", rows[^1].Feeder);
        Assert.Contains("ends before", _given.Append(Relation(Meter, from: Day0, to: Day0)).Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_supply_record_is_known_again()
    {
        var record = new SupplyRecord(Meter, "M-1", "ACME", "Kassel", "L7", "Chips Ltd", "ab12", "Iris", "Contract AG",
            "2023-11-01");
        Assert.Equal(AdmissionStatus.Accepted, _given.Append(record).Status);
        Assert.Equal(AdmissionStatus.Duplicate, _given.Append(record).Status);
        Assert.Equal(AdmissionStatus.Accepted, _given.Append(record with { Plant = "Lyon" }).Status);
        Assert.Equal((record with { Plant = "Lyon" }, "L7", "M-1"), (View().Supply, View().Lot, View().Name));
    }

    [Fact]
    public void Context_is_bounded_and_forgotten_when_its_days_are_judged()
    {
        for (var i = 0; i < 20; i++) _given.Append(new ContextPeriod(Meter.Twin, ContextKind.Outage, At(Day0 + i),
            At(Day0 + i + 1), ""));
        Assert.Equal(16, View().Contexts.Length);
        _given.Close(Day0 + 18);
        Assert.Equal([At(Day0 + 19).Seconds, At(Day0 + 20).Seconds], View().Contexts.Select(c => c.To));
        _given.Append(new ContextPeriod(Meter.Twin, ContextKind.MoveIn, At(Day0), At(Day0 + 1), "told too late"));
        Assert.Equal(2, View().Contexts.Length);
    }

    [Fact]
    public void The_last_events_are_kept_and_every_one_is_counted()
    {
        for (var i = 0; i < 12; i++)
            _given.Append(new DeviceEvent(Meter, At(Day0 + (i * 5 % 12)), "zeus", i % 3 == 0 ? "cover"
                : "boot", new string('x', 200)));
        Assert.Equal(Enumerable.Range(4, 8).Select(i => At(Day0 + i).Seconds), View().Events.Select(e => e.At));
        Assert.Equal([("zeus:boot", 8), ("zeus:cover", 4)], View().EventCounts.Select(c => (c.Code, c.Count)));
        Assert.All(View().Events, e => Assert.Equal(96, e.Detail.Length));
        for (var i = 0; i < 40; i++) _given.Append(new DeviceEvent(Meter, At(Day0), "free", $"code {i:00}", ""));
        Assert.Equal((33, 10), (View().EventCounts.Length, View().EventCounts.Single(c => c.Code == "other").Count));
    }

    [Fact]
    public void The_two_latest_register_snapshots_are_kept_in_any_order()
    {
        foreach (var day in (int[])[Day0 + 2, Day0, Day0 + 3, Day0 + 1])
            _given.Append(new RegisterSnapshot(Meter, Channel.Import, At(day), day));
        Assert.Equal([new RegisterReading(Channel.Import, At(Day0 + 3).Seconds, Day0 + 3, At(Day0 + 2).Seconds, Day0
            + 2)], View().Registers);
    }

    [Fact]
    public void A_change_of_zone_leaves_open_days_alone()
    {
        _given.Append(Raw(Day0 * 1440L, Values(Day0)[..40]));
        _given.Append(new MeterSeen(Meter, "M-1", "Australia/Sydney", 3));
        Assert.Contains("open in another zone", _given.Append(Raw(Day0 * 1440L, Values(Day0)[..4])).Reason,
            StringComparison.Ordinal);
        Assert.Equal(20, _given.Append(Raw(Day0 * 1440L + 14 * 60, Values(Day0)[..20])).Readings);
    }
}
