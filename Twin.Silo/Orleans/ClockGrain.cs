using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>The one clock of a cluster: the wall clock enters as journalled ticks and sweeps, by a reminder.</summary>
[Alias("metertwin.clock")]
internal interface IClockGrain : IGrainWithIntegerKey, IRemindable
{
    /// <summary>Sees to it that the clock goes, whichever silos come and go.</summary>
    [Alias("start")]
    Task Start();
}

internal sealed class ClockGrain(IGrainFactory grains, PostgresJournal journal, ITwinFactory factory,
    EngineOptions options, TimeProvider time, ILogger<ClockGrain> log) : Grain, IClockGrain
{
    private const string Name = "clock";

    /// <summary>
    /// How often twins that wait for others are told that all up to now is in; Orleans allows no less.
    /// </summary>
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly OrleansFleet _fleet = new(grains, journal, factory, time);

    /// <summary>The stretch of <see cref="EngineOptions.TickMinutes"/> in which it last ticked.</summary>
    private long? _stretch;

    public Task Start() => this.RegisterOrUpdateReminder(Name, Period, Period);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var batch = new InputBatch("host");
        // Never early: a clock that moved to another silo waits for the next stretch.
        var stretch = now / (60L * options.TickMinutes);
        if (_stretch is { } last && stretch != last) batch.Add(new Tick(new UnixTime(now)));
        _stretch = stretch;
        batch.Add(new Sweep(new UnixTime(now)));
        try
        {
            await _fleet.Append(batch, CancellationToken.None);
        }
        catch (StorageUnavailableException e)
        {
            log.LogWarning("No tick: {Reason}", e.Message);
        }
    }
}
