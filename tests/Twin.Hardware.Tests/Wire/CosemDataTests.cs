using FsCheck;
using FsCheck.Fluent;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

/// <summary>A-XDR: what is written is read, of any shape; damage and excess are told apart.</summary>
public class CosemDataTests
{
    /// <summary>Writes one random data of any type and says what must be read, piece by piece.</summary>
    private static void WriteAny(CosemWriter w, SplitMix64 random, int depth, List<string> expected)
    {
        var indent = $"{depth}:";
        var put = new Scalars(random, expected, indent);
        switch (random.Next(depth < 6 ? 24 : 20))
        {
            case 0: w.Null(); expected.Add(indent + "Null"); break;
            case 1:
                var bit = random.Next(2);
                w.Boolean(bit == 1);
                expected.Add($"{indent}Boolean {bit}");
                break;
            case 2: put.Whole((sbyte)(random.Next(256) - 128), w.Integer, "Integer"); break;
            case 3: put.Whole((byte)random.Next(256), w.Unsigned, "Unsigned"); break;
            case 4: put.Whole((short)(random.Next(65536) - 32768), w.Long, "Long"); break;
            case 5: put.Whole((ushort)random.Next(65536), w.LongUnsigned, "LongUnsigned"); break;
            case 6: put.Whole(unchecked((int)random.NextUInt64()), w.DoubleLong, "DoubleLong"); break;
            case 7: put.Whole(unchecked((uint)random.NextUInt64()), w.DoubleLongUnsigned, "DoubleLongUnsigned"); break;
            case 8: put.Whole(unchecked((long)random.NextUInt64()), w.Long64, "Long64"); break;
            case 9: put.Whole(random.NextUInt64() >> 1, w.Long64Unsigned, "Long64Unsigned"); break;
            case 10: put.Whole((byte)random.Next(256), w.Enum, "Enum"); break;
            case 11: put.Whole((byte)random.Next(256), w.Bcd, "Bcd"); break;
            case 12: put.Floating((float)random.NextNormal(), w.Float32, "Float32"); break;
            case 13: put.Floating(random.NextNormal(), w.Float64, "Float64"); break;
            case 14: put.Octets(random.Next(300), w.OctetString, "OctetString"); break;
            case 15: put.Octets(12, b => w.Raw([(byte)CosemTag.DateTime, .. b]), "DateTime"); break;
            case 16: put.Octets(5, b => w.Raw([(byte)CosemTag.Date, .. b]), "Date"); break;
            case 17: put.Octets(4, b => w.Raw([(byte)CosemTag.Time, .. b]), "Time"); break;
            case 18:
                var text = new string('x', random.Next(200));
                w.VisibleString(text);
                expected.Add($"{indent}VisibleString {text}");
                break;
            case 19:
                var bits = random.Next(70);
                w.BitString(new byte[(bits + 7) / 8], bits);
                expected.Add($"{indent}BitString {bits}");
                break;
            default:
                var count = random.Next(5);
                var isArray = random.Next(2) == 1;
                if (isArray) w.Array(count);
                else w.Structure(count);
                expected.Add($"{indent}{(isArray ? "Array" : "Structure")} {count}");
                for (var i = 0; i < count; i++) WriteAny(w, random, depth + 1, expected);
                break;
        }
    }

    /// <summary>Writes values and notes what must be read of them.</summary>
    private sealed class Scalars(SplitMix64 random, List<string> expected, string indent)
    {
        public void Whole<T>(T value, Action<T> write, string name)
        {
            write(value);
            expected.Add($"{indent}{name} {value}");
        }

        public void Floating<T>(T value, Action<T> write, string name) where T : IConvertible
        {
            write(value);
            expected.Add($"{indent}{name} {value.ToDouble(null):R}");
        }

        public void Octets(int length, BytesWriter write, string name)
        {
            var bytes = new byte[length];
            for (var i = 0; i < length; i++) bytes[i] = (byte)random.Next(256);
            write(bytes);
            expected.Add($"{indent}{name} {Convert.ToHexString(bytes)}");
        }
    }

    private delegate void BytesWriter(ReadOnlySpan<byte> bytes);

