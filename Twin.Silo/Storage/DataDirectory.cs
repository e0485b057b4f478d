using Twin.Grains;

namespace Twin.Silo.Storage;

/// <summary>
/// One data directory, held by one process: mode 0700, an exclusive lock, and a format number that a newer writer
/// raises. State outlives its writer (DESIGN, invariant 8).
/// </summary>
public sealed class DataDirectory : IDisposable
{
    /// <summary>2: with table frequent. 3: with the ledger. 4: with tables casefind and reply.</summary>
    public const int Format = 4;
    private const string FormatPrefix = "metertwin-data ";
    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream @lock, bool isNew) => (Path, _lock, IsNew) = (path, @lock, isNew);

    public string Path { get; }

    /// <summary>True when this opening made the directory's first files.</summary>
    public bool IsNew { get; }

    /// <summary>
    /// True until what follows from a restore is journalled: what was on its way then must not go out again.
    /// </summary>
    public bool IsRestored => File.Exists(RestoredFile);

    public void ForgetRestore() => File.Delete(RestoredFile);

    private string RestoredFile => System.IO.Path.Combine(Path, RestoredName);

    /// <summary>Name of the file by which a restored directory is known.</summary>
    public const string RestoredName = "restored";

    public string JournalFile => System.IO.Path.Combine(Path, "journal.db");

    /// <exception cref="DataDirectoryException">Locked by another process, of a newer format, or not a data
    /// directory.</exception>
    public static DataDirectory Open(string path, bool mustExist)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (mustExist && !File.Exists(System.IO.Path.Combine(full, "format")))
            throw new DataDirectoryException($"{full} is no MeterTwin data directory: it has no file 'format'. Give "
                + $"the directory that 'serve' or 'replay --data' made.", null);
        try
        {
            if (!Directory.Exists(full) || IsFresh(full)) CreatePrivate(full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataDirectoryException($"The data directory {full} cannot be made: {e.Message}", e);
        }
        RefuseForeign(full);
        var handle = Lock(full);
        try
        {
            foreach (var left in Directory.EnumerateFiles(full, "*" + AtomicFile.Unfinished)) File.Delete(left);
            return new DataDirectory(full, handle, CheckFormat(full));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Makes a directory that only its owner may enter (mode 0700).</summary>
    public static void CreatePrivate(string path)
    {
        Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static bool IsFresh(string path) => !Directory.EnumerateFileSystemEntries(path).Any();

    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite,
                FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new DataDirectoryException($"The data directory {path} may not be written. Give it to the user "
                + $"that runs this, or use another --data.", e);
        }
        catch (IOException e) when (IsReadOnly(path))
        {
            throw new DataDirectoryException($"The data directory {path} is on a read-only file system "
                + $"({e.Message}). Mount it for writing, or use another --data.", e);
        }
        catch (IOException e)
        {
            throw new DataDirectoryException(
                $"Another process holds the data directory {path} (its file 'lock'). Stop that process, or use another "
                    + "--data.", e);
        }
    }

    /// <summary>A read-only file system refuses even a file that nobody else holds.</summary>
    private static bool IsReadOnly(string path)
    {
        var probe = System.IO.Path.Combine(path, "probe" + AtomicFile.Unfinished);
        try
        {
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Leaves no trace in somebody else's directory.</summary>
    private static void RefuseForeign(string path)
    {
        if (File.Exists(System.IO.Path.Combine(path, "format"))) return;
        var others = Directory.EnumerateFileSystemEntries(path).Select(p => System.IO.Path.GetFileName(p))
            .Where(n => n is not "lock" and not "format" + AtomicFile.Unfinished)
            .Order(StringComparer.Ordinal).Take(3).ToArray();
        if (others.Length > 0)
            throw new DataDirectoryException($"{path} holds other files ({string.Join(", ", others)}) and is no "
                + $"MeterTwin data directory. Use an empty or a new one.", null);
    }

    private static bool CheckFormat(string path)
    {
        var file = System.IO.Path.Combine(path, "format");
        if (!File.Exists(file))
        {
            AtomicFile.Write(file, stream =>
                stream.Write(System.Text.Encoding.ASCII.GetBytes($"{FormatPrefix}{Format}\n")));
            return true;
        }
        var text = File.ReadAllText(file).Trim();
        if (!text.StartsWith(FormatPrefix, StringComparison.Ordinal)
            || !int.TryParse(text.AsSpan(FormatPrefix.Length), out var format) || format < 1)
            throw new DataDirectoryException($"{file} does not read '{FormatPrefix}N': the directory is damaged or "
                + $"not MeterTwin's. Restore it from a backup.", null);
        if (format > Format)
            throw new DataDirectoryException($"The data directory {path} has format {format}; this MeterTwin knows up "
                + $"to {Format}. Use the newer MeterTwin that wrote it.", null);
        if (format < Format) Upgrade(path, file, format);
        return false;
    }

    /// <summary>
    /// Takes an older directory to this format: what it has stays as it is, and tables that it lacks are made when the
    /// journal opens. A backup comes first; the format file last, so that a crash repeats the upgrade.
    /// </summary>
    private static void Upgrade(string path, string formatFile, int from)
    {
        var backup = System.IO.Path.Combine(path, $"backup-format-{from}");
        if (Directory.Exists(backup) && !File.Exists(System.IO.Path.Combine(backup, "format")))
            Directory.Delete(backup, recursive: true);
        if (!Directory.Exists(backup) && File.Exists(System.IO.Path.Combine(path, "journal.db")))
            BackupFiles.Write(path, backup);
        AtomicFile.Write(formatFile, stream =>
            stream.Write(System.Text.Encoding.ASCII.GetBytes($"{FormatPrefix}{Format}\n")));
    }

    public void Dispose() => _lock.Dispose();
}

/// <summary>Files that are there whole or not at all.</summary>
public static class AtomicFile
{
    /// <summary>Ending of what is not finished yet; the next opening of the directory removes it.</summary>
    public const string Unfinished = ".tmp";

    /// <summary>
    /// Writes beside the target, syncs, renames over it, syncs the directory. A failure leaves nothing.
    /// </summary>
    public static void Write(string path, Action<Stream> write)
    {
        var temporary = path + Unfinished;
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// A rename is durable only when its directory is. Where a directory cannot be opened for that, the rename still is
    /// atomic.
    /// </summary>
    private static void SyncDirectory(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        try
        {
            using var handle = File.OpenHandle(directory, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            RandomAccess.FlushToDisk(handle);
        }
        catch (UnauthorizedAccessException)
        {
            // .NET refuses to open directories on some platforms.
        }
    }
}
