using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Network;

/// <summary>
/// One meter behind a concentrator. <paramref name="Via"/>: the neighbour that relays it, 0 when heard directly;
/// <paramref name="Former"/>: the one before. <paramref name="LastHeard"/>: second, moved on over time that no report
/// accounts for. <paramref name="Interval"/>: usual seconds between hearings, learned.
/// </summary>
public record struct RouteMember(ulong Id, ulong Via, ulong Former, long LastHeard, uint Interval, byte Hearings)
{
    /// <summary>Hearings before a member's silence says anything.</summary>
    public const int WarmHearings = 5;

    public readonly bool IsWarm => Hearings >= WarmHearings;

    /// <summary>Silent for over twice as long as usual, and two reports.</summary>
    public readonly bool IsSilent(long now, int reportSeconds) =>
        IsWarm && now - LastHeard > 2L * Interval + 2L * reportSeconds;
}

/// <summary>
/// One neighbour that relays. <paramref name="Children"/>: routes through it now. <paramref name="Gained"/>: routes
/// that came over from relays still heard, since <paramref name="GainedFrom"/>. <paramref name="Heard"/>,
/// <paramref name="Lost"/>, <paramref name="Duplicates"/>: frames in the last report. <paramref name="SilenceFrom"/>:
/// begin of a silence behind it that was stated, 0 when none.
/// </summary>
public record struct Neighbour(ulong Id, int Children, int Gained, long GainedFrom, int Heard, int Lost,
    int Duplicates, long SilenceFrom, long AttractionFrom);

/// <summary>
/// Routes of one concentrator, sorted by meter, and its traffic by neighbour. About 40 bytes a meter.
/// </summary>
public sealed class RouteTable
{
    /// <summary>Most meters; at the bound the one unheard for longest leaves.</summary>
    public const int MaxMembers = 4_096;

    /// <summary>Most neighbours that relay; routes over further ones are kept without their traffic.</summary>
    public const int MaxNeighbours = 512;

    /// <summary>Seconds over which routes that come over to one neighbour are counted.</summary>
    public const int GainSeconds = 86_400;
    private const byte EncodingVersion = 1;

    private readonly List<RouteMember> _members = [];
    private readonly SortedDictionary<ulong, Neighbour> _neighbours = [];

    public IReadOnlyList<RouteMember> Members => _members;
    public IEnumerable<Neighbour> Neighbours => _neighbours.Values;

    public int Find(ulong id)
    {
        var (low, high) = (0, _members.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (_members[middle].Id == id) return middle;
            if (_members[middle].Id < id) low = middle + 1;
            else high = middle - 1;
        }
        return ~low;
    }

    public void Set(in Neighbour neighbour) => _neighbours[neighbour.Id] = neighbour;

    /// <summary>Takes a report in: who was heard, over whom, and who was not.</summary>
    /// <param name="routes">As reported.</param>
    /// <param name="at">End of the period.</param>
    /// <param name="unaccounted">Seconds since the last report that this one does not account for.</param>
    public void Take(ReadOnlySpan<Route> routes, UnixTime at, long unaccounted)
    {
        if (unaccounted > 0)
            for (var i = 0; i < _members.Count; i++)
                _members[i] = _members[i] with { LastHeard = _members[i].LastHeard + unaccounted };
        foreach (var id in _neighbours.Keys.ToArray())
        {
            var n = _neighbours[id] with { Children = 0, Heard = 0, Lost = 0, Duplicates = 0 };
            if (at.Seconds - n.GainedFrom > GainSeconds) n = n with { Gained = 0, GainedFrom = at.Seconds };
            _neighbours[id] = n;
        }
        var heard = new HashSet<ulong>();
        foreach (ref readonly var route in routes)
            if (route.Heard > 0) heard.Add(route.Meter.Value);
        var seen = new HashSet<ulong>();
        foreach (ref readonly var route in routes)
            if (seen.Add(route.Meter.Value)) TakeOne(route, at, heard);
        foreach (var m in _members)
            if (m.Via != 0 && _neighbours.TryGetValue(m.Via, out var n))
                _neighbours[m.Via] = n with { Children = n.Children + 1 };
        foreach (var n in _neighbours.Values.Where(n => n.Children == 0 && n.SilenceFrom == 0).ToArray())
            _neighbours.Remove(n.Id);
    }

