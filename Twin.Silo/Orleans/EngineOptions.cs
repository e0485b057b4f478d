using System.ComponentModel.DataAnnotations;
using Twin.Silo.Storage;

namespace Twin.Silo.Orleans;

/// <summary>Settings of the Orleans engine; the same on every silo of a cluster.</summary>
public sealed class EngineOptions
{
    /// <summary>Connection string of PostgreSQL: journal, twins, membership and reminders.</summary>
    public required string Database { get; init; }

    /// <summary>Days that a local day stays open for stragglers after the watermark has passed it.</summary>
    [Range(0, 35)]
    public int HorizonDays { get; init; } = 3;

    /// <summary>Minutes between journalled clock ticks.</summary>
    [Range(1, 1440)]
    public int TickMinutes { get; init; } = 15;

    /// <summary>Journalled bytes between two flushes of twins; bounds what a new epoch has to apply again.</summary>
    public long FlushBytes { get; init; } = 96L * 1024 * 1024;

    /// <summary>
    /// A grain without an order for so long is collected. Above 15 minutes, so that the twin of a meter that reports
    /// every quarter of an hour stays; one that reports once a day does not.
    /// </summary>
    public TimeSpan CollectionAge { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>
    /// Seals the ledger while the sequencer runs on this silo; null: it is not sealed then. Stays the caller's.
    /// </summary>
    public LedgerKey? LedgerKey { get; init; }

    /// <summary>What the gate speaks; another number is for tests of upgrades.</summary>
    internal int Protocol { get; init; } = GateCode.Protocol;

    /// <summary>Whether anybody observes scores.</summary>
    public bool KeepScores => OnScore is not null;

    /// <summary>
    /// Observes scores as they commit, on the silo of the sequencer: (encoded DayScore). Must be quick.
    /// </summary>
    public Action<ReadOnlyMemory<byte>>? OnScore { get; init; }
}
