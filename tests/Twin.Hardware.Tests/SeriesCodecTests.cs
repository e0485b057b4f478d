using Twin.Hardware.Coding;
using Xunit.Abstractions;

namespace Twin.Hardware.Tests;

public class SeriesCodecTests(ITestOutputHelper output)
{
    private const int Gap = ReadingBlock.Missing;

    private sealed record Day(LocalDay Local, int Interval, long Position, long Base, int[] Slots, Quality[] Qualities);

    private static byte[] Encode(List<Day> days)
    {
        var writer = new SeriesWriter();
        foreach (var d in days) writer.Add(d.Local, d.Interval, d.Position, d.Base, d.Slots, d.Qualities);
        var w = new ByteWriter();
        writer.Write(w);
        return w.ToArray();
    }

    private static byte[] RoundTrip(List<Day> days, SeriesReader reader)
    {
        var bytes = Encode(days);
        reader.Open(bytes);
        Assert.Equal(days.Count, reader.Days.Length);
        for (var i = 0; i < days.Count; i++)
        {
            var (wanted, read) = (days[i], reader.Days[i]);
            Assert.Equal(wanted.Local, read.Day);
            Assert.Equal(wanted.Interval, read.IntervalMinutes);
            Assert.Equal(wanted.Position, read.Position(wanted.Base));
            Assert.Equal(wanted.Slots, reader.Slots(i).ToArray());
            var actual = Array.ConvertAll(wanted.Slots, s => s == Gap ? Quality.Missing : Quality.Actual);
            Assert.Equal(wanted.Qualities.Length == 0 ? actual : wanted.Qualities, reader.Qualities(i).ToArray());
        }
        Assert.Equal(days.Sum(d => d.Slots.Count(s => s != ReadingBlock.Missing)), reader.PresentCount);
        Assert.Equal(bytes, Encode(days));
        return bytes;
    }

    private static Day PlainDay(int number, long position, params int[] slots) =>
        new(new LocalDay(number, number * 1440L, 1440), 1440 / slots.Length, position, 0, slots, []);

