using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Tests.Postgres;

/// <summary>Batches for the journal's tests, from a seed.</summary>
internal static class Batches
{
    public const int FirstDay = 14_000;

    /// <summary>A block of half-hours from a slot on.</summary>
    public static byte[] Block(ulong meter, int day, int first, int revision, ReadOnlySpan<int> values)
    {
        var to = new ByteWriter();
        var head = new ReadingBlock
        {
            Meter = new MeterId(meter), Channel = Channel.Import, IntervalMinutes = 30, IsAdmitted = true,
            IsRevision = revision > 0, PriorCount = revision,
            Day = new LocalDay(day, day * 1440L, 1440), StartMinute = day * 1440L + first * 30,
        };
        ReadingBlock.Write(to, head, values, []);
        return to.ToArray();
    }

    /// <summary>A day of half-hours of many meters, those behind a number.</summary>
    public static JournalBatch Days(long first, int meters, int day, ulong seed, ulong behind)
    {
        var random = new SplitMix64(seed);
        var batch = new JournalBatch(first);
        Span<int> values = stackalloc int[48];
        for (var m = 1; m <= meters; m++)
        {
            foreach (ref var v in values) v = random.Next(700);
            batch.Add(Block((behind + (ulong)m) * 1_000_003, day, 0, 0, values), day, true);
        }
        batch.Readings = 48L * meters;
        batch.Marks = [1];
        return batch;
    }

    /// <summary>One event, so that a batch has one position.</summary>
    public static JournalBatch Event(long first, ulong meter)
    {
        var batch = new JournalBatch(first);
        batch.Add(new DeviceEvent(new MeterId(meter), new UnixTime(first), "test", "1", "").ToBytes(), 0, false);
        return batch;
    }

    /// <summary>Something of everything: readings, revisions, events, frames, sweeps, facts of closings.</summary>
    public static JournalBatch Mixed(long first, SplitMix64 random, int day)
    {
        var batch = new JournalBatch(first);
        for (var n = 20 + random.Next(200); n > 0; n--)
        {
            var meter = (ulong)random.Next(12) + 1;
            switch (random.Next(6))
            {
                case 0:
                    var key = new TwinKey(TwinKind.Meter, meter << random.Next(60));
                    batch.Add(new FrameReceived(key, new UnixTime(1_700_000_000 + n), KeySlot.EncryptionUnicast,
                        FrameDirection.FromMeter, (uint)random.Next(1 << 20), random.NextUInt64(), 300,
                        FrameService.DataNotification).ToBytes(), int.MinValue, false);
                    break;
                case 1:
                    var fact = new DeviceEvent(new MeterId(meter), new UnixTime(n), "test", "1", "").ToBytes();
                    batch.Contents.Add(ContentKey.Of(fact));
                    batch.Add(fact, 0, false);
                    break;
                case 2:
                    batch.Add(new Sweep(new UnixTime(n)).ToBytes(), 0, false);
                    break;
                case 3:
                    batch.Add(Block(meter, day - random.Next(3), random.Next(40), 1, [random.Next(99)]), day, false);
                    break;
                default:
                    int[] values = [.. Enumerable.Range(0, 1 + random.Next(8)).Select(_ => random.Next(500))];
                    var own = day - random.Next(2);
                    batch.Add(Block(meter, own, random.Next(40), 0, values), own, true);
                    batch.Readings += values.Length;
                    break;
            }
        }
        AddFacts(batch, random, day);
        return batch;
    }

    private static void AddFacts(JournalBatch batch, SplitMix64 random, int day)
    {
        var feeder = new TwinKey(TwinKind.Feeder, (ulong)random.Next(3) + 1);
        batch.Publications.Add((feeder, day, [(byte)random.Next(256)]));
        // The same key again: the later one stands.
        batch.Publications.Add((feeder, day, [(byte)random.Next(256)]));
        batch.Closed.Add((day - 2, batch.LastPosition));
        batch.Checkpoints.Add(new TwinCheckpoint(new TwinKey(TwinKind.Meter, (ulong)random.Next(12) + 1), day,
            batch.LastPosition, [(byte)random.Next(256), 7]));
        // The same finding may come again: the later one stands.
        for (var n = random.Next(4); n > 0; n--)
        {
            var subject = new TwinKey(TwinKind.Meter, (ulong)random.Next(5) + 1);
            var kind = random.Next(2) == 0 ? FindingKind.Spike : FindingKind.ZeroRun;
            var finding = new Finding(subject, "M", kind, new UnixTime(random.Next(3)), new UnixTime(9),
                new UnixTime(random.Next(6)), random.NextDouble(), Severity.Info, 0.5, "test", 1, "", "said", [], []);
            var body = new ByteWriter();
            finding.Write(body);
            batch.Findings.Add(body.ToArray());
        }
        batch.Marks = [(byte)random.Next(256)];
    }
}
