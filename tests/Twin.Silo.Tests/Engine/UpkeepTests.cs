using System.Buffers.Binary;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Engine;

/// <summary>Backup, erasure, retention, compaction, snapshots.</summary>
public sealed class UpkeepTests(ITestOutputHelper output) : IDisposable
{
    private readonly TestDirectory _directory = new();

    private string Data => _directory.Sub("data");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_backup_taken_while_readings_come_in_restores_to_a_sound_fleet()
    {
        long atBackup;
        await using (var fleet = Feed.Open(Data))
        {
            for (var day = 0; day < 10; day++) await fleet.Send(Feed.Days("s", 20, day, day + 1));
            var coming = Task.Run(async () =>
            {
                for (var day = 10; day < 30; day++) await fleet.Send(Feed.Days("s", 20, day, day + 1));
            });
            await fleet.Backup(_directory.Sub("backup"));
            atBackup = new SqliteProbe(_directory.Sub("backup")).Position;
            await coming;
            await Assert.ThrowsAsync<DataDirectoryException>(() => fleet.Backup(_directory.Sub("backup")));
            Assert.True(fleet.Status.IsReady, "a backup that cannot be written must not stop the fleet");
            await fleet.Send(Feed.Days("s", 20, 30, 31));
        }
        BackupFiles.Restore(_directory.Sub("backup"), _directory.Sub("restored"));
        var report = Feed.VerifySound(_directory.Sub("restored"));
        Assert.Equal(atBackup, report.Position);
        await using (var again = Feed.Open(_directory.Sub("restored")))
        {
            for (var day = 0; day < 31; day++) await again.Send(Feed.Days("s", 20, day, day + 1));
            // The guard that holds commands after a restore is all in which the two differ.
            await using var first = Feed.Open(Data);
            foreach (var kind in (TwinKind[])[TwinKind.Meter, TwinKind.Cohort, TwinKind.Fleet])
            {
                var keys = await first.Keys(kind, 0, 1_000, default);
                Assert.Equal(keys, await again.Keys(kind, 0, 1_000, default));
                foreach (var key in keys)
                    Assert.Equal(await first.State(key, null, default), await again.State(key, null, default));
            }
            Assert.Equal(20, (await again.Keys(TwinKind.Meter, 0, 1_000, default)).Count);
        }
        Feed.VerifySound(_directory.Sub("restored"));
        Assert.Throws<DataDirectoryException>(() =>
            BackupFiles.Restore(_directory.Sub("backup"), _directory.Sub("restored")));
        Assert.Throws<DataDirectoryException>(() => BackupFiles.Restore(_directory.Path, _directory.Sub("elsewhere")));
    }

    /// <summary>Position of a journal that nobody uses.</summary>
    private sealed record SqliteProbe(string Folder)
    {
        public long Position
        {
            get
            {
                using var sql = Sql.Open(Path.Combine(Folder, "journal.db"), readOnly: true);
                return (long)sql.Scalar("SELECT position FROM head")!;
            }
        }
    }

    private const int Erased = 3;

    /// <summary>Every run of so many bytes of what was stored of a meter is sought.</summary>
    private const int Window = 24;

    private static bool Holds(string folder, byte[] needle) => Directory.EnumerateFiles(folder)
        .Where(f => Path.GetFileName(f) is not ("lock" or "journal.db-shm"))
            .Any(f => File.ReadAllBytes(f).AsSpan().IndexOf(needle) >= 0);

    /// <summary>
    /// Runs of bytes in which nothing but the meter's readings can lie: those of the encoded values of whole days.
    /// </summary>
    private static List<byte[]> Traces(int days)
    {
        var traces = new List<byte[]>();
        for (var day = 0; day < days; day++)
        {
            var values = ReadingBlock.Read(Feed.Block(Erased, day)).EncodedValues;
            Assert.True(values.Length >= Window / 2, $"{values.Length} bytes are no trace");
            traces.Add(values[..Math.Min(Window, values.Length)].ToArray());
        }
        return traces;
    }

