using Twin.Hardware;
using Twin.Hardware.Coding;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

/// <summary>Properties over seeded fleets; each assertion names the seed that repeats it.</summary>
public sealed class MeterPropertyTests
{
    private const int Seeds = 60;
    private const int Days = 9;
    private const int Horizon = 3;

    private static readonly string[] Zones = ["UTC", "Australia/Sydney", "Europe/London", "+05:30"];

    /// <summary>Blocks of two meters by day, with gaps, and the registry rows before them.</summary>
    private sealed class Fleet
    {
        public readonly List<Input> Registry = [];
        public readonly List<List<byte[]>> ByDay = [];
        public readonly int FirstDay;

        public Fleet(ulong seed)
        {
            var draw = SplitMix64.For(seed, "fleet");
            // around 2024-03-31 and 2024-04-07, when London and Sydney set their clocks
            FirstDay = 19808 + draw.Next(4);
            for (var d = 0; d < Days; d++) ByDay.Add([]);
            for (var m = 0; m < 2; m++)
            {
                var meter = MeterId.FromUtilityId($"P-{m}");
                var zone = Zones[draw.Next(Zones.Length)];
                var interval = draw.Next(2) == 0 ? 30 : 15;
                Registry.Add(new MeterSeen(meter, $"P-{m}", zone, 2));
                if (draw.Next(3) > 0) Registry.Add(Relation(meter));
                ZoneRules.TryGet(zone, out var rules);
                for (var d = draw.Next(2); d < Days; d++) Fill(ByDay[d], meter, rules.Day(FirstDay + d), interval,
                    draw);
            }
        }

        private static void Fill(List<byte[]> blocks, MeterId meter, LocalDay day, int interval, SplitMix64 draw)
        {
            var slots = day.Minutes / interval;
            if (draw.Next(8) == 0) return;
            var values = Enumerable.Range(0, slots).Select(_ => draw.Next(900)).ToArray();
            if (draw.Next(4) == 0) values.AsSpan(draw.Next(slots), 1).Fill(ReadingBlock.Missing);
            var qualities = Enumerable.Repeat(draw.Next(3) == 0 ? Quality.Estimated : Quality.Actual, slots).ToArray();
            var stamp = draw.Next(4) == 0 ? 1000 + draw.Next(9) : 0;
            for (var from = 0; from < slots;)
            {
                var count = draw.Next(2) == 0 ? slots - from : 1 + draw.Next(slots - from);
                var part = values[from..(from + count)];
                if (part.Any(v => v != ReadingBlock.Missing))
                    blocks.Add(Raw(day.StartMinute + from * interval, part, interval, qualities[from..(from + count)],
                        stamp, meter: meter));
                from += count;
            }
        }
    }

    /// <summary>
    /// Feeds a fleet: the days of a horizon shuffled among each other when <paramref name="shuffle"/> is given, some
    /// blocks sent twice.
    /// </summary>
    private static TwinHarness Feed(Fleet fleet, SplitMix64? shuffle, Action<TwinHarness> afterStep)
    {
        var harness = new TwinHarness();
        foreach (var row in fleet.Registry) harness.Append(row);
        for (var first = 0; first < Days; first += Horizon)
        {
            var blocks = fleet.ByDay.Skip(first).Take(Horizon).SelectMany(b => b).ToList();
            if (shuffle is not null) Shuffle(blocks, shuffle);
            foreach (var block in blocks)
            {
                harness.Append(block);
                afterStep(harness);
            }
            for (var d = first - Horizon; d < first; d++) harness.Close(fleet.FirstDay + d);
            afterStep(harness);
        }
        return harness;
    }

    private static void Shuffle(List<byte[]> blocks, SplitMix64 draw)
    {
        foreach (var again in blocks.Where(_ => draw.Next(3) == 0).ToArray()) blocks.Add(again);
        for (var i = blocks.Count - 1; i > 0; i--)
        {
            var k = draw.Next(i + 1);
            (blocks[i], blocks[k]) = (blocks[k], blocks[i]);
        }
    }

    private static string Hex(TwinHarness harness) => Convert.ToHexString(harness.AllStates());

