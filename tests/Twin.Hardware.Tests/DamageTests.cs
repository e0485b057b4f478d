using Twin.Hardware.Coding;

namespace Twin.Hardware.Tests;

/// <summary>
/// Damaged encodings end in <see cref="InvalidDataException"/> or in some value, never in another exception, a hang or
/// a wild read.
/// </summary>
public class DamageTests
{
    private delegate void Reader(byte[] bytes);

    private static readonly SeriesReader Series = new();

    private static void ReadInput(byte[] bytes)
    {
        var input = Input.Read(bytes);
        Assert.NotEmpty(input.Describe());
        Assert.Equal(bytes, input.ToBytes());
    }

    private static void ReadBlock(byte[] bytes)
    {
        var block = ReadingBlock.Read(bytes);
        _ = (block.FirstSlot, block.EndMinute, block.Day.Date);
        block.DecodeValues(new int[block.Count]);
        block.DecodeQualities(new Quality[block.Count]);
    }

    private static void ReadFinding(byte[] bytes)
    {
        var finding = Finding.Read(bytes);
        Assert.NotEmpty(finding.Id + finding.From + finding.To + finding.DetectedAt);
        Assert.Equal(bytes, FindingTests.Encode(finding));
    }

    private static void ReadSeries(byte[] bytes)
    {
        Series.Open(bytes);
        for (var i = 0; i < Series.Days.Length; i++)
        {
            _ = Series.Days[i].Day.Date;
            foreach (var (slot, quality) in Series.Slots(i).ToArray().Zip(Series.Qualities(i).ToArray()))
                Assert.Equal(slot == ReadingBlock.Missing, quality == Quality.Missing);
        }
    }

    private static void ReadValues(byte[] bytes)
    {
        var values = new int[48];
        var r = new ByteReader(bytes);
        ValueCodec.Decode(ref r, values);
        Assert.DoesNotContain(ReadingBlock.Missing, values);
    }

    private static void Try(Reader read, byte[] bytes)
    {
        try
        {
            read(bytes);
        }
        catch (InvalidDataException)
        {
        }
        catch (Exception e)
        {
            Assert.Fail($"{read.Method.Name} of {Convert.ToHexStringLower(bytes)}: {e}");
        }
    }

    /// <summary>Every prefix, every bit flipped, and random changes of several bytes.</summary>
    private static void Damage(Reader read, byte[] sound, SplitMix64 random)
    {
        read(sound);
        for (var length = 0; length < sound.Length; length++) Try(read, sound[..length]);
        for (var bit = 0; bit < sound.Length * 8; bit++)
        {
            var bytes = (byte[])sound.Clone();
            bytes[bit >> 3] ^= (byte)(1 << (bit & 7));
            Try(read, bytes);
        }
        for (var n = 0; n < 300; n++)
        {
            var bytes = (byte[])sound.Clone();
            for (var changes = 1 + random.Next(4); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)0xFF : (byte)random.Next(256);
            Try(read, bytes);
        }
    }

    [Fact]
    public void DamagedInputs()
    {
        var random = new SplitMix64(11);
        foreach (var (input, _) in InputTests.Examples) Damage(ReadInput, input.ToBytes(), random);
    }

    [Fact]
    public void DamagedFindings() => Damage(ReadFinding, FindingTests.Encode(FindingTests.Example), new SplitMix64(12));

    [Fact]
    public void DamagedBlocks()
    {
        var random = new SplitMix64(13);
        var w = new ByteWriter();
        for (var n = 0; n < 12; n++)
        {
            var (day, interval, stamp, _, slots, qualities) = SeriesCodecTests.AnyDay(random, 14_304, n);
            var head = new ReadingBlock
            {
                Meter = new MeterId(5), Channel = Channel.Import, IntervalMinutes = interval, SourceStamp = stamp,
                StartMinute = day.StartMinute, Day = day, IsAdmitted = n % 3 != 0,
                IsLate = n % 2 == 0, IsRevision = n % 5 == 0,
            };
            w.Clear();
            ReadingBlock.Write(w, head, slots, n % 4 == 0 ? qualities : []);
            Damage(ReadBlock, w.ToArray(), random);
        }
    }

    [Fact]
    public void DamagedSeries()
    {
        var random = new SplitMix64(14);
        var (writer, w) = (new SeriesWriter(), new ByteWriter());
        for (var n = 0; n < 12; n++)
        {
            writer.Clear();
            for (var i = 0; i < 1 + n % 3; i++)
            {
                var number = 14_304 + i * (1 + n % 2);
                var (day, interval, position, start, slots, qualities) = SeriesCodecTests.AnyDay(random, number, n * 2);
                writer.Add(day, interval, position, start, slots, qualities);
            }
            w.Clear();
            writer.Write(w);
            Damage(ReadSeries, w.ToArray(), random);
        }
    }

    [Fact]
    public void DamagedValues()
    {
        var random = new SplitMix64(15);
        var w = new ByteWriter();
        for (var n = 0; n < 40; n++)
        {
            var values = new int[48];
            for (var i = 0; i < 48; i++)
            {
                values[i] = (int)(random.NextUInt64() & ((1UL << (n % 31)) - 1)) - (n % 3 == 0 ? 100 : 0);
                if (n % 4 == 1 && random.Next(2) == 0) values[i] = 0;
            }
            w.Clear();
            ValueCodec.Encode(values, w);
            Damage(ReadValues, w.ToArray(), random);
        }
    }

    [Fact]
    public void RandomBytes()
    {
        var random = new SplitMix64(16);
        for (var n = 0; n < 20_000; n++)
        {
            var bytes = new byte[random.Next(80)];
            for (var i = 0; i < bytes.Length; i++)
                bytes[i] = random.Next(4) == 0 ? (byte)random.Next(4) : (byte)random.Next(256);
            Reader[] readers = [ReadInput, ReadFinding, ReadBlock, ReadSeries, ReadValues];
            foreach (var read in readers) Try(read, bytes);
            if (bytes.Length < Envelope.Length) continue;
            // With a sound head the payload readers are reached.
            var kind = InputTests.Examples[n % InputTests.Examples.Length].Input;
            (bytes[0], bytes[1], bytes[2]) = (Envelope.Version, (byte)kind.Kind, (byte)kind.Target.Kind);
            Try(ReadInput, bytes);
            (bytes[1], bytes[2]) = ((byte)InputKind.ReadingBlock, (byte)TwinKind.Meter);
            Try(ReadBlock, bytes);
        }
    }
}
