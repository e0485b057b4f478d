using System.Globalization;
using System.Numerics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Twin.Hardware;
using Twin.Ingest.Text;

namespace Twin.Ingest.Tests;

public sealed class TextTests
{
    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Theory]
    [InlineData("0.058", 3, NumberStatus.Ok, 58)]
    [InlineData("-0.058", 3, NumberStatus.Ok, -58)]
    [InlineData("+7", 0, NumberStatus.Ok, 7)]
    [InlineData("1e3", 0, NumberStatus.Ok, 1000)]
    [InlineData("5.5E-05", 6, NumberStatus.Ok, 55)]
    [InlineData("0.45399999999999996", 3, NumberStatus.Rounded, 454)]
    [InlineData("0.0005", 3, NumberStatus.Rounded, 0)]
    [InlineData("0.0015", 3, NumberStatus.Rounded, 2)]
    [InlineData("0.0025", 3, NumberStatus.Rounded, 2)]
    [InlineData("0.00250000000000000000000001", 3, NumberStatus.Rounded, 3)]
    [InlineData("2147483.647", 3, NumberStatus.Ok, int.MaxValue)]
    [InlineData("2147483.648", 3, NumberStatus.OutOfRange, 0)]
    [InlineData("-2147483648", 0, NumberStatus.OutOfRange, 0)]
    [InlineData("99999999999999999999999", 0, NumberStatus.OutOfRange, 0)]
    [InlineData("1e400000000000", 0, NumberStatus.OutOfRange, 0)]
    [InlineData("1e-400000000000", 0, NumberStatus.Rounded, 0)]
    [InlineData("0e99", 6, NumberStatus.Ok, 0)]
    [InlineData("000000000000000000000000012", 0, NumberStatus.Ok, 12)]
    [InlineData(".5", 1, NumberStatus.Ok, 5)]
    [InlineData("5.", 0, NumberStatus.Ok, 5)]
    [InlineData("", 0, NumberStatus.NotANumber, 0)]
    [InlineData(".", 0, NumberStatus.NotANumber, 0)]
    [InlineData("-", 0, NumberStatus.NotANumber, 0)]
    [InlineData("NaN", 0, NumberStatus.NotANumber, 0)]
    [InlineData("1,5", 0, NumberStatus.NotANumber, 0)]
    [InlineData("1e", 0, NumberStatus.NotANumber, 0)]
    [InlineData("1e+", 0, NumberStatus.NotANumber, 0)]
    [InlineData("1.2.3", 0, NumberStatus.NotANumber, 0)]
    [InlineData("0x10", 0, NumberStatus.NotANumber, 0)]
    public void Decimals_are_exact(string text, int scale, NumberStatus status, int value)
    {
        Assert.Equal(status, Decimals.Parse(Bytes(text), scale, out var v));
        Assert.Equal(value, v);
    }

    /// <summary>Against a rational in big integers.</summary>
    [Fact]
    public void Decimals_agree_with_big_integers() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll(ArbMap.Default.ArbFor<(long Mantissa, byte Places, byte Scale)>(), static x =>
        {
            var (places, scale) = (x.Places % 25, x.Scale % 7);
            var digits = BigInteger.Abs(x.Mantissa).ToString(CultureInfo.InvariantCulture).PadLeft(places + 1, '0');
            var text = (x.Mantissa < 0 ? "-" : "") + digits[..^places] + "." + digits[^places..];
            var numerator = BigInteger.Abs(x.Mantissa) * BigInteger.Pow(10, scale);
            var divisor = BigInteger.Pow(10, places);
            var expected = BigInteger.DivRem(numerator, divisor, out var rest);
            var twice = rest * 2;
            if (twice > divisor || (twice == divisor && !expected.IsEven)) expected += 1;
            var status = Decimals.Parse(Bytes(text), scale, out var value);
            if (expected > int.MaxValue) return status == NumberStatus.OutOfRange;
            var sign = x.Mantissa < 0 ? -1 : 1;
            return status == (rest.IsZero ? NumberStatus.Ok : NumberStatus.Rounded) && value == sign * (int)expected;
        }));

    [Theory]
    [InlineData("iso", "2009-03-01T00:30:00", "2009-03-01T00:30:00Z")]
    [InlineData("iso", "2009-03-01 00:30", "2009-03-01T00:30:00Z")]
    [InlineData("iso", "2012-10-12 00:30:00.0000000", "2012-10-12T00:30:00Z")]
    [InlineData("iso", "2023-01-01T00:10:00+0000", "2023-01-01T00:10:00Z")]
    [InlineData("iso", "2026-01-31T00:30:00+01:00", "2026-01-30T23:30:00Z")]
    [InlineData("iso", "2026-01-31T00:30:05.5Z", "2026-01-31T00:30:05Z")]
    [InlineData("iso", "2026-01-31", "2026-01-31T00:00:00Z")]
    [InlineData("iso", "2026-01-31T24:00", "2026-02-01T00:00:00Z")]
    [InlineData("d/MM/yyyy H:mm", "9/08/2016 0:00", "2016-08-09T00:00:00Z")]
    [InlineData("d/MM/yyyy H:mm", "29/02/2016 23:30", "2016-02-29T23:30:00Z")]
    [InlineData("dd/MM/yyyy HH:mm", "01/06/2020 00:15", "2020-06-01T00:15:00Z")]
    [InlineData("yyyyMMddHHmm", "202601310030", "2026-01-31T00:30:00Z")]
    [InlineData("yyyy-MM-ddTHH:mm:ss.fffz", "1968-01-31T00:30:00.000-0530", "1968-01-31T06:00:00Z")]
    public void Times_are_read(string pattern, string text, string expected)
    {
        Assert.True(TimePattern.Compile(pattern).TryParse(Bytes(text), out var stamp));
        Assert.Equal(expected, stamp.ToUnixTime().ToString());
    }

    [Theory]
    [InlineData("iso", "2009-02-29T00:30:00")]
    [InlineData("iso", "2009-13-01T00:30:00")]
    [InlineData("iso", "2009-03-01T24:30:00")]
    [InlineData("iso", "2009-03-01T00:60:00")]
    [InlineData("iso", "2009-03-01T00:30:00x")]
    [InlineData("iso", "2009-03-01T00:30:00+15:00")]
    [InlineData("iso", "09-03-01")]
    [InlineData("iso", "")]
    [InlineData("d/MM/yyyy H:mm", "9/8/2016 0:00")]
    [InlineData("d/MM/yyyy H:mm", "9/08/2016 0:00:00")]
    [InlineData("dd/MM/yyyy HH:mm", "31/04/2020 00:15")]
    public void Times_are_refused(string pattern, string text) =>
        Assert.False(TimePattern.Compile(pattern).TryParse(Bytes(text), out _));

    [Fact]
    public void Iso_agrees_with_the_framework() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000),
        Prop.ForAll(ArbMap.Default.ArbFor<uint>(), static n =>
        {
            var time = new UnixTime(n);
            var ok = TimePattern.Compile(TimePattern.Iso).TryParse(Bytes(time.ToString()), out var stamp);
            return ok && stamp.ToUnixTime() == time;
        }));

    [Fact]
    public void A_pattern_with_an_unknown_part_is_named()
    {
        var error = Assert.Throws<FormatException>(static () => TimePattern.Compile("yyyy-MMM-dd"));
        Assert.Contains("'MMM'", error.Message);
    }

    [Fact]
    public void The_wall_clock_knows_double_and_skipped_times()
    {
        Assert.True(ZoneRules.TryGet("Europe/Brussels", out var zone));
        var clock = new WallClock(zone);
        var doubled = Feeds.Minute("2020-10-25T02:15Z");
        Assert.Equal(ClockStatus.Ok, clock.ToUnix(doubled, long.MinValue, 15, out var first));
        Assert.Equal(Feeds.Minute("2020-10-25T00:15Z"), first);
        Assert.Equal(ClockStatus.Ok, clock.ToUnix(doubled, first + 30, 15, out var second));
        Assert.Equal(first + 60, second);
        Assert.Equal(ClockStatus.Ok, clock.ToUnix(doubled, first, 15, out var repeated));
        Assert.Equal(first, repeated);
        Assert.Equal(ClockStatus.Ok, clock.ToUnix(doubled, first, 60, out var hourly));
        Assert.Equal(first + 60, hourly);
        Assert.Equal(ClockStatus.Skipped, clock.ToUnix(Feeds.Minute("2021-03-28T02:15Z"), long.MinValue, 15, out _));
        Assert.Equal(ClockStatus.Ok, clock.ToUnix(Feeds.Minute("2021-03-28T03:00Z"), long.MinValue, 15, out var after));
        Assert.Equal(Feeds.Minute("2021-03-28T01:00Z"), after);
        Assert.Equal(ClockStatus.Ok, clock.ToUnix(Feeds.Minute("2021-03-28T01:45Z"), long.MinValue, 15,
            out var before));
        Assert.Equal(after - 15, before);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(4096)]
    public void Lines_do_not_depend_on_the_buffer(int buffer)
    {
        var text = "\uFEFFa,b\r\n\r\n\uFEFF" + new string('x', 100) + "\nlast";
        using var lines = new ByteLines("f", new MemoryStream(Bytes(text)), buffer);
        var found = new List<string>();
        while (lines.Next(out var line)) found.Add(Encoding.UTF8.GetString(line));
        Assert.Equal(["a,b", "", new string('x', 100), "last"], found);
        Assert.Equal(4, lines.LineNumber);
    }
}
