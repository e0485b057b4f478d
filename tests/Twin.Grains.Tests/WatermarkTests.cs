using Twin.Hardware.Coding;

namespace Twin.Grains.Tests;

public sealed class WatermarkTests
{
    private const int Day0 = 20_000;
    private readonly Watermark _mark = new();

    private void Observe(string source, int day) => _mark.Observe(source, (day + 1) * 1440L, day);

    private int ClosedAfterAll(int horizon)
    {
        while (_mark.NextToClose(horizon) is { } day) _mark.Close(day);
        return _mark.ClosedThrough;
    }

    [Fact]
    public void A_day_closes_when_the_slowest_source_has_passed_it_everywhere_by_the_horizon()
    {
        Observe("a", Day0);
        Observe("a", Day0 + 10);
        Observe("b", Day0 + 5);
        Assert.Equal((Day0 + 6) * 1440L, _mark.Minute);
        // Day 5 of source b has ended in UTC; of day 4 that is true at UTC-12 too; the horizon takes three more.
        Assert.Equal(Day0 + 1, ClosedAfterAll(3));
        Assert.Equal(Day0 + 4, ClosedAfterAll(0));
    }

    [Fact]
    public void An_idle_source_drops_out_by_ticks_and_its_next_reading_brings_it_back()
    {
        Observe("a", Day0);
        Observe("b", Day0);
        _mark.Tick();
        Observe("a", Day0 + 9);
        _mark.Tick();
        Assert.Equal((Day0 + 10) * 1440L, _mark.Minute);
        Observe("b", Day0 + 2);
        Assert.Equal((Day0 + 3) * 1440L, _mark.Minute);
    }

    [Fact]
    public void When_every_source_is_silent_nothing_closes()
    {
        Observe("a", Day0);
        _mark.Tick();
        _mark.Tick();
        Assert.Null(_mark.NextToClose(0));
    }

    [Fact]
    public void Ended_sources_need_no_horizon()
    {
        Observe("a", Day0);
        Observe("a", Day0 + 3);
        _mark.End("a");
        Assert.False(_mark.WouldEnd("a"));
        Assert.Equal(Day0 + 3, ClosedAfterAll(3));
    }

    [Fact]
    public void A_source_far_behind_the_others_holds_nobody_up()
    {
        Observe("live", Day0);
        Observe("import", Day0 - 4000);
        Observe("live", Day0 + 2);
        Assert.Equal((Day0 + 3) * 1440L, _mark.Minute);
        Observe("import", Day0 - 20);
        Assert.Equal((Day0 - 19) * 1440L, _mark.Minute);
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        Observe("a", Day0);
        Observe("b", Day0 + 2);
        _mark.Tick();
        _mark.End("b");
        _mark.Close(Day0 - 1);
        var bytes = new ByteWriter();
        _mark.Write(bytes);
        var again = new ByteWriter();
        Watermark.Read(bytes.Written).Write(again);
        Assert.Equal(bytes.ToArray(), again.ToArray());
    }
}