    [Theory]
    [InlineData(4, false)]
    [InlineData(12, false)]
    [InlineData(50, false)]
    [InlineData(50, true)]
    public async Task An_erased_meter_is_gone_from_every_file(int days, bool compacted)
    {
        List<byte[]> sealedBefore;
        var before = Feed.FirstDay + 1000;
        var traces = Traces(days);
        string hash;
        await using (var fleet = Feed.Open(Data))
        {
            for (var day = 0; day < days; day++) await fleet.Send(Feed.Days("s", 12, day, day + 1));
            Assert.Contains(traces, t => Holds(Data, t));
            if (compacted) await fleet.Compact();
            sealedBefore = Segments();
            var tombstone = await fleet.Erase(Feed.Meter(Erased), before, "the customer left");
            Assert.Equal((days * 24L, before), (tombstone.Readings, tombstone.BeforeDay));
            Assert.Empty(await fleet.Stored(Feed.Meter(Erased)));
            Assert.Equal(Feed.Expected(5, 0, days), await fleet.Stored(Feed.Meter(5)));
            hash = await fleet.Hash();
        }
        Assert.DoesNotContain(traces, t => Holds(Data, t));
        var rewritten = Windows(Segments());
        var gone = Windows(sealedBefore);
        gone.ExceptWith(rewritten);
        Assert.True(gone.Count > 0 || sealedBefore.Count == 0);
        Assert.DoesNotContain(Windows([File.ReadAllBytes(Path.Combine(Data, "journal.db"))]), gone.Contains);
        var report = Feed.VerifySound(Data);
        Assert.Equal(hash, report.StateHash);
        Assert.Contains("erased", Assert.Single(report.Erased), StringComparison.Ordinal);
        await using var again = Feed.Open(Data);
        Assert.Equal(hash, await again.Hash());
        for (var day = days; day < days + 6; day++) await again.Send(Feed.Days("s", 12, day, day + 1));
        await again.DisposeAsync();
        Feed.VerifySound(Data);
    }

    [Fact]
    public async Task The_same_erasure_again_erases_what_came_since()
    {
        await using (var fleet = Feed.Open(Data))
        {
            for (var day = 0; day < 10; day++) await fleet.Send(Feed.Days("s", 5, day, day + 1));
            await fleet.Erase(Feed.Meter(Erased), Feed.FirstDay + 100, "the customer left");
            await fleet.Send(Feed.Batch("s", Feed.Block(Erased, 1)));
            Assert.Equal(Feed.Expected(Erased, 1, 2), await fleet.Stored(Feed.Meter(Erased)));
            var tombstone = await fleet.Erase(Feed.Meter(Erased), Feed.FirstDay + 100, "the customer left");
            Assert.Equal(24, tombstone.Readings);
            Assert.Empty(await fleet.Stored(Feed.Meter(Erased)));
            Assert.Equal(4 * 10 * 24, fleet.Journal.Size().Readings);
        }
        Assert.Equal(2, Feed.VerifySound(Data).Erased.Count);
    }

    private List<byte[]> Segments()
    {
        using var sql = Sql.Open(Path.Combine(Data, "journal.db"), readOnly: true);
        using var select = sql.Prepare("SELECT body FROM segment");
        using var reader = select.ExecuteReader();
        var bodies = new List<byte[]>();
        while (reader.Read()) bodies.Add(reader.Blob(0));
        return bodies;
    }

