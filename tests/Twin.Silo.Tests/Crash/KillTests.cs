using System.Diagnostics;
using Twin.Hardware;
using Twin.Hardware.Emulator;
using Twin.Ingest.Generate;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Crash;

/// <summary>
/// SIGKILL at random instants of a replay: nothing acknowledged is lost, nothing applied twice. Instants are counted in
/// observed changes of the data directory, then in turns of the child. METERTWIN_LONG=1 runs the long forms,
/// METERTWIN_SEED repeats a run.
/// </summary>
public class KillTests(ITestOutputHelper output)
{
    internal static bool IsLong => Environment.GetEnvironmentVariable("METERTWIN_LONG") == "1";

    internal static ulong Seed(ITestOutputHelper output)
    {
        var seed = ulong.TryParse(Environment.GetEnvironmentVariable("METERTWIN_SEED"), out var s) ? s
            : unchecked((ulong)Stopwatch.GetTimestamp());
        output.WriteLine($"METERTWIN_SEED={seed}");
        return seed;
    }

    [Fact]
    public void A_replay_killed_at_random_instants_ends_like_an_undisturbed_one()
    {
        using var directory = new TestDirectory();
        var world = new World(new WorldOptions
        {
            Seed = 11, Meters = 150, Days = 40, IntervalMinutes = 60,
            AnomalyShare = 0.1
        });
        var files = Generator.Write(world, new GenerateOptions(directory.Path, GenerateFormat.Long, false),
            new Progress<GenerateProgress>(), default).Files;
        Kill(directory, [directory.Sub(Path.GetFileName(files[0])), "--fleet", directory.Sub("fleet.csv")], 4);
    }

    [Fact]
    [Trait("Category", "Long")]
    public void A_recorded_replay_killed_20_times_ends_like_an_undisturbed_one()
    {
        if (!IsLong || Repository.Recorded("edrp/edrp_dev.csv.gz") is not { } edrp)
        {
            output.WriteLine("Not run: it takes METERTWIN_LONG=1 and the recorded set edrp.");
            return;
        }
        using var directory = new TestDirectory();
        Kill(directory, [edrp], 20);
    }

    private void Kill(TestDirectory directory, string[] input, int kills)
    {
        var random = new SplitMix64(Seed(output));
        var watch = Stopwatch.StartNew();
        var undisturbed = directory.Sub("undisturbed");
        int changes;
        using (var child = Metertwin.Start(["replay", .. input, "--data", undisturbed, "--json"]))
        {
            changes = Watch(child, undisturbed, int.MaxValue);
            Assert.Equal(0, child.End().Exit);
        }
        var expected = Metertwin.Json("verify", "--data", undisturbed);
        output.WriteLine($"undisturbed: {changes} changes seen, {watch.Elapsed.TotalSeconds:0.0} s");
        var (done, run) = (0, 0);
        while (done < kills)
        {
            var data = directory.Sub($"run{run++}");
            // A few kills a directory, so that an instant may lie in a second or third recovery.
            for (var left = 1 + random.Next(4); left > 0 && done < kills; left--)
            {
                using var child = Metertwin.Start(["replay", .. input, "--data", data, "--json"]);
                var at = random.Next(changes + 2);
                var seen = Watch(child, data, at);
                for (var turns = random.Next(12); turns > 0 && !child.Breathe();) turns--;
                if (child.HasExited) break;
                child.Kill();
                output.WriteLine($"kill {++done} in {Path.GetFileName(data)} at change {seen}: {Length(data)} "
                    + $"bytes in the journal");
            }
            string[] rest = ["replay", .. input, "--data", data];
            Assert.Equal(expected.GetProperty("state_hash").GetString(), Metertwin.Json(rest).GetProperty("state_hash")
                .GetString());
            var verified = Metertwin.Json("verify", "--data", data);
            Assert.Equal(expected.GetProperty("state_hash").GetString(), verified.GetProperty("state_hash")
                .GetString());
            Assert.Equal(expected.GetProperty("readings").GetInt64(), verified.GetProperty("readings").GetInt64());
            Directory.Delete(data, recursive: true);
        }
        output.WriteLine($"{done} kills in {watch.Elapsed.TotalSeconds:0.0} s");
    }

    /// <summary>
    /// Waits until so many changes of the directory were seen, or the child ended; how many were seen.
    /// </summary>
    private static int Watch(Metertwin child, string data, int changes)
    {
        var seen = 0;
        var last = Stamp(data);
        while (seen < changes && !child.Breathe())
        {
            var now = Stamp(data);
            if (now != last) seen++;
            last = now;
        }
        return seen;
    }

    private static string Stamp(string data) => !Directory.Exists(data) ? "" : string.Join(' ',
        new DirectoryInfo(data).EnumerateFiles().Where(f => f.Exists)
            .Select(f => $"{f.Name} {f.LastWriteTimeUtc.Ticks}").Order());

    private static long Length(string data) => !Directory.Exists(data) ? 0
        : new DirectoryInfo(data).EnumerateFiles("journal.db*").Where(f => f.Exists).Sum(f => f.Length);
}
