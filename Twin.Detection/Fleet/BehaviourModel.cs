using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// One day of one device, as the model's twin hears of it. <paramref name="Register"/>: what the register advanced over
/// the sum of the intervals, minus 1, in permille; NaN where no register was read. <paramref name="Path"/>: the
/// concentrator that hears it; empty where the registry does not say.
/// </summary>
public readonly record struct DevicePrint(Party Meter, UnixTime At, ulong Image, byte Age, string Lot, string Path,
    float Register, float[] Values);

/// <summary>
/// How the meters of one model behave: each against those that claim the same image and are of the same age, each image
/// against the one before it, each lot against the others. Finds what passes every signature check: an implant below
/// the image shows among its peers, a compromised release against the release before, a bad lot beside good ones. What
/// a meter changes in itself is <see cref="Specification.FirmwareDrift"/>'s.
/// </summary>
public sealed class BehaviourModel
{
    /// <summary>Groups of image and age; of further ones nothing is said until one was silent for long.</summary>
    public const int MaxGroups = 32;

    /// <summary>Meters whose last fingerprint was strange; at the bound further ones wait.</summary>
    public const int MaxSuspects = 1_024;

    /// <summary>
    /// Strange fingerprints in a row that are a finding: where the device alone makes most of it, and where network or
    /// grid may.
    /// </summary>
    public const int Days = 3, DaysOfOthers = 6;

    /// <summary>Distance of an image's centre from its elder's beyond which it behaves otherwise.</summary>
    private const double OtherImage = 5;

    /// <summary>Years since installation at which the next group begins.</summary>
    private static ReadOnlySpan<byte> AgeSteps => [1, 3, 6, 10];

    /// <summary>Before all times that there are.</summary>
    private const long NeverStated = -1_000_000_000_000;
    private const byte EncodingVersion = 1;

    private sealed class Suspect
    {
        public long Since, Stated;
        public byte Streak;
    }

    private readonly SortedDictionary<(ulong Image, byte Age), AlikeMeters> _groups = [];
    private readonly SortedDictionary<ulong, Suspect> _suspects = [];
    private LotDrift _lots = new();
    private CommonCauses _causes = new();

    public int Groups => _groups.Count;

    /// <summary>Meters in the samples of all groups.</summary>
    public int Followed => _groups.Values.Sum(g => g.Members);
    public int Suspects => _suspects.Count;

    /// <summary>The group of an age in years.</summary>
    public static byte AgeOf(int years)
    {
        byte age = 0;
        while (age < AgeSteps.Length && years >= AgeSteps[age]) age++;
        return age;
    }

    /// <summary>
    /// Takes a day of a device. <paramref name="bar"/>: what verdicts make of the threshold, 1 when there are none.
    /// </summary>
    public void Take(in DevicePrint print, string model, in Party self, double bar, IFindingSink findings)
    {
        if (print.Values.Length != DeviceTraits.Count) return;
        if (Array.Exists(print.Values, float.IsFinite)) Compare(print, model, self, bar, findings);
        _lots.Note(print.Lot, print.Meter.Key.Id, print.Image, print.At,
            print.Values[(int)FingerprintFeature.ClockDriftPpm],
            print.Values[(int)FingerprintFeature.MetrologyNoisePermille], print.Register);
        _lots.Judge(print.Lot, model, print.At, findings);
    }

    private void Compare(in DevicePrint print, string model, in Party self, double bar, IFindingSink findings)
    {
        if (GroupOf(print) is not { } group) return;
        Span<double> shares = stackalloc double[DeviceTraits.Count];
        var standing = group.Judge(print.Values, shares);
        var strange = standing is { } s && s.Strangeness > AlikeMeters.Strange * bar;
        var share = new CauseShares(shares);
        // Beyond what is usual is enough here: some of those that share a cause are a little less strange than others.
        var unusual = standing is { Strangeness: >= 1 };
        _causes.Note(CommonCauses.OfPath(print.Path), print.Meter.Key.Id, unusual && share.Path >= 0.5);
        _causes.Note(CommonCauses.OfLot(print.Lot), print.Meter.Key.Id, unusual && share.Sensors >= 0.5);
        Follow(print, group, standing, strange, shares, model, findings);
        if (!group.Learn(print.Meter.Key.Id, print.At.Seconds, print.Values, strange)) return;
        HoldAgainstElder(group, print, model, self, findings);
        SayTwoWays(group, print, model, self, findings);
    }

    /// <summary>
    /// Null when there are too many groups. One that nobody has spoken of for long makes room: releases come and go.
    /// </summary>
    private AlikeMeters? GroupOf(in DevicePrint print)
    {
        var key = (print.Image, print.Age);
        if (_groups.TryGetValue(key, out var group)) return group;
        if (_groups.Count == MaxGroups)
        {
            var oldest = _groups.MinBy(g => g.Value.Last);
            if (print.At.Seconds - oldest.Value.Last < QuietSeconds) return null;
            _groups.Remove(oldest.Key);
        }
        return _groups[key] = new AlikeMeters();
    }

