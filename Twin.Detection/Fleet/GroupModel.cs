using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// One group of meters (an installer's, a contractor's, a plant's): how many there are, from their counting themselves
/// once in 28 days, and which were unusual in the last 28 days.
/// </summary>
public sealed class GroupModel
{
    /// <summary>Days in which every member counts itself once.</summary>
    public const int Phases = 28;

    /// <summary>Unusual meters told apart; above it a sample by id, as in <see cref="SampledSet"/>.</summary>
    public const int MaxUnusual = 1_024;
    private const byte EncodingVersion = 1;

    private readonly int[] _counted = new int[Phases];
    private readonly SortedDictionary<ulong, int> _unusual = [];
    private int _firstDay = int.MinValue, _lastDay = int.MinValue, _level;

    public GroupKind Kind { get; private set; }
    public string Name { get; private set; } = "";

    /// <summary>Members, at the last count of each.</summary>
    public int Members => (int)Math.Min(int.MaxValue, _counted.Sum(c => (long)c));

    /// <summary>Members that were unusual in the last 28 days.</summary>
    public int Unusual => (int)Math.Min(int.MaxValue, (long)_unusual.Count << _level);

    /// <summary>True when every member has had its day to count itself.</summary>
    public bool IsCounted => _firstDay != int.MinValue && _lastDay - _firstDay >= Phases;

    public static int PhaseOf(int day) => ((day % Phases) + Phases) % Phases;

    public static TwinKey KeyOf(GroupKind kind, string name) => TwinKey.Named(TwinKind.Cohort,
        $"{(kind switch { GroupKind.Installer => "installer", GroupKind.Contractor => "contractor", _ => "plant" })}"
            + $"|{name}");

    /// <summary>Begins a day; days come in ascending order.</summary>
    public void Begin(int day, GroupKind kind, string name)
    {
        (Kind, Name) = (kind, name);
        if (_firstDay == int.MinValue) (_firstDay, _lastDay) = (day, day - 1);
        if (day <= _lastDay) return;
        for (var d = Math.Max(_lastDay + 1, day - Phases + 1); d <= day; d++) _counted[PhaseOf(d)] = 0;
        _lastDay = day;
        foreach (var old in _unusual.Where(u => u.Value <= day - Phases).Select(u => u.Key).ToArray())
            _unusual.Remove(old);
        if (_unusual.Count == 0) _level = 0;
    }

    public void Note(ulong meter, bool unusual, bool counts)
    {
        if (counts) _counted[PhaseOf(_lastDay)]++;
        if (!unusual || !Keeps(meter)) return;
        _unusual[meter] = _lastDay;
        while (_unusual.Count > MaxUnusual && _level < 30)
        {
            _level++;
            foreach (var id in _unusual.Keys.Where(id => !Keeps(id)).ToArray()) _unusual.Remove(id);
        }
    }

    private bool Keeps(ulong id) => (StableHash.Mix(id) & ((1UL << _level) - 1)) == 0;

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.Byte((byte)Kind);
        to.Text(Name);
        to.VarInt(_firstDay);
        to.VarInt(_lastDay);
        to.Byte((byte)_level);
        foreach (var n in _counted) to.VarUInt((ulong)n);
        to.VarUInt((ulong)_unusual.Count);
        foreach (var (id, day) in _unusual)
        {
            to.UInt64(id);
            to.VarInt(day);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static GroupModel Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a group");
        var group = new GroupModel
        {
            Kind = (GroupKind)r.Byte((int)GroupKind.Installer, (int)GroupKind.Plant), Name = r.Text(),
            _firstDay = r.Int(), _lastDay = r.Int(), _level = r.Byte(0, 30),
        };
        for (var i = 0; i < Phases; i++) group._counted[i] = r.Count(int.MaxValue);
        var count = r.Count(MaxUnusual);
        for (var i = 0; i < count; i++) group._unusual[r.UInt64()] = r.Int();
        return group;
    }
}
