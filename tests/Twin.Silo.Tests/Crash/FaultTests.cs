using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Engine;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Crash;

/// <summary>Full disk, and directories that cannot be used: a clear error each, and nothing lost.</summary>
public sealed class FaultTests(ITestOutputHelper output) : IDisposable
{
    private readonly TestDirectory _directory = new();

    private string Data => _directory.Sub("data");

    public void Dispose() => _directory.Dispose();

    private const int Meters = 40;

    private static InputBatch Day(int day) => Feed.Days("s", Meters, day, day + 1);

    /// <summary>Sends days until the disk is full; the days that were acknowledged.</summary>
    private static async Task<(int Acknowledged, StorageUnavailableException Error)> Fill(EmbeddedFleet fleet,
        int from, int to)
    {
        for (var day = from; day < to; day++)
        {
            try
            {
                await fleet.Send(Day(day));
            }
            catch (StorageUnavailableException e)
            {
                return (day, e);
            }
        }
        throw new InvalidOperationException("The disk did not fill up; send more.");
    }

    private static async Task<string> Undisturbed(string path, int days)
    {
        await using var fleet = Feed.Open(path);
        for (var day = 0; day < days; day++) await fleet.Send(Day(day));
        return await fleet.Hash();
    }

    /// <summary>What a full disk must leave possible, then what must go on when there is space again.</summary>
    private static async Task SurvivesFullDisk(EmbeddedFleet fleet, string path, int from, int days, Action makeSpace)
    {
        var (acknowledged, error) = await Fill(fleet, from, days);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("free space", error.Message, StringComparison.Ordinal);
        Assert.Equal(error.Message, fleet.Status.StorageError);
        await Assert.ThrowsAsync<StorageUnavailableException>(() => fleet.Send(Day(acknowledged)));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => fleet.Hash());
        Assert.NotNull(await fleet.State(Feed.Meter(3).Twin, null, default));
        Assert.Equal(Feed.Expected(7, 0, acknowledged), (await fleet.Stored(Feed.Meter(7))).Take(acknowledged * 24));
        Assert.NotNull(await fleet.Findings(new FindingQuery(null, null, null, null, 10), default));
        makeSpace();
        Assert.True(SpinWait.SpinUntil(() => fleet.Status.StorageError is null, TimeSpan.FromSeconds(20)),
            fleet.Status.StorageError);
        for (var day = acknowledged - 1; day < days; day++)
        {
            var totals = (await fleet.Send(Day(day))).Totals();
            if (day != acknowledged) Assert.Equal(day < acknowledged ? (0, 24 * Meters) : (24L * Meters, 0L),
                (totals.Readings, totals.Duplicates));
            Assert.Equal(24 * Meters, totals.Readings + totals.Duplicates);
        }
    }

    [Fact]
    public async Task A_full_disk_stops_acknowledgement_and_loses_nothing()
    {
        const int days = 60;
        await using (var fleet = Feed.Open(Data))
        {
            for (var day = 0; day < 10; day++) await fleet.Send(Day(day));
            fleet.Journal.LimitPages(fleet.Journal.PageCount + 2);
            await SurvivesFullDisk(fleet, Data, 10, days, () => fleet.Journal.LimitPages(1_000_000));
            for (var m = 0; m < Meters; m++) Assert.Equal(Feed.Expected(m, 0, days), await fleet.Stored(Feed.Meter(m)));
            Assert.Equal(await Undisturbed(_directory.Sub("other"), days), await fleet.Hash());
        }
        Feed.VerifySound(Data);
    }

    [Fact]
    public async Task A_fleet_closed_while_the_disk_is_full_keeps_what_it_acknowledged()
    {
        int acknowledged;
        Task<AppendReceipt>[] waiting;
        await using (var fleet = Feed.Open(Data))
        {
            for (var day = 0; day < 10; day++) await fleet.Send(Day(day));
            fleet.Journal.LimitPages(fleet.Journal.PageCount + 2);
            (acknowledged, _) = await Fill(fleet, 10, 60);
            waiting = [.. Enumerable.Range(0, 3).Select(async n => await fleet.Send(Day(acknowledged + n)))];
        }
        foreach (var w in waiting) await Assert.ThrowsAsync<StorageUnavailableException>(() => w);
        Feed.VerifySound(Data);
        await using var again = Feed.Open(Data);
        Assert.Equal(Feed.Expected(5, 0, acknowledged), await again.Stored(Feed.Meter(5)));
    }

    [Fact]
    public async Task A_small_file_system_that_is_really_full_behaves_the_same()
    {
        const int days = 150;
        var mount = _directory.Sub("mount");
        Directory.CreateDirectory(mount);
        if (Shell("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount) != 0)
        {
            output.WriteLine("Not run: this user cannot mount a file system.");
            return;
        }
        try
        {
            var data = Path.Combine(mount, "data");
            await using (var fleet = Feed.Open(data))
                await SurvivesFullDisk(fleet, data, 0, days, () =>
                    Assert.Equal(0, Shell("mount", "-o", "remount,size=64m", mount)));
            Assert.Equal(await Undisturbed(_directory.Sub("other"), days), Feed.VerifySound(data).StateHash);
            Assert.Equal(0, Shell("mount", "-o", "remount,ro", mount));
            var error = Assert.Throws<DataDirectoryException>(() => Feed.Open(data));
            Assert.Contains("read-only", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            Shell("umount", mount);
        }
    }

    private static int Shell(string command, params string[] args)
    {
        try
        {
            using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(command,
                args)
            { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }

    [Fact]
    public async Task Two_at_one_directory_the_second_is_told()
    {
        await using var fleet = Feed.Open(Data);
        Assert.Contains("Another process", Assert.Throws<DataDirectoryException>(() => Feed.Open(Data)).Message,
            StringComparison.Ordinal);
        foreach (var args in (string[][])[["verify", "--data", Data], ["serve", "--port", "0", "--data", Data]])
        {
            var (exit, _, errors) = Metertwin.Run([], args);
            Assert.Equal(2, exit);
            Assert.Contains($"Another process holds the data directory {Data}", errors, StringComparison.Ordinal);
            Assert.Contains("--data", errors, StringComparison.Ordinal);
        }
        await fleet.Send(Day(0));
    }

    [Fact]
    public async Task A_new_directory_is_private_and_a_foreign_one_stays_untouched()
    {
        await using (Feed.Open(Data))
        {
        }
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(Data));
        var foreign = _directory.Sub("foreign");
        Directory.CreateDirectory(foreign);
        File.WriteAllText(Path.Combine(foreign, "letter.txt"), "Dear");
        var error = Assert.Throws<DataDirectoryException>(() => Feed.Open(foreign));
        Assert.Contains("letter.txt", error.Message, StringComparison.Ordinal);
        Assert.Equal(["letter.txt"], Directory.EnumerateFileSystemEntries(foreign).Select(Path.GetFileName));
        Assert.Throws<DataDirectoryException>(() => Feed.Verify(_directory.Sub("nowhere")));
        Assert.False(Directory.Exists(_directory.Sub("nowhere")));
    }

    [Fact]
    public async Task What_a_crash_left_unfinished_is_no_hindrance()
    {
        await using (var fleet = Feed.Open(Data)) await fleet.Send(Day(0));
        File.WriteAllText(Path.Combine(Data, "snapshot-000000000000000009.twins.tmp"), "half");
        await using (Feed.Open(Data))
        {
        }
        Assert.Empty(Directory.EnumerateFiles(Data, "*.tmp"));
        var young = _directory.Sub("young");
        Directory.CreateDirectory(young);
        File.WriteAllText(Path.Combine(young, "lock"), "");
        File.WriteAllText(Path.Combine(young, "format.tmp"), "mete");
        await using var opened = Feed.Open(young);
        await opened.Send(Day(0));
    }

    [Fact]
    public async Task Newer_formats_are_refused()
    {
        await using (var fleet = Feed.Open(Data)) await fleet.Send(Day(0));
        var format = Path.Combine(Data, "format");
        File.WriteAllText(format, "metertwin-data 5\n");
        Assert.Contains("format 5", Assert.Throws<DataDirectoryException>(() => Feed.Open(Data)).Message,
            StringComparison.Ordinal);
        File.WriteAllText(format, "something\n");
        Assert.Contains("damaged", Assert.Throws<DataDirectoryException>(() => Feed.Open(Data)).Message,
            StringComparison.Ordinal);
        File.WriteAllText(format, "metertwin-data 4\n");
        await using (var fleet = Feed.Open(Data))
        {
            var newer = Feed.Block(1, 1);
            newer[0] = Envelope.Version + 1;
            var receipt = await fleet.Send(Feed.Batch("s", newer));
            Assert.Contains("Use a newer one", receipt.Items[0].Reason, StringComparison.Ordinal);
        }
        foreach (var snapshot in Directory.EnumerateFiles(Data, "*.twins")) File.Delete(snapshot);
        using (var sql = Sql.Open(Path.Combine(Data, "journal.db"), readOnly: false))
        {
            var newer = Feed.Seen(5).ToBytes();
            newer[0] = Envelope.Version + 1;
            using var update = sql.Prepare("UPDATE kept SET input=$i, digest=$d WHERE position=3", "$i", "$d")
                .With(newer, Sql.Digest(newer)[..8]);
            Assert.Equal(1, update.ExecuteNonQuery());
        }
        var error = Assert.Throws<DataDirectoryException>(() => Feed.Open(Data));
        Assert.Contains("encoding version 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Newer_judges_are_refused_and_older_ones_followed_by_a_new_epoch()
    {
        var options = new EmbeddedOptions { DataPath = Data };
        await using (var fleet = EmbeddedFleet.Open(options, new ToyFactory(), null)) await fleet.Send(Feed.Batch("t",
            ToyFactory.Say(5, 0, 1)));
        string hash;
        await using (var fleet = EmbeddedFleet.Open(options, new ToyFactory { JudgingVersion = 2 }, null))
        {
            await fleet.Send(Feed.Batch("t", ToyFactory.Say(5, 9, 1)));
            hash = await fleet.Hash();
        }
        Assert.Single(Directory.EnumerateFiles(Data, "base-*.twins"));
        var error = Assert.Throws<DataDirectoryException>(() => EmbeddedFleet.Open(options, new ToyFactory(), null));
        Assert.Contains("Use the newer MeterTwin", error.Message, StringComparison.Ordinal);
        var report = Verifier.Run(Data, 3, new ToyFactory { JudgingVersion = 2 }, _ => { });
        Assert.Empty(report.Differences);
        Assert.Equal(hash, report.StateHash);
    }
}
