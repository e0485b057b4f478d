using System.Globalization;
using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Emulator;

namespace Twin.Silo.Bench;

/// <summary>
/// What all detectors cost on one core, without the engine around them: readings (fold and judgement with the slow
/// reference), cohort, feeders with an observer and their lots, firmware and lot drift from a fingerprint a day, and
/// the bar that the fleet learns. Days are generated before the clock runs.
/// </summary>
internal sealed class DetectorBench(BenchRun bench)
{
    private const int Feeders = 20, PerFeeder = 20, Meters = Feeders * PerFeeder, Days = 70, Rounds = 5;

    /// <summary>2009-03-02, a Monday.</summary>
    private const int FirstDay = 14_305;
    private const double LossFactor = 1.03;
    private const string Model = "M1";
    private static readonly string[] Lots = ["L1", "L2", "L3"];
    private static readonly string[] Paths = ["DC-1", "DC-2"];

    /// <summary>Parts of the sum, each timed apart.</summary>
    private enum Part { Readings, Groups, Drift, Calibration }

    private readonly int[] _slots = new int[(Meters + Feeders) * Days * BenchLoad.SlotsPerDay];
    private readonly Quality[] _qualities =
        [.. Enumerable.Repeat(Quality.Actual, BenchLoad.SlotsPerDay)];
    private readonly TimeSpan[] _spent = new TimeSpan[4];

    private sealed class Counted : IFindingSink
    {
        public int Findings { get; private set; }
        public void Add(Finding finding) => Findings++;
    }

    public void Run()
    {
        bench.Say("detectors");
        Generate();
        var rounds = new List<(double All, double[] Parts)>();
        var sink = new Counted();
        for (var round = 0; round <= Rounds; round++)
        {
            Array.Clear(_spent);
            sink = new Counted();
            new Round(this, sink).Play();
            const double readings = (double)(Meters + Feeders) * Days * BenchLoad.SlotsPerDay;
            double[] parts = [.. _spent.Select(t => t.TotalNanoseconds / readings)];
            // The first round compiles.
            if (round > 0) rounds.Add((parts.Sum(), parts));
        }
        rounds.Sort((a, b) => a.All.CompareTo(b.All));
        var (all, of) = rounds[Rounds / 2];
        bench.AtMost("all detectors, one core", "ns/reading", 400, all, string.Create(CultureInfo.InvariantCulture,
            $"{Meters} meters on {Feeders} feeders with observers x {Days} days of 48, a fingerprint a day, median of "
                + $"{Rounds} (readings {of[(int)Part.Readings]:0}, cohort and feeders {of[(int)Part.Groups]:0}, "
                + $"firmware and lots {of[(int)Part.Drift]:0}, calibration {of[(int)Part.Calibration]:0}); "
                + $"{sink.Findings} findings"));
    }

    private Span<int> DayOf(int meter, int day) =>
        _slots.AsSpan((meter * Days + day) * BenchLoad.SlotsPerDay, BenchLoad.SlotsPerDay);

    /// <summary>Meters first, then the feeders' observers: the sum of their members and a technical loss.</summary>
    private void Generate()
    {
        for (var day = 0; day < Days; day++)
            for (var m = 0; m < Meters; m++)
            {
                BenchLoad.FillDay(1, (ulong)m, day, DayOf(m, day));
                var observer = DayOf(Meters + m / PerFeeder, day);
                for (var s = 0; s < observer.Length; s++) observer[s] += DayOf(m, day)[s];
                if (m % PerFeeder < PerFeeder - 1) continue;
                for (var s = 0; s < observer.Length; s++) observer[s] = (int)(LossFactor * observer[s]);
            }
    }

    /// <summary>One run from empty models to the last day.</summary>
    private sealed class Round(DetectorBench bench, Counted sink)
    {
        private readonly ReadingModel[] _models =
            [.. Enumerable.Range(0, Meters + Feeders).Select(_ => new ReadingModel())];
        private readonly FeederModel[] _feeders = [.. Enumerable.Range(0, Feeders).Select(_ => new FeederModel())];
        private readonly FeederLots[] _lots = [.. Enumerable.Range(0, Feeders).Select(_ => new FeederLots())];
        private readonly FirmwareDrift[] _drifts = [.. Enumerable.Range(0, Meters).Select(_ => new FirmwareDrift())];
        private readonly Overcount[] _overcounts = new Overcount[Meters];
        private readonly AnchorBaseline[] _anchors = new AnchorBaseline[Meters];
        private readonly ushort[] _blocks = new ushort[Meters];
        private readonly CohortModel _cohort = new();
        private readonly BehaviourModel _behaviour = new();
        private readonly LotBalance _balance = new();
        private readonly ScoreSketch _sketch = new();
        private readonly Member[] _members = new Member[Meters];
        private readonly Member[] _onFeeder = new Member[PerFeeder + 1];
        private readonly FeederDay[] _said = new FeederDay[Feeders];
        private readonly SplitMix64 _draw = new(5);
        private AlarmBar _bar = new(AlarmBar.Fixed, [(FindingKind.LevelShift, 1.1)]);

