using Orleans;
using Orleans.Concurrency;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Orleans;

/// <summary>The one sequencer of a cluster. Any silo may speak to it; where it runs is Orleans' choice.</summary>
[Alias("metertwin.sequencer")]
internal interface ISequencerGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Appends a batch. <paramref name="name"/> names it: sent again under the same name, it is answered as the first
    /// time and not applied again, as long as its receipt is among the newest.
    /// </summary>
    /// <remarks>
    /// The time is short because a client does not hear that the silo behind its gateway has died: it asks again, and
    /// an append that only takes long is joined, not begun anew.
    /// </remarks>
    /// <param name="name">Chosen by the sender.</param>
    /// <param name="isRepeat">The sender does not know what became of an earlier call.</param>
    /// <param name="source">The source of the batch.</param>
    /// <param name="inputs">The inputs, each with its length before it.</param>
    [Alias("append"), ResponseTimeout("00:01:00")]
    Task<AppendAnswer> Append(Guid name, bool isRepeat, string source, Immutable<byte[]> inputs);

    /// <summary>See <see cref="Engine.Sequencer.BeginImport"/>.</summary>
    [Alias("begin-import"), ResponseTimeout("00:15:00")]
    Task BeginImport();

    [Alias("end-import"), ResponseTimeout("00:15:00")]
    Task EndImport(byte[] marks);

    [Alias("keys"), ResponseTimeout("00:01:00")]
    Task<Immutable<byte[]>> Keys(TwinKind kind, ulong after, int limit);

    /// <summary>Address of the silo that is home to a twin, and the epoch; null when there is no such twin.</summary>
    [Alias("home"), ResponseTimeout("00:01:00")]
    Task<TwinHome?> HomeOf(TwinKind kind, ulong id);

    [Alias("hash"), ResponseTimeout("01:00:00")]
    Task<string> StateHash();

    /// <summary>Stores every twin that changed.</summary>
    [Alias("settle"), ResponseTimeout("00:15:00")]
    Task Settle();

    /// <summary>Starts the engine if it does not run, looks whether silos came or went, and says how it is.</summary>
    [Alias("status"), ResponseTimeout("00:01:00")]
    Task<StatusAnswer> Status();
}

[GenerateSerializer, Immutable, Alias("metertwin.home")]
internal sealed record TwinHome([property: Id(0)] string Silo, [property: Id(1)] long Epoch);

/// <summary>The encoded receipt, or why there is none.</summary>
[GenerateSerializer, Immutable, Alias("metertwin.appended")]
internal sealed record AppendAnswer([property: Id(0)] byte[]? Receipt, [property: Id(1)] string? Problem,
    [property: Id(2)] StatusAnswer? Status);

/// <summary><see cref="FleetStatus"/> under way.</summary>
[GenerateSerializer, Immutable, Alias("metertwin.status")]
internal sealed record StatusAnswer([property: Id(0)] bool IsReady, [property: Id(1)] long Position,
    [property: Id(2)] long? WatermarkSeconds, [property: Id(3)] int? ClosedThroughDay, [property: Id(4)] long Meters,
    [property: Id(5)] long Twins, [property: Id(6)] long Readings, [property: Id(7)] long Duplicates,
    [property: Id(8)] long Revisions, [property: Id(9)] long Late, [property: Id(10)] long Rejected,
    [property: Id(11)] long Findings, [property: Id(12)] int Silos, [property: Id(13)] string? Problem)
{
    public static StatusAnswer Of(FleetStatus s) => new(s.IsReady, s.Position, s.Watermark?.Seconds,
        s.ClosedThroughDay, s.Meters, s.Twins, s.Readings, s.Duplicates, s.Revisions, s.Late, s.Rejected, s.Findings,
        s.Shards, s.StorageError);

    public FleetStatus ToStatus() => new(IsReady, OrleansFleet.EngineName, Position,
        WatermarkSeconds is { } seconds ? new UnixTime(seconds) : null, ClosedThroughDay, Meters, Twins, Readings,
        Duplicates, Revisions, Late, Rejected, Findings, Silos, Problem);
}
