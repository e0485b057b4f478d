using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Attacks;

/// <summary>A meter without attestation that is read by file: registers of six digits of Wh, which turn over.</summary>
public sealed partial class AttackStage
{
    /// <summary>Where its registers begin again.</summary>
    private const long RegisterEnd = 1_000_000;

    /// <summary>Just before the end of the register: it turns over within days.</summary>
    private const long FirstRegister = RegisterEnd - 20_000;

    private const string UsagePoint = "UP-SIMPLE";
    private static readonly string[] SimpleNames = ["SIMPLE-1", "SIMPLE-2"];
    /// <summary>The simple meters that have spoken: the script is about them, too.</summary>
    public IReadOnlyCollection<MeterId> Simple => _simple;

    private readonly SortedSet<MeterId> _simple = [];
    private long _simpleRegister = FirstRegister;

    /// <summary>
    /// The file of the day before: readings and the register at its end. From the exchange on by a new meter at the
    /// same usage point, with a register of its own.
    /// </summary>
    public void ReadSimpleMeter(int exchangeDay)
    {
        var day = (int)((Now.Minutes - _fleet.Plan.World.LocalDay(0).StartMinute) / 1_440) - 1;
        if (day < 0)
        {
            Introduce(0, int.MinValue, _fleet.Plan.World.LocalDay(exchangeDay).Number);
            return;
        }
        if (day == exchangeDay) Exchange(day);
        var (world, home) = (_fleet.Plan.World, Meter(0).Plan.Home);
        var values = new int[world.Slots(day)];
        world.Day(day, home, values, new int[values.Length]);
        var id = MeterId.FromUtilityId(SimpleNames[day < exchangeDay ? 0 : 1]);
        var w = new ByteWriter(256);
        var start = world.LocalDay(day).StartMinute;
        Register(id, start);
        ReadingBlock.WriteRaw(w, id, Channel.Import, world.Options.IntervalMinutes, start, values, [], 0);
        _told.Add(w.ToArray());
        foreach (var v in values) _simpleRegister = (_simpleRegister + Math.Max(0, v)) % RegisterEnd;
        Register(id, world.LocalDay(day).EndMinute);
    }

    private void Register(MeterId id, long minute) =>
        _told.Add(new RegisterSnapshot(id, Channel.Import, UnixTime.FromMinutes(minute), _simpleRegister));

    private void Introduce(int which, int from, int to)
    {
        var (name, id) = (SimpleNames[which], MeterId.FromUtilityId(SimpleNames[which]));
        var place = _fleet.Plan.Relation(Meter(0).Plan);
        _simple.Add(id);
        _told.Add(new MeterSeen(id, name, _fleet.Plan.Options.Zone, 3));
        _told.Add(new MeterRelation(id, name, MeterRole.Customer, "FD-SIMPLE", "SIMPLE", "", "", "", UsagePoint, "",
            _fleet.Plan.Options.Zone, "", place.Region, CustomerCategory.Ordinary, from, to));
    }

    private void Exchange(int day)
    {
        var local = _fleet.Plan.World.LocalDay(day);
        var at = UnixTime.FromMinutes(local.StartMinute);
        MeterId old = MeterId.FromUtilityId(SimpleNames[0]), fresh = MeterId.FromUtilityId(SimpleNames[1]);
        Introduce(1, local.Number, int.MaxValue);
        _told.Add(new Installation(fresh, at, "Own staff 01", "Own staff", UsagePoint, old, _simpleRegister, 0));
        _told.Add(new LifeCycleChanged(old, at, LifeCycle.Retired, "Own staff 01"));
        _simpleRegister = 0;
    }
}