    private static string Show(in CosemItem item) => $"{item.Depth}:{item.Tag}" + item.Tag switch
    {
        CosemTag.Null => "",
        CosemTag.Array or CosemTag.Structure or CosemTag.BitString => $" {item.Count}",
        CosemTag.Float32 or CosemTag.Float64 when item.TryNumber(out var number) => $" {number:R}",
        CosemTag.VisibleString => $" {item.Text()}",
        CosemTag.OctetString or CosemTag.DateTime or CosemTag.Date or CosemTag.Time =>
            $" {Convert.ToHexString(item.Content)}",
        _ when item.TryInteger(out var whole) => $" {whole}",
        _ => " ?",
    };

    [Fact]
    public void What_is_written_is_read() => Check.QuickThrowOnFailure(Prop.ForAll(
        ArbMap.Default.ArbFor<int>(), seed =>
        {
            var (to, expected, found) = (new ByteWriter(), new List<string>(), new List<string>());
            WriteAny(new CosemWriter(to), new SplitMix64(unchecked((uint)seed)), 0, expected);
            to.Byte(0xAA);
            var reader = new CosemReader(to.Written);
            while (reader.TryNext(out var item)) found.Add(Show(item));
            Assert.Equal(expected, found);
            Assert.True(reader.IsDone);
            Assert.Equal(to.Length - 1, reader.Position);
            for (var length = 0; length < Math.Min(200, to.Length - 1); length++)
                Assert.False(CosemReader.TrySkip(to.Written[..length], out _, out _));
        }));

    [Fact]
    public void Nesting_and_counts_are_bounded()
    {
        byte[] deep = [.. Enumerable.Repeat<byte[]>([1, 1], CosemReader.MaxDepth).SelectMany(b => b), 0];
        Assert.True(CosemReader.TrySkip(deep, out _, out _));
        byte[] deeper = [1, 1, .. deep];
        Assert.False(CosemReader.TrySkip(deeper, out _, out var error));
        Assert.Equal(new WireError(WireCode.TooDeep, 32), error);
        Assert.False(CosemReader.TrySkip([1, 0x84, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0], out _, out error));
        Assert.Equal(new WireError(WireCode.TooManyElements, 0), error);
        Assert.False(CosemReader.TrySkip([9, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], out _, out error));
        Assert.Equal(new WireError(WireCode.BadLength, 1), error);
        Assert.False(CosemReader.TrySkip([2, 2, 0, 7], out _, out error));
        Assert.Equal(new WireError(WireCode.UnknownTag, 3), error);
        var many = new byte[4 + CosemReader.MaxItems];
        (many[0], many[1], many[2], many[3]) = (1, 0x82, 0xFF, 0xFF);
        Assert.True(CosemReader.TrySkip(many, out _, out _));
        byte[] tooMany = [2, 2, .. many.AsSpan(0, 4 + 0xFFFF), .. many];
        Assert.False(CosemReader.TrySkip(tooMany, out _, out error));
        Assert.Equal(WireCode.TooManyElements, error.Code);
    }

    [Fact]
    public void A_compact_array_reads_like_the_array_it_stands_for()
    {
        var to = new ByteWriter();
        // Elements are structures of a long-unsigned, an array of two unsigneds, and an octet-string.
        new CosemWriter(to).CompactArray([2, 3, 18, 1, 0, 2, 17, 9], [0, 5, 1, 2, 2, 9, 8, 0, 6, 3, 4, 0]);
        var outer = new CosemReader(to.Written);
        Assert.True(outer.TryNext(out var array));
        Assert.True(outer.IsDone);
        var found = new List<string>();
        var reader = new CompactArrayReader(array.Content);
        while (reader.TryNext(out var item)) found.Add(Show(item));
        Assert.False(reader.Error.IsError, reader.Error.Describe());
        Assert.Equal(
        [
            "0:Structure 3", "1:LongUnsigned 5", "1:Array 2", "2:Unsigned 1", "2:Unsigned 2", "1:OctetString 0908",
            "0:Structure 3", "1:LongUnsigned 6", "1:Array 2", "2:Unsigned 3", "2:Unsigned 4", "1:OctetString ",
        ], found);
    }

