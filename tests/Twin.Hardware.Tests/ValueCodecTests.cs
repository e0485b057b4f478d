using FsCheck;
using FsCheck.Fluent;
using Twin.Hardware.Coding;
using Xunit.Abstractions;

namespace Twin.Hardware.Tests;

public class ValueCodecTests(ITestOutputHelper output)
{
    private static byte[] Encode(int[] values)
    {
        var w = new ByteWriter();
        ValueCodec.Encode(values, w);
        return w.ToArray();
    }

    private static void RoundTrip(int[] values)
    {
        var bytes = Encode(values);
        Assert.InRange(bytes.Length, 0, ValueCodec.MaxBytes(values.Length));
        var decoded = new int[values.Length];
        var r = new ByteReader([.. bytes, 0xA5]);
        ValueCodec.Decode(ref r, decoded);
        Assert.Equal(values, decoded);
        Assert.Equal(1, r.Left);
        Assert.Equal(bytes, Encode(values));
    }

    [Fact]
    public void AnyValuesRoundTrip() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(200),
        Prop.ForAll<int[]>(values => RoundTrip(Array.ConvertAll(values, v => v == int.MinValue ? 0 : v))));

    [Fact]
    public void ValuesOfEveryMagnitudeAndLengthRoundTrip()
    {
        var random = new SplitMix64(1);
        for (var n = 0; n < 4000; n++)
        {
            var values = new int[n % 100 == 99 ? ValueCodec.MaxValues - random.Next(3) : 1 + random.Next(96)];
            var (width, kind) = (random.Next(31), random.Next(6));
            for (var i = 0; i < values.Length; i++)
            {
                var v = (int)(random.NextUInt64() & ((1UL << width) - 1));
                var rare = random.Next(12) == 0;
                values[i] = kind switch
                {
                    0 => v,
                    1 => -v,
                    2 => 1_000_000 + (v & 255),
                    3 => random.Next(2) == 0 ? 0 : v,
                    4 => rare ? random.Next(2) == 0 ? int.MaxValue : -int.MaxValue : v & 15,
                    _ => i == 0 ? v >> 1 : values[i - 1] + random.Next(9) - 4,
                };
            }
            RoundTrip(values);
        }
    }

    [Theory]
    [InlineData(48, 0, 2)]
    [InlineData(4096, 230, 3)]
    [InlineData(1, -int.MaxValue, 6)]
    public void ConstantBlocksTakeAFewBytes(int count, int value, int bytes)
    {
        var values = new int[count];
        values.AsSpan().Fill(value);
        RoundTrip(values);
        Assert.Equal(bytes, Encode(values).Length);
    }

    [Fact]
    public void NoValuesTakeNoBytes() => Assert.Empty(Encode([]));

    [Fact]
    public void NoiseTakesFourBytesAValueAndOneMore()
    {
        var random = new SplitMix64(2);
        var values = Enumerable.Range(0, 48).Select(_ => (int)(random.NextUInt64() >> 33) - (1 << 30)).ToArray();
        for (var i = 0; i < values.Length; i += 2) values[i] = -int.MaxValue + random.Next(1 << 30);
        RoundTrip(values);
        Assert.Equal(1 + 48 * 4, Encode(values).Length);
    }

    [Fact]
    public void AGapAndTooManyValuesAreRefused()
    {
        Assert.Throws<ArgumentException>(() => Encode([1, ReadingBlock.Missing]));
        Assert.Throws<ArgumentException>(() => Encode(new int[ValueCodec.MaxValues + 1]));
    }

    [Theory]
    [InlineData(new[] { 0, 1, 2, 3, 4, 5, 6, 7 }, "092d13230c")]
    [InlineData(new[] { 120, 130, 125, 150, 90, 2000, 110, 95 }, "41f10aee6b590b10badb2f")]
    [InlineData(new[] { -5, 7, 0, 3, -5, -2 }, "14494c4b16")]
    [InlineData(new[] { 0, 0, 0, 0, 0, 0, 900, 800, 0, 0, 0, 700 }, "54400fee8fe85d")]
    [InlineData(new[] { 5000, 5013, 5001, 5012, 5003, 5014, 5000, 5011 }, "12904ec1861c0d07")]
    [InlineData(new[] { -2000000000, 2000000000, 17, -1900000000, 2100000000 },
        "05006cca880094357711000000004dc08e00752b7d")]
    [InlineData(new[] { 9000, 9001, 9002, 9003, 9004 }, "0bd08c019204")]
    public void TheEncodingStays(int[] values, string hex)
    {
        RoundTrip(values);
        Golden.Is(hex, Encode(values));
    }

    [Fact]
    public void DayBlocksOfRealHomesTakeUnder1_15BytesAReading()
    {
        if (Edrp.Homes is not { } homes)
        {
            output.WriteLine("Skipped: ../shared/data/edrp is not there.");
            return;
        }
        var w = new ByteWriter(1 << 21);
        long readings = 0;
        var decoded = new int[Edrp.SlotsPerDay];
        foreach (var home in homes)
        {
            for (var day = 0; day < Edrp.Days; day++)
            {
                var values = home.AsSpan(day * Edrp.SlotsPerDay, Edrp.SlotsPerDay);
                var begin = w.Length;
                ValueCodec.Encode(values, w);
                var r = new ByteReader(w.Written[begin..]);
                ValueCodec.Decode(ref r, decoded);
                Assert.True(values.SequenceEqual(decoded) && r.AtEnd);
                readings += values.Length;
            }
        }
        output.WriteLine($"{(double)w.Length / readings:f4} bytes a reading, {readings} readings in day blocks of 48");
        Assert.InRange((double)w.Length / readings, 0.5, 1.15);
    }
}
