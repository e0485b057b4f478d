using Twin.Hardware.Coding;

namespace Twin.Ingest.Blocks;

/// <summary>
/// Event-time order of a feed: UTC day, meter, rank (the channel of a block, or 16 + kind), for other inputs their
/// second, then the order of arrival, which decides between values of one key.
/// </summary>
public readonly record struct SortKey(int Day, ulong Meter, byte Rank, long At, long Sequence) : IComparable<SortKey>
{
    /// <summary>
    /// Rank of inputs that keep their place among those of all meters; their meter is the greatest number.
    /// </summary>
    public const byte InPlace = 255;

    public int CompareTo(SortKey other)
    {
        if (Day != other.Day) return Day < other.Day ? -1 : 1;
        if (Meter != other.Meter) return Meter < other.Meter ? -1 : 1;
        if (Rank != other.Rank) return Rank < other.Rank ? -1 : 1;
        if (At != other.At) return At < other.At ? -1 : 1;
        return Sequence.CompareTo(other.Sequence);
    }
}

/// <summary>
/// External merge sort of encoded inputs. Up to <paramref name="memoryBytes"/> they stay in memory; beyond, sorted runs
/// go to a private directory under <paramref name="tempDirectory"/> that is removed at the end. At
/// <see cref="MaxRuns"/> runs they are merged into one.
/// </summary>
public sealed class BlockSorter(long memoryBytes, string? tempDirectory) : IDisposable
{
    public const long DefaultMemoryBytes = 256L * 1024 * 1024;
    public const int MaxRuns = 256;

    private const int ChunkBytes = 1 << 20;
    private const int EntryBytes = 56;

    private readonly List<byte[]> _chunks = [];
    private readonly List<Entry> _entries = [];
    private readonly List<string> _runs = [];
    private int _used = ChunkBytes;
    private long _bytes;
    private DirectoryInfo? _directory;
    private int _runNumber;

    private readonly record struct Entry(SortKey Key, byte[] Chunk, int Offset, int Length) : IComparable<Entry>
    {
        public int CompareTo(Entry other) => Key.CompareTo(other.Key);
    }

    /// <summary>Inputs added.</summary>
    public long Count { get; private set; }

    /// <summary>Runs written to disk so far.</summary>
    public int RunsWritten => _runNumber;

    public void Add(in SortKey key, ReadOnlySpan<byte> payload)
    {
        if (_bytes + payload.Length + EntryBytes > memoryBytes && _entries.Count > 0) Spill();
        var chunk = Room(payload.Length);
        payload.CopyTo(chunk.AsSpan(_used));
        _entries.Add(new Entry(key, chunk, _used, payload.Length));
        Count++;
        _used += payload.Length;
        _bytes += payload.Length + EntryBytes;
    }

    private byte[] Room(int length)
    {
        if (_chunks.Count > 0 && _chunks[^1].Length - _used >= length) return _chunks[^1];
        _chunks.Add(new byte[Math.Max(ChunkBytes, length)]);
        _used = 0;
        return _chunks[^1];
    }

    private void Spill()
    {
        _entries.Sort();
        Store(new MemoryRun(_entries));
        _entries.Clear();
        _chunks.Clear();
        (_used, _bytes) = (ChunkBytes, 0);
        if (_runs.Count < MaxRuns) return;
        var merged = _runs.ToArray();
        _runs.Clear();
        using (var all = new MergedRun([.. merged.Select(static f => (SortedRun)new FileRun(f))])) Store(all);
        foreach (var file in merged) File.Delete(file);
    }

    private void Store(SortedRun run)
    {
        try
        {
            WriteRun(run);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var where = _directory?.FullName ?? tempDirectory ?? Path.GetTempPath();
            throw new FormatError(where, $"cannot hold the feed while it is sorted: {e.Message}",
                "Free some space there, name another temporary directory, or allow the sort more memory.");
        }
    }

    private void WriteRun(SortedRun run)
    {
        _directory ??= tempDirectory is null ? Directory.CreateTempSubdirectory("metertwin-sort-")
            : Private(tempDirectory);
        var path = Path.Combine(_directory.FullName, $"run{_runNumber++}");
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 18);
        var w = new ByteWriter(256);
        while (run.Next())
        {
            w.Clear();
            var k = run.Key;
            w.VarInt(k.Day);
            w.UInt64(k.Meter);
            w.Byte(k.Rank);
            w.VarInt(k.At);
            w.VarInt(k.Sequence);
            w.VarUInt((ulong)run.Payload.Length);
            stream.Write(w.Written);
            stream.Write(run.Payload);
        }
        _runs.Add(path);
    }

    // The readings of people at home: nobody else may read the runs.
    private static DirectoryInfo Private(string parent)
    {
        var path = Path.Combine(parent, "metertwin-sort");
        for (var n = 0; Directory.Exists(path); n++) path = Path.Combine(parent, $"metertwin-sort-{n}");
        return OperatingSystem.IsWindows() ? Directory.CreateDirectory(path)
            : Directory.CreateDirectory(path,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Everything added, in order. The sorter takes no more after that.</summary>
    public SortedRun Sorted()
    {
        _entries.Sort();
        var memory = new MemoryRun(_entries);
        return _runs.Count == 0 ? memory : new MergedRun([.. _runs.Select(static f => (SortedRun)new FileRun(f)),
            memory]);
    }

    public void Dispose() => _directory?.Delete(recursive: true);

    private sealed class MemoryRun(List<Entry> entries) : SortedRun
    {
        private int _at = -1;
        public override SortKey Key => entries[_at].Key;
        public override ReadOnlySpan<byte> Payload => entries[_at].Chunk.AsSpan(entries[_at].Offset,
            entries[_at].Length);
        public override bool Next() => ++_at < entries.Count;
    }
}
