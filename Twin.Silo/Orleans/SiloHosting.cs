using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>What a silo of MeterTwin needs, however the cluster is formed.</summary>
public static class SiloHosting
{
    /// <summary>Orleans looks for idle grains this often; the age must be longer.</summary>
    private static readonly TimeSpan CollectEvery = TimeSpan.FromMinutes(1);

    public static ISiloBuilder AddMeterTwin(this ISiloBuilder silo, EngineOptions options, ITwinFactory factory)
    {
        silo.Services.AddSingleton(options);
        silo.Services.AddSingleton(factory);
        silo.Services.AddSingleton(_ => new PostgresJournal(options.Database));
        silo.Services.AddSingleton<SiloTwins>();
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton<ITwinShelf>(s => s.GetRequiredService<SiloTwins>());
        silo.Services.AddPlacementDirector<SiloPlacementStrategy, SiloPlacementDirector>();
        silo.Configure<GrainCollectionOptions>(o =>
        {
            o.CollectionQuantum = options.CollectionAge > CollectEvery ? CollectEvery : options.CollectionAge / 2;
            o.CollectionAge = options.CollectionAge;
        });
        // A step of many readings is one message, and one that is judged takes its time.
        silo.Configure<SiloMessagingOptions>(o => o.MaxMessageBodySize = MaxMessageBytes);
        return silo;
    }

    /// <summary>Twice the largest batch, for what surrounds its items.</summary>
    private const int MaxMessageBytes = 2 * InputBatch.MaxBytes + 1024 * 1024;
}
