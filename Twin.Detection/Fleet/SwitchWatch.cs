using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>One switching of a supply. <paramref name="Actor"/>: who commanded it, where known.</summary>
public readonly record struct Switching(long At, Party Meter, CommandKind Command, CommandOrigin Origin,
    bool IsCovered, string Actor);

/// <summary>
/// Switchings of the whole fleet: volume by hour and day, many meters that open at once, and supplies that go off and
/// on again and again. What one meter does alone is for its own twin to judge.
/// </summary>
public sealed class SwitchWatch
{
    /// <summary>Most switchings kept of the last day; at the bound the oldest is dropped. Counts by hour go on.
    /// </summary>
    public const int MaxKept = 4_096;

    /// <summary>Seconds within which switchings count as simultaneous.</summary>
    public const int TogetherSeconds = 600;

    /// <summary>
    /// Weights that make a simultaneous switching: 5 meters that their own firmware opened (nothing honest does
    /// that), 10 commanded without order, 20 by limiters or by hand (a cold evening after an outage).
    /// </summary>
    private const int TogetherWeight = 20;

    /// <summary>Meters, and switchings of each within an hour, that make an oscillation.</summary>
    private const int OscillatingMeters = 5, OscillatingTimes = 4;

    private const int KeptSeconds = 26 * 3_600, HourSeconds = 3_600;
    private const byte EncodingVersion = 1;

    private readonly List<Switching> _recent = [];
    private CommandVolume _volume = new();
    private Episode _together, _oscillation;

    /// <summary>When a condition began, when it was last there, and how many meters were stated.</summary>
    private record struct Episode(long From, long Last, int Stated)
    {
        /// <summary>
        /// True when there is something new to say: a new episode (the last one has been over for six hours), or one
        /// of twice the size.
        /// </summary>
        public bool Take(long from, long to, int size)
        {
            if (Stated == 0 || from > Last + 6 * HourSeconds) (From, Stated) = (from, 0);
            Last = Math.Max(Last, to);
            if (size < 2 * Stated || size == 0) return false;
            Stated = size;
            return true;
        }

        public readonly void Write(ByteWriter to)
        {
            to.VarInt(From);
            to.VarInt(Last);
            to.VarUInt((ulong)Stated);
        }

        public static Episode Read(ref ByteReader r) =>
            new(Codes.ReadSeconds(ref r), Codes.ReadSeconds(ref r), r.Count(MaxKept));
    }

    public int Kept => _recent.Count;

    /// <summary>Adds switchings in any order; <see cref="Judge"/> follows when all of a sweep are in.</summary>
    public void Note(in Switching switching)
    {
        var at = _recent.Count;
        while (at > 0 && _recent[at - 1].At > switching.At) at--;
        _recent.Insert(at, switching);
        if (_recent.Count > MaxKept) _recent.RemoveAt(0);
        if (switching.Command == CommandKind.Disconnect) _volume.Count(switching.At, switching.IsCovered);
    }

    public void Judge(UnixTime now, bool ordersKnown, in Party fleet, IFindingSink findings)
    {
        _volume.Judge(now, ordersKnown, fleet, findings);
        JudgeTogether(now, fleet, findings);
        JudgeOscillation(now, fleet, findings);
        if (_recent.Count > 0) _recent.RemoveAll(s => s.At < now.Seconds - KeptSeconds);
    }

    /// <summary>The heaviest window of ten minutes; each meter counts once.</summary>
    private void JudgeTogether(UnixTime now, in Party fleet, IFindingSink findings)
    {
        var suspects = _recent.FindAll(s => s.Command == CommandKind.Disconnect && WeightOf(s) > 0);
        var inWindow = new Dictionary<ulong, (int Times, int Weight)>();
        var (weight, bestWeight, bestFrom, bestTo, from) = (0, 0, 0, 0, 0);
        for (var to = 0; to < suspects.Count; to++)
        {
            var id = suspects[to].Meter.Key.Id;
            if (inWindow.TryGetValue(id, out var seen)) inWindow[id] = (seen.Times + 1, seen.Weight);
            else
            {
                inWindow[id] = (1, WeightOf(suspects[to]));
                weight += WeightOf(suspects[to]);
            }
            for (; suspects[from].At < suspects[to].At - TogetherSeconds; from++)
            {
                var gone = suspects[from].Meter.Key.Id;
                var (times, itsWeight) = inWindow[gone];
                if (times > 1) inWindow[gone] = (times - 1, itsWeight);
                else
                {
                    inWindow.Remove(gone);
                    weight -= itsWeight;
                }
            }
            if (weight > bestWeight) (bestWeight, bestFrom, bestTo) = (weight, from, to);
        }
        if (bestWeight < TogetherWeight) return;
        StateTogether(suspects.GetRange(bestFrom, bestTo - bestFrom + 1), now, fleet, findings);
    }

