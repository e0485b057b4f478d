using System.Diagnostics;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Xunit.Abstractions;

namespace Twin.Detection.Tests;

public sealed class FeederModelTests(ITestOutputHelper output)
{
    private const ulong ObserverId = 900;
    private readonly FindingList _findings = [];
    private readonly DaySubject _subject = new(new TwinKey(TwinKind.Feeder, 3), "F3", MeterRole.Customer,
        ContextFlags.None);
    private FeederModel _model = new();
    private FeederDay _last;

    /// <summary>
    /// Runs a feeder of invented homes whose observer sees the true sum plus a loss; <paramref name="tell"/> (home,
    /// day, Wh) is what a meter tells.
    /// </summary>
    private void Run(int homes, int days, double loss, Func<int, int, int[], int[]> tell, Func<int, int,
        bool>? absent = null, bool reload = false)
    {
        var source = Enumerable.Range(0, homes).Select(i => new TestHome((ulong)i + 1)).ToArray();
        var models = Enumerable.Range(0, homes + 1).Select(_ => new ReadingModel()).ToArray();
        for (var d = 0; d < days; d++)
        {
            var sum = new double[48];
            var members = new List<Member>();
            for (var h = 0; h < homes; h++)
            {
                var wh = source[h].NextDay();
                for (var s = 0; s < 48; s++) sum[s] += wh[s];
                if (absent?.Invoke(h, d) == true) continue;
                members.Add(new Member(new MeterId((ulong)h + 1), MeterRole.Customer,
                    TestHome.Fold(models[h], d, tell(h, d, wh), [])));
            }
            var observed = sum.Select(v => (int)Math.Round(v * (1 + loss))).ToArray();
            var subject = TestHome.Subject(ObserverId, role: MeterRole.Observer);
            members.Add(new Member(new MeterId(ObserverId), MeterRole.Observer,
                TestHome.Fold(models[homes], d, observed, [], subject)));
            _last = _model.Fold(TestHome.FirstDay + d, _subject, [.. members], _findings);
            if (reload) _model = Copy(_model);
        }
    }

    private static byte[] Bytes(FeederModel model)
    {
        var w = new ByteWriter();
        model.Write(w);
        return w.ToArray();
    }

    private static FeederModel Copy(FeederModel model)
    {
        var r = new ByteReader(Bytes(model));
        var copy = FeederModel.Read(ref r);
        Assert.True(r.AtEnd);
        return copy;
    }

    [Fact]
    public void An_honest_feeder_has_its_loss_and_no_suspect()
    {
        Run(20, 60, 0.04, (_, _, wh) => wh);
        Assert.Empty(_findings);
        Assert.True(_last.IsStatement);
        Assert.Equal(0.04f, _last.LossShare, 0.002f);
        Assert.Equal(0.04f, _last.UsualLossShare, 0.002f);
        Assert.Equal(0, _last.SuspectCount);
    }

    [Fact]
    public void What_panels_feed_in_is_in_the_balance_and_a_day_without_it_has_none()
    {
        const int Homes = 20, Fed = 300;
        var source = Enumerable.Range(0, Homes).Select(i => new TestHome((ulong)i + 1)).ToArray();
        var models = Enumerable.Range(0, Homes + 1).Select(_ => new ReadingModel()).ToArray();
        var actual = Enumerable.Repeat(Quality.Actual, 48).ToArray();
        var sun = Enumerable.Range(0, 48).Select(s => s is >= 20 and < 28 ? Fed : 0).ToArray();
        for (var d = 0; d < 40; d++)
        {
            var day = TestHome.Day(d);
            var sum = new int[48];
            var members = new List<Member>();
            for (var h = 0; h < Homes; h++)
            {
                var wh = source[h].NextDay();
                var features = TestHome.Fold(models[h], d, wh, []);
                for (var s = 0; s < 48; s++) sum[s] += wh[s] - (h < 2 ? sun[s] : 0);
                // On the last day one of the two tells nothing of it.
                if (h < 2) features.AddExport(h == 1 && d == 39 ? default : new DayReadings(day, 30, sun, actual));
                members.Add(new Member(new MeterId((ulong)h + 1), MeterRole.Customer, features));
            }
            var observer = TestHome.Fold(models[Homes], d, [.. sum.Select(v => (int)Math.Round(Math.Max(0, v) * 1.03))],
                [], TestHome.Subject(ObserverId, role: MeterRole.Observer));
            observer.AddExport(new DayReadings(day, 30, [.. sum.Select(v => Math.Max(0, -v))], actual));
            members.Add(new Member(new MeterId(ObserverId), MeterRole.Observer, observer));
            _last = _model.Fold(TestHome.FirstDay + d, _subject, [.. members], _findings);
            if (d == 39) break;
            Assert.True(_last.IsStatement);
            Assert.InRange(_last.LossShare, 0.02f, 0.035f);
            Assert.Equal(0, _last.SuspectCount);
        }
        Assert.False(_last.IsStatement);
        Assert.Empty(_findings);
    }