        private static MeterId Id(int meter) => new((ulong)meter + 1);

        private static DaySubject Subject(int meter) => new(Id(meter).Twin, "bench",
            meter < Meters ? MeterRole.Customer : MeterRole.Observer, ContextFlags.None);

        public void Play()
        {
            for (var day = 0; day < Days; day++)
            {
                var d = ZoneRules.Utc.Day(FirstDay + day);
                var observers = new DayFeatures[Feeders];
                Timed(Part.Readings, () => Fold(d, day, observers));
                CohortDay cohort = default;
                Timed(Part.Groups, () =>
                {
                    cohort = _cohort.Fold(d.Number, _members);
                    for (var f = 0; f < Feeders; f++) Balance(f, d.Number, observers[f]);
                });
                Timed(Part.Readings, () => Judge(cohort));
                var prints = Prints(UnixTime.FromMinutes(d.StartMinute + d.Minutes));
                Timed(Part.Drift, () => Drift(prints, d.Number));
                Timed(Part.Calibration, () => Calibrate(d.Number));
            }
        }

        private void Timed(Part part, Action act)
        {
            // Time of this process on a core: whoever else uses the machine does not count.
            var from = Environment.CpuUsage.TotalTime;
            act();
            bench._spent[(int)part] += Environment.CpuUsage.TotalTime - from;
        }

        private void Fold(LocalDay d, int day, DayFeatures[] observers)
        {
            for (var m = 0; m < Meters + Feeders; m++)
            {
                var features = _models[m].Fold(new DayReadings(d, 30, bench.DayOf(m, day), bench._qualities),
                    Subject(m), sink);
                if (m < Meters) _members[m] = new Member(Id(m), MeterRole.Customer, features);
                else observers[m - Meters] = features;
            }
        }

        private void Balance(int feeder, int day, in DayFeatures observer)
        {
            _members.AsSpan(feeder * PerFeeder, PerFeeder).CopyTo(_onFeeder);
            _onFeeder[PerFeeder] = new Member(Id(Meters + feeder), MeterRole.Observer, observer);
            _said[feeder] = _feeders[feeder].Fold(day, Subject(Meters + feeder), _onFeeder, sink);
        }

        private void Judge(CohortDay cohort)
        {
            for (var m = 0; m < Meters; m++)
            {
                var features = _members[m].Features;
                var said = _said[m / PerFeeder];
                var subject = Subject(m) with { Bar = _bar };
                var verdict = _models[m].Judge(features, subject, cohort, said, sink);
                _blocks[m] = Math.Max(_blocks[m], LogFloat.Encode((float)verdict.Score));
                _overcounts[m].Take(features, subject, cohort, said, sink);
                _anchors[m].Take(features, subject, new SlowPeers(8_000, said.LossShare, said.MissingWh, Meters), sink);
            }
        }

        private Fingerprint[] Prints(UnixTime at) =>
        [
            .. Enumerable.Range(0, Meters).Select(m => new Fingerprint(Id(m), at, 7,
            [
                .. Enumerable.Range(0, Fingerprint.Features)
                    .Select(f => (float)(10 * f + m % 7 + _draw.NextDouble())),
            ])),
        ];

        private void Drift(Fingerprint[] prints, int day)
        {
            var self = new Party(TwinKey.Named(TwinKind.Cohort, Model), Model);
            for (var m = 0; m < Meters; m++)
            {
                _drifts[m].Take(prints[m], out _);
                _behaviour.Take(new DevicePrint(new Party(Id(m).Twin, "bench"), prints[m].At, prints[m].Image, 1,
                    Lots[m % 3], Paths[m % 2], 1f, prints[m].Values), Model, self, 1, sink);
            }
            for (var f = 0; f < Feeders; f++)
            {
                var energies = new Dictionary<string, float>(StringComparer.Ordinal);
                for (var m = f * PerFeeder; m < (f + 1) * PerFeeder; m++)
                    energies[Lots[m % 3]] = energies.GetValueOrDefault(Lots[m % 3]) + _members[m].Features.TotalWh;
                _lots[f].Take(_said[f].LossShare, energies);
                if (_lots[f].IsReady && (day + f) % FeederLots.TellDays == 0)
                    _balance.Note((ulong)f, day, _lots[f].Change, [.. _lots[f].Shares]);
            }
            _balance.Judge(day, sink);
        }

        private void Calibrate(int day)
        {
            _sketch.Pass(day);
            for (var m = 0; m < Meters; m++)
            {
                if ((day + m) % AlarmBar.BlockDays != 0) continue;
                _sketch.Add(_blocks[m]);
                _blocks[m] = 0;
            }
            if (AlarmBar.From(_sketch) is > 0 and var learnt)
                _bar = new AlarmBar(learnt, [(FindingKind.LevelShift, 1.1)]);
        }
    }
}
