using System.ComponentModel.DataAnnotations;

namespace Twin.Silo.Embedded;

/// <summary>Settings of the embedded engine.</summary>
public sealed class EmbeddedOptions
{
    /// <summary>Data directory.</summary>
    public required string DataPath { get; init; }

    /// <summary>Compute partitions; results do not depend on it. Default: processors.</summary>
    [Range(1, 64)]
    public int Shards { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 64);

    /// <summary>Days that a local day stays open for stragglers after the watermark has passed it.</summary>
    [Range(0, 35)]
    public int HorizonDays { get; init; } = 3;

    /// <summary>Days of readings kept; null: for ever.</summary>
    [Range(35, 36_525)]
    public int? RetentionDays { get; init; }

    /// <summary>Key that seals the ledger; null: <c>ledger.key</c> in the data directory. Made when there is none.
    /// </summary>
    public string? LedgerKeyFile { get; init; }

    /// <summary>Journalled bytes between two snapshots; bounds what a restart has to apply again.</summary>
    public long SnapshotBytes { get; init; } = 96L * 1024 * 1024;

    /// <summary>Write a snapshot when the fleet is disposed in good order.</summary>
    public bool SnapshotOnClose { get; init; } = true;

    /// <summary>
    /// Observes scores as they commit: (encoded DayScore). Called on the journal's thread; must be quick.
    /// </summary>
    public Action<ReadOnlyMemory<byte>>? OnScore { get; init; }
}
