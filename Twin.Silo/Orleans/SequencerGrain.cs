using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;
using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Engine;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>
/// Runs the engine of the cluster, and begins it anew when a silo fails a step, comes or goes. Two of these at once
/// harm nobody: the epoch lets only the later one commit.
/// </summary>
[Reentrant]
[CollectionAgeLimit(AlwaysActive = true)]
internal sealed class SequencerGrain(IGrainFactory grains, PostgresJournal journal, ITwinFactory factory,
    EngineOptions options,
    ILogger<SequencerGrain> log) : Grain, ISequencerGrain
{
    /// <summary>How often the members of the cluster are looked at.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>A silo that does not answer in this time gets no twins.</summary>
    private static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Epochs begun for one call before it is told that the cluster is not there.</summary>
    private const int MaxAttempts = 30;

    /// <summary>Appends given to the sequencer at once; half of its queue.</summary>
    private const int MaxAppends = Sequencer.MaxWaiting / 2;

    private readonly SemaphoreSlim _starting = new(1), _places = new(MaxAppends);
    private readonly TimeProvider _time = TimeProvider.System;
    private ClusterEngine? _engine;

    /// <summary>Silos that answered when the epoch began.</summary>
    private HashSet<string> _members = [];

    /// <summary>The grain ends here; another silo goes on.</summary>
    private bool _isLeaving;

    /// <summary>Appends under way, so that one sent again meanwhile is not applied beside itself.</summary>
    private readonly Dictionary<Guid, Task<AppendAnswer>> _underWay = [];

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(Look, new GrainTimerCreationOptions(LookEvery, LookEvery) { Interleave = true });
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isLeaving = true;
        await _starting.WaitAsync(cancellationToken);
        var last = _engine;
        _engine = null;
        _starting.Release();
        if (last is not { } engine) return;
        await Task.Run(async () =>
        {
            if (engine.Sequencer.Error is null)
                await Try(engine.Settle(), "The twins were not stored at the end of an epoch ({Reason}); the journal "
                    + "has everything.");
            engine.Dispose();
        }, CancellationToken.None).WaitAsync(cancellationToken);
    }

    private async Task Try(Task work, string otherwise)
    {
        try
        {
            await work;
        }
        catch (Exception e)
        {
            log.LogWarning(otherwise, e.Message);
        }
    }

    /// <summary>
    /// Why the engine stopped for good: twins failed over an input, and would again. Null when it did not.
    /// </summary>
    private string? _broken;

    /// <summary>The running engine; begins one when there is none or it has failed.</summary>
    private async Task<ClusterEngine> Running()
    {
        if (_broken is { } why) throw new StorageUnavailableException(why, null);
        if (_isLeaving) throw Leaves();
        if (_engine is { Sequencer.IsStopped: false } running) return running;
        await _starting.WaitAsync();
        try
        {
            if (_isLeaving) throw Leaves();
            if (_engine is { Sequencer.IsStopped: false } begun) return begun;
            if (_engine is { } failed)
            {
                log.LogWarning(failed.Sequencer.Failure, "Epoch {Epoch} ended: {Reason}", failed.Epoch,
                    failed.Sequencer.Error);
                if (failed.Sequencer.Failure is { } e && !Passing.Is(e))
                    throw new StorageUnavailableException(_broken = failed.Sequencer.Error!, e);
                _engine = null;
                await Task.Run(failed.Dispose);
            }
            return _engine = await Begin(isSettled: false);
        }
        finally
        {
            _starting.Release();
        }
    }

    private static OtherEpochException Leaves() => new("The sequencer leaves this silo. Ask again.");

    private async Task<ClusterEngine> Begin(bool isSettled)
    {
        var members = await Members();
        var greetings = await Task.WhenAll(members.Select(async silo => (Silo: silo, Hello: await Greet(silo))));
        var able = greetings.Where(g => g.Hello?.Protocol == options.Protocol).ToList();
        if (able.Count == 0)
            throw new StorageUnavailableException("No silo of the cluster answers. Send it again.", null);
        // Silos of another judging version get no twins: the version in force stays as long as one silo has it.
        // What this silo last knew of the journal may be old: the sequencer has been elsewhere.
        var inForce = await Task.Run(() =>
        {
            journal.TakeOver();
            return journal.JudgingVersion;
        });
        var version = able.Select(g => g.Hello!.JudgingVersion).Where(v => v >= inForce).DefaultIfEmpty(0).Min();
        if (version == 0)
            throw new DataDirectoryException($"The journal was judged by version {inForce}; all silos of the cluster "
                + "judge by older ones. Start silos of the newer MeterTwin that wrote it.", null);
        string[] silos = [.. able.Where(g => g.Hello!.JudgingVersion == version).Select(g => g.Silo)
            .Order(StringComparer.Ordinal)];
        var engine = await Task.Run(() =>
            new ClusterEngine(grains, journal, factory, options, silos, version, isSettled));
        _members = [.. greetings.Where(g => g.Hello is not null).Select(g => g.Silo)];
        log.LogInformation("Epoch {Epoch} began on {Silos} silos, judging version {Version}", engine.Epoch,
            silos.Length, version);
        return engine;
    }

    private async Task<string[]> Members()
    {
        var hosts = await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true);
        return [.. hosts.Keys.Select(s => s.ToParsableString()).Order(StringComparer.Ordinal)];
    }

    private async Task<GateHello?> Greet(string silo)
    {
        try
        {
            return await grains.GetGrain<ISiloGate>(silo).Hello().WaitAsync(HelloTimeout, _time);
        }
        catch (Exception e)
        {
            log.LogInformation("Silo {Silo} does not answer: {Reason}", silo, e.Message);
            return null;
        }
    }

    /// <summary>A silo came or went: an epoch ends in good order, if it can, and the next begins.</summary>
    private async Task Look(CancellationToken cancel)
    {
        if (_isLeaving || _broken is not null) return;
        if (_engine is not { Sequencer.IsStopped: false })
        {
            await Try(Running(), "No new epoch yet: {Reason}");
            return;
        }
        if (!await _starting.WaitAsync(0, cancel)) return;
        try
        {
            if (_engine is not { Sequencer.IsStopped: false } engine || !await HaveMembersChanged()) return;
            log.LogInformation("The members of the cluster changed: epoch {Epoch} ends", engine.Epoch);
            var isSettled = await Task.Run(async () =>
            {
                try
                {
                    return await engine.Settle();
                }
                catch (Exception)
                {
                    return false;
                }
                finally
                {
                    engine.Dispose();
                }
            }, cancel);
            _engine = null;
            _engine = await Begin(isSettled);
        }
        catch (Exception e)
        {
            log.LogWarning("No new epoch yet: {Reason}", e.Message);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>True when a silo that takes part has gone, or one that does not now answers.</summary>
    private async Task<bool> HaveMembersChanged()
    {
        var now = await Members();
        if (!_members.IsSubsetOf(now)) return true;
        var greetings = await Task.WhenAll(now.Where(silo => !_members.Contains(silo)).Select(Greet));
        return greetings.Any(hello => hello is not null);
    }

    /// <summary>Does something with the running engine; a failed step begins a new epoch and does it again.</summary>
    private async Task<T> With<T>(Func<ClusterEngine, int, Task<T>> work)
    {
        for (var attempt = 1; ; attempt++)
        {
            ClusterEngine? engine = null;
            try
            {
                engine = await Running();
                return await work(engine, attempt);
            }
            catch (Exception e) when (_isLeaving && e is not OtherEpochException)
            {
                throw Leaves();
            }
            catch (Exception e) when (attempt < MaxAttempts && _broken is null && !_isLeaving
                && e is not DataDirectoryException && (engine is null || engine.Sequencer.IsStopped))
            {
                log.LogInformation("Attempt {Attempt} failed: {Reason}", attempt, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(100 * attempt, 1000)), _time);
            }
        }
    }

    public async Task<AppendAnswer> Append(Guid name, bool isRepeat, string source, Immutable<byte[]> inputs)
    {
        if (_underWay.TryGetValue(name, out var first)) return await first;
        var append = AppendOnce(name, isRepeat, source, inputs);
        if (append.IsCompleted) return await append;
        _underWay[name] = append;
        try
        {
            return await append;
        }
        finally
        {
            _underWay.Remove(name);
        }
    }

    private async Task<AppendAnswer> AppendOnce(Guid name, bool isRepeat, string source, Immutable<byte[]> inputs)
    {
        try
        {
            var receipt = await With((engine, attempt) =>
                Append(engine, name, isRepeat || attempt > 1, source, inputs));
            return new AppendAnswer(receipt, null, Now());
        }
        catch (Exception e) when (e is not OtherEpochException || !_isLeaving)
        {
            return new AppendAnswer(null, e.Message, _engine is null ? null : Now());
        }
    }

    private async Task<byte[]> Append(ClusterEngine engine, Guid name, bool isRepeat, string source,
        Immutable<byte[]> inputs)
    {
        if (isRepeat && await Task.Run(() => new ClusterStore(journal).Receipt(name)) is { } known) return known;
        var batch = ReadBatch(source, inputs.Value);
        // Fewer than the sequencer's queue holds, so that this never waits on the grain's scheduler; and in order, so
        // that appends of one sender stay in theirs.
        await _places.WaitAsync();
        try
        {
            return (await engine.Sequencer.Append(batch, name, CancellationToken.None)).ToBytes();
        }
        finally
        {
            _places.Release();
        }
    }

    public async Task BeginImport() => await With((engine, _) => engine.Sequencer.BeginImport());

    public async Task EndImport(byte[] marks) => await With((engine, _) => engine.Sequencer.EndImport(marks));

    private static InputBatch ReadBatch(string source, byte[] inputs)
    {
        var batch = new InputBatch(source);
        var r = new ByteReader(inputs);
        while (!r.AtEnd) batch.Add(r.Blob());
        return batch;
    }

    private StatusAnswer? Now() => _engine is { } engine
        ? StatusAnswer.Of(engine.Sequencer.Status(OrleansFleet.EngineName)) : null;

    public async Task<Immutable<byte[]>> Keys(TwinKind kind, ulong after, int limit)
    {
        var keys = await With((engine, _) => engine.Keys(kind, after, limit));
        var to = new ByteWriter(keys.Length * 9);
        foreach (var key in keys) KeyCode.Write(to, key);
        return new(to.ToArray());
    }

    public Task<TwinHome?> HomeOf(TwinKind kind, ulong id) => With(async (engine, _) =>
        await engine.HomeOf(new TwinKey(kind, id)) is { } silo ? new TwinHome(silo, engine.Epoch) : null);

    public async Task Settle() => await With((engine, _) => engine.Settle());

    public Task<string> StateHash() => With((engine, _) => engine.StateHash());

    public async Task<StatusAnswer> Status() =>
        _broken is not null ? Now()! : await With((_, _) => Task.FromResult(Now()!));
}