    private void Follow(in DevicePrint print, AlikeMeters group, Standing? standing, bool strange,
        ReadOnlySpan<double> shares, string model, IFindingSink findings)
    {
        var id = print.Meter.Key.Id;
        var isKnown = _suspects.TryGetValue(id, out var suspect);
        if (!strange || standing is not { } s)
        {
            if (!isKnown) return;
            suspect!.Streak = 0;
            if (print.At.Seconds - suspect.Stated > QuietSeconds) _suspects.Remove(id);
            return;
        }
        if (!isKnown)
        {
            if (_suspects.Count == MaxSuspects) return;
            _suspects[id] = suspect = new Suspect { Stated = NeverStated };
        }
        if (suspect!.Streak == 0) suspect.Since = print.At.Seconds;
        suspect.Streak = (byte)Math.Min(byte.MaxValue, suspect.Streak + 1);
        if (suspect.Streak < (s.OwnShare >= 0.5 ? Days : DaysOfOthers)
            || print.At.Seconds - suspect.Stated <= QuietSeconds) return;
        // Who is the odd one among so many is not for this group to say.
        if (group.IsCrowded || IsOfOthers(print, shares, model, suspect.Since, group, findings)) return;
        suspect.Stated = print.At.Seconds;
        findings.Add(BehaviourStatements.OfMeter(print, group, suspect.Since, s.Strangeness, shares));
    }

    /// <summary>True when the meter shares what is strange with its concentrator's meters, or with its lot's.</summary>
    private bool IsOfOthers(in DevicePrint print, ReadOnlySpan<double> shares, string model, long since,
        AlikeMeters group, IFindingSink findings)
    {
        var share = new CauseShares(shares);
        if (share.Path >= 0.5 && _causes.IsShared(CommonCauses.OfPath(print.Path))) return true;
        var lot = CommonCauses.OfLot(print.Lot);
        if (share.Sensors < 0.5 || !_causes.IsShared(lot)) return false;
        if (_causes.State(lot)) findings.Add(BehaviourStatements.OfLot(print, group, model, since, shares));
        return true;
    }

    /// <summary>A meter that stays strange is said again after so long, and a group that is silent so long may go (s).
    /// </summary>
    private const long QuietSeconds = 90 * 86_400L;

    /// <summary>What a release changes for all that run it shows against the release that was there before.</summary>
    private void HoldAgainstElder(AlikeMeters group, in DevicePrint print, string model, in Party self,
        IFindingSink findings)
    {
        if (group.IsStated || group.Cloud is not { } cloud) return;
        var (image, age) = (print.Image, print.Age);
        if (_groups.Any(g => g.Key.Image == image && g.Value.IsStated)) return;
        if (ElderOf(group, age) is not { Value.Cloud: { } old } elder) return;
        var centre = new float[DeviceTraits.Count];
        for (var j = 0; j < centre.Length; j++) centre[j] = (float)cloud.Centre(j);
        Span<double> shares = stackalloc double[DeviceTraits.Count];
        var distance = old.Distance(centre, shares);
        if (distance < OtherImage) return;
        group.IsStated = true;
        findings.Add(BehaviourStatements.OfRelease(print, model, self, group, elder.Key.Image, elder.Value,
            distance / OtherImage * 2, BehaviourStatements.Evidence(shares, centre, old)));
    }

    private KeyValuePair<(ulong Image, byte Age), AlikeMeters>? ElderOf(AlikeMeters group, byte age) =>
        _groups.Where(g => g.Value != group && g.Key.Age == age && g.Value.Cloud is not null
            && g.Value.First < group.First).OrderByDescending(g => g.Value.First)
            .Select(g => (KeyValuePair<(ulong Image, byte Age), AlikeMeters>?)g).FirstOrDefault();

    /// <summary>One image on many meters that behave in two ways: some of them run something else.</summary>
    private void SayTwoWays(AlikeMeters group, in DevicePrint print, string model, in Party self,
        IFindingSink findings)
    {
        var image = print.Image;
        if (group.Split is not { } split || _groups.Any(g => g.Key.Image == image && g.Value.IsSplitStated)) return;
        group.IsSplitStated = true;
        var before = ElderOf(group, print.Age)?.Value.Cloud?.Centre(split.Feature);
        findings.Add(BehaviourStatements.OfTwoWays(print, model, self, group, split, before));
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_groups.Count);
        foreach (var ((image, age), group) in _groups)
        {
            to.UInt64(image);
            to.Byte(age);
            group.Write(to);
        }
        to.VarUInt((ulong)_suspects.Count);
        foreach (var (id, suspect) in _suspects)
        {
            to.UInt64(id);
            to.VarInt(suspect.Since);
            to.VarInt(suspect.Stated);
            to.Byte(suspect.Streak);
        }
        _lots.Write(to);
        _causes.Write(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static BehaviourModel Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a model of behaviour");
        var model = new BehaviourModel();
        var groups = r.Count(MaxGroups);
        for (var i = 0; i < groups; i++) model._groups[(r.UInt64(), r.Byte(0, 4))] = AlikeMeters.Read(ref r);
        var suspects = r.Count(MaxSuspects);
        for (var i = 0; i < suspects; i++)
            model._suspects[r.UInt64()] = new Suspect
            {
                Since = Codes.ReadSeconds(ref r), Stated = r.VarInt(), Streak = r.Byte(),
            };
        (model._lots, model._causes) = (LotDrift.Read(ref r), CommonCauses.Read(ref r));
        return model;
    }
}