    private void TakeOne(in Route route, UnixTime at, HashSet<ulong> heard)
    {
        var i = Find(route.Meter.Value);
        if (route.Heard == 0 && i < 0) return;
        if (i < 0)
        {
            MakeRoom();
            i = ~Find(route.Meter.Value);
            _members.Insert(i, new RouteMember(route.Meter.Value, route.Via.Value, 0, at.Seconds, 0, 0));
        }
        if (route.Heard > 0) _members[i] = Heard(_members[i], route.Via.Value, at, heard);
        if (route.Via.Value == 0 || NeighbourOf(route.Via.Value, at) is not { } n) return;
        _neighbours[n.Id] = n with
        {
            Heard = n.Heard + route.Heard,
            Lost = n.Lost + route.Lost,
            Duplicates = n.Duplicates + route.Duplicates,
        };
    }

    private RouteMember Heard(RouteMember m, ulong via, UnixTime at, HashSet<ulong> heard)
    {
        var since = Math.Clamp(at.Seconds - m.LastHeard, 0, MaxInterval);
        var interval = m.Hearings < 2 ? since : m.Interval + (since - m.Interval) / 4;
        // A route that goes back to the relay before was not attracted by it.
        if (m.Via != via && m.Hearings > 0 && via != m.Former) Moved(m.Via, via, heard);
        return m with
        {
            Via = via,
            Former = m.Via != via ? m.Via : m.Former,
            LastHeard = at.Seconds,
            Interval = (uint)interval,
            Hearings = (byte)Math.Min(byte.MaxValue, m.Hearings + 1),
        };
    }

    /// <summary>Longest interval between hearings that is learned, seconds.</summary>
    private const long MaxInterval = 40 * 86_400;

    /// <summary>A route that leaves a relay which is still heard was attracted; one whose relay is gone had to go.
    /// </summary>
    private void Moved(ulong from, ulong to, HashSet<ulong> heard)
    {
        if (to == 0 || (from != 0 && !heard.Contains(from))) return;
        if (_neighbours.TryGetValue(to, out var n)) _neighbours[to] = n with { Gained = n.Gained + 1 };
        else if (_neighbours.Count < MaxNeighbours) _neighbours[to] = new Neighbour { Id = to, Gained = 1 };
    }

    private Neighbour? NeighbourOf(ulong id, UnixTime at)
    {
        if (!_neighbours.TryGetValue(id, out var n))
        {
            if (_neighbours.Count == MaxNeighbours) return null;
            n = new Neighbour { Id = id };
        }
        return n.GainedFrom == 0 ? n with { GainedFrom = at.Seconds } : n;
    }

    private void MakeRoom()
    {
        if (_members.Count < MaxMembers) return;
        var oldest = 0;
        for (var i = 1; i < _members.Count; i++)
            if (_members[i].LastHeard < _members[oldest].LastHeard) oldest = i;
        _members.RemoveAt(oldest);
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_members.Count);
        foreach (var m in _members)
        {
            to.UInt64(m.Id);
            to.UInt64(m.Via);
            to.UInt64(m.Former);
            to.VarInt(m.LastHeard);
            to.VarUInt(m.Interval);
            to.Byte(m.Hearings);
        }
        to.VarUInt((ulong)_neighbours.Count);
        foreach (var n in _neighbours.Values)
        {
            to.UInt64(n.Id);
            foreach (var number in (ReadOnlySpan<int>)[n.Children, n.Gained, n.Heard, n.Lost, n.Duplicates])
                to.VarUInt((ulong)number);
            to.VarInt(n.GainedFrom);
            to.VarInt(n.SilenceFrom);
            to.VarInt(n.AttractionFrom);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static RouteTable Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a table of routes");
        var table = new RouteTable();
        var count = r.Count(MaxMembers);
        for (var i = 0; i < count; i++)
        {
            var m = new RouteMember(r.UInt64(), r.UInt64(), r.UInt64(), Codes.ReadSeconds(ref r),
                (uint)r.Count((int)MaxInterval), r.Byte());
            if (i > 0 && m.Id <= table._members[^1].Id) throw r.Bad("routes are out of order");
            table._members.Add(m);
        }
        var neighbours = r.Count(MaxNeighbours);
        for (var i = 0; i < neighbours; i++)
        {
            var n = new Neighbour { Id = r.UInt64(), Children = r.Count(MaxMembers), Gained = r.Count(int.MaxValue) };
            n = n with
            {
                Heard = r.Count(int.MaxValue),
                Lost = r.Count(int.MaxValue),
                Duplicates = r.Count(int.MaxValue),
            };
            table._neighbours[n.Id] = n with
            {
                GainedFrom = Codes.ReadSeconds(ref r),
                SilenceFrom = Codes.ReadSeconds(ref r),
                AttractionFrom = Codes.ReadSeconds(ref r),
            };
        }
        return table;
    }
}