    /// <summary>
    /// Days as they come: DST, several intervals, gaps at the ends and within, qualities, odd positions.
    /// </summary>
    internal static (LocalDay, int, long, long, int[], Quality[]) AnyDay(SplitMix64 random, int number, int style)
    {
        var minutes = random.Next(5) == 0 ? random.Next(2) == 0 ? 1380 : 1500 : 1440;
        var interval = style % 2 == 0 ? 30 : new[] { 5, 10, 15, 30, 60, 1440 }[random.Next(minutes < 1440 ? 5 : 6)];
        var slots = new int[minutes / interval];
        var qualities = new Quality[slots.Length];
        var width = random.Next(3) == 0 ? random.Next(31) : 4 + random.Next(8);
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = (int)(random.NextUInt64() & ((1UL << width) - 1));
            if (random.Next(60) == 0) slots[i] = random.Next(2) == 0 ? int.MaxValue : -slots[i];
            qualities[i] = style % 3 == 0 && random.Next(8) == 0 ? (Quality)(1 + random.Next(4)) : Quality.Actual;
            var gap = style % 4 == 1 && (i < 5 || random.Next(10) == 0) || style % 9 == 8;
            if (gap) (slots[i], qualities[i]) = (ReadingBlock.Missing, Quality.Missing);
        }
        var start = number * 1440L + random.Next(3) * 60 - 600;
        var position = random.Next(4) == 0 ? unchecked((long)random.NextUInt64()) : 1_000_000L + random.Next(1000);
        return (new LocalDay(number, start, minutes), interval, position, 1_000_000, slots, qualities);
    }

    [Fact]
    public void AnyDaysRoundTrip()
    {
        var reader = new SeriesReader();
        for (var seed = 1UL; seed <= 1500; seed++)
        {
            var random = new SplitMix64(seed);
            var days = new List<Day>();
            var number = random.Next(20_000);
            for (var n = 1 + random.Next(SeriesCodec.MaxDays); n > 0; n--)
            {
                number += 1 + (random.Next(6) == 0 ? random.Next(100) : 0);
                var (local, interval, position, start, slots, qualities) = AnyDay(random, number, (int)seed);
                days.Add(new Day(local, interval, position, start, slots, qualities));
            }
            var fault = Record.Exception(() => RoundTrip(days, reader));
            Assert.True(fault is null, $"seed {seed}: {fault}");
        }
    }

    [Fact]
    public void ExtremeValuesAndPositionsRoundTrip()
    {
        var reader = new SeriesReader();
        const int most = int.MaxValue;
        RoundTrip([PlainDay(0, long.MinValue, -most, most), PlainDay(1, long.MaxValue, most, -most)], reader);
        RoundTrip([PlainDay(LocalDay.MinNumber, 0, 0), PlainDay(LocalDay.MaxNumber, -1, 1)], reader);
        RoundTrip([PlainDay(7, 3, ReadingBlock.Missing, ReadingBlock.Missing)], reader);
        RoundTrip([PlainDay(7, 3, new int[1440]), PlainDay(8, 3, new int[1440])], reader);
    }

    [Fact]
    public void DaysOfOneShapeCostNothingBesideTheirValues()
    {
        var days = Enumerable.Range(0, 14).Select(i => PlainDay(14_304 + i, 500, new int[48])).ToList();
        // Form 1, interval 1, day number 3, offset 1, position 2; then at most the 2 bytes of a constant day each.
        Assert.InRange(RoundTrip(days, new SeriesReader()).Length, 9, 8 + 14 * 2);
    }

    [Fact]
    public void AValueOfQualityMissingIsAGap()
    {
        var w = new ByteWriter();
        var writer = new SeriesWriter();
        writer.Add(new LocalDay(1, 1440, 1440), 720, 1, 1, [5, 6], [Quality.Missing, Quality.Actual]);
        writer.Write(w);
        var reader = new SeriesReader();
        reader.Open(w.Written);
        Assert.Equal([ReadingBlock.Missing, 6], reader.Slots(0).ToArray());
    }

    [Fact]
    public void DaysOutOfOrderOrShapeAreRefused()
    {
        var writer = new SeriesWriter();
        var day = new LocalDay(10, 14_400, 1440);
        writer.Add(day, 30, 1, 1, new int[48], []);
        Assert.Throws<ArgumentException>(() => writer.Add(day, 30, 1, 1, new int[48], []));
        var next = new LocalDay(11, 15_840, 1440);
        Assert.Throws<ArgumentException>(() => writer.Add(next, 30, 1, 1, new int[47], []));
        var shifted = next with { StartMinute = 99_840 };
        Assert.Throws<ArgumentException>(() => writer.Add(shifted, 30, 1, 1, new int[48], []));
        Assert.Throws<ArgumentException>(() => writer.Add(next, 0, 1, 1, new int[48], []));
        Assert.Throws<ArgumentException>(() => writer.Add(next, 30, 1, 1, new int[48], new Quality[47]));
        for (var n = 11; !writer.IsFull; n++) writer.Add(new LocalDay(n, n * 1440L, 1440), 30, 1, 1, new int[48], []);
        var later = new LocalDay(99, 99 * 1440L, 1440);
        Assert.Throws<InvalidOperationException>(() => writer.Add(later, 30, 1, 1, new int[48], []));
    }

    [Fact]
    public void TheEncodingStays()
    {
        var slots = Enumerable.Range(0, 24).Select(i => 40 + i * i % 37 * (i > 16 ? 20 : 1)).ToArray();
        var joint = Encode([PlainDay(14_304, 77, slots), PlainDay(14_305, 78, slots)]);
        Golden.Is("d13cc0df01009a010250d6a95df7c3b0af0fed9ec5f36bfff80b1626b6a8c52b2e10a97bd935a2e6ad5c659a6fee"
            + "b86061628b123e38", joint);
        int[] gaps = [ReadingBlock.Missing, 1_000_000_000, 7, 7];
        Quality[] qualities = [Quality.Missing, Quality.Edited, Quality.Actual, Quality.Actual];
        var early = new Day(new LocalDay(3, 4260, 1380), 345, -1, 5, gaps, qualities);
        var wide = PlainDay(9, 10, -1_000_000_000, 1_000_000_000, -1_000_000_000);
        Golden.Is("01d90206770b02e40a0d05e0030020080b2ce108a0acb90f0000e00100000005003665c400ca9a3b003665c4",
            Encode([early, wide]));
    }

    [Fact]
    public void FortnightsOfRealHomesTakeUnder1_05BytesAReadingAllIn()
    {
        if (Edrp.Homes is not { } homes)
        {
            output.WriteLine("Skipped: ../shared/data/edrp is not there.");
            return;
        }
        const int daysPerSeries = 14, firstDay = 14_304;
        var (writer, reader, w) = (new SeriesWriter(), new SeriesReader(), new ByteWriter(1 << 21));
        long readings = 0;
        for (var home = 0; home < homes.Length; home++)
        {
            for (var first = 0; first + daysPerSeries <= Edrp.Days; first += daysPerSeries)
            {
                writer.Clear();
                for (var i = first; i < first + daysPerSeries; i++)
                {
                    var day = new LocalDay(firstDay + i, (firstDay + i) * 1440L, 1440);
                    writer.Add(day, 30, i * 409L + home, i * 409L, homes[home].AsSpan(i * 48, 48), []);
                }
                var begin = w.Length;
                writer.Write(w);
                reader.Open(w.Written[begin..]);
                for (var i = 0; i < daysPerSeries; i++)
                    Assert.True(reader.Slots(i).SequenceEqual(homes[home].AsSpan((first + i) * 48, 48)));
                readings += daysPerSeries * 48;
            }
        }
        output.WriteLine($"{(double)w.Length / readings:f4} bytes a reading, {readings} readings in series of 14 days");
        Assert.InRange((double)w.Length / readings, 0.5, 1.05);
    }
}
