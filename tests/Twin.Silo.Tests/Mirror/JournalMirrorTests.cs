using System.Globalization;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Ingest.Mirror;
using Twin.Silo.Embedded;
using Twin.Silo.Mirror;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Mirror;

/// <summary>What a mirror does whatever its server is.</summary>
public sealed class JournalMirrorTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly MemoryStore _store = new();

    public void Dispose()
    {
        _store.Dispose();
        _directory.Dispose();
    }

    /// <summary>A clock that stands until it is moved.</summary>
    private sealed class Clock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => _now;

        public void Move(int seconds) => _now += TimeSpan.FromSeconds(seconds);
    }

    private static JournalMirror Mirror(EmbeddedFleet fleet, IMirrorStore store, TimeProvider? clock = null) =>
        new(MirrorService.Source(fleet), store, clock ?? TimeProvider.System, 1) { PageBytes = 1_000 };

    private static async Task All(JournalMirror mirror)
    {
        while (await mirror.Step(default)) { }
    }

    [Fact]
    public async Task Appends_go_on_while_the_server_does_not_answer()
    {
        var answer = new TaskCompletionSource();
        _store.Before = () => answer.Task;
        await using var fleet = Feed.Open(_directory.Sub("data"));
        await fleet.Send(Feed.Days("s", 5, 0, 1));
        var mirror = Mirror(fleet, _store);
        var stuck = Task.Run(() => mirror.Step(default));
        for (var day = 1; day < 50; day++) await fleet.Send(Feed.Days("s", 5, day, day + 1));
        // All of that was committed, closed and sealed beside a write that has no answer.
        await fleet.Compact();
        Assert.False(stuck.IsCompleted);
        Assert.Equal((0, 0), (mirror.Status().Position, _store.Written));
        Assert.Equal(fleet.Journal.Position, mirror.Status().Lag);
        answer.SetResult();
        await stuck;
        await All(mirror);
        for (var m = 0; m < 5; m++)
            Assert.Equal(MirrorCheck.None with { Readings = 50 * 24 },
                await MirrorCheck.Of(MirrorService.Source(fleet), _store, Feed.Meter(m), default));
    }

    [Fact]
    public async Task A_process_that_is_started_anew_goes_on_where_the_last_one_was()
    {
        await using var fleet = Feed.Open(_directory.Sub("data"));
        await fleet.Send(Feed.Days("s", 4, 0, 10));
        await All(Mirror(fleet, _store));
        Assert.Equal(4 * 10 * 24, _store.Points.Keys.Count(k => k.Series.StartsWith("metering")));
        var sent = _store.Written;
        var again = Mirror(fleet, _store);
        await All(again);
        Assert.Equal((sent, 0), (_store.Written, again.Status().Points));
        await fleet.Send(Feed.Days("s", 4, 10, 11));
        await All(again);
        // A day of readings, and the scores of the day that closed by it.
        Assert.Equal((sent + 4 * 24 + 4, 4 * 24 + 4), (_store.Written, again.Status().Points));
        Assert.Empty(fleet.Journal.CheckLedger(_ => { }));
    }

    [Fact]
    public async Task A_mirror_that_is_made_again_is_the_same()
    {
        await using var fleet = Feed.Open(_directory.Sub("data"));
        await fleet.Send(Feed.Days("s", 4, 0, 40));
        await All(Mirror(fleet, _store));
        using var other = new MemoryStore();
        MirrorReaders.Of(_store).Reset(fleet.Journal);
        // Sealed meanwhile: parts of days have become segments.
        await fleet.Compact();
        await All(Mirror(fleet, other));
        Assert.Equal(_store.Points.OrderBy(p => p.Key), other.Points.OrderBy(p => p.Key));
    }

    [Fact]
    public async Task What_a_server_took_shortly_before_it_was_started_anew_is_sent_again()
    {
        using var store = new MemoryStore { Settles = TimeSpan.FromSeconds(30) };
        var clock = new Clock();
        await using var fleet = Feed.Open(_directory.Sub("data"));
        var mirror = Mirror(fleet, store, clock);
        await fleet.Send(Feed.Days("s", 2, 0, 1));
        await All(mirror);
        var sure = fleet.Journal.Position;
        clock.Move(20);
        await fleet.Send(Feed.Days("s", 2, 1, 2));
        await All(mirror);
        clock.Move(11);
        await All(mirror);
        Assert.Equal(sure, fleet.Journal.Cursor(MirrorReaders.Of(store).Readings));
        // It loses the second day, and nobody writes to it meanwhile.
        foreach (var key in store.Points.Keys.Where(k => k.At >= (Feed.FirstDay + 1) * 86_400L).ToList())
            store.Points.Remove(key);
        (store.Incarnated, var written) = ("second", store.Written);
        clock.Move(20);
        await All(mirror);
        await All(mirror);
        Assert.Equal(2 * 24, store.Written - written);
        Assert.Equal(MirrorCheck.None with { Readings = 2 * 24 },
            await MirrorCheck.Of(MirrorService.Source(fleet), store, Feed.Meter(1), default));
        clock.Move(31);
        await All(mirror);
        Assert.Equal(fleet.Journal.Position, fleet.Journal.Cursor(MirrorReaders.Of(store).Readings));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1_000)]
    public async Task Scores_are_those_that_were_stated_whether_seen_each_day_or_caught_up_with(int everyDays)
    {
        var stated = new Dictionary<(string, long), string>();
        await using var fleet = EmbeddedFleet.Open(new EmbeddedOptions
        {
            DataPath = _directory.Sub("data"), Shards = 2,
            OnScore = bytes =>
            {
                var s = DayScore.Read(bytes.Span);
                stated[($"score,meter={s.Meter}", s.Day * 86_400L)] = "score="
                    + s.Score.ToString("R", CultureInfo.InvariantCulture);
            },
        }, new TwinFactory(), _ => { });
        var days = Feed.World(11, 25, 120, out var registry);
        await fleet.Send(registry);
        var mirror = Mirror(fleet, _store);
        for (var day = 0; day < days.Count; day++)
        {
            await fleet.Send(Feed.Batch("world", [.. days[day]]));
            if ((day + 1) % everyDays == 0) await All(mirror);
        }
        await All(mirror);
        Assert.True(stated.Count > 25 * 100);
        Assert.Equal(stated.OrderBy(p => p.Key), _store.Points.Where(p => p.Key.Series.StartsWith("score"))
            .OrderBy(p => p.Key));
    }

    [Fact]
    public async Task Every_reported_finding_is_a_point()
    {
        await using var fleet = Feed.Open(_directory.Sub("data"));
        var days = Feed.World(12, 40, 150, out var registry);
        await fleet.Send(registry);
        foreach (var day in days) await fleet.Send(Feed.Batch("world", [.. day]));
        await fleet.Send(Feed.Batch("host", new Sweep(new UnixTime((Feed.FirstDay + 400) * 86_400L))));
        await All(Mirror(fleet, _store));
        var reported = fleet.Ledger.Entries(0, 10_000).Where(e => e.Entry.Kind == LedgerKind.Report)
            .Select(e => Twin.Grains.Cases.Report.Read(e.Entry.Body).Finding).OfType<Finding>()
            .Select(f => $"{f.Id}").Distinct().Count();
        Assert.True(reported > 0, "the feed has no finding");
        Assert.Equal(reported, _store.Points.Keys.Count(k => k.Series.StartsWith("finding,")));
    }

    [Fact]
    public async Task After_a_failure_it_goes_on_behind_what_was_taken()
    {
        var answers = new Queue<bool>([true, true, false, true]);
        _store.Before = () => !answers.TryDequeue(out var ok) || ok ? Task.CompletedTask
            : throw new MirrorException("it is away.");
        await using var fleet = Feed.Open(_directory.Sub("data"));
        await fleet.Send(Feed.Days("s", 60, 0, 20));
        var mirror = new JournalMirror(MirrorService.Source(fleet), _store, TimeProvider.System, 1);
        await Assert.ThrowsAsync<MirrorException>(() => mirror.Step(default));
        Assert.InRange(mirror.Status().Points, 2 * MirrorLimits.BatchPoints, 2 * MirrorLimits.BatchPoints + 48);
        await All(mirror);
        var readings = _store.Points.Keys.Count(k => k.Series.StartsWith("metering"));
        Assert.Equal(60 * 20 * 24, readings);
        // Nothing that was taken was sent twice.
        Assert.Equal(_store.Points.Count, _store.Written);
    }
}
