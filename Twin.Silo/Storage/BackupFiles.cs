using Twin.Grains;
using Twin.Silo.Embedded;

namespace Twin.Silo.Storage;

/// <summary>
/// Online backup and restore of a data directory: the journal by SQLite's backup, base snapshots and format as files.
/// </summary>
public static class BackupFiles
{
    internal static void Write(EmbeddedFleet fleet, string folder, string target)
    {
        var full = Path.GetFullPath(target);
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())
            throw new DataDirectoryException($"The backup target {full} is not empty. Give a new directory.", null);
        DataDirectory.CreatePrivate(full);
        fleet.Journal.BackupTo(Path.Combine(full, "journal.db"));
        fleet.WriteSnapshot(isBase: false);
        foreach (var snapshot in SnapshotFile.List(folder).Where(s => s.IsBase)
            .Concat(SnapshotFile.List(folder).Where(s => !s.IsBase).Take(1)))
            File.Copy(snapshot.Path, Path.Combine(full, Path.GetFileName(snapshot.Path)));
        // The format file comes last: without it the directory is no data directory, so a broken backup is not mistaken
        // for one.
        AtomicFile.Write(Path.Combine(full, "format"), s => s.Write(File.ReadAllBytes(Path.Combine(folder, "format"))));
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
        DataDirectory.CreatePrivate(full);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            var name = Path.GetFileName(file);
            if (name is "lock" or "format" || name.EndsWith(".tmp", StringComparison.Ordinal)) continue;
            File.Copy(file, Path.Combine(full, name));
        }
        AtomicFile.Write(Path.Combine(full, "format"), s => s.Write(File.ReadAllBytes(Path.Combine(from, "format"))));
        using var directory = DataDirectory.Open(full, mustExist: true);
        using var journal = new SqliteJournal(directory.JournalFile);
        if (journal.CheckDigests().FirstOrDefault() is { } problem)
            throw Sql.Damaged($"the backup {from}: {problem}", null);
    }
}
