using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Hardware.Emulator;
using Twin.Hardware.Emulator.Network;
using Zeus = Twin.Hardware.Emulator.Zeus;

namespace Twin.Silo.Demo;

/// <summary>
/// The demo's fleet and what happens to it: two attacks that pass every cryptographic check, a theft, and the ordinary
/// work and innocent changes of any fleet. Drawn from the seed; twins are never told who has which part.
/// </summary>
internal sealed class DemoScene
{
    public const int LeastMeters = 60, MostMeters = 10_000;

    /// <summary>Recorded days, and days of life after them; then the demo only serves.</summary>
    public const int RecordedDays = 36, LiveDays = 60;

    /// <summary>Days on which the release goes out, the contractor begins, and the theft begins.</summary>
    public const int ReleaseDay = 8, SeriesDay = 12, TheftDay = 17;

    /// <summary>Day on which somebody with a valid account has every meter switched off.</summary>
    public const int CommandDay = 33;

    public const string Tool = "tool-0107", Contractor = "Brightline Field Services";

    private const int MetersPerFeeder = 20, MetersPerConcentrator = 100;

    /// <summary>A technician's visits by order a day; a supply is switched off and on again every other day.</summary>
    private const int VisitsPerDay = 2;

    /// <summary>Share of what the thief uses that flows around the meter from then on.</summary>
    private const double Bypassed = 0.9;

    /// <summary>Homes of which the one that uses most turns thief.</summary>
    private const int Suspects = 20;

    private static readonly Zeus.FirmwareBehaviour Misbehaviour = new()
    {
        ExtraLatencyMs = 160, ExtraTransmitSecondsPerDay = 60, ExtraFrameBytes = 300,
    };

    private readonly EmulatedFleet _fleet;
    private readonly Queue<Act> _acts;
    private readonly AttackStage _stage;

    /// <summary>What the other head-end says of its meters.</summary>
    private readonly List<byte[]> _told = [];

    public DemoScene(EmulatedFleet fleet)
    {
        _fleet = fleet;
        var (size, models) = (fleet.Meters.Count, fleet.Plan.Options.Models);
        var labelled = fleet.Plan.World.Labels.Select(l => l.MeterIndex).ToHashSet();
        var free = Shuffled(fleet, labelled);
        var pilot = Math.Clamp(size / 50, 8, 20);
        Release = Take(free, pilot, m => fleet.Meters[m].Plan.Model == models[0]);
        HonestRelease = Take(free, pilot, m => fleet.Meters[m].Plan.Model == models[1]);
        Series = Take(free, Math.Min(RecordedDays + LiveDays - SeriesDay, size / 10), _ => true);
        var thief = free.Where(m => !fleet.Plan.World.HasExport(fleet.Meters[m].Plan.Home)).Take(Suspects)
            .MaxBy(m => Used(fleet, m));
        Thief = Take(free, 1, m => m == thief)[0];
        _stage = new AttackStage(fleet, Catalogue.Find("L11")!);
        _acts = new Queue<Act>(Attacks().Concat(OrdinaryWork(free)).OrderBy(a => a.Day).ThenBy(a => a.Minute));
    }

    /// <exception cref="ArgumentException">Too few or too many meters.</exception>
    public static FleetOptions OptionsFor(int meters, ulong seed) => meters is < LeastMeters or > MostMeters
        ? throw new ArgumentException($"--meters is {meters}; it must be from {LeastMeters} to {MostMeters}.")
        : new FleetOptions
        {
            Seed = seed, Meters = meters, Feeders = meters / MetersPerFeeder,
            Concentrators = Math.Max(1, meters / MetersPerConcentrator), Days = RecordedDays + LiveDays,
            IntervalMinutes = 30, PushMinutes = 1_440, AttestHours = 96, ReportMinutes = 120, LookAlikeShare = 0.05,
        };

    /// <summary>Meters that get the release which misbehaves; those of another model that get an honest one.</summary>
    public int[] Release { get; }

    /// <inheritdoc cref="Release"/>
    public int[] HonestRelease { get; }

    /// <summary>Meters that the contractor reprograms for pay, one a day.</summary>
    public int[] Series { get; }

    public int Thief { get; }

    /// <summary>Meters of the district beside the fleet.</summary>
    public int Neighbours => District.MetersEach * _fleet.Meters.Count;

    /// <summary>Disconnections that the employee's account asks for: the fleet's and the district's.</summary>
    public int Disconnections => Neighbours + _fleet.Meters.Count;

    /// <summary>What the registry says of the district.</summary>
    public IEnumerable<Input> Registry() => District.Registry(Neighbours);

    /// <summary>The first instant of a day of the run.</summary>
    public UnixTime Begin(int day) => _stage.At(day, 0);

