using System.Text;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Ingest.Mirror;
using Twin.Silo.Embedded;
using Twin.Silo.Mirror;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Mirror;

/// <summary>The suite that every kind of store passes, against servers of Debian.</summary>
public sealed class MirrorServerTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static JournalMirror Mirror(EmbeddedFleet fleet, IMirrorStore store) =>
        new(MirrorService.Source(fleet), store, TimeProvider.System, 1) { PageBytes = 4_096 };

    private static async Task All(JournalMirror mirror)
    {
        while (await mirror.Step(default)) { }
    }

    private static async Task<MirrorDifference> Difference(EmbeddedFleet fleet, IMirrorStore store, int meters)
    {
        var total = MirrorCheck.None;
        for (var m = 0; m < meters; m++)
            total += await MirrorCheck.Of(MirrorService.Source(fleet), store, Feed.Meter(m), default);
        return total;
    }

    private static byte[] Hour(int meter, int day, int slot, int value, Quality quality)
    {
        var bytes = new ByteWriter();
        ReadingBlock.WriteRaw(bytes, Feed.Meter(meter), Channel.Import, Feed.Interval,
            (Feed.FirstDay + day) * 1440L + slot * Feed.Interval, [value], [quality], 0);
        return bytes.ToArray();
    }

    [Theory, Server("influx1"), Server("victoria")]
    public async Task The_server_holds_what_the_journal_holds_after_revisions_late_readings_and_an_erasure(string kind)
    {
        using var server = await MirrorServer.Start(kind);
        using var store = server.Store();
        await using var fleet = Feed.Open(_directory.Sub("data"));
        var mirror = Mirror(fleet, store);
        await fleet.Send(Feed.Days("s", 3, 0, 1));
        // A day in two parts with a revision between them, and an estimate that is confirmed lower.
        await fleet.Send(Feed.Batch("s", Feed.Block(0, 1, 0, 12), Hour(1, 1, 0, 900, Quality.Estimated)));
        await All(mirror);
        await fleet.Send(Feed.Batch("s", Hour(0, 1, 3, 7, Quality.Actual), Hour(1, 1, 0, 20, Quality.Actual)));
        await fleet.Send(Feed.Batch("s", Feed.Block(0, 1, 12, 24)));
        await All(mirror);
        Assert.Equal(MirrorCheck.None with { Readings = 3 * 24 + 24 + 1 }, await Difference(fleet, store, 3));
        // The days close; then a late reading, and a late revision.
        await fleet.Send(Feed.Days("s", 3, 2, 20));
        await fleet.Send(Feed.Batch("s", Hour(1, 1, 5, 33, Quality.Suspect), Hour(2, 3, 7, 1, Quality.Actual)));
        await All(mirror);
        const int stored = 3 * 24 + 24 + 1 + 3 * 18 * 24 + 1;
        Assert.Equal(MirrorCheck.None with { Readings = stored }, await Difference(fleet, store, 3));
        await fleet.Erase(Feed.Meter(2), Feed.FirstDay + 10, "asked for");
        var before = await Difference(fleet, store, 3);
        Assert.Equal((stored - 9 * 24, 9L * 24), (before.Readings, before.Surplus));
        await All(mirror);
        Assert.Equal(MirrorCheck.None with { Readings = stored - 9 * 24 }, await Difference(fleet, store, 3));
        await fleet.Erase(Feed.Meter(2), Feed.FirstDay + 100, "all of it");
        await All(mirror);
        Assert.Equal(MirrorCheck.None with { Readings = stored - 19 * 24 }, await Difference(fleet, store, 3));
        Assert.Equal(0, mirror.Status().Lag);
    }

    [Theory, Server("influx1"), Server("victoria")]
    public async Task A_server_killed_for_a_while_in_the_middle_of_a_feed_loses_nothing_and_holds_up_nobody(string kind)
    {
        const int meters = 20;
        using var server = await MirrorServer.Start(kind);
        using var store = server.Store();
        await using var fleet = Feed.Open(_directory.Sub("data"));
        var mirror = Mirror(fleet, store);
        for (var day = 0; day < 20; day++)
        {
            await fleet.Send(Feed.Days("s", meters, day, day + 1));
            await All(mirror);
        }
        // It dies while it is being written to: whether it took the batch nobody knows.
        for (var day = 20; day < 30; day++) await fleet.Send(Feed.Days("s", meters, day, day + 1));
        var torn = mirror.Step(default);
        server.Kill();
        await Record.ExceptionAsync(() => torn);
        for (var day = 30; day < 45; day++)
        {
            Assert.Equal(meters, (await fleet.Send(Feed.Days("s", meters, day, day + 1))).Items.Length);
            await Assert.ThrowsAsync<MirrorException>(() => mirror.Step(default));
        }
        Assert.True(mirror.Status().Lag > 0);
        await server.Start();
        for (var day = 45; day < 60; day++)
        {
            await fleet.Send(Feed.Days("s", meters, day, day + 1));
            await mirror.Step(default);
        }
        await All(mirror);
        Assert.Equal((fleet.Journal.Position, 0), (mirror.Status().Position, mirror.Status().Lag));
        Assert.Equal(MirrorCheck.None with { Readings = meters * 60 * 24 }, await Difference(fleet, store, meters));
    }

    [Theory, Server("influx1"), Server("victoria")]
    public async Task Whatever_a_thing_is_called_the_server_takes_it_and_gives_it_back(string kind)
    {
        using var server = await MirrorServer.Start(kind);
        using var store = server.Store();
        const ulong seed = 20_260_101;
        var chance = new SplitMix64(seed);
        string[] pieces = [",", "=", " ", "\\", "\n", "\r", "\t", "\"", "'", "\u00e6", "\U0001F50C", "a", "i", "#", "{",
            "\0"];
        var expected = new HashSet<string>();
        var lines = new LineWriter();
        for (var i = 0; i < 300; i++)
        {
            var name = new StringBuilder("n");
            for (var n = chance.Next(12); n > 0; n--) name.Append(pieces[chance.Next(pieces.Length)]);
            lines.Finding(Named(name.ToString(), i));
            expected.Add(string.Concat(name.ToString().Select(c => c == '\\' || char.IsControl(c) ? '_' : c)));
        }
        await store.Write(lines.Lines, default);
        Assert.Equal(expected.Order(StringComparer.Ordinal),
            (await server.FindingNames()).Order(StringComparer.Ordinal));
    }

    /// <summary>There is no package of InfluxDB 2 here; VictoriaMetrics is written to in the same way.</summary>
    [Theory, Server("victoria")]
    public async Task What_is_written_as_to_influxdb_2_is_there(string kind)
    {
        using var server = await MirrorServer.Start(kind);
        using IMirrorStore writes = Edition.Mirrors["influx2"](new MirrorTarget(server.Url, "utility/meters", "token")),
            reads = server.Store();
        await using var fleet = Feed.Open(_directory.Sub("data"));
        await fleet.Send(Feed.Days("s", 3, 0, 30));
        await All(Mirror(fleet, writes));
        Assert.Equal(MirrorCheck.None with { Readings = 3 * 30 * 24 }, await Difference(fleet, reads, 3));
        server.Kill();
        await fleet.Send(Feed.Days("s", 3, 30, 31));
        await Assert.ThrowsAsync<MirrorException>(() => Mirror(fleet, writes).Step(default));
    }

    private static Finding Named(string name, int i) => Soc.Samples.Finding(name) with
    {
        From = new UnixTime(Feed.FirstDay * 86_400L + i),
    };

    [Theory, Server("influx1"), Server("victoria")]
    public async Task What_the_server_refuses_is_said_and_sent_again(string kind)
    {
        using var server = await MirrorServer.Start(kind);
        using var store = kind == "influx1" ? new InfluxMirror(new MirrorTarget(server.Url, "elsewhere", null), false)
            : Edition.Mirrors[kind](new MirrorTarget(new Uri(server.Url, "elsewhere"), "", null));
        await using var fleet = Feed.Open(_directory.Sub("data"));
        var mirror = Mirror(fleet, store);
        await fleet.Send(Feed.Days("s", 1, 0, 1));
        for (var tries = 0; tries < 2; tries++)
        {
            var refusal = await Assert.ThrowsAsync<MirrorException>(() => mirror.Step(default));
            Assert.StartsWith($"mirror {server.Url.AbsoluteUri.TrimEnd('/')}", refusal.Message);
        }
        Assert.Equal((0, 0), (mirror.Status().Position, mirror.Status().Points));
    }
}
