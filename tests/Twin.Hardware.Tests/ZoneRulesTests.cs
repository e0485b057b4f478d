namespace Twin.Hardware.Tests;

public class ZoneRulesTests
{
    private static ZoneRules Zone(string name) =>
        ZoneRules.TryGet(name, out var rules) ? rules : throw new InvalidOperationException($"no zone {name}");

    private static int Number(int year, int month, int day) =>
        new DateOnly(year, month, day).DayNumber - new DateOnly(1970, 1, 1).DayNumber;

    private static long Utc(int year, int month, int day, int hour, int minute) =>
        new DateTimeOffset(year, month, day, hour, minute, 0, TimeSpan.Zero).ToUnixTimeSeconds() / 60;

    [Theory]
    [InlineData("Europe/London", 2025, 3, 30, 1380, 0)]
    [InlineData("Europe/London", 2025, 10, 26, 1500, -60)]
    [InlineData("Europe/London", 2025, 7, 1, 1440, -60)]
    [InlineData("Australia/Sydney", 2025, 4, 6, 1500, -660)]
    [InlineData("Australia/Sydney", 2025, 10, 5, 1380, -600)]
    [InlineData("+02:00", 2025, 3, 30, 1440, -120)]
    [InlineData("-03:30", 2025, 3, 30, 1440, 210)]
    [InlineData("UTC", 1969, 12, 31, 1440, 0)]
    public void ADayHasItsStartAndLength(string zone, int year, int month, int day, int minutes, int offset)
    {
        var number = Number(year, month, day);
        var local = Zone(zone).Day(number);
        Assert.Equal(new LocalDay(number, number * 1440L + offset, minutes), local);
        Assert.Equal(local, Zone(zone).DayOf(local.StartMinute));
        Assert.Equal(local, Zone(zone).DayOf(local.EndMinute - 1));
        Assert.Equal(number + 1, Zone(zone).DayOf(local.EndMinute).Number);
        Assert.Equal(number - 1, Zone(zone).DayOf(local.StartMinute - 1).Number);
    }

    [Theory]
    [InlineData("Europe/London")]
    [InlineData("Australia/Sydney")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("America/St_Johns")]
    public void DaysFollowOneAnotherWithoutGap(string zone)
    {
        var rules = Zone(zone);
        for (var n = Number(2009, 1, 1); n < Number(2029, 1, 1); n++)
            Assert.Equal(rules.Day(n).EndMinute, rules.Day(n + 1).StartMinute);
    }

    [Fact]
    public void ATimeThatOccursTwiceIsTheEarlierUnlessAsked()
    {
        var london = Zone("Europe/London");
        Assert.True(london.IsAmbiguous(2025, 10, 26, 1, 30));
        Assert.False(london.IsAmbiguous(2025, 10, 26, 2, 0));
        Assert.Equal(Utc(2025, 10, 26, 0, 30), london.ToUnixMinute(2025, 10, 26, 1, 30));
        Assert.Equal(Utc(2025, 10, 26, 1, 30), london.ToUnixMinute(2025, 10, 26, 1, 30, second: true));
        var sydney = Zone("Australia/Sydney");
        Assert.True(sydney.IsAmbiguous(2025, 4, 6, 2, 0));
        Assert.Equal(60, sydney.ToUnixMinute(2025, 4, 6, 2, 0, second: true) - sydney.ToUnixMinute(2025, 4, 6, 2, 0));
    }

    [Fact]
    public void ATimeThatTheClockSkippedMovesForward()
    {
        var london = Zone("Europe/London");
        Assert.False(london.IsAmbiguous(2025, 3, 30, 1, 30));
        Assert.Equal(Utc(2025, 3, 30, 1, 30), london.ToUnixMinute(2025, 3, 30, 1, 30));
        Assert.Equal(Utc(2025, 3, 30, 1, 30), london.ToUnixMinute(2025, 3, 30, 1, 30, second: true));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Europe/Londn")]
    [InlineData("+2:00")]
    [InlineData("+14:01")]
    [InlineData("02:00")]
    [InlineData("+02:60")]
    public void UnknownZonesAreRefused(string name) => Assert.False(ZoneRules.TryGet(name, out _));

    [Fact]
    public void OneZoneIsOneInstance() => Assert.Same(Zone("Europe/London"), Zone("Europe/London"));

    [Fact]
    public void DaysKnowTheirWeekday()
    {
        Assert.Equal(3, new LocalDay(0, 0, 1440).DayOfWeek);
        Assert.Equal(2, new LocalDay(-1, -1440, 1440).DayOfWeek);
        Assert.True(new LocalDay(Number(2025, 3, 30), 0, 1380).IsWeekend);
        Assert.Equal("2025-03-30", LocalDay.FormatDate(Number(2025, 3, 30)));
        Assert.Equal("0001-01-01", LocalDay.FormatDate(LocalDay.MinNumber));
        Assert.Equal("9999-12-31", LocalDay.FormatDate(LocalDay.MaxNumber));
    }
}
