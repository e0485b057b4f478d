using System.Globalization;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Engine;
using Twin.Silo.Storage;

namespace Twin.Silo.Embedded;

/// <summary>What a verification found; sound when <see cref="Differences"/> is empty.</summary>
public sealed record VerifyReport(long Position, long Readings, long Twins, string StateHash,
    IReadOnlyList<string> Differences, IReadOnlyList<string> Erased)
{
    /// <summary>What was found of the ledger; null when verification ended before it.</summary>
    public LedgerReport? Ledger { get; init; }
}

/// <summary>
/// Checks a data directory that nobody uses: stored digests; then every twin, finding and publication rebuilt from the
/// journal alone against what a restart would have. Names each difference.
/// </summary>
public static class Verifier
{
    /// <summary>Differences listed; more are counted only.</summary>
    public const int MaxDifferences = 100;

    /// <param name="path">The directory.</param>
    /// <param name="shards">Threads that hold twins.</param>
    /// <param name="factory">Makes them.</param>
    /// <param name="log">Takes what a person should know.</param>
    /// <param name="progress">Told now and then how much is done, 0 to 1; it may throw to give up.</param>
    public static VerifyReport Run(string path, int shards, ITwinFactory factory, Action<string> log,
        Action<double>? progress = null)
    {
        using var directory = DataDirectory.Open(path, mustExist: true);
        using var journal = new SqliteJournal(directory.JournalFile);
        var differences = new Differences();
        foreach (var problem in journal.CheckDigests()) differences.Add(problem);
        var ledger = new LedgerCheck();
        if (differences.Count == 0)
            ledger.Run(journal, LedgerKey.Other(Path.Combine(directory.Path, LedgerKey.FileName))?.Public,
                differences.Add);
        if (differences.Count > 0) return new VerifyReport(journal.Position, 0, 0, "", differences.List, []);
        Rebuilder.RequireSameJudges(journal, directory.Path, factory.JudgingVersion);
        try
        {
            return Rebuild(directory, journal, shards, factory, ledger, differences, log, progress);
        }
        catch (Exception e) when (e is Microsoft.Data.Sqlite.SqliteException or InvalidDataException)
        {
            differences.Add($"the journal cannot be read: {e.Message}");
            return new VerifyReport(journal.Position, 0, 0, "", differences.List, []);
        }
    }

    private static VerifyReport Rebuild(DataDirectory directory, SqliteJournal journal, int shards,
        ITwinFactory factory, LedgerCheck ledger, Differences differences, Action<string> log,
        Action<double>? progress)
    {
        var erased = journal.Tombstones().Select(t => t.Meter is { } m
            ? $"meter {m}: {t.Readings} readings before {LocalDay.FormatDate(t.BeforeDay)} erased (digest {t.Digest})"
            : $"all meters: {t.Readings} readings before {LocalDay.FormatDate(t.BeforeDay)} erased by retention "
                + $"(digest {t.Digest})").ToArray();
        using var rebuilt = new TwinHost(shards, factory, keepScores: false);
        var consequences = new Consequences();
        var from = Rebuilder.FromBase(rebuilt, journal, directory.Path, factory.JudgingVersion, consequences, log,
            said => ledger.Give(said.Ledger),
            position => progress?.Invoke((double)position / Math.Max(1, journal.Position)));
        using (var live = new TwinHost(shards, factory, keepScores: false))
        {
            Rebuilder.Recover(live, journal, directory.Path, factory.JudgingVersion, log);
            CompareTwins(rebuilt, live, differences);
        }
        CompareFacts(journal, consequences, from, differences);
        ledger.Compare(journal, from, differences.Add);
        var hash = StateHasher.Compute(rebuilt, journal);
        return new VerifyReport(journal.Position, journal.Size().Readings, rebuilt.Count(null), hash, differences.List,
            erased)
        {
            Ledger = ledger.Report,
        };
    }

    private sealed class Differences
    {
        public List<string> List { get; } = [];
        public int Count { get; private set; }

        public void Add(string text)
        {
            if (++Count <= MaxDifferences) List.Add(text);
        }
    }

    private static void CompareTwins(TwinHost rebuilt, TwinHost live, Differences differences)
    {
        var digests = new Dictionary<TwinKey, ContentKey>();
        rebuilt.VisitStates((key, state) => digests[key] = ContentKey.Of(state.Span));
        live.VisitStates((key, state) =>
        {
            if (!digests.Remove(key, out var expected))
                differences.Add($"{key} is in the snapshot but cannot be rebuilt from the journal");
            else if (expected != ContentKey.Of(state.Span))
                differences.Add($"{key} differs from what the journal gives");
        });
        foreach (var key in digests.Keys.Order()) differences.Add($"{key} is in the journal but not in the snapshot");
    }

    private static void CompareFacts(SqliteJournal journal, Consequences rebuilt, long from, Differences differences)
    {
        var expected = new Dictionary<string, byte[]>();
        foreach (var body in rebuilt.Findings) expected[Finding.Read(body).Id] = body;
        journal.VisitFindingsAfter(from, (id, body) =>
        {
            if (!expected.Remove(id, out var again))
                differences.Add(string.Create(CultureInfo.InvariantCulture,
                    $"finding {id} is stored but the journal does not give it"));
            else if (!again.AsSpan().SequenceEqual(body))
                differences.Add($"finding {id} differs from what the journal gives");
        });
        foreach (var id in expected.Keys.Order())
            differences.Add($"finding {id} follows from the journal but is not stored");
        foreach (var (key, day, body) in rebuilt.Publications)
        {
            if (journal.Publication(key, day) is not { } stored || !stored.AsSpan().SequenceEqual(body))
                differences.Add(
                    $"what {key} published for {LocalDay.FormatDate(day)} differs from what the journal gives");
        }
    }
}
