using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Engine;
using Twin.Silo.Storage;

namespace Twin.Silo.Embedded;

/// <summary>
/// Brings twins back from the journal: after a crash from the newest sound snapshot, for verification from the base.
/// </summary>
internal static class Rebuilder
{
    /// <summary>What a recovery did.</summary>
    public readonly record struct Result(long From, long BytesApplied, bool NewEpoch);

    public static Result Recover(TwinHost host, SqliteJournal journal, string folder, int judgingVersion,
        Action<string> log)
    {
        RequireKnown(journal, folder, judgingVersion);
        RequireEnd(journal, folder);
        var from = LoadSnapshot(host, journal, SnapshotFile.List(folder), judgingVersion, log);
        if (from == 0) RequireWholeJournal(journal, folder);
        var bytes = Apply(host, journal, from, new Consequences(), null);
        return new Result(from, bytes, journal.JudgingVersion != judgingVersion);
    }

    /// <summary>Inputs between two looks at progress.</summary>
    private const int LookEvery = 16_384;

    /// <summary>Rebuilds from the newest base, or from the start, as if nothing but the journal were there.</summary>
    public static long FromBase(TwinHost host, SqliteJournal journal, string folder, int judgingVersion,
        Consequences into, Action<string> log, Action<Consequences>? onStated, Action<long>? progress = null)
    {
        var from = LoadBase(host, journal, folder, judgingVersion, log);
        Apply(host, journal, from, into, onStated, progress);
        return from;
    }

    /// <summary>Puts the twins of the newest base into the host; the position from which the journal goes on.</summary>
    public static long LoadBase(TwinHost host, SqliteJournal journal, string folder, int judgingVersion,
        Action<string> log)
    {
        RequireEnd(journal, folder);
        var bases = SnapshotFile.List(folder).Where(s => s.IsBase).ToArray();
        var from = LoadSnapshot(host, journal, bases, judgingVersion, log);
        if (from == 0) RequireWholeJournal(journal, folder);
        return from;
    }

    /// <summary>Twins of a newer version cannot be made here.</summary>
    public static void RequireKnown(SqliteJournal journal, string folder, int judgingVersion)
    {
        if (journal.JudgingVersion > judgingVersion)
            throw new DataDirectoryException($"{folder} was judged by version {journal.JudgingVersion}; this "
                + $"MeterTwin judges by {judgingVersion}. Use the newer MeterTwin that wrote it.", null);
    }

    /// <summary>
    /// What an older version judged is not what this one gives: only a journal that this one has opened can be compared
    /// with its twins.
    /// </summary>
    public static void RequireSameJudges(SqliteJournal journal, string folder, int judgingVersion)
    {
        RequireKnown(journal, folder, judgingVersion);
        if (journal.Position > 0 && journal.JudgingVersion != judgingVersion)
            throw new DataDirectoryException($"The stored digests of {folder} are sound, but it was judged by version "
                + $"{journal.JudgingVersion} and this MeterTwin judges by {judgingVersion}: twins and findings differ "
                + "for that reason alone. Verify it with the MeterTwin that wrote it; or open it once with this one "
                + "(serve or replay), which begins an epoch there, and verify then.", null);
    }

    /// <summary>
    /// The newest sound snapshot of this judging version. Without one the whole journal is judged again; where
    /// readings were erased that is not possible, and an older version's twins are taken over.
    /// </summary>
    private static long LoadSnapshot(TwinHost host, SqliteJournal journal, IReadOnlyList<SnapshotFile.Info> candidates,
        int judgingVersion, Action<string> log)
    {
        var from = LoadSnapshot(host, candidates, v => v == judgingVersion, log);
        if (from > 0 || journal.Tombstones().Count == 0) return from;
        from = LoadSnapshot(host, candidates, v => v < judgingVersion, _ => { });
        if (from > 0)
            log($"readings were erased, so that their twins cannot be judged again: those of position {from} are taken "
                + "over");
        return from;
    }

    private static long LoadSnapshot(TwinHost host, IEnumerable<SnapshotFile.Info> candidates, Func<int, bool> isWanted,
        Action<string> log)
    {
        foreach (var info in candidates)
        {
            if (SnapshotFile.TryRead(info, isWanted, host.Put, out var problem)) return info.Position;
            log(problem);
            host.Clear();
        }
        return 0;
    }

    /// <summary>
    /// A snapshot is written when everything before it is on the disk: one beyond the journal's end says that the
    /// journal, or its file '-wal', was lost or exchanged. To begin anew then would forget acknowledged readings.
    /// </summary>
    private static void RequireEnd(SqliteJournal journal, string folder)
    {
        if (SnapshotFile.List(folder) is not [var newest, ..] || newest.Position <= journal.Position) return;
        throw Sql.Damaged($"it ends at position {journal.Position}, but {newest.Path} was written at "
            + $"{newest.Position}: journal.db or journal.db-wal is missing, cut short or another's", null);
    }

    private static void RequireWholeJournal(SqliteJournal journal, string folder)
    {
        if (journal.Tombstones().Count == 0) return;
        throw new DataDirectoryException($"Readings were erased from {folder}, and the base snapshot made then is "
            + $"missing or damaged. Restore the newest backup ('metertwin restore').", null);
    }

    private static long Apply(TwinHost host, SqliteJournal journal, long from, Consequences into,
        Action<Consequences>? onStated, Action<long>? progress = null)
    {
        long bytes = 0, inputs = 0;
        journal.Read(from, (position, input) =>
        {
            bytes += input.Length;
            if (++inputs % LookEvery == 0) progress?.Invoke(position);
            host.Rebuild(input, into);
            if (into.Ledger.Count > 0) onStated?.Invoke(into);
            into.Ledger.Clear();
        });
        host.EndRebuild(into);
        onStated?.Invoke(into);
        return bytes;
    }
}
