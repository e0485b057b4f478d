using Twin.Ingest.Blocks;
using Twin.Ingest.Dlms;
using Twin.Ingest.Profiles;

namespace Twin.Ingest.Feed;

/// <summary>What to read, and with how much memory.</summary>
public sealed record FeedOptions
{
    /// <summary>Files, directories or patterns of readings (CSV, JSON, NDJSON; plain or gzip).</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Fleet files, in order: a later one is a dated change.</summary>
    public IReadOnlyList<string> FleetFiles { get; init; } = [];
    public IReadOnlyList<string> RegistryFiles { get; init; } = [];
    public IReadOnlyList<string> EventFiles { get; init; } = [];
    public IReadOnlyList<string> ContextFiles { get; init; } = [];

    /// <summary>Security records: releases, keys, orders, sessions, quotes.</summary>
    public IReadOnlyList<string> SecurityFiles { get; init; } = [];

    /// <summary>PEM file that certificates are held against; null: records with certificates are rejected.</summary>
    public string? TrustAnchors { get; init; }

    /// <summary>Opens the frames of <see cref="Paths"/>; without keys, ciphered frames are rejected.</summary>
    public FrameIntake Frames { get; init; } = FrameIntake.Keyless;

    /// <summary>Meter of frames that nobody named; null: such frames are rejected when they hold anything.</summary>
    public string? FrameMeter { get; init; }

    /// <summary>Zone of frame clocks that tell no distance to UTC: IANA name or offset. Null: UTC.</summary>
    public string? FrameZone { get; init; }

    /// <summary>Wh a count of energies in lists that tell no unit; null: such energies are left out.</summary>
    public int? ListEnergyWh { get; init; }

    /// <summary>For all <see cref="Paths"/>; null: each file is sniffed.</summary>
    public Profile? Profile { get; init; }

    /// <summary>Takes one JSON object a reject; null: only counted. The feed closes it.</summary>
    public Stream? Rejects { get; init; }

    /// <summary>Memory of the sort into event-time order; beyond it sorted runs go to
    /// <see cref="TempDirectory"/>.</summary>
    public long SortMemoryBytes { get; init; } = BlockSorter.DefaultMemoryBytes;

    /// <summary>Null: the system's.</summary>
    public string? TempDirectory { get; init; }

    /// <summary>Inputs a batch, 1 to 65,536. Batches depend on this and the input alone.</summary>
    public int BatchItems { get; init; } = 4096;

    /// <summary>Told now and then, from the reading thread.</summary>
    public Action<FeedProgress>? Progress { get; init; }

    /// <summary>Takes what a person should know: sniffs, files left out.</summary>
    public Action<string>? Message { get; init; }
}

/// <summary>How far a feed is. While reading, <paramref name="Appended"/> is 0; bytes are those on disk.</summary>
public readonly record struct FeedProgress(long Rows, long Readings, long BytesRead, long BytesTotal, long Appended);

/// <summary>
/// What came of a feed. Readings to late are what admission counted in this run; the rest is what reading found.
/// <paramref name="Missing"/>: intervals between each series' first and last that the feed does not fill.
/// </summary>
public sealed record FeedTotals(int Files, int Meters, long Rows, long ReadingsRead, long Readings, long Duplicates,
    long Revisions, long Late, long RejectedRows, long RejectedCells, long RejectedItems, long MissingTokens,
    long Rounded, long Missing,
    FrameTotals Frames, IReadOnlyList<string> FileErrors, IReadOnlyList<string> FirstRejects)
{
    /// <summary>Everything that could not be taken.</summary>
    public long Rejected => RejectedRows + RejectedCells + RejectedItems;
}
