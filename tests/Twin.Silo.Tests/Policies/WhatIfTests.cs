using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Twin.Grains;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Silo.Commands;
using Twin.Silo.Demo;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Engine;
using Twin.Silo.Tests.Ledger;
using Twin.Silo.WhatIf;

namespace Twin.Silo.Tests.Policies;

/// <summary>
/// What another policy would have done: held against a fleet that lived under that policy from the beginning, with its
/// ledger counted by the test's own code.
/// </summary>
public sealed class WhatIfTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private sealed record Compared(Dictionary<string, double> Recorded, Dictionary<string, double> Other, int LeftOut,
        List<(CaseEnd? Recorded, CaseEnd? Other)> Differing, List<string> Said);

    private static Compared WhatIf(string path, string policy, UnixTime? since) => WhatIf(path, since, policy)[0];

    private static List<Compared> WhatIf(string path, UnixTime? since, params string[] policies)
    {
        using var directory = DataDirectory.Open(path, mustExist: true);
        using var journal = new SqliteJournal(directory.JournalFile);
        var said = new List<string>();
        var run = new WhatIfRun
        {
            Journal = journal, Folder = directory.Path, Shards = 3, Factory = new TwinFactory(), Log = said.Add,
        };
        var recorded = run.AsRecorded();
        return [.. policies.Select(policy =>
        {
            var other = run.Under(recorded, policy, since, out var leftOut);
            var rows = WhatIfCommand.Rows(recorded.Figures(), other.Figures()).ToList();
            return new Compared(rows.ToDictionary(r => r.What, r => r.Recorded),
                rows.ToDictionary(r => r.What, r => r.Other), leftOut, WhatIfCommand.Differing(recorded, other), said);
        })];
    }

    private static void Same(Dictionary<string, double> expected, Dictionary<string, double> actual) =>
        Assert.Equal(Lines(expected), Lines(actual));

    private static string[] Lines(Dictionary<string, double> figures) => [.. figures.Where(f => f.Value != 0)
        .OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}: {f.Value:0.000000}")];

    private static double Of(Dictionary<string, double> figures, string what) => figures.GetValueOrDefault(what);

    /// <summary>Lives once; what its ledger counts to.</summary>
    private static async Task<Dictionary<string, double>> Live(string path, string? policy, Func<IFleet, Task> life,
        bool answers = true, UnixTime? since = null)
    {
        await using var fleet = new AnsweringFleet(EmbeddedFleet.Open(
            new EmbeddedOptions { DataPath = path, Shards = 2 }, new TwinFactory(), null))
        {
            Policy = policy, Answers = answers, Since = since,
        };
        await life(fleet);
        return LedgerCount.Of(fleet.Ledger, fleet.LastSweep);
    }

    /// <summary>
    /// The demo is lived once, with its own gateway. What came in is then given to a fleet that has the other policy
    /// from the beginning, in the same parts: an order that the demo gave too has the demo's outcome, another is done
    /// at once.
    /// </summary>
    [Fact]
    public async Task Figures_over_the_demo_are_those_of_a_full_replay_under_the_policy()
    {
        var (path, tape) = (_directory.Sub("demo"), new List<InputBatch>());
        HashSet<string> orders;
        Dictionary<string, double> recorded;
        await using (var fleet = new AnsweringFleet(EmbeddedFleet.Open(
            new EmbeddedOptions { DataPath = path, Shards = 2 }, new TwinFactory(), null))
        { Answers = false, Tape = tape })
        {
            using var run = new DemoRun(DemoScene.LeastMeters, 7, fleet);
            await run.Until(run.Scene.Begin(DemoScene.RecordedDays), default);
            recorded = LedgerCount.Of(fleet.Ledger, fleet.LastSweep);
            orders = [.. AnsweringFleet.Orders(fleet.Ledger, 0).Select(AnsweringFleet.NameOf)];
        }
        Assert.True(Of(recorded, "cases of security") > 3, string.Join("; ", Lines(recorded)));
        var watch = Stopwatch.StartNew();
        string[] policies = [SomePolicies.Careless, SomePolicies.LogOnly, PolicyReader.DefaultText];
        var all = WhatIf(path, null, policies);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"three policies took {watch.Elapsed}");
        foreach (var (policy, compared) in policies.Zip(all).SkipLast(1))
        {
            Same(recorded, compared.Recorded);
            Same(await Replay(_directory.Sub(PolicyReader.DigestOf(policy)), policy, tape, orders), compared.Other);
            Assert.NotEmpty(compared.Differing);
            if (policy == SomePolicies.Careless)
                Assert.True(Of(compared.Other, "isolate_communications ordered")
                    > Of(recorded, "isolate_communications ordered"), string.Join("; ", Lines(compared.Other)));
            else
                Assert.DoesNotContain(compared.Other, f => f.Value != 0
                    && f.Key.StartsWith("cases", StringComparison.Ordinal));
        }
        var same = all[^1];
        Same(recorded, same.Recorded);
        Same(recorded, same.Other);
        Assert.Equal((0, 0), (same.Differing.Count, same.LeftOut));
    }

    private static async Task<Dictionary<string, double>> Replay(string path, string policy, List<InputBatch> tape,
        HashSet<string> recorded)
    {
        await using var fleet = new AnsweringFleet(EmbeddedFleet.Open(
            new EmbeddedOptions { DataPath = path, Shards = 2, SnapshotOnClose = false }, new TwinFactory(), null))
        {
            Policy = policy, Recorded = recorded,
        };
        foreach (var part in tape) await fleet.Append(part, default);
        return LedgerCount.Of(fleet.Ledger, fleet.LastSweep);
    }

    /// <summary>Three disconnections that persons approved; hardly one may go out under a tight budget.</summary>
    [Fact]
    public async Task Supply_that_stays_on_is_counted_in_minutes_and_kilowatt_hours()
    {
        var path = _directory.Sub("recorded");
        var recorded = await Live(path, null, AnsweredFleet.Live);
        Assert.Equal(3, Of(recorded, "disconnect ordered"));
        Assert.True(Of(recorded, "kWh not delivered") > 0.1);
        var compared = WhatIf(path, SomePolicies.Tight, null);
        Same(recorded, compared.Recorded);
        Same(await Live(_directory.Sub("tight"), SomePolicies.Tight, AnsweredFleet.Live), compared.Other);
        Assert.Equal(1, Of(compared.Other, "disconnect ordered"));
        Assert.True(Of(compared.Other, "kWh not delivered") < Of(recorded, "kWh not delivered"));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(150)]
    [InlineData(100_000)]
    public async Task A_policy_from_a_time_on_leaves_what_was_before(int seconds)
    {
        var path = _directory.Sub("recorded");
        var since = new UnixTime(AnsweredFleet.Morning + seconds);
        var recorded = await Live(path, null, AnsweredFleet.Live);
        var compared = WhatIf(path, SomePolicies.Tight, since);
        Same(recorded, compared.Recorded);
        Same(await Live(_directory.Sub("tight"), SomePolicies.Tight, AnsweredFleet.Live, since: since), compared.Other);
        if (seconds == 100_000) Same(recorded, compared.Other);
    }

    /// <summary>A policy that was put in force in the record is not, once the other one is.</summary>
    [Fact]
    public async Task A_recorded_activation_gives_way()
    {
        var path = _directory.Sub("recorded");
        var recorded = await Live(path, SomePolicies.Tight, AnsweredFleet.Live);
        var same = WhatIf(path, SomePolicies.Tight, null);
        Same(recorded, same.Recorded);
        Same(recorded, same.Other);
        Assert.Equal(0, same.LeftOut);
        var other = WhatIf(path, PolicyReader.DefaultText, null);
        Same(await Live(_directory.Sub("default"), null, AnsweredFleet.Live), other.Other);
    }

    /// <summary>Nobody ever answered: what the record has fares as it did, however the numbers are counted.</summary>
    [Fact]
    public async Task Without_a_gateway_the_same_policy_gives_the_same()
    {
        var path = _directory.Sub("recorded");
        var recorded = await Live(path, null, AnsweredFleet.Live, answers: false);
        var same = WhatIf(path, PolicyReader.DefaultText, null);
        Same(recorded, same.Recorded);
        Same(recorded, same.Other);
        Assert.Equal((0, 0), (same.Differing.Count, same.LeftOut));
    }

    /// <summary>Before an erasure nothing can be run again: it is said, and what came before is as it was.</summary>
    [Fact]
    public async Task What_cannot_be_run_again_is_said()
    {
        var path = _directory.Sub("erased");
        await Live(path, null, AnsweredFleet.Live);
        await using (var fleet = AnsweredFleet.Open(path)) await fleet.Erase(Feed.Meter(0), Feed.FirstDay + 3, "asked");
        await Live(path, null, fleet => AnsweredFleet.Sweep(fleet, 7 * 3_600));
        var same = WhatIf(path, PolicyReader.DefaultText, null);
        Assert.Contains("cannot be run again", Assert.Single(same.Said), StringComparison.Ordinal);
        Same(same.Recorded, same.Other);
        Assert.Equal((0, 0), (same.Differing.Count, same.LeftOut));
    }

    [Fact]
    public async Task The_directory_stays_as_it_is()
    {
        var path = _directory.Sub("recorded");
        await Live(path, null, AnsweredFleet.Live);
        var before = Files(path).Concat(Rows(path)).ToArray();
        Assert.True(before.Length > 15);
        WhatIf(path, SomePolicies.Careless, null);
        Assert.Equal(before, Files(path).Concat(Rows(path)));
    }

    /// <summary>What is in each table: the file itself counts its openings.</summary>
    private static List<string> Rows(string path)
    {
        using var sql = Sql.Open(Path.Combine(path, "journal.db"), readOnly: true);
        var tables = new List<string>();
        using (var names = sql.CreateCommand())
        {
            names.CommandText = "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name";
            using var reader = names.ExecuteReader();
            while (reader.Read()) tables.Add(reader.GetString(0));
        }
        return [.. tables.Select(table =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var all = sql.CreateCommand();
            all.CommandText = $"SELECT * FROM {table} ORDER BY 1";
            using var reader = all.ExecuteReader();
            while (reader.Read())
                for (var i = 0; i < reader.FieldCount; i++)
                    hash.AppendData(reader.GetValue(i) as byte[] ?? Encoding.UTF8.GetBytes($"{reader.GetValue(i)};"));
            return $"{table} {Convert.ToHexString(hash.GetHashAndReset())}";
        })];
    }

    private static string[] Files(string path) => [.. Directory.GetFiles(path, "*", SearchOption.AllDirectories)
        .Where(f => Path.GetFileName(f) is not ("lock" or "journal.db")).Order(StringComparer.Ordinal)
        .Select(f => $"{Path.GetFileName(f)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))}")];
}