    /// <summary>Meters of the contractor's series by a time.</summary>
    public int[] SeriesBy(UnixTime at) =>
        [.. Series.Where((_, i) => _stage.At(SeriesDay + i, MinuteOf(i)).Seconds <= at.Seconds)];

    public TwinKey KeyOf(int meter) => _fleet.Meters[meter].Id.Twin;
    public string NameOf(int meter) => _fleet.Meters[meter].Name;
    public TwinKey FeederOf(int meter) =>
        TwinKey.Named(TwinKind.Feeder, _fleet.Plan.Relation(_fleet.Meters[meter].Plan).Feeder);

    /// <summary>Innocent changes that have begun by a time, with their meters.</summary>
    public IEnumerable<(Label Label, TwinKey Meter)> LookAlikesBy(UnixTime at) =>
        from label in _fleet.Plan.World.Labels
        where label.Nature == LabelNature.LookAlike && Begin(label.FromDay).Seconds <= at.Seconds
        select (label, _fleet.Meters.First(m => m.Plan.Home == label.MeterIndex).Id.Twin);

    /// <summary>The time of the next act; null when nothing more is planned.</summary>
    public UnixTime? Next => _acts.TryPeek(out var act) ? _stage.At(act.Day, act.Minute) : null;

    /// <summary>Lets the next act happen; what the utility's registry says of it, as the journal encodes it.</summary>
    public IReadOnlyList<byte[]> Play()
    {
        _acts.Dequeue().Do(_stage);
        byte[][] told = [.. _stage.TakeTold(), .. _told];
        _told.Clear();
        return told;
    }

    private IEnumerable<Act> Attacks()
    {
        yield return new Act(ReleaseDay, 600, s => s.RollOut(Release, Misbehaviour));
        yield return new Act(ReleaseDay, 630, s => s.RollOut(HonestRelease, Zeus.FirmwareBehaviour.Honest));
        yield return new Act(TheftDay, 605, s => s.OpenTerminalCover(Thief));
        yield return new Act(TheftDay, 610, _ => _fleet.Meters[Thief].BypassShare = Bypassed);
        int[] all = [.. _fleet.Meters.Select(m => m.Index)];
        yield return new Act(CommandDay, 545, s =>
        {
            s.Disconnect(all);
            _told.AddRange(District.Disconnections(Neighbours, s.Now).Select(i => i.ToBytes()));
        });
        for (var i = 0; i < Series.Length; i++)
        {
            var meter = Series[i];
            yield return new Act(SeriesDay + i, MinuteOf(i), s => s.Reprogram(meter, Tool, Contractor, ""));
        }
    }

    /// <summary>What a home uses on the day before the theft, Wh.</summary>
    private static long Used(EmulatedFleet fleet, int meter)
    {
        var world = fleet.Plan.World;
        int[] import = new int[world.Slots(TheftDay - 1)], export = new int[import.Length];
        world.Day(TheftDay - 1, fleet.Meters[meter].Plan.Home, import, export);
        return import.Sum(v => (long)Math.Max(0, v));
    }

    private static int MinuteOf(int session) => 570 + 90 * (session % 4);

    private static IEnumerable<Act> OrdinaryWork(List<int> free)
    {
        for (var day = 1; day < RecordedDays + LiveDays - 1; day++)
        {
            for (var v = 0; v < VisitsPerDay; v++)
            {
                var visited = free[(day * VisitsPerDay + v) % free.Count];
                yield return new Act(day, 600 + 120 * v, s => s.VisitByOrder(visited));
            }
            if (day % 2 == 0) continue;
            var switched = free[^(1 + day % free.Count)];
            yield return new Act(day, 540, s => s.SwitchByOrder(switched, on: false));
            yield return new Act(day, 840, s => s.SwitchByOrder(switched, on: true));
        }
    }

    private static List<int> Shuffled(EmulatedFleet fleet, HashSet<int> labelled)
    {
        var draw = SplitMix64.For(fleet.Plan.Options.Seed, "demo");
        List<int> meters = [.. fleet.Meters.Where(m => !labelled.Contains(m.Plan.Home)).Select(m => m.Index)];
        for (var i = meters.Count - 1; i > 0; i--)
        {
            var other = draw.Next(i + 1);
            (meters[i], meters[other]) = (meters[other], meters[i]);
        }
        return meters;
    }

    /// <summary>The first that fit; they are free no longer.</summary>
    private static int[] Take(List<int> free, int count, Func<int, bool> fits)
    {
        int[] taken = [.. free.Where(fits).Take(count)];
        free.RemoveAll(taken.Contains);
        return taken;
    }
}
