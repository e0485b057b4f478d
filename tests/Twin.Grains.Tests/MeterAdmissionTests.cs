using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

public sealed class MeterAdmissionTests
{
    private readonly TwinHarness _given = new();

    private void Expect(Admission a, AdmissionStatus status, int readings, int duplicates, int revisions, int late) =>
        Assert.Equal(new Admission(status, readings, duplicates, revisions, late, ""), a);

    private MeterView View() => MeterView.From(Meter.Twin, _given.State(Meter.Twin));

    private static int[] Changed(int[] values, int slot, int value)
    {
        values[slot] = value;
        return values;
    }

    [Fact]
    public void A_new_whole_day_passes_as_it_is_with_its_day()
    {
        Expect(_given.Append(UtcDay(Day0)), AdmissionStatus.Accepted, 48, 0, 0, 0);
        var (input, day, end, isSealable) = Assert.Single(_given.LastAccepted);
        var block = ReadingBlock.Read(input);
        Assert.Equal((Day0, (Day0 + 1) * 1440L, true), (day, end, isSealable));
        Assert.True(block is { IsAdmitted: true, IsPlain: true, IsLate: false, IsRevision: false, Count: 48 });
        Assert.Equal(ZoneRules.Utc.Day(Day0), block.Day);
        Assert.True(block.EncodedValues.SequenceEqual(ReadingBlock.Read(UtcDay(Day0)).EncodedValues));
    }

    [Fact]
    public void The_same_day_again_is_a_duplicate()
    {
        _given.Append(UtcDay(Day0));
        Expect(_given.Append(UtcDay(Day0)), AdmissionStatus.Duplicate, 0, 48, 0, 0);
        Assert.Empty(_given.LastAccepted);
    }

    [Fact]
    public void Only_what_is_new_of_a_block_goes_on_trimmed_to_its_span()
    {
        _given.Append(Raw(Day0 * 1440L, Values(Day0)[..10]));
        Expect(_given.Append(Raw(Day0 * 1440L, Values(Day0)[..20])), AdmissionStatus.Accepted, 10, 10, 0, 0);
        var block = ReadingBlock.Read(Assert.Single(_given.LastAccepted).Input);
        Assert.Equal((10, 10), (block.FirstSlot, block.Count));
        Assert.Equal((20, Values(Day0)[..20].Sum(v => (long)v)), (View().Stored, View().Import!.Sum));
    }

    [Fact]
    public void A_block_over_several_days_is_split_at_local_midnight()
    {
        _given.Append(new MeterSeen(Meter, "M-1", "Australia/Sydney", 3));
        Assert.True(ZoneRules.TryGet("Australia/Sydney", out var sydney));
        var values = Enumerable.Range(0, 96).ToArray();
        Expect(_given.Append(Raw(sydney.Day(Day0).StartMinute + 60, values)), AdmissionStatus.Accepted, 96, 0, 0, 0);
        Assert.Equal([Day0, Day0 + 1, Day0 + 2], _given.LastAccepted.Select(a => a.Day));
        Assert.Equal([46, 48, 2], _given.LastAccepted.Select(a => ReadingBlock.Read(a.Input).Count));
        Assert.Equal(sydney.Day(Day0 + 1).StartMinute, ReadingBlock.Read(_given.LastAccepted[1].Input).StartMinute);
    }

    [Fact]
    public void Days_on_which_the_clock_is_set_have_46_and_50_half_hours()
    {
        _given.Append(new MeterSeen(Meter, "M-1", "Europe/London", 3));
        Assert.True(ZoneRules.TryGet("Europe/London", out var london));
        const int Spring = 19813, Autumn = 20023; // 2024-03-31, 2024-10-27
        Expect(_given.Append(Raw(london.Day(Spring).StartMinute, Values(1, 46))), AdmissionStatus.Accepted, 46, 0, 0,
            0);
        Assert.Single(_given.LastAccepted);
        Expect(_given.Append(Raw(london.Day(Autumn).StartMinute, Values(1, 51))), AdmissionStatus.Accepted, 51, 0, 0,
            0);
        Assert.Equal([50, 1], _given.LastAccepted.Select(a => ReadingBlock.Read(a.Input).Count));
    }

    [Fact]
    public void Another_value_of_later_or_equal_stamp_revises()
    {
        _given.Append(UtcDay(Day0));
        var sum = View().Import!.Sum;
        Expect(_given.Append(Raw(Day0 * 1440L, Changed(Values(Day0), 5, 1))), AdmissionStatus.Accepted, 0, 47, 1, 0);
        var accepted = Assert.Single(_given.LastAccepted);
        var block = ReadingBlock.Read(accepted.Input);
        Assert.True(block is { IsRevision: true, IsLate: false, PriorCount: 1, Count: 1, FirstSlot: 5 });
        Assert.Equal((long)Value(Day0, 5), block.PriorSum);
        Assert.False(accepted.Sealable);
        Assert.Equal((48, sum - Value(Day0, 5) + 1), (View().Stored, View().Import!.Sum));
    }

