using System.Diagnostics;
using Twin.Grains;

namespace Twin.Silo.Tests.Orleans;

/// <summary>Waiting for conditions, with an end.</summary>
internal static class Patience
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>Asks until it holds; fails after <see cref="Longest"/>.</summary>
    public static async Task Until(string what, Func<Task<bool>> holds)
    {
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Between);
        while (!await holds())
        {
            Assert.True(watch.Elapsed < Longest, $"It did not come to this: {what}.");
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Sends until it is acknowledged: while the database is away, nothing is.</summary>
    public static async Task<AppendReceipt> SendUntilTaken(this IFleet fleet, InputBatch batch)
    {
        AppendReceipt? receipt = null;
        await Until("the append is acknowledged", async () =>
        {
            try
            {
                receipt = await fleet.Append(batch, default);
                return true;
            }
            catch (StorageUnavailableException)
            {
                return false;
            }
        });
        return receipt!;
    }
}
