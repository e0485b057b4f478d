using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Xunit.Abstractions;

namespace Twin.Detection.Tests;

public sealed class ReadingModelTests(ITestOutputHelper output)
{
    private static byte[] Bytes(ReadingModel model)
    {
        var w = new ByteWriter();
        model.Write(w);
        return w.ToArray();
    }

    private static ReadingModel Copy(ReadingModel model)
    {
        var r = new ByteReader(Bytes(model));
        var copy = ReadingModel.Read(ref r);
        Assert.True(r.AtEnd);
        return copy;
    }

    /// <summary>
    /// A wild but plausible past: gaps, estimates, zeros, other intervals, days of other length, jumps over days.
    /// </summary>
    private static List<(int Index, int[] Wh, Quality Quality, int Minutes, ContextFlags Context)> WildDays(int seed,
        int count)
    {
        var random = new SplitMix64((ulong)seed);
        var home = new TestHome((ulong)seed);
        var days = new List<(int, int[], Quality, int, ContextFlags)>();
        var index = 0;
        for (var i = 0; i < count; i++)
        {
            index += random.Next(12) == 0 ? 1 + random.Next(4) : 1;
            var minutes = random.Next(20) switch { 0 => 1380, 1 => 1500, _ => 1440 };
            int[] intervals = [30, 30, 30, 15, 60, 5];
            var wh = home.NextDay(minutes / intervals[random.Next(6)]);
            if (random.Next(8) == 0) wh.AsSpan(random.Next(wh.Length / 2), wh.Length / 3).Fill(ReadingBlock.Missing);
            if (random.Next(15) == 0) Array.Clear(wh);
            if (random.Next(20) == 0) wh[3] = 50_000;
            var context = random.Next(25) == 0 ? (ContextFlags)(1 << random.Next(5)) : ContextFlags.None;
            days.Add((index, wh, random.Next(10) == 0 ? Quality.Estimated : Quality.Actual, minutes, context));
        }
        return days;
    }

