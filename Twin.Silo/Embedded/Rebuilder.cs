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
        if (journal.JudgingVersion > judgingVersion)
            throw new DataDirectoryException($"{folder} was judged by version {journal.JudgingVersion}; this "
                + $"MeterTwin judges by {judgingVersion}. Use the newer MeterTwin that wrote it.", null);
        RequireEnd(journal, folder);
        var from = LoadSnapshot(host, SnapshotFile.List(folder), judgingVersion, log);
        if (from == 0) RequireWholeJournal(journal, folder);
        var bytes = Apply(host, journal, from, new Consequences(), null);
        return new Result(from, bytes, journal.JudgingVersion != judgingVersion);
    }

    /// <summary>Rebuilds from the newest base, or from the start, as if nothing but the journal were there.</summary>
    public static long FromBase(TwinHost host, SqliteJournal journal, string folder, int judgingVersion,
        Consequences into, Action<string> log,
        Action<Consequences>? onClosed)
    {
        RequireEnd(journal, folder);
        var bases = SnapshotFile.List(folder).Where(s => s.IsBase);
        var from = LoadSnapshot(host, bases, judgingVersion, log);
        if (from == 0) RequireWholeJournal(journal, folder);
        Apply(host, journal, from, into, onClosed);
        return from;
    }

    private static long LoadSnapshot(TwinHost host, IEnumerable<SnapshotFile.Info> candidates, int judgingVersion,
        Action<string> log)
    {
        foreach (var info in candidates)
        {
            if (SnapshotFile.TryRead(info, judgingVersion, host.Put, out var problem)) return info.Position;
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
        Action<Consequences>? onClosed)
    {
        long bytes = 0;
        journal.Read(from, (position, input) =>
        {
            bytes += input.Length;
            host.Rebuild(input, into);
            if (onClosed is not null && Envelope.Read(input).Kind == InputKind.DayClosed) onClosed(into);
        });
        host.EndRebuild(into);
        return bytes;
    }
}
