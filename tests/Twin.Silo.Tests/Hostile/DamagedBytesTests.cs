using System.Security.Cryptography;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Hostile;

/// <summary>
/// Damaged bytes that a digest let through (or that were written with one) end in <see cref="InvalidDataException"/>
/// or in some value, never in another exception, a hang or a large allocation.
/// </summary>
public sealed class DamagedBytesTests
{
    private delegate void Reader(byte[] bytes);

    private const int Day0 = 20_000;
    private const long MaxAllocation = 64L * 1024 * 1024;

    private static void Damage(Reader read, byte[] sound, ulong seed, int changes)
    {
        read(sound);
        var random = new SplitMix64(seed);
        for (var n = 0; n < changes; n++)
        {
            var bytes = (byte[])sound.Clone();
            for (var k = random.Next(4); k >= 0; k--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (n % 8 == 0) bytes = bytes[..random.Next(bytes.Length)];
            Try(read, bytes, $"seed {seed}, change {n}");
        }
    }

    private static void Try(Reader read, byte[] bytes, string which)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            read(bytes);
        }
        catch (InvalidDataException)
        {
        }
        catch (Exception e)
        {
            Assert.Fail($"{which}: {e}");
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocation);
    }

    private static byte[] Block(ulong meter, int day, int length)
    {
        var to = new ByteWriter();
        var head = new ReadingBlock
        {
            Meter = new MeterId(meter), Channel = Channel.Import, IntervalMinutes = 30, IsAdmitted = true,
            Day = new LocalDay(day, day * 1440L, 1440), StartMinute = day * 1440L,
        };
        ReadingBlock.Write(to, head, [.. Enumerable.Range(0, length).Select(i => i * 37 % 500)], []);
        return to.ToArray();
    }

    [Fact]
    public void Segments_of_one_day()
    {
        var body = new ByteWriter();
        (ulong id, long position) = (0, 0);
        for (var m = 1UL; m < 20; m++) SegmentChunk.Add(body, ref id, ref position, (long)m * 7, Block(m, Day0, 48));
        Damage(bytes => SegmentChunk.Visit(bytes, null, (_, input) => Touch(input)), body.ToArray(), 1, 4_000);
    }

    [Fact]
    public void Segments_of_two_weeks()
    {
        var body = new ByteWriter();
        var writer = new LongChunk.Writer(Day0);
        for (var m = 1UL; m < 6; m++)
            writer.Add(body, m, Channel.Import,
                [.. Enumerable.Range(0, 14).Select(d => (d * 100L + (long)m, Block(m, Day0 + d, 48)))]);
        var series = new SeriesReader();
        Damage(bytes => LongChunk.Visit(bytes, Day0, null, (_, input) => Touch(input)), body.ToArray(), 2, 3_000);
        Damage(bytes => LongChunk.VisitDays(bytes, new MeterId(3), Channel.Import, series, (_, _, _, _) => { }),
            body.ToArray(), 3, 3_000);
        Try(bytes => LongChunk.Visit(bytes, Day0 + 1, null, (_, input) => Touch(input)), body.ToArray(), "moved");
    }

    private static void Touch(ReadOnlySpan<byte> input)
    {
        var block = ReadingBlock.Read(input);
        block.DecodeValues(new int[block.Count]);
    }

    [Fact]
    public void The_watermark()
    {
        var w = new Watermark();
        w.Observe("a", 20_000 * 1440L, 19_999);
        w.Observe("b", 20_001 * 1440L, 20_000);
        w.Close(19_990);
        var to = new ByteWriter();
        w.Write(to);
        Damage(bytes => _ = Watermark.Read(bytes).NextToClose(3), to.ToArray(), 4, 20_000);
    }

    [Fact]
    public async Task A_meter_twin()
    {
        var state = await LivedState();
        Damage(bytes =>
        {
            var twin = MeterTwin.Restore(7, bytes);
            twin.Write(new ByteWriter());
        }, state, 5, 20_000);
    }

    private static async Task<byte[]> LivedState()
    {
        using var directory = new TestDirectory();
        await using var fleet = EmbeddedFleet.Open(
            new EmbeddedOptions { DataPath = directory.Sub("data"), HorizonDays = 1 }, new TwinFactory(), null);
        var batch = new InputBatch("test");
        var meter = new MeterId(7);
        batch.Add(new MeterSeen(meter, "M-7", "Europe/London", 2));
        batch.Add(new DeviceEvent(meter, new UnixTime(Day0 * 86_400L), "p", "c", "d"));
        batch.Add(new RegisterSnapshot(meter, Channel.Import, new UnixTime(Day0 * 86_400L), 5));
        batch.Add(new ContextPeriod(meter.Twin, ContextKind.Outage, new UnixTime(Day0 * 86_400L),
            new UnixTime((Day0 + 90) * 86_400L), ""));
        for (var d = 0; d < 40; d++)
        {
            var to = new ByteWriter();
            ReadingBlock.WriteRaw(to, meter, Channel.Import, 30, (Day0 + d) * 1440L,
                [.. Enumerable.Range(0, 48).Select(i => (i * 37 + d) % 500)], [], 0);
            batch.Add(to.Written);
        }
        await fleet.Append(batch, CancellationToken.None);
        return (await fleet.State(meter.Twin, null, CancellationToken.None))!;
    }

    /// <summary>
    /// The digest of a snapshot finds damage, not a file that was written wrongly: then it is passed over.
    /// </summary>
    [Fact]
    public async Task A_snapshot_with_a_right_digest_over_wrong_bytes_is_passed_over()
    {
        var state = await LivedState();
        using var directory = new TestDirectory();
        var path = SnapshotFile.Write(directory.Path, 9, 1, true, visit =>
        {
            for (var m = 1UL; m < 4; m++) visit(new MeterId(m).Twin, state);
        });
        var body = File.ReadAllBytes(path)[..^32];
        var info = new SnapshotFile.Info(path, 9, true);
        var factory = new TwinFactory();
        var random = new SplitMix64(6);
        var problems = 0;
        for (var n = 0; n < 1_500; n++)
        {
            var bytes = (byte[])body.Clone();
            // The heads of the file and of its first twin, or anywhere.
            bytes[random.Next(n % 2 == 0 ? 32 : bytes.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(path, [.. bytes, .. SHA256.HashData(bytes)]);
            using var host = new TwinHost(1, factory, keepScores: false);
            if (!SnapshotFile.TryRead(info, static v => v == 1, host.Put, out var problem))
            {
                Assert.Contains(path, problem, StringComparison.Ordinal);
                problems++;
            }
        }
        Assert.InRange(problems, 100, 1_500);
    }
}
