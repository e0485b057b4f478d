using System.Security.Cryptography;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;
using Polly;
using Polly.Retry;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Grains.Orleans;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Engine;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>
/// The fleet as seen from any silo: appends go to the sequencer, twins are read from their grains, findings and
/// readings from PostgreSQL. A call that meets a failing silo is made again.
/// </summary>
public sealed class OrleansFleet : IFleet
{
    public const string EngineName = "orleans";

    private readonly IGrainFactory _grains;
    private readonly PostgresJournal _journal;
    private readonly ITwinFactory _factory;
    private readonly ISequencerGrain _sequencer;
    private readonly ResiliencePipeline _again;
    private FleetStatus _status;

    /// <summary>
    /// Appends of this door go one behind another: calls between silos may overtake each other, and what a sender sent
    /// first must come first. The sequencer takes one at a time anyway.
    /// </summary>
    private readonly SemaphoreSlim _turn = new(1);

    internal OrleansFleet(IGrainFactory grains, PostgresJournal journal, ITwinFactory factory, TimeProvider time)
    {
        (_grains, _journal, _factory) = (grains, journal, factory);
        _sequencer = grains.GetGrain<ISequencerGrain>(0);
        _status = new FleetStatus(false, EngineName, 0, null, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, "The engine starts.");
        // Two minutes in all: longer than the cluster takes to see that a silo is dead.
        _again = new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder()
                .Handle<Exception>(e => e is not StorageUnavailableException && Passing.Is(e)),
            MaxRetryAttempts = 60, BackoffType = DelayBackoffType.Exponential, UseJitter = true,
            Delay = TimeSpan.FromMilliseconds(50), MaxDelay = TimeSpan.FromSeconds(3),
        }).Build();
    }

    /// <summary>Waits until the engine of the cluster runs.</summary>
    /// <param name="grains">Of a silo or a client of the cluster.</param>
    /// <param name="journal">The cluster's journal, to be read from here; stays the caller's.</param>
    /// <param name="factory">Makes twins, for what they were in the past.</param>
    /// <param name="time">Clock of the pauses between attempts.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<OrleansFleet> Open(IGrainFactory grains, PostgresJournal journal, ITwinFactory factory,
        TimeProvider time, CancellationToken cancel)
    {
        var fleet = new OrleansFleet(grains, journal, factory, time);
        await fleet.Look(cancel);
        return fleet;
    }

    /// <summary>Asks the engine how it is, and starts it if need be.</summary>
    public async Task Look(CancellationToken cancel) =>
        _status = (await _again.ExecuteAsync(async _ => await _sequencer.Status(), cancel)).ToStatus();

    public FleetStatus Status => Volatile.Read(ref _status);

    public async ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel)
    {
        if (batch.Count > InputBatch.MaxItems || batch.ByteCount > InputBatch.MaxBytes)
            throw new ArgumentException($"A batch holds at most {InputBatch.MaxItems} items and {InputBatch.MaxBytes} "
                + $"bytes; send it in parts.", nameof(batch));
        await _turn.WaitAsync(cancel);
        try
        {
            return await AppendParts(batch, cancel);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// What speaks to the engine itself goes alone: then an append is applied as a whole or not at all.
    /// </summary>
    private async Task<AppendReceipt> AppendParts(InputBatch batch, CancellationToken cancel)
    {
        var items = new List<Admission>(batch.Count);
        long position = 0;
        for (var from = 0; from < batch.Count || from == 0;)
        {
            var to = from;
            while (to < batch.Count && !IsControl(batch[to])) to++;
            if (to == from && to < batch.Count) to++;
            var receipt = await Append(batch, from, to, cancel);
            items.AddRange(receipt.Items);
            position = receipt.Position;
            if ((from = to) == 0) break;
        }
        return new AppendReceipt([.. items], position);
    }

    /// <summary>Inputs of one append of an import.</summary>
    private const int ImportItems = 16_384;

    /// <summary>
    /// Takes in the journal of another engine, from its beginning, into an empty cluster: the same inputs in the same
    /// order, so the same twins and findings.
    /// </summary>
    /// <param name="source">The other journal; nobody may be writing to it.</param>
    /// <param name="progress">Hears the position reached.</param>
    /// <param name="cancel">Gives up; the database must be emptied then.</param>
    /// <exception cref="DataDirectoryException">The journal cannot be taken in.</exception>
    public async Task Import(IJournal source, Action<long> progress, CancellationToken cancel)
    {
        if (source.Tombstones().Count > 0)
            throw new DataDirectoryException("Readings were erased from the journal: its twins cannot be rebuilt from "
                + "its beginning. Keep it with the embedded engine, or replay the files of its telemetry.", null);
        await _sequencer.BeginImport();
        var waiting = System.Threading.Channels.Channel.CreateBounded<(InputBatch Batch, long Position)>(4);
        var reading = Task.Run(async () =>
        {
            var batch = new InputBatch("import");
            source.Read(0, (position, input) =>
            {
                batch.Add(input);
                if (batch.Count < ImportItems && batch.ByteCount < InputBatch.MaxBytes / 4) return;
                waiting.Writer.WriteAsync((batch, position), cancel).AsTask().GetAwaiter().GetResult();
                batch = new InputBatch("import");
            });
            if (batch.Count > 0) await waiting.Writer.WriteAsync((batch, source.Position), cancel);
        }, cancel);
        _ = reading.ContinueWith(t => waiting.Writer.TryComplete(t.Exception), TaskScheduler.Default);
        await foreach (var (batch, position) in waiting.Reader.ReadAllAsync(cancel))
        {
            var receipt = await Append(batch, cancel);
            if (Array.FindIndex(receipt.Items, a => a.Status == AdmissionStatus.Rejected) is >= 0 and var item)
                throw new DataDirectoryException($"The import stopped near position {position}: "
                    + $"{receipt.Items[item].Reason} Empty the database (drop schema metertwin cascade) and begin "
                    + "again.", null);
            progress(position);
        }
        await reading;
        await _sequencer.EndImport(source.Marks);
        var end = new InputBatch("host");
        end.Add(new JudgingVersion(_factory.JudgingVersion, ZoneRules.TzdbVersion));
        await Append(end, cancel);
    }

    private static bool IsControl(ReadOnlySpan<byte> input)
    {
        try
        {
            return Envelope.Read(input).Target.Id == TwinKey.Everyone;
        }
        catch (InvalidDataException)
        {
            // The sequencer rejects it with its reason.
            return false;
        }
    }

    private async Task<AppendReceipt> Append(InputBatch batch, int from, int to, CancellationToken cancel)
    {
        var inputs = new ByteWriter(batch.ByteCount + 4 * (to - from) + 16);
        for (var i = from; i < to; i++) inputs.Blob(batch[i]);
        var bytes = new Immutable<byte[]>(inputs.ToArray());
        var name = new Guid(RandomNumberGenerator.GetBytes(16));
        var isRepeat = false;
        var answer = await _again.ExecuteAsync(async _ =>
        {
            var repeat = isRepeat;
            isRepeat = true;
            return await _sequencer.Append(name, repeat, batch.Source, bytes);
        }, cancel);
        if (answer.Status is { } status) Volatile.Write(ref _status, status.ToStatus());
        return answer.Receipt is { } receipt ? AppendReceipt.Read(receipt)
            : throw new StorageUnavailableException(answer.Problem ?? "The engine does not answer.", null);
    }

    public async ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel)
    {
        var through = Past.Through(_journal, asOf.KnownAt);
        if (asOf.At is not null || through < long.MaxValue)
            return PastTwin.Rebuild(_journal, _factory, key, asOf.At, through);
        return await _again.ExecuteAsync(async _ =>
        {
            if (await _sequencer.HomeOf(key.Kind, key.Id) is not { } home) return null;
            var state = await _grains.GetGrain<ISiloGate>(home.Silo).Read(home.Epoch, key.Kind, key.Id);
            return state.Value.Length == 0 ? null : state.Value;
        }, cancel);
    }

    public async ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel)
    {
        var bytes = await _again.ExecuteAsync(async _ =>
            await _sequencer.Keys(kind, after, Math.Clamp(limit, 0, 100_000)), cancel);
        return ReadKeys(bytes.Value);
    }

    private static List<TwinKey> ReadKeys(byte[] bytes)
    {
        var keys = new List<TwinKey>();
        var r = new ByteReader(bytes);
        while (!r.AtEnd) keys.Add(KeyCode.Read(ref r));
        return keys;
    }

    public ILedgerSource Ledger => _journal;

    public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) =>
        ValueTask.FromResult(_journal.Findings(Past.Known(_journal, query)));

    public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
        DayVisitor visit, CancellationToken cancel)
    {
        _journal.Series(meter, channel, fromDay, toDay, Past.Through(_journal, knownAt), visit);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
        UnixTime? knownAt, CancellationToken cancel) =>
        ValueTask.FromResult(Past.Publications(_journal, from, fromDay, toDay, knownAt));

    public async ValueTask<string> StateHash(CancellationToken cancel) =>
        await _again.ExecuteAsync(async _ => await _sequencer.StateHash(), cancel);

    /// <summary>Stores every twin that changed: the next start has nothing to apply again.</summary>
    public Task Settle() => _sequencer.Settle();

    public ValueTask DisposeAsync()
    {
        _turn.Dispose();
        return ValueTask.CompletedTask;
    }
}
