using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// Registered images of one partition, and the images that meters report (invariant I3: an image that ran is one that
/// was approved). An image that nobody registered is a violation only where the utility registers images at all: for
/// that part and model, somewhere in the fleet (<see cref="Learn"/>), and only when its version is not older than all
/// that were registered: meters first seen in service may run what was never registered. The rest counts as coverage;
/// a meter that goes back to such an old image is caught by its own twin, as a downgrade.
/// </summary>
public sealed class ImageBook
{
    /// <summary>Most releases of a partition; further ones are refused at the door, because forgetting one would
    /// turn honest meters into suspects.</summary>
    public const int MaxReleases = 4_096;

    /// <summary>Most images without release; at the bound the one that came first is forgotten, and may be stated
    /// again.</summary>
    public const int MaxUnknown = 1_024;

    /// <summary>Most pairs of part and model; of further ones nothing is required.</summary>
    public const int MaxModels = 4_096;

    /// <summary>Findings about single meters for one image; then one finding speaks for the rest.</summary>
    public const int MaxStated = 64;

    /// <summary>Users of an image are counted exactly up to here, then by a sample.</summary>
    private const int UserSample = 256;
    private const byte EncodingVersion = 1;

    private sealed class Use
    {
        public required ulong Image { get; init; }

        /// <summary>Null for an image without release.</summary>
        public Release? Release;
        public SampledSet Users = new(UserSample);
        public SampledSet Stated = new(2 * MaxStated);
        public bool IsStatedForAll;
    }

    private readonly List<Use> _uses = [];
    private readonly Dictionary<ulong, Use> _byImage = [];
    /// <summary>Lowest version registered, by part and model.</summary>
    private readonly SortedDictionary<ulong, uint> _models = [];

    public int Releases { get; private set; }

    /// <summary>Images in use that no release vouches for.</summary>
    public int Unknown => _uses.Count - Releases;

    /// <summary>Each image with its users (estimated above 256); the release is null where nobody registered it.
    /// </summary>
    public IEnumerable<(ulong Image, Release? Release, long Users)> All =>
        _uses.Select(u => (u.Image, u.Release, u.Users.Count));

    /// <summary>True when the bound lets this release in: it is known, or there is room.</summary>
    public bool HasRoomFor(Release release) => Releases < MaxReleases
        || (_byImage.TryGetValue(release.Image.Short, out var use) && use.Release is not null);

    /// <summary>
    /// Registers or withdraws a release. True when its part and model are new here or reach further back: tell
    /// everybody.
    /// </summary>
    public bool Register(Release release, in Party fleet, IFindingSink findings)
    {
        var use = UseOf(release.Image.Short);
        if (use.Release is null) Releases++;
        var wasWithdrawn = use.Release is { Withdrawn.Seconds: not 0 };
        use.Release = release;
        if (release.Withdrawn.Seconds != 0 && !wasWithdrawn && use.Users.Count > 0)
            findings.Add(FleetStatements.Make(fleet, FindingKind.WithdrawnRelease, release.Withdrawn, release.At,
                release.At, 3, Severity.Medium, 0.95, FleetStatements.Images, "",
                $"Release {release.Name} of {release.Part} for {release.Model} was withdrawn "
                    + $"({release.Reason}); {use.Users.Count} devices have reported to run it.",
                [new Evidence("devices_on_release", use.Users.Count, 0, 1, "")])
                with
            { Cause = SharedCauses.Image(release.Image.Short) });
        return Learn(release.Part, release.Model, release.Version);
    }

    /// <summary>A release of this version is registered for a part and model; false when nothing is new in that.
    /// </summary>
    public bool Learn(FirmwarePart part, string model, uint version)
    {
        var key = ModelKey(part, model);
        var isKnown = _models.TryGetValue(key, out var lowest);
        if (isKnown ? lowest <= version : _models.Count >= MaxModels) return false;
        _models[key] = version;
        return true;
    }

