namespace Twin.Ingest.Feed;

/// <summary>A file of a feed, plain or gzip (told by its first bytes, not by its name).</summary>
public sealed class SourceFile(string path)
{
    private static readonly string[] Extensions = [".csv", ".json", ".ndjson", ".txt", ".tsv"];

    /// <summary>Files of a directory that are looked at for frames, and passed over when they hold none.</summary>
    private static readonly string[] Captures = [".log", ".hex", ".bin"];
    private FileStream? _raw;

    public string Path { get; } = path;

    /// <summary>Bytes on disk.</summary>
    public long Length { get; } = new FileInfo(path).Length;

    /// <summary>Bytes on disk read so far.</summary>
    public long Position => _raw is { CanRead: true } ? _raw.Position : _done;
    private long _done;

    /// <summary>File name without <c>.gz</c> and extension.</summary>
    public string Stem { get; } = System.IO.Path.GetFileNameWithoutExtension(WithoutGz(path));

    /// <summary>True when the name says NDJSON.</summary>
    public bool IsNdjson => WithoutGz(Path).EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase);

    /// <summary>True when the name says a log or capture, which may hold frames or nothing of ours.</summary>
    public bool IsCapture => Array.IndexOf(Captures, ExtensionOf(Path)) >= 0;

    private static string WithoutGz(string path) =>
        path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;

    /// <exception cref="FormatError">The file cannot be opened, or is a zip.</exception>
    public Stream Open()
    {
        try
        {
            _raw = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16,
                FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatError(Path, $"cannot be opened: {e.Message}", "");
        }
        Span<byte> magic = stackalloc byte[2];
        var n = _raw.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        _raw.Position = 0;
        if (n == 2 && magic.SequenceEqual("PK"u8)) throw new FormatError(Path, "is a zip archive.",
            "Unpack it, or pack it with gzip.");
        return n == 2 && magic[0] == 0x1F && magic[1] == 0x8B ? new GzipFile(_raw) : _raw;
    }

    public void Done() => _done = Length;

    /// <summary>
    /// Files behind paths, in a fixed order: a file itself; a directory's data files by name (where it has
    /// none, those of its subdirectories, one level down);
    /// a pattern with <c>*</c> or <c>?</c> in its last part.
    /// </summary>
    /// <exception cref="FormatError">There is no such path.</exception>
    public static List<(SourceFile File, bool Listed)> Expand(IEnumerable<string> paths)
    {
        var files = new List<(SourceFile, bool)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (File.Exists(path)) Add(path, true);
            else if (Directory.Exists(path))
                AddAll(DataFiles(path), path, "no CSV, JSON, NDJSON or frame file");
            else if (path.AsSpan().IndexOfAny('*', '?') >= 0) AddAll(Glob(path), path, "no file that fits");
            else throw new FormatError(path, "does not exist.", "Give a file, a directory, or a pattern in quotes.");
        }
        return files;

        void Add(string path, bool listed)
        {
            if (seen.Add(System.IO.Path.GetFullPath(path))) files.Add((new SourceFile(path), listed));
        }

        void AddAll(IEnumerable<string> found, string path, string nothing)
        {
            var sorted = found.Order(StringComparer.Ordinal).ToArray();
            if (sorted.Length == 0) throw new FormatError(path, $"holds {nothing}.",
                "Give a file, a directory, or a pattern in quotes.");
            foreach (var f in sorted) Add(f, false);
        }
    }

    private static IEnumerable<string> DataFiles(string directory)
    {
        var own = Directory.GetFiles(directory).Where(HasKnownExtension).ToArray();
        return own.Length > 0 ? own
            : Directory.GetDirectories(directory).SelectMany(Directory.GetFiles).Where(HasKnownExtension);
    }

    private static bool HasKnownExtension(string path)
    {
        var extension = ExtensionOf(path);
        return Array.IndexOf(Extensions, extension) >= 0 || Array.IndexOf(Captures, extension) >= 0;
    }

    private static string ExtensionOf(string path) =>
        System.IO.Path.GetExtension(WithoutGz(path)).ToLowerInvariant();

    private static string[] Glob(string pattern)
    {
        var directory = System.IO.Path.GetDirectoryName(pattern);
        if (string.IsNullOrEmpty(directory)) directory = ".";
        return Directory.Exists(directory) ? Directory.GetFiles(directory, System.IO.Path.GetFileName(pattern)) : [];
    }
}
