using Microsoft.Data.Sqlite;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Ledger;

/// <summary>The ledger of a data directory: what verify proves of it, and what a restore makes of it.</summary>
public sealed class LedgerDirectoryTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static VerifyReport Verify(string path) => Verifier.Run(path, 3, new TwinFactory(), _ => { });

    [Fact]
    public async Task EntriesFollowFromTheJournalAndAreSealed()
    {
        var path = _directory.Sub("live");
        await using (var fleet = AnsweredFleet.Open(path)) await AnsweredFleet.Live(fleet);
        var report = Verify(path);
        Assert.Empty(report.Differences);
        Assert.True(report.Ledger is { Entries: > 30, Decided: > 5, Others: 0, Keys.Count: 1 }, $"{report.Ledger}");
        Assert.Equal(report.Ledger!.Entries, report.Ledger.Sealed);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(path, LedgerKey.FileName)));
    }

    /// <summary>Whoever writes the database writes a right hash as well: the journal does not give the entry.</summary>
    [Fact]
    public async Task AForgedEntryIsNamedThoughItsHashFollows()
    {
        var path = _directory.Sub("forged");
        LedgerChain end;
        await using (var fleet = AnsweredFleet.Open(path))
        {
            await AnsweredFleet.Live(fleet);
            end = fleet.Ledger.End;
        }
        var forged = new LedgerEntry(LedgerKind.Act, new UnixTime(AnsweredFleet.Morning), default,
            new FreezeAct(new UnixTime(AnsweredFleet.Morning), AnsweredFleet.Anna, true, "never said").ToBytes());
        using (var sql = Sql.Open(Path.Combine(path, "journal.db"), readOnly: false))
        {
            var position = (long)sql.Scalar("SELECT max(position) FROM ledger")!;
            var next = end.Next(forged.ToBytes());
            using var insert = sql.Prepare("INSERT INTO ledger VALUES(@n, @p, @k, 0, @z, @t, @b, @h, @d)",
                "@n", "@p", "@k", "@z", "@t", "@b", "@h", "@d");
            insert.With(next.Number, position, (int)LedgerKind.Act, SqlValues.Signed(0), forged.At.Seconds,
                forged.ToBytes(), next.Hash, SqlJournal.PlaceDigest(position, next.Hash)).ExecuteNonQuery();
            using var head = sql.Prepare("UPDATE ledgerhead SET number=@n, hash=@h", "@n", "@h");
            head.With(next.Number, next.Hash).ExecuteNonQuery();
        }
        Assert.Equal([$"ledger: entry {end.Number + 1} (Act) is recorded but the journal does not give it"],
            Verify(path).Differences);
    }

    /// <summary>What was on its way when the backup was made may have gone out since: two persons look first.</summary>
    [Fact]
    public async Task WhatWasOnItsWayWaitsAfterARestore()
    {
        var (live, backup, back) = (_directory.Sub("live"), _directory.Sub("backup"), _directory.Sub("back"));
        await using (var fleet = AnsweredFleet.Open(live))
        {
            await AnsweredFleet.Found(fleet, 2);
            await AnsweredFleet.Do(fleet, AnsweredFleet.Ask(0, 0, ResponseRung.Disconnect));
            await AnsweredFleet.Sweep(fleet, 60);
            await AnsweredFleet.Approve(fleet, 90, AnsweredFleet.Bert);
            await fleet.Backup(backup);
        }
        Assert.False(File.Exists(Path.Combine(backup, LedgerKey.FileName)));
        BackupFiles.Restore(backup, back);
        await using (var fleet = AnsweredFleet.Open(back))
        {
            var held = Assert.Single(await AnsweredFleet.Responses(fleet), r => ResponseRungs.MovesLoad(r.Rung));
            Assert.Equal(ResponseState.Quarantined, held.State);
            Assert.Empty(held.Approvals);
            Assert.StartsWith("restored from a backup", held.Reason);
            // What is asked anew gets no room either, however many approve it.
            await AnsweredFleet.Do(fleet, AnsweredFleet.Ask(1, 100, ResponseRung.Disconnect));
            await AnsweredFleet.Sweep(fleet, 120);
            await AnsweredFleet.Approve(fleet, 130, AnsweredFleet.Bert, AnsweredFleet.Cara);
            for (var s = 180; s < 3_600; s += 60) await AnsweredFleet.Sweep(fleet, s);
            Assert.DoesNotContain(await AnsweredFleet.Responses(fleet),
                r => r.OrderedAt.Seconds != 0 && ResponseRungs.MovesLoad(r.Rung));
            Assert.Equal(0, Orders(fleet));
        }
        var acts = Acts(back);
        await using (AnsweredFleet.Open(back)) { }
        Assert.Equal(acts, Acts(back));
        Assert.Empty(Verify(back).Differences);
        Assert.NotEqual(File.ReadAllText(Path.Combine(live, LedgerKey.FileName)),
            File.ReadAllText(Path.Combine(back, LedgerKey.FileName)));
    }

    private static int Orders(IFleet fleet) =>
        fleet.Ledger.Entries(0, 10_000).Count(e => e.Entry.Kind == LedgerKind.Order
            && ResponseRungs.MovesLoad(ResponseRecord.Read(e.Entry.Body).Rung));

    private static int Acts(string path)
    {
        using var journal = new SqliteJournal(Path.Combine(path, "journal.db"));
        return journal.Entries(0, 10_000).Count(e => e.Entry.Kind == LedgerKind.Act);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABackupWithoutAJournalIsRefusedAndLeavesNothing(bool isEmpty)
    {
        var (live, backup, back) = (_directory.Sub("live"), _directory.Sub("backup"), _directory.Sub("back"));
        await using (var fleet = AnsweredFleet.Open(live))
        {
            await AnsweredFleet.Found(fleet, 1);
            await fleet.Backup(backup);
        }
        File.Delete(Path.Combine(backup, "journal.db"));
        if (isEmpty) File.WriteAllBytes(Path.Combine(backup, "journal.db"), []);
        var e = Assert.Throws<DataDirectoryException>(() => BackupFiles.Restore(backup, back));
        Assert.Contains("journal.db", e.Message);
        Assert.False(Directory.Exists(back));
    }

    [Fact]
    public async Task TwoPersonsEndWhatARestoreHolds()
    {
        var (live, backup, back) = (_directory.Sub("live"), _directory.Sub("backup"), _directory.Sub("back"));
        await using (var fleet = AnsweredFleet.Open(live))
        {
            await AnsweredFleet.Found(fleet, 1);
            await fleet.Backup(backup);
        }
        BackupFiles.Restore(backup, back);
        await using var restored = AnsweredFleet.Open(back);
        ResponseAct Process(Actor by, long s) => new(GuardKey.Fleet, new UnixTime(AnsweredFleet.Morning + s), by,
            ResponseActKind.Process, 0, ResponseRung.Log, "looked");
        await AnsweredFleet.Do(restored, Process(AnsweredFleet.Anna, 0));
        await AnsweredFleet.Do(restored, Process(AnsweredFleet.Bert, 10));
        await AnsweredFleet.Do(restored, AnsweredFleet.Ask(0, 20, ResponseRung.Disconnect));
        await AnsweredFleet.Sweep(restored, 60);
        await AnsweredFleet.Approve(restored, 90, AnsweredFleet.Bert, AnsweredFleet.Cara);
        // The geometric delay may be long; the window is open until the afternoon.
        for (var s = 120; s < 6 * 3_600; s += 300) await AnsweredFleet.Sweep(restored, s);
        Assert.Equal(1, Orders(restored));
    }

    [Theory]
    [InlineData("no key at all")]
    [InlineData("")]
    public async Task AKeyThatIsNoneIsRefusedByName(string text)
    {
        var path = _directory.Sub("key");
        await using (AnsweredFleet.Open(path)) { }
        File.WriteAllText(Path.Combine(path, LedgerKey.FileName), text);
        var e = Assert.Throws<DataDirectoryException>(() => AnsweredFleet.Open(path));
        Assert.Contains(LedgerKey.FileName, e.Message);
        Assert.Contains("take it away", e.Message);
    }
}