    [Theory]
    [InlineData("0000", WireCode.None)]
    [InlineData("00020101", WireCode.BadValue)]
    [InlineData("1202000107", WireCode.TrailingBytes)]
    [InlineData("1203000107", WireCode.Truncated)]
    [InlineData("13020001", WireCode.UnknownTag)]
    [InlineData("0241000000", WireCode.TooManyElements)]
    [InlineData("01FFFF01FFFF000107", WireCode.TooManyElements)]
    public void Compact_arrays_are_bounded(string hex, WireCode expected)
    {
        var content = Convert.FromHexString(hex);
        var reader = new CompactArrayReader(content);
        var steps = 0;
        while (reader.TryNext(out _)) steps++;
        Assert.Equal(expected, reader.Error.Code);
        Assert.InRange(steps, 0, CosemReader.MaxItems);
    }

    [Fact]
    public void Times_become_instants()
    {
        var time = CosemDateTime.FromUnixTime(new UnixTime(1_750_000_000), 120, 0x80);
        Assert.Equal("2025-06-15 17:06:40", time.ToString());
        Assert.Equal((-120, 7), (time.Deviation, time.DayOfWeek));
        Span<byte> bytes = stackalloc byte[12];
        time.CopyTo(bytes);
        Assert.Equal("07e9060f07110628" + "00ff8880", Convert.ToHexStringLower(bytes));
        Assert.True(CosemDateTime.TryRead(bytes, out var back, out _));
        Assert.Equal(time, back);
        Assert.True(back.TryToUnixTime(null, out var instant, out _));
        Assert.Equal(1_750_000_000, instant.Seconds);
        var open = back with { Deviation = CosemDateTime.NoDeviation };
        Assert.False(open.TryToUnixTime(null, out _, out var error));
        Assert.Equal(new WireError(WireCode.UnspecifiedTime, 9), error);
        Assert.True(open.TryToUnixTime(60, out instant, out _));
        Assert.Equal(1_750_003_600, instant.Seconds);
        Assert.True((open with { Second = 0xFF }).TryToUnixTime(60, out instant, out _));
        Assert.Equal(1_750_003_560, instant.Seconds);
        Assert.False((open with { Hour = 0xFF }).TryToUnixTime(60, out _, out error));
        Assert.Equal(new WireError(WireCode.UnspecifiedTime, 5), error);
        Assert.True((open with { Month = 2, Day = CosemDateTime.LastDay }).TryToUnixTime(0, out instant, out _));
        Assert.Equal("2025-02-28T17:06:40Z", instant.ToString());
        Assert.False((open with { Month = 2, Day = 30 }).TryToUnixTime(0, out _, out error));
        Assert.Equal(new WireError(WireCode.BadValue, 3), error);
    }

    [Theory]
    [InlineData(2, 13)]
    [InlineData(3, 32)]
    [InlineData(4, 8)]
    [InlineData(5, 24)]
    [InlineData(6, 60)]
    [InlineData(8, 100)]
    [InlineData(9, 0x70)]
    public void Fields_out_of_range_are_refused(int field, byte value)
    {
        var bytes = Convert.FromHexString("07e9060f0711062800ff8880");
        bytes[field] = value;
        Assert.False(CosemDateTime.TryRead(bytes, out _, out var error));
        Assert.Equal(new WireError(WireCode.BadValue, field), error);
    }

    [Theory]
    [InlineData("1.0.1.8.0.255", "1.0.1.8.0.255")]
    [InlineData("1-0:1.8.0", "1.0.1.8.0.255")]
    [InlineData("1-0:1.8.0*101", "1.0.1.8.0.101")]
    [InlineData("1.0.1.8.0", null)]
    [InlineData("1.0.1.8.0.256", null)]
    [InlineData("1-0:1.8.0*", null)]
    [InlineData("1.0.1.8.0.255.1", null)]
    [InlineData("", null)]
    public void Obis_codes_parse(string text, string? expected) =>
        Assert.Equal(expected, Obis.TryParse(text, out var obis) ? obis.ToString() : null);
}