    [Theory]
    [InlineData(Quality.Actual, 100, Quality.Actual, 50, false)]
    [InlineData(Quality.Actual, 100, Quality.Actual, 100, true)]
    [InlineData(Quality.Actual, 100, Quality.Estimated, 200, false)]
    [InlineData(Quality.Estimated, 100, Quality.Edited, 50, true)]
    [InlineData(Quality.Suspect, 0, Quality.Actual, 0, true)]
    public void Quality_ranks_before_stamp(Quality old, long oldStamp, Quality quality, long stamp, bool wins)
    {
        _given.Append(Raw(Day0 * 1440L, [7], qualities: [old], stamp: oldStamp));
        var expected = wins ? (AdmissionStatus.Accepted, 0, 1) : (AdmissionStatus.Duplicate, 1, 0);
        var a = _given.Append(Raw(Day0 * 1440L, [9], qualities: [quality], stamp: stamp));
        Assert.Equal(expected, (a.Status, a.Duplicates, a.Revisions));
        Assert.Equal(wins ? 9 : 7, View().Import!.Sum);
    }

    [Fact]
    public void The_same_value_of_a_better_quality_confirms_the_estimate()
    {
        _given.Append(Raw(Day0 * 1440L, [7], qualities: [Quality.Estimated]));
        Expect(_given.Append(Raw(Day0 * 1440L, [7])), AdmissionStatus.Accepted, 0, 0, 1, 0);
        Expect(_given.Append(Raw(Day0 * 1440L, [7], qualities: [Quality.Estimated])), AdmissionStatus.Duplicate, 0, 1,
            0, 0);
        Assert.Equal((1, 7L), (View().Stored, View().Import!.Sum));
    }

    [Fact]
    public void A_block_may_hold_new_repeated_and_revised_readings_at_once()
    {
        _given.Append(Raw(Day0 * 1440L, [1, 2, 3]));
        Expect(_given.Append(Raw(Day0 * 1440L, [1, 9, 3, ReadingBlock.Missing, 5])), AdmissionStatus.Accepted, 1, 2, 1,
            0);
        Assert.Equal([false, true], _given.LastAccepted.Select(a => ReadingBlock.Read(a.Input).IsRevision));
        Assert.Equal((4, 18L), (View().Stored, View().Import!.Sum));
    }

    [Fact]
    public void A_closed_day_takes_new_readings_late_and_knows_its_own()
    {
        _given.Append(Raw(Day0 * 1440L, Values(Day0)[..40]));
        _given.Close(Day0);
        Expect(_given.Append(Raw(Day0 * 1440L, Values(Day0))), AdmissionStatus.Accepted, 8, 40, 0, 8);
        var accepted = Assert.Single(_given.LastAccepted);
        Assert.True(ReadingBlock.Read(accepted.Input) is { IsLate: true, IsRevision: false, Count: 8, FirstSlot: 40 });
        Assert.False(accepted.Sealable);
        Expect(_given.Append(UtcDay(Day0)), AdmissionStatus.Duplicate, 0, 48, 0, 0);
        Assert.Equal((48, 8, 0, Values(Day0).Sum(v => (long)v)),
            (View().Stored, View().Import!.Late, View().Missing, View().Import!.Sum));
    }

    [Fact]
    public void A_closed_day_is_revised_late_with_exact_sums()
    {
        _given.Append(UtcDay(Day0));
        _given.Close(Day0);
        Expect(_given.Append(Raw(Day0 * 1440L, Changed(Changed(Values(Day0), 0, 1), 1, 2))), AdmissionStatus.Accepted,
            0, 46, 2, 0);
        Assert.True(ReadingBlock.Read(Assert.Single(_given.LastAccepted).Input) is
        {
            IsLate: true, IsRevision: true,
            PriorCount: 2
        });
        Assert.Equal((48, 0, Changed(Changed(Values(Day0), 0, 1), 1, 2).Sum(v => (long)v)),
            (View().Stored, View().Import!.Late, View().Import!.Sum));
    }

    [Fact]
    public void A_complete_day_that_is_still_open_knows_its_readings()
    {
        for (var d = Day0; d < Day0 + 4; d++) _given.Append(UtcDay(d));
        _given.Close(Day0);
        _given.Append(UtcDay(Day0 + 4));
        Assert.Equal(Day0, View().ClosedThrough);
        for (var d = Day0 + 1; d < Day0 + 5; d++) Expect(_given.Append(UtcDay(d)), AdmissionStatus.Duplicate, 0, 48, 0,
            0);
    }

