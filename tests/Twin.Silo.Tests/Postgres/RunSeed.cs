using System.Diagnostics;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Postgres;

/// <summary>The seed of a run, printed, and given again by METERTWIN_SEED.</summary>
internal static class RunSeed
{
    public static ulong Of(ITestOutputHelper output)
    {
        var seed = ulong.TryParse(Environment.GetEnvironmentVariable("METERTWIN_SEED"), out var s) ? s
            : unchecked((ulong)Stopwatch.GetTimestamp());
        output.WriteLine($"METERTWIN_SEED={seed}");
        return seed;
    }
}
