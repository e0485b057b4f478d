using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// Floods of events (domain scenario T12, false alarms that mask a real one). States one finding for the storm, and in
/// it names the odd ones out: meters that state what hardly anybody else states in the storm. It never holds back
/// other findings.
/// </summary>
public sealed class StormWatch
{
    /// <summary>Most bursts and findings remembered; at the bound the oldest is dropped.</summary>
    public const int MaxKept = 4_096;

    /// <summary>Storm: this many events within the window, from this many devices.</summary>
    private const int StormEvents = 500, StormDevices = 5;
    private const int WindowSeconds = 2 * 3_600;

    /// <summary>A meter tells a burst at the next sweep, which may be a day after it began.</summary>
    private const int KeptSeconds = 26 * 3_600;

    /// <summary>A kind of finding is odd when at most this share of the storm's findings is of it.</summary>
    private const double OddShare = 0.05;
    private const int MaxOdd = 5;
    private const byte EncodingVersion = 1;

    private readonly record struct Burst(long At, ulong Device, long Events);

    private readonly record struct Stated(long At, Party Device, byte Kind);

    private readonly List<Burst> _bursts = [];
    private readonly List<Stated> _stated = [];
    private long _from, _last, _events;

    public void Note(ulong device, long events, UnixTime at)
    {
        Insert(_bursts, new Burst(at.Seconds, device, Math.Clamp(events, 0, uint.MaxValue)), b => b.At);
    }

    public void NoteFinding(FindingKind kind, in Party device, UnixTime at) =>
        Insert(_stated, new Stated(at.Seconds, device, (byte)kind), s => s.At);

    private static void Insert<T>(List<T> list, T item, Func<T, long> time)
    {
        var at = list.Count;
        while (at > 0 && time(list[at - 1]) > time(item)) at--;
        list.Insert(at, item);
        if (list.Count > MaxKept) list.RemoveAt(0);
    }

    public void Judge(UnixTime now, in Party fleet, IFindingSink findings)
    {
        var oldest = now.Seconds - KeptSeconds;
        _bursts.RemoveAll(b => b.At < oldest);
        _stated.RemoveAll(s => s.At < oldest);
        var (first, end, events) = Heaviest();
        var devices = _bursts.GetRange(first, end - first).Select(b => b.Device).Distinct().Count();
        if (events < StormEvents || devices < StormDevices) return;
        if (_events == 0 || _bursts[first].At > _last + WindowSeconds) (_from, _events) = (_bursts[first].At, 0);
        _last = Math.Max(_last, _bursts[end - 1].At);
        var odd = Odd();
        // Again when it has doubled: the storm goes on under one id.
        if (events < 2 * _events) return;
        _events = events;
        var kept = odd.Length == 0 ? "" : " Not part of it: " + string.Join(", ",
            odd.Take(MaxOdd).Select(s => $"{s.Device.Name} ({Finding.NameOf((FindingKind)s.Kind)})")) + ".";
        findings.Add(FleetStatements.Make(fleet, FindingKind.EventFlood, new UnixTime(_from), new UnixTime(_last), now,
            2, Severity.Medium, 0.8, FleetStatements.Storms, "T0878",
            $"{events} events of {devices} devices within {FleetStatements.Duration(_last - _from)}: a storm of "
                + "alarms in which a real one is easily lost." + kept,
            [
                new Evidence("events", events, 0, 0.6, ""),
                new Evidence("devices", devices, 0, 0.4, ""),
                .. odd.Take(MaxOdd).Select(s => new Evidence(
                    $"odd_one_out {s.Device.Name} {Finding.NameOf((FindingKind)s.Kind)}", 1, 0, 0, "")),
            ]));
    }

    /// <summary>The window of two hours with most events: its first burst, the one behind its last, events.</summary>
    private (int First, int End, long Events) Heaviest()
    {
        (int First, int End, long Events) best = (0, 0, 0);
        var (first, events) = (0, 0L);
        for (var i = 0; i < _bursts.Count; i++)
        {
            events += _bursts[i].Events;
            for (; _bursts[first].At < _bursts[i].At - WindowSeconds; first++) events -= _bursts[first].Events;
            if (events > best.Events) best = (first, i + 1, events);
        }
        return best;
    }

    /// <summary>Findings of kinds that are rare in the storm.</summary>
    private Stated[] Odd()
    {
        var byKind = _stated.GroupBy(s => s.Kind).Where(g => (FindingKind)g.Key != FindingKind.EventFlood).ToArray();
        var most = Math.Max(1, OddShare * _stated.Count);
        return [.. byKind.Where(g => g.Count() <= most).OrderBy(g => g.Count()).ThenBy(g => g.Key)
            .SelectMany(g => g.OrderBy(s => s.Device.Key))];
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarInt(_from);
        to.VarInt(_last);
        to.VarUInt((ulong)_events);
        to.VarUInt((ulong)_bursts.Count);
        foreach (var b in _bursts)
        {
            to.VarInt(b.At);
            to.UInt64(b.Device);
            to.VarUInt((ulong)b.Events);
        }
        to.VarUInt((ulong)_stated.Count);
        foreach (var s in _stated)
        {
            to.VarInt(s.At);
            Codes.WriteParty(to, s.Device);
            to.Byte(s.Kind);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static StormWatch Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a watch over events");
        var watch = new StormWatch { _from = Codes.ReadSeconds(ref r), _last = Codes.ReadSeconds(ref r) };
        watch._events = (long)Math.Min(long.MaxValue / 4, r.VarUInt());
        var bursts = r.Count(MaxKept);
        for (var i = 0; i < bursts; i++)
            watch._bursts.Add(new Burst(Codes.ReadSeconds(ref r), r.UInt64(), Codes.ReadUInt32(ref r)));
        var stated = r.Count(MaxKept);
        for (var i = 0; i < stated; i++)
            watch._stated.Add(new Stated(Codes.ReadSeconds(ref r), Codes.ReadParty(ref r), r.Byte()));
        return watch;
    }
}
