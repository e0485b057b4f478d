using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>What binds a group of meters together; the number is stored.</summary>
public enum GroupKind : byte { Installer = 1, Contractor = 2, Plant = 3 }

/// <summary>
/// Shares of unusual meters by installer, contractor and plant: a group stands out when its share is far above that of
/// all other groups of its kind. A two-proportion z test with pooled variance, Yates' correction, and floors that keep
/// small groups quiet.
/// </summary>
public sealed class GroupShares
{
    /// <summary>Most groups; of further ones nothing is known.</summary>
    public const int MaxGroups = 4_096;

    /// <summary>Unusual meters that a group needs, its share against that of the others, and standard deviations.
    /// </summary>
    private const int FewestUnusual = 5;
    private const double TimesOthers = 3, Deviations = 5;

    /// <summary>Meters of other groups below which there is nothing to compare with.</summary>
    private const int FewestOthers = 30;

    /// <summary>Days after which a group that says nothing no longer counts, and days between two statements.</summary>
    private const int StaleDays = 60, QuietDays = 28;
    private const byte EncodingVersion = 1;

    private sealed class Group
    {
        public required ulong Id { get; init; }
        public required GroupKind Kind { get; init; }
        public required string Name { get; init; }
        public int Members, Unusual, Day;
        public int StatedDay = int.MinValue;
    }

    private readonly SortedDictionary<ulong, Group> _groups = [];

    /// <summary>The day that groups told of in this round; none between rounds.</summary>
    private int _latest = int.MinValue;

    public int Count => _groups.Count;

    /// <summary>A group tells its totals of the last weeks.</summary>
    public void Note(ulong id, GroupKind kind, string name, int members, int unusual, int day)
    {
        if (!_groups.TryGetValue(id, out var group))
        {
            if (_groups.Count == MaxGroups) return;
            _groups[id] = group = new Group { Id = id, Kind = kind, Name = name };
        }
        _latest = Math.Max(_latest, day);
        (group.Members, group.Unusual, group.Day) = (Math.Max(members, unusual), unusual, day);
    }

    /// <summary>Judges the groups that told of the latest day.</summary>
    public void Judge(IFindingSink findings)
    {
        if (_latest == int.MinValue) return;
        var day = _latest;
        _latest = int.MinValue;
        foreach (var group in _groups.Values)
        {
            if (group.Unusual < FewestUnusual || group.Day != day
                || (group.StatedDay != int.MinValue && day - group.StatedDay < QuietDays)) continue;
            var (members, unusual) = Others(group, day);
            if (members < FewestOthers || !StandsOut(group, members, unusual, out var z)) continue;
            group.StatedDay = day;
            findings.Add(Statement(group, (double)unusual / members, z, day));
        }
    }

    private (long Members, long Unusual) Others(Group group, int day)
    {
        var (members, unusual) = (0L, 0L);
        foreach (var other in _groups.Values)
        {
            if (other.Id == group.Id || other.Kind != group.Kind || day - other.Day > StaleDays) continue;
            (members, unusual) = (members + other.Members, unusual + other.Unusual);
        }
        return (members, unusual);
    }

    private static bool StandsOut(Group group, long members, long unusual, out double z)
    {
        var (share, others) = ((double)group.Unusual / group.Members, (double)unusual / members);
        var pooled = (double)(group.Unusual + unusual) / (group.Members + members);
        var error = Math.Sqrt(pooled * (1 - pooled) * (1.0 / group.Members + 1.0 / members));
        var yates = 0.5 * (1.0 / group.Members + 1.0 / members);
        z = error > 0 ? (share - others - yates) / error : 0;
        return share >= TimesOthers * others && z >= Deviations;
    }

    private static Finding Statement(Group g, double others, double z, int day)
    {
        var share = (double)g.Unusual / g.Members;
        var (kind, score) = g.Kind == GroupKind.Plant ? (FindingKind.SupplyChainMismatch, 3.0)
            : (FindingKind.InstallationMismatch, 3.0);
        var who = g.Kind switch
        {
            GroupKind.Installer => "installer",
            GroupKind.Contractor => "contractor",
            _ => "plant",
        };
        return FleetStatements.Make(new Party(new TwinKey(TwinKind.Cohort, g.Id), $"{who} {g.Name}"), kind,
            new UnixTime((day - QuietDays + 1L) * 86_400), new UnixTime((day + 1L) * 86_400),
            new UnixTime((day + 1L) * 86_400), score, Severity.Medium, 0.8, FleetStatements.Groups,
            g.Kind == GroupKind.Plant ? "T0862" : "",
            $"{g.Unusual} of about {g.Members} meters of {who} {g.Name} were unusual in the last {QuietDays} days "
                + $"({Statements.Percent(share)}); of all others {Statements.Percent(others)} were.",
            [new Evidence("share_unusual", share, others, 0.7, ""), new Evidence("deviations", z, 0, 0.3, "")]);
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_groups.Count);
        foreach (var g in _groups.Values)
        {
            to.UInt64(g.Id);
            to.Byte((byte)g.Kind);
            to.Text(g.Name);
            to.VarUInt((ulong)g.Members);
            to.VarUInt((ulong)g.Unusual);
            to.VarInt(g.Day);
            to.VarInt(g.StatedDay);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static GroupShares Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a table of groups");
        var shares = new GroupShares();
        var count = r.Count(MaxGroups);
        for (var i = 0; i < count; i++)
        {
            var g = new Group
            {
                Id = r.UInt64(), Kind = (GroupKind)r.Byte(1, (int)GroupKind.Plant), Name = r.Text(),
            };
            (g.Members, g.Unusual, g.Day, g.StatedDay) =
                (r.Count(int.MaxValue), r.Count(int.MaxValue), r.Int(), r.Int());
            shares._groups[g.Id] = g;
        }
        return shares;
    }
}