    [Fact]
    public void What_is_read_is_what_was_written_and_goes_on_alike() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(1, 1_000_000).ToArbitrary(), seed =>
        {
            var model = new ReadingModel();
            ReadingModel? copy = null;
            foreach (var (index, wh, quality, minutes, context) in WildDays(seed, 60))
            {
                var subject = TestHome.Subject(context: context);
                if (index % 7 == 0) copy = Copy(model);
                FindingList ours = [], theirs = [];
                var features = TestHome.Fold(model, index, wh, ours, subject, quality, minutes);
                var verdict = model.Judge(features, subject, null, null, ours);
                if (copy is null) continue;
                var again = TestHome.Fold(copy, index, wh, theirs, subject, quality, minutes);
                var verdictAgain = copy.Judge(again, subject, null, null, theirs);
                if (verdict != verdictAgain || !Bytes(model).AsSpan().SequenceEqual(Bytes(copy))) return false;
                if (!ours.Select(f => f.Sentence).SequenceEqual(theirs.Select(f => f.Sentence))) return false;
            }
            return true;
        }));

    [Fact]
    public void Folding_ahead_of_judging_changes_nothing() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(1, 1_000_000).ToArbitrary(), seed =>
        {
            ReadingModel together = new(), apart = new();
            FindingList a = [], b = [];
            var waiting = new Queue<(DayFeatures, DaySubject)>();
            var random = new SplitMix64((ulong)seed);
            List<DayVerdict> first = [], second = [];
            foreach (var (index, wh, quality, minutes, context) in WildDays(seed, 60))
            {
                var subject = TestHome.Subject(context: context);
                first.Add(together.Judge(TestHome.Fold(together, index, wh, a, subject, quality, minutes), subject,
                    null, null, a));
                waiting.Enqueue((TestHome.Fold(apart, index, wh, b, subject, quality, minutes), subject));
                while (waiting.Count > random.Next(5))
                {
                    var (features, about) = waiting.Dequeue();
                    second.Add(apart.Judge(features, about, null, null, b));
                }
            }
            while (waiting.TryDequeue(out var w)) second.Add(apart.Judge(w.Item1, w.Item2, null, null, b));
            return first.SequenceEqual(second) && Bytes(together).AsSpan().SequenceEqual(Bytes(apart))
                && a.Select(f => f.Id).Order().SequenceEqual(b.Select(f => f.Id).Order());
        }));

    [Fact]
    public void Features_survive_their_encoding()
    {
        var model = new ReadingModel();
        foreach (var (index, wh, quality, minutes, context) in WildDays(7, 40))
        {
            var features = TestHome.Fold(model, index, wh, [], TestHome.Subject(context: context), quality, minutes);
            var w = new ByteWriter();
            features.Write(w);
            var r = new ByteReader(w.Written);
            var back = DayFeatures.Read(ref r);
            Assert.True(r.AtEnd);
            var again = new ByteWriter();
            back.Write(again);
            Assert.Equal(w.ToArray(), again.ToArray());
            Assert.True(w.Length <= 280, $"{w.Length} bytes");
        }
    }

    [Fact]
    public void A_model_of_the_first_version_keeps_its_profile_and_judges_anew()
    {
        var model = new ReadingModel();
        var home = new TestHome(3);
        for (var d = 0; d < 30; d++) TestHome.Fold(model, d, home.NextDay(), []);
        // Version, 290 bytes of profile; what lies behind it had another length.
        const int Profile = 1 + 3 * 48 * 2 + 2;
        var now = Bytes(model);
        var w = new ByteWriter();
        w.Byte(1);
        w.Bytes(now.AsSpan(1, Profile - 1));
        default(ValidationRules).Write(w);
        default(RecentDays).Write(w);
        w.UInt16(LogFloat.Encode(120));
        w.Bytes(new byte[DayJudgement.FirstVersionBytes]);
        var r = new ByteReader(w.Written);
        var old = ReadingModel.Read(ref r);
        Assert.True(r.AtEnd);
        Assert.Equal(now.AsSpan(1, Profile - 1), Bytes(old).AsSpan(1, Profile - 1));
        var features = TestHome.Fold(old, 30, home.NextDay(), []);
        Assert.Equal(LogFloat.Decode(LogFloat.Encode(120)), features.ExpectedNightW);
        Assert.True(features.Has(DayMarks.Warm));
        Assert.Equal("warm_up", old.Judge(features, TestHome.Subject0, null, null, new FindingList()).Top);
    }

    [Fact]
    public void Features_of_the_first_version_still_read()
    {
        var w = new ByteWriter();
        w.Bool(true);
        w.VarInt(77);
        w.VarInt(77 * 1440);
        w.VarInt(1440);
        w.UInt16((ushort)(DayMarks.Usable | DayMarks.Warm));
        for (var i = 1; i <= 8; i++) w.Single(i);
        w.Bytes(new byte[64]);
        var r = new ByteReader(w.Written);
        var f = DayFeatures.Read(ref r);
        Assert.True(r.AtEnd);
        Assert.Equal((77, 1f, 2f, 3f, 4f, 5f, 7f, 8f, 0f), (f.Day, f.TotalWh, f.ExpectedWh, f.NightW, f.ExpectedNightW,
            f.Roughness, f.ZeroShare, f.ShapeDistance, f.TopW));
    }

    [Fact]
    public void A_newer_or_damaged_encoding_is_refused()
    {
        var bytes = Bytes(new ReadingModel());
        bytes[0]++;
        Assert.Contains("version 3", Assert.Throws<InvalidDataException>(() => Read(bytes)).Message,
            StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => Read(Bytes(new ReadingModel())[..100]));

        static ReadingModel Read(byte[] bytes)
        {
            var r = new ByteReader(bytes);
            return ReadingModel.Read(ref r);
        }
    }

    [Fact]
    public void A_model_takes_at_most_512_bytes_and_an_ordinary_day_allocates_nothing()
    {
        var models = new ReadingModel[1000];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < models.Length; i++) models[i] = new ReadingModel();
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / models.Length;
        output.WriteLine($"{each} bytes of heap a model, {Bytes(models[0]).Length} bytes encoded");
        Assert.True(each <= 512, $"{each} bytes a model");

        var home = new TestHome(3);
        var days = Enumerable.Range(0, 120).Select(_ => home.NextDay()).ToArray();
        var qualities = Enumerable.Repeat(Quality.Actual, 48).ToArray();
        var findings = new FindingList();
        long allocated = 0;
        const int Rounds = 400;
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var begin = Stopwatch.GetTimestamp();
            before = GC.GetAllocatedBytesForCurrentThread();
            for (var d = 0; d < days.Length; d++)
            {
                var today = new DayReadings(TestHome.Day(d), 30, days[d], qualities);
                var features = models[round].Fold(today, TestHome.Subject0, findings);
                models[round].Judge(features, TestHome.Subject0, null, null, findings);
            }
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            best = Math.Min(best, Stopwatch.GetElapsedTime(begin).TotalNanoseconds / (days.Length * 48));
        }
        output.WriteLine(
            $"{best:0} ns a reading for fold and judge (measured, best of {Rounds} rounds of {days.Length} days)");
        Assert.Empty(findings);
        Assert.Equal(0, allocated);
    }
}