    /// <summary>All runs of 16 bytes.</summary>
    private static HashSet<UInt128> Windows(List<byte[]> bodies)
    {
        var windows = new HashSet<UInt128>();
        foreach (var body in bodies)
            for (var i = 0; i + 16 <= body.Length; i++)
                windows.Add(BinaryPrimitives.ReadUInt128BigEndian(body.AsSpan(i)));
        windows.Remove(0);
        return windows;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_erasure_that_a_crash_cut_short_is_finished_at_the_next_start(bool baseWritten)
    {
        await using (var fleet = Feed.Open(Data, snapshot: false))
        {
            for (var day = 0; day < 12; day++) await fleet.Send(Feed.Days("s", 12, day, day + 1));
            await fleet.Send(Feed.Batch("host",
                new Erasure(Feed.Meter(Erased), Feed.FirstDay + 1000, "the customer left")));
            if (baseWritten) fleet.WriteSnapshot(isBase: true);
            Assert.NotEmpty(await fleet.Stored(Feed.Meter(Erased)));
        }
        await using (var again = Feed.Open(Data, snapshot: false))
        {
            Assert.Empty(await again.Stored(Feed.Meter(Erased)));
            Assert.Equal(Feed.Meter(Erased), Assert.Single(again.Journal.Tombstones()).Meter);
        }
        Assert.DoesNotContain(Traces(12), t => Holds(Data, t));
        Feed.VerifySound(Data);
        await using (var third = Feed.Open(Data, snapshot: false)) Assert.Single(third.Journal.Tombstones());
    }

    [Fact]
    public async Task Retention_removes_whole_windows_late_readings_too()
    {
        const int keep = 35;
        const int days = 90;
        await using (var fleet = Feed.Open(Data, retention: keep))
        {
            for (var day = 0; day < days; day++)
            {
                var batch = new InputBatch("s");
                if (day == 0) for (var m = 0; m < 6; m++) batch.Add(Feed.Seen(m));
                for (var m = 0; m < 6; m++) batch.Add(day == 5 && m == 2 ? Feed.Block(m, day, 0, 20)
                    : Feed.Block(m, day));
                if (day == 12) batch.Add(Feed.Block(2, 5, 20, 24));
                await fleet.Send(batch);
                if (day == 13) Assert.Equal(Feed.Expected(2, 0, 14), await fleet.Stored(Feed.Meter(2)));
            }
            var from = SqliteJournal.WindowOf(fleet.Status.ClosedThroughDay!.Value + 1 - keep) - Feed.FirstDay;
            Assert.True(from > 14);
            for (var m = 0; m < 6; m++) Assert.Equal(Feed.Expected(m, from, days), await fleet.Stored(Feed.Meter(m)));
            Assert.Equal((days - from) * 6 * 24L, fleet.Journal.Size().Readings);
            output.WriteLine($"kept from day {from}: {fleet.Journal.Tombstones().Count} tombstones");
        }
        var report = Feed.VerifySound(Data);
        Assert.All(report.Erased, e => Assert.Contains("retention", e, StringComparison.Ordinal));
        Assert.NotEmpty(report.Erased);
        await using var again = Feed.Open(Data, retention: keep);
        Assert.Equal(report.StateHash, await again.Hash());
    }

    [Fact]
    public async Task Compaction_changes_nothing_that_anybody_sees()
    {
        await using var fleet = Feed.Open(Data);
        for (var day = 0; day < 33; day++) await fleet.Send(Feed.Days("s", 10, day, day + 1));
        var hash = await fleet.Hash();
        var state = await fleet.State(Feed.Meter(4).Twin, null, default);
        var size = fleet.Journal.Size();
        for (var round = 0; round < 2; round++)
        {
            await fleet.Compact();
            Assert.Equal(hash, await fleet.Hash());
            Assert.Equal(state, await fleet.State(Feed.Meter(4).Twin, null, default));
            for (var m = 0; m < 10; m++) Assert.Equal(Feed.Expected(m, 0, 33), await fleet.Stored(Feed.Meter(m)));
        }
        Assert.True(fleet.Journal.Size().Bytes < size.Bytes);
        Assert.Equal(size.Readings, fleet.Journal.Size().Readings);
    }

    [Fact]
    public async Task Reads_while_days_are_sealed_miss_nothing()
    {
        await using var fleet = Feed.Open(Data, snapshot: false);
        var acknowledged = 0;
        var writing = Task.Run(async () =>
        {
            for (var day = 0; day < 70; day++)
            {
                await fleet.Send(Feed.Days("s", 30, day, day + 1));
                Volatile.Write(ref acknowledged, day + 1);
            }
        });
        while (!writing.IsCompleted)
        {
            var whole = Volatile.Read(ref acknowledged);
            Assert.Equal(Feed.Expected(8, 0, whole), (await fleet.Stored(Feed.Meter(8))).Take(whole * 24));
            if (whole < 2) continue;
            var at = new UnixTime((Feed.FirstDay + whole - 1) * 86_400L);
            var state = await fleet.State(Feed.Meter(8).Twin, at, default);
            Assert.Equal((whole - 1) * 24L, MeterView.From(Feed.Meter(8).Twin, state!).Channels.Single().Stored);
        }
        await writing;
    }

    [Fact]
    public async Task Two_snapshots_are_kept_and_the_older_serves_when_the_newer_is_damaged()
    {
        var options = new EmbeddedOptions { DataPath = Data, Shards = 2, SnapshotBytes = 2000 };
        string hash;
        await using (var fleet = EmbeddedFleet.Open(options, new TwinFactory(), null))
        {
            for (var day = 0; day < 12; day++) await fleet.Send(Feed.Days("s", 10, day, day + 1));
            hash = await fleet.Hash();
        }
        var snapshots = SnapshotFile.List(Data);
        Assert.Equal(2, snapshots.Count);
        File.WriteAllText(snapshots[0].Path, "no longer");
        await using (var again = EmbeddedFleet.Open(options, new TwinFactory(), null))
            Assert.Equal(hash, await again.Hash());
        Feed.VerifySound(Data);
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_written_stops_nobody()
    {
        var said = new List<string>();
        var options = new EmbeddedOptions { DataPath = Data, Shards = 2, SnapshotBytes = 2000 };
        await using var fleet = EmbeddedFleet.Open(options, new TwinFactory(), said.Add);
        // A directory stands where the file would be written.
        for (var position = 1; position < 700; position++) Directory.CreateDirectory(Path.Combine(Data,
            $"snapshot-{position:d18}.twins.tmp"));
        for (var day = 0; day < 12; day++) await fleet.Send(Feed.Days("s", 10, day, day + 1));
        Assert.Contains(said, s => s.Contains("No snapshot", StringComparison.Ordinal));
        Assert.True(fleet.Status.IsReady);
    }
}