    private void StateTogether(List<Switching> window, UnixTime now, in Party fleet, IFindingSink findings)
    {
        var meters = window.DistinctBy(s => s.Meter.Key).ToArray();
        if (!_together.Take(window[0].At, window[^1].At, meters.Length)) return;
        var byFirmware = meters.Count(s => s.Origin == CommandOrigin.Firmware);
        var local = meters.Count(s => s.Origin == CommandOrigin.Local);
        var severity = 2 * byFirmware >= meters.Length ? Severity.Critical
            : 2 * local >= meters.Length ? Severity.Medium : Severity.High;
        var how = severity == Severity.Critical ? "by their own firmware, without a command"
            : severity == Severity.Medium ? "locally" : "without a work order";
        string[] counter = severity == Severity.Medium
            ? ["limiters of many homes trip together on a cold evening or after an outage"] : [];
        findings.Add(FleetStatements.Make(fleet, FindingKind.SimultaneousSwitching, new UnixTime(_together.From),
            new UnixTime(_together.Last), now, 5, severity, 0.9, FleetStatements.Switching, "T0855",
            $"{meters.Length} meters opened their supply within "
                + $"{FleetStatements.Duration(window[^1].At - window[0].At)} {how}{By(meters)}: "
                + FleetStatements.Names([.. meters.Select(m => m.Meter.Name)], meters.Length) + ".",
            [
                new Evidence("meters_switched_together", meters.Length, 0, 0.6, ""),
                new Evidence("by_firmware", byFirmware, 0, 0.4, ""),
            ], counter) with
        { Cause = SharedCauses.Origin(OriginOf(meters)) });
    }

    /// <summary>The origin that more than half of them have; none else.</summary>
    private static CommandOrigin OriginOf(Switching[] meters) => meters.GroupBy(s => s.Origin)
        .FirstOrDefault(g => 2 * g.Count() > meters.Length)?.Key ?? CommandOrigin.Unknown;

    private static int WeightOf(in Switching s) => s.Origin switch
    {
        CommandOrigin.Firmware => 4,
        _ when s.IsCovered => 0,
        CommandOrigin.Mesh => 4,
        CommandOrigin.Local => 1,
        _ => 2,
    };

    /// <summary>Who commanded it, when it was one.</summary>
    private static string By(IEnumerable<Switching> switchings)
    {
        var actors = switchings.Select(s => s.Actor).Distinct().Take(2).ToArray();
        return actors is [{ Length: > 0 } actor] ? $" at the command of {actor}" : "";
    }

    private void JudgeOscillation(UnixTime now, in Party fleet, IFindingSink findings)
    {
        var nervous = new List<(Switching First, Switching Last)>();
        foreach (var meter in _recent.GroupBy(s => s.Meter.Key.Id))
        {
            var own = meter.ToArray();
            for (var i = 0; i + OscillatingTimes <= own.Length; i++)
            {
                if (own[i + OscillatingTimes - 1].At - own[i].At > HourSeconds) continue;
                nervous.Add((own[i], own[i + OscillatingTimes - 1]));
                break;
            }
        }
        if (nervous.Count < OscillatingMeters) return;
        var (from, to) = (nervous.Min(n => n.First.At), nervous.Max(n => n.Last.At));
        if (to - from > 6 * HourSeconds || !_oscillation.Take(from, to, nervous.Count)) return;
        findings.Add(FleetStatements.Make(fleet, FindingKind.RapidSwitching, new UnixTime(_oscillation.From),
            new UnixTime(to), now, 5, Severity.Critical, 0.9, FleetStatements.Switching, "T0806",
            $"The supplies of {nervous.Count} meters{By(nervous.Select(n => n.First))} go off and on, each at least "
                + $"{OscillatingTimes} times within an hour: "
                + FleetStatements.Names([.. nervous.Select(n => n.First.Meter.Name)], nervous.Count) + ".",
            [new Evidence("meters_oscillating", nervous.Count, 0, 1, "")]));
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        _volume.Write(to);
        _together.Write(to);
        _oscillation.Write(to);
        to.VarUInt((ulong)_recent.Count);
        foreach (var s in _recent)
        {
            to.VarInt(s.At);
            Codes.WriteParty(to, s.Meter);
            to.Byte((byte)s.Command);
            to.Byte((byte)s.Origin);
            to.Bool(s.IsCovered);
            to.Text(s.Actor);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static SwitchWatch Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a watch over switching");
        var watch = new SwitchWatch { _volume = CommandVolume.Read(ref r) };
        (watch._together, watch._oscillation) = (Episode.Read(ref r), Episode.Read(ref r));
        var count = r.Count(MaxKept);
        for (var i = 0; i < count; i++)
        {
            var s = new Switching(Codes.ReadSeconds(ref r), Codes.ReadParty(ref r),
                (CommandKind)r.Byte(0, (int)CommandKind.SetReactionTable),
                (CommandOrigin)r.Byte(0, (int)CommandOrigin.Mesh), r.Bool(), r.Text());
            if (i > 0 && s.At < watch._recent[^1].At) throw r.Bad("switchings are out of order");
            watch._recent.Add(s);
        }
        return watch;
    }
}