    [Fact]
    public void A_meter_that_counts_half_since_the_first_day_is_named_with_its_energy()
    {
        Run(20, 40, 0.03, (h, _, wh) => h == 6 ? [.. wh.Select(v => v / 2)] : wh);
        Assert.True(_last.SuspectCount >= 1);
        Assert.Equal(new MeterId(7), _last.Suspect(0).Meter);
        Assert.True(_last.Suspect(0).Strength > 5, $"{_last.Suspect(0).Strength}");
        var home = new TestHome(7);
        var lost = Enumerable.Range(0, 40).Average(_ => home.NextDay().Sum()) / 2;
        Assert.InRange(_last.Suspect(0).WhPerDay, 0.8 * lost, 1.2 * lost);
        Assert.Equal(_last.Suspect(0), _last.Of(new MeterId(7)));
        Assert.Equal(default, _last.Of(new MeterId(500)));
    }

    [Fact]
    public void A_theft_that_leaves_out_hours_is_named_too()
    {
        Run(20, 42, 0.03, (h, d, wh) => h == 11 && d >= 35 ? [.. wh.Select((v, s) => s is >= 30 and < 44 ? 0 : v)]
            : wh);
        Assert.True(new MeterId(12) == _last.Suspect(0).Meter,
            string.Join(" ", Enumerable.Range(0, _last.SuspectCount).Select(i => $"{_last.Suspect(i)}")));
        Assert.True(_last.Suspect(0).Strength > 5, $"{_last.Suspect(0)} {_last.Suspect(1)}");
    }

    [Fact]
    public void No_statement_without_observer_or_with_an_incomplete_or_absent_member()
    {
        Run(6, 20, 0.03, (_, _, wh) => wh, (h, d) => h == 2 && d == 19);
        Assert.False(_last.IsStatement);
        _model = new FeederModel();
        Run(6, 20, 0.03, (h, d, wh) =>
        {
            if (h == 1 && d == 19) wh[5] = ReadingBlock.Missing;
            return wh;
        });
        Assert.False(_last.IsStatement);
        var alone = new FeederModel().Fold(1, _subject,
            [new Member(new MeterId(1), MeterRole.Customer,
            new DayFeatures { Day = 1, Marks = DayMarks.Complete, TotalWh = 5 })], _findings);
        Assert.False(alone.IsStatement);
    }

    [Fact]
    public void A_member_that_left_is_forgotten_after_five_weeks()
    {
        Run(6, 60, 0.03, (_, _, wh) => wh, (h, d) => h == 2 && d >= 10);
        Assert.True(_last.IsStatement);
    }

