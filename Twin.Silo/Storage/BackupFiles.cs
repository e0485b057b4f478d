using Twin.Grains;

namespace Twin.Silo.Storage;

/// <summary>
/// Online backup and restore of a data directory: the journal by SQLite's backup, base snapshots and format as files.
/// </summary>
public static class BackupFiles
{
    /// <summary>
    /// Copies a data directory that may be in use: SQLite gives a consistent journal as of one commit, and snapshots
    /// are whole files that never change. One newer than the copied journal stays behind.
    /// </summary>
    public static long Write(string folder, string target)
    {
        var from = Path.GetFullPath(folder);
        if (!File.Exists(Path.Combine(from, "format")))
            throw new DataDirectoryException($"{from} is no MeterTwin data directory: it has no file 'format'.", null);
        var full = Path.GetFullPath(target);
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())
            throw new DataDirectoryException($"The backup target {full} is not empty. Give a new directory.", null);
        DataDirectory.CreatePrivate(full);
        var position = SqliteJournal.Copy(Path.Combine(from, "journal.db"), Path.Combine(full, "journal.db"));
        foreach (var snapshot in SnapshotFile.List(from).Where(s => s.Position <= position))
            CopySnapshot(snapshot, full);
        // The format file comes last: without it the directory is no data directory, so a broken backup is not mistaken
        // for one.
        AtomicFile.Write(Path.Combine(full, "format"), s => s.Write(File.ReadAllBytes(Path.Combine(from, "format"))));
        return position;
    }

    private static void CopySnapshot(SnapshotFile.Info snapshot, string target)
    {
        try
        {
            File.Copy(snapshot.Path, Path.Combine(target, Path.GetFileName(snapshot.Path)));
        }
        catch (FileNotFoundException) when (!snapshot.IsBase)
        {
            // Pruned meanwhile: a newer one has taken its place, and the journal can do without.
        }
    }

    /// <summary>Copies a backup into a new data directory and checks that it opens.</summary>
    public static void Restore(string backup, string target)
    {
        var from = Path.GetFullPath(backup);
        if (!File.Exists(Path.Combine(from, "format")))
            throw new DataDirectoryException($"{from} is no finished backup: it has no file 'format'. Give the "
                + $"directory that 'metertwin backup' wrote.", null);
        var full = Path.GetFullPath(target);
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())
            throw new DataDirectoryException(
                $"{full} is not empty; a restore overwrites nothing. Give a new directory.", null);
        if (new FileInfo(Path.Combine(from, "journal.db")) is not { Exists: true, Length: > 0 })
            throw new DataDirectoryException($"The backup {from} has no journal: its file 'journal.db' is missing or "
                + "empty. Give another backup.", null);
        DataDirectory.CreatePrivate(full);
        try
        {
            CopyAndCheck(from, full);
        }
        catch
        {
            // What cannot be used is not left to be taken for a directory, or to stand in the next one's way.
            foreach (var file in Directory.EnumerateFiles(full)) File.Delete(file);
            throw;
        }
    }

    private static void CopyAndCheck(string from, string full)
    {
        foreach (var file in Directory.EnumerateFiles(from))
        {
            var name = Path.GetFileName(file);
            if (name is "lock" or "format" || name.StartsWith(LedgerKey.FileName, StringComparison.Ordinal)
                || name.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal)) continue;
            File.Copy(file, Path.Combine(full, name));
        }
        AtomicFile.Write(Path.Combine(full, DataDirectory.RestoredName), s => s.Write("restored\n"u8));
        AtomicFile.Write(Path.Combine(full, "format"), s => s.Write(File.ReadAllBytes(Path.Combine(from, "format"))));
        using var directory = DataDirectory.Open(full, mustExist: true);
        using var journal = new SqliteJournal(directory.JournalFile);
        if (journal.CheckDigests().Concat(journal.CheckLedger(_ => { })).FirstOrDefault() is { } problem)
            throw new DataDirectoryException($"The backup {from} is damaged: {problem}. Give another backup.", null);
    }
}
