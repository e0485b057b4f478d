using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// One day of one device, as the model's twin hears of it. <paramref name="Register"/>: what the register advanced over
/// the sum of the intervals, minus 1, in permille; NaN where no register was read.
/// </summary>
public readonly record struct DevicePrint(Party Meter, UnixTime At, ulong Image, byte Age, string Lot, float Register,
    float[] Values);

/// <summary>
/// How the meters of one model behave: each against those that claim the same image and are of the same age, each image
/// against the one before it, each lot against the others. Finds what passes every signature check: an implant below
/// the image shows among its peers, a compromised release against the release before, a bad lot beside good ones. What
/// a meter changes in itself is <see cref="Specification.FirmwareDrift"/>'s.
/// </summary>
public sealed class BehaviourModel
{
    /// <summary>Groups of image and age; of further ones nothing is said.</summary>
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
        if (!_groups.TryGetValue((print.Image, print.Age), out var group))
        {
            if (_groups.Count == MaxGroups) return;
            _groups[(print.Image, print.Age)] = group = new AlikeMeters();
        }
        Span<double> shares = stackalloc double[DeviceTraits.Count];
        var standing = group.Judge(print.Values, shares);
        var strange = standing is { } s && s.Strangeness > AlikeMeters.Strange * bar;
        Follow(print, group, standing, strange, shares, findings);
        if (group.Learn(print.Meter.Key.Id, print.At.Seconds, print.Values, strange))
            HoldAgainstElder(group, print, model, self, findings);
    }

    private void Follow(in DevicePrint print, AlikeMeters group, Standing? standing, bool strange,
        ReadOnlySpan<double> shares, IFindingSink findings)
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
        suspect.Stated = print.At.Seconds;
        findings.Add(OfMeter(print, group, suspect.Since, s.Strangeness, shares));
    }

    /// <summary>A meter that stays strange is said again after so long (s).</summary>
    private const long QuietSeconds = 90 * 86_400L;

    private static Finding OfMeter(in DevicePrint print, AlikeMeters group, long since, double strangeness,
        ReadOnlySpan<double> shares)
    {
        var evidence = Evidence(shares, print.Values, group.Cloud!);
        var from = new UnixTime(since);
        return FleetStatements.Make(print.Meter, FindingKind.FirmwareBehaviour, from, print.At, print.At,
            Math.Min(10, 1 + strangeness), Severity.Medium, 0.65, FleetStatements.Behaviour, "T0857",
            $"Since {from} the meter behaves otherwise than {group.Members} meters that claim the same firmware and "
                + $"are of its age: {Words(evidence)}; no signature check can see this.", evidence);
    }

    /// <summary>What a release changes for all that run it shows against the release that was there before.</summary>
    private void HoldAgainstElder(AlikeMeters group, in DevicePrint print, string model, in Party self,
        IFindingSink findings)
    {
        if (group.IsStated || group.Cloud is not { } cloud) return;
        var age = print.Age;
        var elder = _groups.Where(g => g.Value != group && g.Key.Age == age && g.Value.Cloud is not null
            && g.Value.First < group.First).OrderByDescending(g => g.Value.First).FirstOrDefault();
        if (elder.Value is not { Cloud: { } old } before) return;
        var centre = new float[DeviceTraits.Count];
        for (var j = 0; j < centre.Length; j++) centre[j] = (float)cloud.Centre(j);
        Span<double> shares = stackalloc double[DeviceTraits.Count];
        var distance = old.Distance(centre, shares);
        if (distance < OtherImage) return;
        group.IsStated = true;
        var evidence = Evidence(shares, centre, old);
        var from = new UnixTime(group.First);
        findings.Add(FleetStatements.Make(
            self with { Name = $"{model} image {FleetStatements.Hex(print.Image)}" }, FindingKind.FirmwareBehaviour,
            from, print.At, print.At, Math.Min(10, distance / OtherImage * 2), Severity.Medium, 0.7,
            FleetStatements.Behaviour, "T0857",
            $"Since {from} image {FleetStatements.Hex(print.Image)} of model {model} behaves otherwise on "
                + $"{group.Members} meters than image {FleetStatements.Hex(elder.Key.Image)} on {before.Members}: "
                + $"{Words(evidence)}; its signature being right does not say that this was meant.", evidence,
            "a release that is meant to do more looks the same: compare with its notes"));
    }

    /// <summary>Most features that are named: those that bear most of the distance.</summary>
    private const int MostNamed = 4;

    private static Evidence[] Evidence(ReadOnlySpan<double> shares, ReadOnlySpan<float> values, RobustCloud cloud)
    {
        var found = new List<Evidence>();
        for (var j = 0; j < DeviceTraits.Count; j++)
            if (shares[j] >= 0.05 && float.IsFinite(values[j]))
                found.Add(new Evidence(DeviceTraits.NameOf(j), Math.Round(values[j], 2),
                    Math.Round(cloud.Centre(j), 2), shares[j], DeviceTraits.UnitOf(j)));
        return [.. found.OrderByDescending(e => e.Contribution).ThenBy(e => e.Feature, StringComparer.Ordinal)
            .Take(MostNamed)];
    }

    private static string Words(Evidence[] evidence) => evidence.Length == 0 ? "in many features a little"
        : string.Join(", ", evidence.Select(e => DeviceTraits.Say(DeviceTraits.IndexOf(e.Feature), e.Observed,
            e.Expected)));

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
        model._lots = LotDrift.Read(ref r);
        return model;
    }
}
