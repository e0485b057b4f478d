using Orleans.Runtime;
using Orleans.Serialization;
using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

/// <summary>
/// Tells failures of machines and networks, after which the same step may succeed, from those of twins.
/// </summary>
internal static class Passing
{
    public static bool Is(Exception e) => e switch
    {
        AggregateException all => all.InnerExceptions.Any(Is),
        OrleansException or TimeoutException or OperationCanceledException or ObjectDisposedException => true,
        OtherEpochException or StaleEpochException or StorageUnavailableException or IOException => true,
        UnavailableExceptionFallbackException far => far.ExceptionType?.Contains("Unavailable",
            StringComparison.Ordinal) ?? false,
        _ => false,
    };
}
