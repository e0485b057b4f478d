using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Upgrade;

/// <summary>
/// What the MeterTwins of judging versions 2 and 3 wrote is opened by this one. Each archive holds a directory whose
/// journal is whole (16 generated customers behind 2 observers, 30 days, some findings), the same after a meter's
/// readings were erased, and the twins of 60 ZEUS meters after 36 days under attack.
/// </summary>
public sealed class UpgradeTests : IDisposable
{
    private const int FirstNewDay = 20_124;

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>A fresh copy of a directory of the archive.</summary>
    private string Take(string name, string copy, int version = 2) =>
        OldDirectories.Take(_directory.Sub(copy), version, name);

    /// <summary>Five days of every customer; in the last three one of them falls to a twentieth.</summary>
    private static InputBatch NewDays()
    {
        var batch = new InputBatch("upgrade");
        for (var day = 0; day < 5; day++)
            for (var m = 1; m <= 16; m++)
            {
                int[] values = [.. Enumerable.Range(0, 48).Select(s => Feed.Value(m, day, s) / (m == 3 && day > 1
                    ? 20 : 1))];
                var bytes = new ByteWriter();
                ReadingBlock.WriteRaw(bytes, MeterId.FromUtilityId($"MT-{m:d7}"), Channel.Import, 30,
                    (FirstNewDay + day) * 1440L, values, [], 0);
                batch.Add(bytes.ToArray());
            }
        batch.Add(new SourceEnded("upgrade"));
        return batch;
    }

    private static async Task<(string Hash, List<string> Findings)> GoOn(string path, int shards, List<string> log)
    {
        await using var fleet = Feed.Open(path, shards, log: log.Add);
        var receipt = await fleet.Send(NewDays());
        Assert.All(receipt.Items, i => Assert.Equal(AdmissionStatus.Accepted, i.Status));
        return (await fleet.Hash(), await fleet.FindingIds());
    }

    private static List<string> Stored(string path)
    {
        using var journal = new SqliteJournal(Path.Combine(path, "journal.db"));
        var all = new List<string>();
        journal.VisitFindings(body => all.Add($"{Finding.Read(body).Id} {Finding.Read(body).Sentence}"));
        return all;
    }

    [Theory]
    [InlineData(2, "whole", 5)]
    [InlineData(2, "erased", 5)]
    [InlineData(3, "whole", 2)]
    [InlineData(3, "erased", 2)]
    public async Task A_directory_of_older_judges_goes_on_the_same_way_every_time(int version, string name, int stated)
    {
        var (first, second) = (Take(name, "first", version), Take(name, "second", version));
        var before = Stored(first);
        Assert.Equal(stated, before.Count);
        var (log, other) = (new List<string>(), new List<string>());
        var (hash, findings) = await GoOn(first, 1, log);
        var same = await GoOn(second, 4, other);
        Assert.Equal(hash, same.Hash);
        Assert.Equal(findings, same.Findings);
        Assert.Equal([], before.Except(findings));
        Assert.Equal(name == "erased", log.Exists(l => l.Contains("taken over", StringComparison.Ordinal)));
        var report = Feed.VerifySound(first);
        Assert.Equal(hash, report.StateHash);
        await using var again = Feed.Open(first);
        Assert.Equal(hash, await again.Hash());
    }

    [Fact]
    public void Verification_by_newer_judges_says_that_they_are_newer()
    {
        var error = Assert.Throws<DataDirectoryException>(() => Feed.Verify(Take("whole", "all")));
        Assert.Contains("judged by version 2", error.Message, StringComparison.Ordinal);
        Assert.Contains("open it once", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_past_of_a_meter_is_rebuilt_from_answers_of_older_judges()
    {
        var path = Take("whole", "all");
        await GoOn(path, 2, []);
        await using var fleet = Feed.Open(path);
        var key = new TwinKey(TwinKind.Meter, MeterId.FromUtilityId("MT-0000003").Value);
        var state = await fleet.State(key, new UnixTime((FirstNewDay - 4) * 86_400L), CancellationToken.None);
        var view = MeterView.From(key, state);
        Assert.Equal(26 * 48, view.Import!.Stored);
        Assert.Equal(FirstNewDay - 5, view.LastScoreDay);
    }

    [Theory]
    [InlineData(2, "whole", 22)]
    [InlineData(2, "erased", 22)]
    [InlineData(2, "zeus", 147)]
    [InlineData(3, "whole", 21)]
    [InlineData(3, "erased", 21)]
    [InlineData(3, "zeus", 149)]
    public void Twins_of_older_judges_are_read_and_written_anew(int version, string name, int twins)
    {
        var factory = new TwinFactory();
        var n = 0;
        foreach (var info in SnapshotFile.List(Take(name, "all", version)))
        {
            Assert.True(SnapshotFile.TryRead(info, v => v == version, (key, state) =>
            {
                var now = Encode(factory.Restore(key, state));
                Assert.Equal(now, Encode(factory.Restore(key, now)));
                n++;
            }, out var problem), problem);
        }
        Assert.Equal(twins, n);
    }

    private static byte[] Encode(TwinState twin)
    {
        var w = new ByteWriter();
        twin.Write(w);
        return w.ToArray();
    }
}