    [Theory]
    [InlineData(7, 30, "off the grid")]
    [InlineData(0, 7, "no whole number of such intervals")]
    public void What_does_not_fit_the_day_is_rejected(int offset, int interval, string reason)
    {
        var a = _given.Append(Raw(Day0 * 1440L + offset, [1, 2], interval));
        Assert.Equal(AdmissionStatus.Rejected, a.Status);
        Assert.Contains(reason, a.Reason, StringComparison.Ordinal);
        Assert.Contains($"at {interval} minutes", a.Reason, StringComparison.Ordinal);
        Assert.Empty(_given.LastAccepted);
    }

    [Fact]
    public void One_day_has_one_interval_length_another_day_may_have_another()
    {
        _given.Append(Raw(Day0 * 1440L, [1, 2]));
        Assert.Contains("already holds readings at 30 minutes", _given.Append(Raw(Day0 * 1440L + 60, [1], 15)).Reason,
            StringComparison.Ordinal);
        Expect(_given.Append(Raw((Day0 + 1) * 1440L, [1, 2], 15)), AdmissionStatus.Accepted, 2, 0, 0, 0);
        Assert.Equal((15, 4), (View().Import!.IntervalMinutes, View().Stored));
    }

    [Fact]
    public void A_closed_day_has_one_interval_length_too()
    {
        _given.Append(UtcDay(Day0));
        _given.Close(Day0);
        var a = _given.Append(Raw(Day0 * 1440L, [1], 15));
        Assert.Contains("holds readings at another interval length", a.Reason, StringComparison.Ordinal);
        Assert.Equal(48, View().Stored);
    }

    [Fact]
    public void Readings_decades_ahead_of_a_known_meter_are_rejected_whole()
    {
        for (var d = Day0; d < Day0 + 21; d++)
        {
            _given.Append(UtcDay(d));
            _given.Close(d);
        }
        var last = Day0 + 20;
        Assert.Contains("correct the clock", _given.Append(UtcDay(last + MeterTwin.MaxDaysAhead + 2)).Reason,
            StringComparison.Ordinal);
        Expect(_given.Append(UtcDay(last + MeterTwin.MaxDaysAhead)), AdmissionStatus.Accepted, 48, 0, 0, 0);
    }

    [Fact]
    public void A_first_stamp_far_back_and_a_hole_of_years_do_not_shut_a_meter_out()
    {
        Expect(_given.Append(Raw(0, [7])), AdmissionStatus.Accepted, 1, 0, 0, 0);
        Expect(_given.Append(UtcDay(Day0)), AdmissionStatus.Accepted, 48, 0, 0, 0);
        _given.Close(Day0);
        Expect(_given.Append(UtcDay(Day0 + 900)), AdmissionStatus.Accepted, 48, 0, 0, 0);
    }

    [Fact]
    public void Open_days_are_bounded_and_closing_makes_room()
    {
        for (var i = 0; i < MeterTwin.MaxOpenDays; i++) _given.Append(UtcDay(Day0 + i));
        var next = UtcDay(Day0 + MeterTwin.MaxOpenDays);
        Assert.Contains("64 days are open", _given.Append(next).Reason, StringComparison.Ordinal);
        _given.Close(Day0);
        Expect(_given.Append(next), AdmissionStatus.Accepted, 48, 0, 0, 0);
    }

    [Fact]
    public void Admission_changes_nothing()
    {
        _given.Append(UtcDay(Day0));
        _given.Append(Relation(Meter));
        var before = _given.State(Meter.Twin);
        var sink = new Nowhere();
        foreach (var input in (byte[][])[UtcDay(Day0), UtcDay(Day0 + 1), Raw(Day0 * 1440L, [5]),
            Relation(Meter, "F2").ToBytes(),
            new MeterSeen(Meter, "M-1", "Europe/Paris", 3).ToBytes(), new Erasure(Meter, Day0 + 9, "asked").ToBytes()])
        {
            _given[Meter.Twin].Admit(input, _given, sink);
            Assert.Equal(before, _given.State(Meter.Twin));
        }
        Assert.Equal(5, sink.Count);
    }

    [Fact]
    public void What_is_marked_as_admitted_does_not_come_through_the_door()
    {
        _given.Append(UtcDay(Day0));
        var admitted = _given.LastAccepted[0].Input;
        Assert.Contains("earlier admission", _given.Append(admitted).Reason, StringComparison.Ordinal);
        Assert.Contains("does not come through this door",
            _given[Meter.Twin].Admit(new DayClosed(Day0).ToBytes(), _given, new Nowhere()).Reason,
                StringComparison.Ordinal);
    }

    private sealed class Nowhere : IAccepted
    {
        public int Count { get; private set; }
        public void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable) => Count++;
    }
}