    [Fact]
    public void Order_and_repeats_within_the_horizon_leave_no_trace()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var fleet = new Fleet(seed);
            var straight = Feed(fleet, null, _ => { });
            var shuffled = Feed(fleet, SplitMix64.For(seed, "shuffle"), _ => { });
            Assert.True(Hex(straight) == Hex(shuffled), $"States differ while days are open: seed {seed}.");
            for (var d = 0; d < Days + 2; d++)
            {
                straight.Close(fleet.FirstDay + d);
                shuffled.Close(fleet.FirstDay + d);
            }
            Assert.True(Hex(straight) == Hex(shuffled), $"States differ when all days have closed: seed {seed}.");
            Assert.True(straight.Scores.SequenceEqual(shuffled.Scores), $"Scores differ: seed {seed}.");
            Assert.True(straight.Scores.Count > 0, $"Nothing was scored: seed {seed}.");
            Assert.True(straight.Findings.Select(f => f.Id).Order().SequenceEqual(shuffled.Findings.Select(f =>
                f.Id).Order()),
                $"Findings differ: seed {seed}.");
        }
    }

    [Fact]
    public void A_journal_rebuilds_the_same_twins()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var lived = Feed(new Fleet(seed), SplitMix64.For(seed, "shuffle"), _ => { });
            Assert.True(Hex(lived) == Hex(TwinHarness.Replay(lived.Journal)),
                $"The rebuilt twins differ: seed {seed}.");
        }
    }

    [Fact]
    public void A_twin_goes_on_from_its_snapshot_as_if_it_had_never_stopped()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var fleet = new Fleet(seed);
            var draw = SplitMix64.For(seed, "snapshot");
            var straight = Feed(fleet, null, _ => { });
            var restored = Feed(fleet, null, h =>
            {
                if (draw.Next(4) > 0) return;
                foreach (var key in h.Keys.ToArray())
                {
                    var state = h.State(key);
                    h[key] = h.Factory.Restore(key, state);
                    Assert.True(state.AsSpan().SequenceEqual(h.State(key)),
                        $"{key} does not write what it read: seed {seed}.");
                }
            });
            Assert.True(Hex(straight) == Hex(restored), $"A restored twin went another way: seed {seed}.");
        }
    }

    [Fact]
    public void Sums_and_counts_are_those_of_the_stored_readings()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var draw = SplitMix64.For(seed, "sums");
            var harness = new TwinHarness();
            var truth = new Dictionary<int, int>();
            AppendTotals total = default;
            for (var step = 0; step < 40; step++)
            {
                if (draw.Next(8) == 0) harness.Close(Day0 + step / 8);
                var slot = draw.Next(48 * 5);
                var values = Enumerable.Range(0, 1 + draw.Next(60)).Select(_ => draw.Next(3)).ToArray();
                var a = harness.Append(Raw(Day0 * 1440L + slot * 30, values));
                total = new AppendTotals(total.Readings + a.Readings, total.Duplicates + a.Duplicates, total.Revisions
                    + a.Revisions, total.Late + a.Late, 0);
                Assert.True(a.Readings + a.Duplicates + a.Revisions == values.Length,
                    $"A reading was lost: seed {seed}, step {step}.");
                for (var i = 0; i < values.Length; i++) truth[slot + i] = values[i];
                var import = MeterView.From(Meter.Twin, harness.State(Meter.Twin)).Import!;
                Assert.True((import.Stored, import.Sum) == (truth.Count, truth.Values.Sum(v => (long)v)),
                    $"Sums are off: seed {seed}, step {step}.");
            }
            var view = MeterView.From(Meter.Twin, harness.State(Meter.Twin)).Import!;
            Assert.Equal((total.Readings, total.Late), (view.Stored, view.Late));
            Assert.Equal(truth.Keys.Max() + 1 - truth.Keys.Min() - truth.Count, view.Missing);
        }
    }

    [Fact]
    public void Damaged_bytes_give_a_clear_error_and_nothing_else()
    {
        var (refused, passed) = (0, 0);
        for (ulong seed = 1; seed <= 12; seed++)
        {
            var lived = Feed(new Fleet(seed), null, _ => { });
            lived.Append(new DeviceEvent(MeterId.FromUtilityId("P-0"), new UnixTime(0), "zeus", "boot", ""));
            lived.Append(new ContextPeriod(MeterId.FromUtilityId("P-0").Twin, ContextKind.Outage, new UnixTime(0),
                new UnixTime(1L << 32), ""));
            var draw = SplitMix64.For(seed, "damage");
            for (var i = 0; i < 200; i++)
            {
                var key = MeterId.FromUtilityId($"P-{draw.Next(2)}").Twin;
                var input = Damage(lived.Journal[draw.Next(lived.Journal.Count)], draw);
                var (state, mail) = (lived.State(key), Damage(lived.Sent[draw.Next(lived.Sent.Count)].Body, draw));
                Action[] tries =
                [
                    () => lived.Factory.Restore(key, state).Admit(input, lived, new Nowhere()),
                    () => lived.Factory.Restore(key, state).Apply(input, new TwinHarness.Outbox(lived, key, [])),
                    () => lived.Factory.Restore(key, Damage(state, draw)).Write(new ByteWriter()),
                    () => lived.Factory.Create(new TwinKey(TwinKind.Cohort, 1)).Receive(new OneMail(key, mail),
                        new TwinHarness.Outbox(lived, key, [])),
                    () => lived.Factory.Restore(key, state).Receive(new OneMail(key, mail),
                        new TwinHarness.Outbox(lived, key, [])),
                ];
                foreach (var attempt in tries)
                {
                    var error = Record.Exception(attempt);
                    Assert.True(error is null or InvalidDataException, $"Seed {seed}, try {i}: {error}");
                    _ = error is null ? passed++ : refused++;
                }
            }
        }
        Assert.True(refused > 500
            && passed > 500, $"{refused} refused, {passed} passed: the damage is not of both sorts.");
    }

    private static byte[] Damage(byte[] bytes, SplitMix64 draw)
    {
        var damaged = bytes.ToArray();
        if (draw.Next(4) == 0) return damaged[..draw.Next(damaged.Length)];
        for (var n = 1 + draw.Next(3); n > 0; n--) damaged[draw.Next(damaged.Length)] = (byte)draw.Next(256);
        return damaged;
    }

    private sealed class Nowhere : IAccepted
    {
        public void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable) { }
    }

    private sealed class OneMail(TwinKey from, byte[] body) : IInbox
    {
        public int Count => 1;
        public Mail this[int index] => new(from, body);
    }
}