    [Fact]
    public void A_loss_that_no_cable_has_is_one_finding_of_the_feeder()
    {
        Run(20, 50, 0.03, (h, _, wh) => h < 3 ? [.. wh.Select(v => v * 3 / 10)] : wh);
        var finding = Assert.Single(_findings);
        Assert.Equal(FindingKind.FeederLoss, finding.Kind);
        Assert.Equal(_subject.Key, finding.Subject);
        Assert.Equal(FeederModel.MaxTechnicalLoss, finding.Evidence[0].Expected, 3);
        Assert.Contains("above any technical loss", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_rises_is_one_finding_that_says_since_when()
    {
        Run(20, 80, 0.02, (h, d, wh) => h == 0 && d >= 50 ? [.. wh.Select(v => v / 2)] : wh);
        var finding = Assert.Single(_findings);
        Assert.Contains("the feeder loses", finding.Sentence, StringComparison.Ordinal);
        Assert.InRange(finding.From.Seconds, TestHome.Day(49).StartMinute * 60, TestHome.Day(52).StartMinute * 60);
    }

    [Fact]
    public void Members_with_the_same_evening_are_not_blamed_for_a_thief_among_them()
    {
        // Every meter but the thief's is right; its random share leaves half the feeder's loss unexplained.
        var random = new SplitMix64(11);
        Run(20, 60, 0.03, (h, d, wh) => h == 4 && d >= 30 ? [.. wh.Select(v => v * (2 + random.Next(7)) / 10)] : wh);
        Assert.Equal(new MeterId(5), _last.Suspect(0).Meter);
        Assert.True(_last.SuspectCount == 1 || _last.Suspect(1).Strength < 3.5f, $"{_last.Suspect(1)}");
    }

    [Fact]
    public void A_thief_who_replaces_readings_does_not_accuse_neighbours()
    {
        Run(20, 60, 0.03, (h, d, wh) => h == 4 && d >= 30 ? [.. wh.Reverse()] : wh);
        Assert.Equal(new MeterId(5), _last.Suspect(0).Meter);
        Assert.True(_last.Suspect(0).Strength > 5, $"{_last.Suspect(0)}");
        Assert.True(_last.SuspectCount == 1 || _last.Suspect(1).Strength < 3.5f, $"{_last.Suspect(1)}");
    }

    [Fact]
    public void An_evening_spread_over_the_day_is_named_as_moved()
    {
        Run(20, 60, 0.03, (h, d, wh) => h == 8 && d >= 25 ? Spread(wh) : wh);
        Assert.Equal(new MeterId(9), _last.Suspect(0).Meter);
        Assert.True(_last.Suspect(0) is { IsMoved: true, WhPerDay: > 0, Strength: > 3.5f }, $"{_last.Suspect(0)}");
    }

    /// <summary>30 % of 17 to 21 h in equal parts on the other half-hours, to the watt-hour.</summary>
    private static int[] Spread(int[] wh)
    {
        var moved = wh[34..42].Sum(v => v * 3 / 10);
        var told = wh.Select((v, s) => s is >= 34 and < 42 ? v - v * 3 / 10 : v + moved / 40).ToArray();
        told[0] += moved % 40;
        Assert.Equal(wh.Sum(), told.Sum());
        return told;
    }

    [Fact]
    public void A_weak_cut_is_named_after_forty_days()
    {
        Run(20, 60, 0.03, (h, d, wh) => h == 2 && d >= 20 ? [.. wh.Select(v => v * 85 / 100)] : wh);
        Assert.Equal(new MeterId(3), _last.Suspect(0).Meter);
        Assert.False(_last.Suspect(0).IsMoved);
    }

    [Fact]
    public void Three_honest_members_are_not_told_apart_and_not_accused()
    {
        Run(3, 60, 0.04, (_, _, wh) => wh);
        Assert.True(_last.SuspectCount == 0, $"{_last.Suspect(0)}");
    }

    /// <summary>A home that is awake by night.</summary>
    private static int[] Late(int[] wh) => [.. wh.Select((_, s) => wh[(s + 24) % 48])];

    [Fact]
    public void Two_meters_that_count_each_others_home_are_a_pair()
    {
        Run(12, 50, 0.03, (h, d, wh) => h == (d < 35 ? 9 : 2) ? Late(wh) : wh);
        var pair = _last.PairOf(new MeterId(3));
        Assert.Equal((new MeterId(3), new MeterId(10)), (pair.First, pair.Second));
        Assert.True(pair.Strength > 3, $"{pair}");
        Assert.InRange(pair.Days, 13, 15);
        Assert.Equal(pair, _last.PairOf(new MeterId(10)));
        Assert.Equal(0, _last.PairOf(new MeterId(1)).Strength);
    }

    [Fact]
    public void A_home_that_becomes_like_another_is_no_pair_with_it()
    {
        Run(12, 50, 0.03, (h, d, wh) => h == 9 || h == 2 && d >= 35 ? Late(wh) : wh);
        Assert.Equal(0, _last.PairOf(new MeterId(3)).Strength);
        Assert.Equal(0, _last.PairOf(new MeterId(10)).Strength);
    }

    [Fact]
    public void A_model_of_the_first_version_keeps_its_balance_and_weighs_anew()
    {
        Run(6, 20, 0.03, (_, _, wh) => wh);
        var w = new ByteWriter();
        w.Byte(1);
        // Counters, shares and the flag are as they were; then two members with four columns.
        w.Bytes(Bytes(_model).AsSpan(1, 3 + 16 + 1));
        w.VarUInt(2);
        for (var i = 1; i <= 2; i++)
        {
            w.UInt64((ulong)i);
            w.VarInt(TestHome.FirstDay);
        }
        w.VarUInt(4);
        for (var i = 0; i < 10 + 4 + 1; i++) w.Single(0.1f);
        w.VarInt(20);
        var r = new ByteReader(w.Written);
        var old = FeederModel.Read(ref r);
        Assert.True(r.AtEnd);
        Assert.Equal(Bytes(_model)[..20], Bytes(old)[..20]);
    }

    [Fact]
    public void A_large_feeder_keeps_its_balance_and_names_nobody()
    {
        Run(40, 30, 0.03, (h, _, wh) => h == 6 ? [.. wh.Select(v => v / 2)] : wh);
        Assert.True(_last.IsStatement);
        Assert.False(_last.IsAttributed);
        Assert.Equal(0, _last.SuspectCount);
    }

    [Fact]
    public void A_day_of_twenty_members_allocates_nothing()
    {
        Run(20, 30, 0.03, (_, _, wh) => wh);
        var members = Enumerable.Range(1, 21).Select(i =>
        {
            var f = new DayFeatures { Day = TestHome.FirstDay + 31, Marks = DayMarks.Complete, TotalWh = 1600 };
            for (var b = 0; b < DayShape.Blocks; b++) f.Blocks[b] = LogFloat.Encode(i <= 20 ? 90 + 7 * i % 20 : 2100);
            return i <= 20
                ? new Member(new MeterId((ulong)i), MeterRole.Customer, f)
                : new Member(new MeterId(ObserverId), MeterRole.Observer, f with { TotalWh = 33_000 });
        }).ToArray();
        long allocated = 0;
        var best = double.MaxValue;
        for (var round = 0; round < 300; round++)
        {
            var begin = Stopwatch.GetTimestamp();
            var before = GC.GetAllocatedBytesForCurrentThread();
            _last = _model.Fold(TestHome.FirstDay + 31, _subject, members, _findings);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            best = Math.Min(best, Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
        }
        output.WriteLine($"{best:0} us a feeder's day of 20 members (measured, best of 300)");
        Assert.True(_last.IsAttributed);
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void A_model_reloaded_every_day_ends_in_the_same_bytes()
    {
        Run(8, 40, 0.03, (h, d, wh) => h == 6 && d > 20 ? [.. wh.Select(v => v / 2)] : wh, (h, d) => h == 3
            && d is < 5 or 12);
        var bytes = Bytes(_model);
        var w = new ByteWriter();
        _last.Write(w);
        _model = new FeederModel();
        Run(8, 40, 0.03, (h, d, wh) => h == 6 && d > 20 ? [.. wh.Select(v => v / 2)] : wh, (h, d) => h == 3
            && d is < 5 or 12, true);
        Assert.Equal(bytes, Bytes(_model));
        var r = new ByteReader(w.Written);
        var again = new ByteWriter();
        FeederDay.Read(ref r, 2).Write(again);
        Assert.True(r.AtEnd);
        Assert.Equal(w.ToArray(), again.ToArray());
    }
}
