using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Engine;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Crash;

/// <summary>
/// Torn writes and damaged files: what is whole is there, what is damaged is named, nothing is silently wrong.
/// </summary>
public sealed class DamageTests(ITestOutputHelper output) : IDisposable
{
    private readonly TestDirectory _directory = new();

    private string Data => _directory.Sub("data");

    public void Dispose() => _directory.Dispose();

    private string Copy(string name)
    {
        var to = _directory.Sub(name);
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(Data)
            .Where(f => Path.GetFileName(f) is not ("lock" or "journal.db-shm")))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        return to;
    }

    [Fact]
    public async Task A_torn_log_has_every_commit_that_is_whole_and_nothing_else()
    {
        const ulong seed = 77;
        output.WriteLine($"seed {seed}");
        var random = new SplitMix64(seed);
        var commits = new List<(long Position, string Hash, long Log)>();
        long length;
        await using (var fleet = Feed.Open(Data))
        {
            for (var day = 0; day < 12; day++)
            {
                var receipt = await fleet.Send(Feed.Days("s", 6, day, day + 1));
                commits.Add((receipt.Position, await fleet.Hash(), new FileInfo(Path.Combine(Data, "journal.db-wal"))
                    .Length));
            }
            length = commits[^1].Log;
            for (var round = 0; round < 12; round++)
            {
                var copy = Copy($"torn{round}");
                var log = Path.Combine(copy, "journal.db-wal");
                var cut = round == 0 ? length : (long)(random.NextDouble() * length);
                using (var file = File.OpenWrite(log))
                {
                    file.SetLength(cut);
                    file.Position = cut;
                    for (var i = random.Next(9000); i > 0; i--) file.WriteByte((byte)random.Next(256));
                }
                await CheckTorn(copy, cut, commits);
            }
        }
    }

    private static async Task CheckTorn(string copy, long cut, List<(long Position, string Hash, long Log)> commits)
    {
        await using (var again = Feed.Open(copy))
        {
            var whole = commits.LastOrDefault(c => c.Log <= cut);
            Assert.True(again.Status.Position >= whole.Position,
                $"position {again.Status.Position} of a log cut at {cut}, which holds {whole.Position}");
            var found = commits.FirstOrDefault(c => c.Position == again.Status.Position);
            if (again.Status.Position > 1) Assert.Equal(found.Hash, await again.Hash());
            for (var day = 0; day < 12; day++) await again.Send(Feed.Days("s", 6, day, day + 1));
            Assert.Equal(commits[^1].Hash, await again.Hash());
        }
        Feed.VerifySound(copy);
    }

    [Fact]
    public async Task A_journal_that_ends_before_a_snapshot_is_refused_and_nothing_is_touched()
    {
        await using (var fleet = Feed.Open(Data)) await fleet.Send(Feed.Days("s", 6, 0, 4));
        var behind = Copy("behind");
        await using (var fleet = Feed.Open(Data)) await fleet.Send(Feed.Days("s", 6, 4, 12));
        var ahead = Directory.EnumerateFiles(Data, "*.twins").Order().Last();
        var copied = Path.Combine(behind, Path.GetFileName(ahead));
        File.Copy(ahead, copied);
        var error = Assert.Throws<DataDirectoryException>(() => Feed.Open(behind));
        Assert.Contains(copied, error.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(copied));
        File.Delete(copied);
        Feed.VerifySound(behind);
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("garbage")]
    public async Task A_damaged_snapshot_is_passed_over(string how)
    {
        string hash;
        await using (var fleet = Feed.Open(Data))
        {
            await fleet.Send(Feed.Days("s", 6, 0, 9));
            hash = await fleet.Hash();
        }
        var snapshot = Directory.EnumerateFiles(Data, "*.twins").Single();
        var bytes = File.ReadAllBytes(snapshot);
        if (how == "flip") bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(snapshot, how switch
        {
            "cut" => bytes[..(bytes.Length / 3)],
            "empty" => [],
            "garbage" => [.. Enumerable.Repeat((byte)7, 500)],
            _ => bytes,
        });
        var said = new List<string>();
        await using (var fleet = Feed.Open(Data, log: said.Add))
        {
            Assert.Equal(hash, await fleet.Hash());
            Assert.Contains(said, s => s.Contains("passed over", StringComparison.Ordinal));
        }
        Feed.VerifySound(Data);
    }

    [Fact]
    public async Task A_flipped_byte_in_stored_readings_is_named()
    {
        await using (var fleet = Feed.Open(Data, snapshot: false))
        {
            await fleet.Send(Feed.Days("s", 6, 0, 40));
            await fleet.Compact();
        }
        foreach (var (table, column) in ((string, string)[])[("segment", "body"), ("batch", "items"),
            ("kept", "input")])
        {
            var copy = Copy(table);
            Flip(Path.Combine(copy, "journal.db"), table, column);
            Assert.Contains("damaged", Assert.Throws<DataDirectoryException>(() => Feed.Open(copy)).Message,
                StringComparison.Ordinal);
            var (exit, text, errors) = Metertwin.Run([], "verify", "--data", copy);
            Assert.True(exit == 1, errors);
            Assert.Contains($"table {table}, row", text, StringComparison.Ordinal);
        }
    }

    private static void Flip(string file, string table, string column)
    {
        byte[] blob;
        using (var sql = Sql.Open(file, readOnly: true))
            blob = (byte[])sql.Scalar($"SELECT {column} FROM {table} ORDER BY 1 DESC LIMIT 1")!;
        var bytes = File.ReadAllBytes(file);
        var at = bytes.AsSpan().IndexOf(blob.AsSpan(0, Math.Min(blob.Length, 30)));
        Assert.True(at > 0);
        bytes[at + Math.Min(blob.Length, 30) - 1] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    [Fact]
    public async Task A_ruined_page_is_never_taken_for_sound()
    {
        const ulong seed = 5;
        output.WriteLine($"seed {seed}");
        var random = new SplitMix64(seed);
        string hash;
        await using (var fleet = Feed.Open(Data, snapshot: false))
        {
            await fleet.Send(Feed.Days("s", 20, 0, 40));
            await fleet.Compact();
            hash = await fleet.Hash();
        }
        var sound = File.ReadAllBytes(Path.Combine(Data, "journal.db"));
        var pages = BinaryPrimitives.ReadInt32BigEndian(sound.AsSpan(28));
        for (var round = 0; round < 12; round++)
        {
            var copy = Copy(string.Create(CultureInfo.InvariantCulture, $"page{round}"));
            var page = random.Next(pages);
            var bytes = sound.ToArray();
            bytes.AsSpan(page * 4096, 4096).Fill(0xA5);
            File.WriteAllBytes(Path.Combine(copy, "journal.db"), bytes);
            try
            {
                var report = Feed.Verify(copy);
                Assert.True(report.Differences.Count > 0, $"page {page + 1} of {pages} is ruined and nobody says so");
            }
            catch (DataDirectoryException e)
            {
                Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
            }
            await OpensWellOrSaysSo(copy, hash);
        }
    }

    private static async Task OpensWellOrSaysSo(string path, string hash)
    {
        try
        {
            await using var fleet = Feed.Open(path, snapshot: false);
            Assert.Equal(hash, await fleet.Hash());
        }
        catch (Exception e) when (e is DataDirectoryException or StorageUnavailableException or SqliteException)
        {
            Assert.NotEmpty(e.Message);
        }
    }
}
