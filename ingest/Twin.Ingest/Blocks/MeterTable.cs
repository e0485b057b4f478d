using System.Text;
using Twin.Hardware;

namespace Twin.Ingest.Blocks;

/// <summary>A meter of the feed: what it is called, where it keeps its days, and when it first speaks.</summary>
public sealed class FeedMeter(string name, MeterId id)
{
    public string Name { get; } = name;
    public MeterId Id { get; } = id;

    /// <summary>Zone that the source declares; empty for none. <see cref="ZoneRank"/> as in
    /// <see cref="MeterSeen"/>.</summary>
    public string Zone { get; private set; } = "";
    public byte ZoneRank { get; private set; }

    /// <summary>UTC day of the earliest input.</summary>
    public int FirstDay { get; set; } = int.MaxValue;

    private long _zoneFrom = long.MaxValue;

    /// <summary>
    /// Takes a zone: the higher rank wins, then the earlier row (not the first in the file: a shuffled file tells the
    /// same).
    /// </summary>
    public void Declare(string zone, byte rank, long minute)
    {
        if (rank < ZoneRank) return;
        var later = minute > _zoneFrom || (minute == _zoneFrom && string.CompareOrdinal(zone, Zone) >= 0);
        if (rank == ZoneRank && later) return;
        (Zone, ZoneRank, _zoneFrom) = (zone, rank, minute);
    }

    public MeterSeen ToInput() => new(Id, Name, Zone, ZoneRank);
}

/// <summary>
/// Meters by the bytes of their name, without a string per look-up. Two names on one id are an error (DESIGN, "Meter").
/// Bound: <see cref="MaxMeters"/>; beyond it the feed stops with a clear error.
/// </summary>
public sealed class MeterTable
{
    public const int MaxMeters = 4_000_000;
    public const int MaxNameBytes = 128;

    private readonly Dictionary<string, FeedMeter> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FeedMeter>.AlternateLookup<ReadOnlySpan<char>> _byChars;
    private readonly Dictionary<MeterId, FeedMeter> _byId = [];

    public MeterTable() => _byChars = _byName.GetAlternateLookup<ReadOnlySpan<char>>();

    public int Count => _byId.Count;
    public IEnumerable<FeedMeter> All => _byId.Values;

    /// <summary>Finds or adds; null when the name is empty, too long or no UTF-8.</summary>
    /// <exception cref="FormatError">Another name has the same id, or the table is full.</exception>
    public FeedMeter? Find(string file, ReadOnlySpan<byte> utf8)
    {
        utf8 = utf8.Trim(" \t"u8);
        if (utf8.Length is 0 or > MaxNameBytes) return null;
        Span<char> chars = stackalloc char[MaxNameBytes];
        if (!Encoding.UTF8.TryGetChars(utf8, chars, out var n)) return null;
        return _byChars.TryGetValue(chars[..n], out var meter) ? meter : Find(file, chars[..n].ToString());
    }

    /// <summary>The same by text.</summary>
    public FeedMeter? Find(string file, string text)
    {
        var name = text.Trim();
        if (name.Length == 0 || name.Contains('\uFFFD') || Encoding.UTF8.GetByteCount(name) > MaxNameBytes) return null;
        if (_byName.TryGetValue(name, out var known)) return known;
        var id = MeterId.ParseOrMap(name);
        if (_byId.TryGetValue(id, out var other))
            throw new FormatError(file, $"meters '{other.Name}' and '{name}' have the same id {id}.",
                "Rename one of them.");
        if (_byId.Count >= MaxMeters) throw new FormatError(file, $"holds more than {MaxMeters} meters.",
            "Split the feed.");
        var meter = new FeedMeter(name, id);
        _byName.Add(name, meter);
        _byId.Add(id, meter);
        return meter;
    }
}
