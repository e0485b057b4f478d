using Twin.Hardware.Coding;

namespace Twin.Hardware.Tests;

public class ReadingBlockTests
{
    private const int Gap = ReadingBlock.Missing;
    private static readonly MeterId Meter = new(0x8123456789ABCDEF);

    private const long Start = 20_597_760;

    private static byte[] Raw(int[] slots, Quality[] qualities, long stamp = 0, int interval = 30)
    {
        var w = new ByteWriter();
        ReadingBlock.WriteRaw(w, Meter, Channel.Import, interval, Start, slots, qualities, stamp);
        return w.ToArray();
    }

    private static void AssertContent(ReadOnlySpan<byte> bytes, int[] slots, Quality[] qualities)
    {
        var block = ReadingBlock.Read(bytes);
        Assert.Equal(slots.Length, block.Count);
        Assert.Equal(slots.Count(s => s != Gap), block.PresentCount);
        var values = new int[block.Count];
        var read = new Quality[block.Count];
        block.DecodeValues(values);
        block.DecodeQualities(read);
        Assert.Equal(slots, values);
        Assert.Equal(qualities, read);
    }

    [Fact]
    public void APlainBlockRoundTrips()
    {
        int[] slots = [42, 50, -3, 0, 1_000_000];
        var bytes = Raw(slots, []);
        AssertContent(bytes, slots, [Quality.Actual, Quality.Actual, Quality.Actual, Quality.Actual, Quality.Actual]);
        var block = ReadingBlock.Read(bytes);
        Assert.True(block.IsPlain);
        Assert.False(block.IsAdmitted);
        Assert.Equal((Meter, Channel.Import, 30), (block.Meter, block.Channel, block.IntervalMinutes));
        Assert.Equal(Start + 150, block.EndMinute);
        Assert.Equal(bytes, Raw(slots, Enumerable.Repeat(Quality.Actual, 5).ToArray()));
    }

    [Fact]
    public void GapsAndQualitiesRoundTrip()
    {
        int[] slots = [Gap, 1, 2, Gap, Gap, 5, 6, 7, 8, 9, Gap];
        Quality[] given =
        [
            Quality.Missing, Quality.Estimated, Quality.Estimated, Quality.Missing, Quality.Missing, Quality.Actual,
            Quality.Suspect, Quality.Edited, Quality.Actual, Quality.Actual, Quality.Missing,
        ];
        var bytes = Raw(slots, given, stamp: -5);
        AssertContent(bytes, slots, given);
        Assert.Equal(-5, ReadingBlock.Read(bytes).SourceStamp);
        Assert.False(ReadingBlock.Read(bytes).IsPlain);
        AssertContent(Raw([Gap, Gap], []), [Gap, Gap], [Quality.Missing, Quality.Missing]);
    }

    [Theory]
    [InlineData(1440)]
    [InlineData(1380)]
    [InlineData(1500)]
    public void AnAdmittedBlockCarriesItsDay(int minutes)
    {
        var day = new LocalDay(14_304, 14_304 * 1440L - 60, minutes);
        var head = new ReadingBlock
        {
            Meter = Meter, Channel = Channel.Voltage, IntervalMinutes = 15, Day = day, IsAdmitted = true,
            StartMinute = day.StartMinute + 45, IsLate = true, IsRevision = true, PriorCount = 2, PriorSum = -77,
        };
        var w = new ByteWriter();
        ReadingBlock.Write(w, head, [2301, Gap, 2299], []);
        var block = ReadingBlock.Read(w.Written);
        Assert.Equal(day, block.Day);
        Assert.Equal(3, block.FirstSlot);
        Assert.True(block.IsAdmitted && block.IsLate && block.IsRevision);
        Assert.Equal((2, -77L), (block.PriorCount, block.PriorSum));
        AssertContent(w.Written, [2301, Gap, 2299], [Quality.Actual, Quality.Missing, Quality.Actual]);
    }

    [Fact]
    public void ABlockBeyondItsDayIsRefused()
    {
        var head = new ReadingBlock
        {
            Meter = Meter, Channel = Channel.Import, IntervalMinutes = 30, IsAdmitted = true,
            StartMinute = 1410, Day = new LocalDay(0, 0, 1440),
        };
        var w = new ByteWriter();
        ReadingBlock.Write(w, head, [1, 2], []);
        Assert.Throws<InvalidDataException>(() => { ReadingBlock.Read(w.Written); });
    }

    [Fact]
    public void ReEncodingAPlainBlockWithoutDecodingGivesTheSameBytes()
    {
        int[] slots = [.. Enumerable.Range(0, 48).Select(i => i * i % 91)];
        var day = new LocalDay(14_304, 14_304 * 1440L, 1440);
        var head = new ReadingBlock
        {
            Meter = Meter, Channel = Channel.Import, IntervalMinutes = 30, IsAdmitted = true,
            StartMinute = day.StartMinute, Day = day,
        };
        var (decoded, copied) = (new ByteWriter(), new ByteWriter());
        ReadingBlock.Write(decoded, head, slots, []);
        ReadingBlock.WritePlain(copied, head, 48, ReadingBlock.Read(Raw(slots, [])).EncodedValues);
        Assert.Equal(decoded.ToArray(), copied.ToArray());
    }

    [Fact]
    public void AnEmptyOrOverlongBlockIsRefused()
    {
        Assert.Throws<ArgumentException>(() => Raw([], []));
        Assert.Throws<ArgumentException>(() => Raw(new int[ValueCodec.MaxValues + 1], []));
        AssertContent(Raw(new int[ValueCodec.MaxValues], [], interval: 1), new int[ValueCodec.MaxValues],
            Enumerable.Repeat(Quality.Actual, ValueCodec.MaxValues).ToArray());
    }

    [Fact]
    public void TheEncodingStays()
    {
        Golden.Is("010101efcdab896745238101001e80b0d2130631d5b20c75ab2c", Raw([42, 50, 76, 186, 85, 44], []));
        Golden.Is("010101efcdab896745238101261e80b0d21303120601040100010205292a32",
            Raw([42, Gap, 76], [Quality.Actual, Quality.Missing, Quality.Estimated], 9));
        var day = new LocalDay(14_304, 14_304 * 1440L, 1500);
        var head = new ReadingBlock
        {
            Meter = Meter, Channel = Channel.Heat, IntervalMinutes = 60, Day = day, IsAdmitted = true,
            StartMinute = day.StartMinute + 60, IsLate = true, IsRevision = true, PriorCount = 1, PriorSum = 7,
        };
        var w = new ByteWriter();
        ReadingBlock.Write(w, head, [7, 8], []);
        Golden.Is("010101efcdab896745238104193cf8b0d21302c0df01dc0b3c010e114e00", w.Written);
    }
}