    /// <summary>
    /// An image runs or ran. <paramref name="isTrusted"/>: a campaign, or the trust given to a meter first seen in
    /// service, vouches for it.
    /// </summary>
    public void Note(ulong image, FirmwarePart part, string model, uint version, bool isTrusted, in Party who,
        UnixTime at, in Party fleet, IFindingSink findings)
    {
        var use = UseOf(image);
        use.Users.Add(who.Key.Id);
        if (use.Release is { } release)
        {
            if (release.Withdrawn.Seconds == 0 || at.Seconds < release.Withdrawn.Seconds) return;
            State(use, image, who, at, fleet, findings, FindingKind.WithdrawnRelease, Severity.High, "T0857",
                $"runs release {release.Name} of {part}, which was withdrawn at {release.Withdrawn}: "
                    + release.Reason);
        }
        else if (!isTrusted && IsRequired(part, model, version))
        {
            State(use, image, who, at, fleet, findings, FindingKind.UnknownImage, Severity.Critical,
                part == FirmwarePart.Application ? "T0857" : "T0839",
                $"runs or ran an image of {part} ({FleetStatements.Hex(image)}…) that was never registered");
        }
    }

    private static void State(Use use, ulong image, in Party who, UnixTime at, in Party fleet, IFindingSink findings,
        FindingKind kind, Severity severity, string technique, string what)
    {
        if (use.IsStatedForAll || use.Stated.Contains(who.Key.Id)) return;
        use.Stated.Add(who.Key.Id);
        var stated = use.Stated.Count;
        use.IsStatedForAll = stated > MaxStated;
        var about = use.IsStatedForAll ? fleet : who;
        var subject = use.IsStatedForAll ? $"More than {MaxStated} devices: each" : who.Name;
        findings.Add(FleetStatements.Make(about, kind, at, at, at, 5, severity, 0.95, FleetStatements.Images,
            technique, $"{subject} {what}.", [new Evidence("devices_with_image", use.Users.Count, 0, 1, "")])
            with
        { Cause = SharedCauses.Image(image) });
    }

    private bool IsRequired(FirmwarePart part, string model, uint version) =>
        (_models.TryGetValue(ModelKey(part, model), out var lowest)
            || _models.TryGetValue(ModelKey(part, ""), out lowest)) && version >= lowest;

    private static ulong ModelKey(FirmwarePart part, string model) => StableHash.Of($"{(byte)part}|{model}");

    private Use UseOf(ulong image)
    {
        if (_byImage.TryGetValue(image, out var use)) return use;
        if (Unknown >= MaxUnknown)
        {
            var oldest = _uses.Find(u => u.Release is null)!;
            _uses.Remove(oldest);
            _byImage.Remove(oldest.Image);
        }
        use = new Use { Image = image };
        _uses.Add(use);
        _byImage[image] = use;
        return use;
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_models.Count);
        foreach (var (model, lowest) in _models)
        {
            to.UInt64(model);
            to.VarUInt(lowest);
        }
        to.VarUInt((ulong)_uses.Count);
        foreach (var use in _uses)
        {
            to.UInt64(use.Image);
            to.Blob(use.Release?.ToBytes());
            use.Users.Write(to);
            use.Stated.Write(to);
            to.Bool(use.IsStatedForAll);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ImageBook Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a book of images");
        var book = new ImageBook();
        var models = r.Count(MaxModels);
        for (var i = 0; i < models; i++) book._models[r.UInt64()] = Codes.ReadUInt32(ref r);
        var uses = r.Count(MaxReleases + MaxUnknown);
        for (var i = 0; i < uses; i++)
        {
            var image = r.UInt64();
            var release = r.Blob() is { IsEmpty: false } bytes ? Input.Read(bytes) as Release
                ?? throw r.Bad("a release is none") : null;
            var use = new Use
            {
                Image = image, Release = release, Users = SampledSet.Read(ref r, UserSample),
                Stated = SampledSet.Read(ref r, 2 * MaxStated), IsStatedForAll = r.Bool(),
            };
            book._uses.Add(use);
            if (!book._byImage.TryAdd(image, use)) throw r.Bad("an image is there twice");
            book.Releases += use.Release is null ? 0 : 1;
        }
        return book;
    }
}
