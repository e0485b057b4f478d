using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// The vendor: signs images, and made those that a fleet's meters come with. Bodies are noise from the seed; what an
/// image does is told by <see cref="Shelf"/>.
/// </summary>
public sealed class FleetFirmware
{
    /// <summary>Bytes of the bodies: of the order that such parts have, small enough for a roll-out in hours.</summary>
    private const int ApplicationBytes = 30_000, MetrologyBytes = 12_000, KernelBytes = 7_000;

    internal const string Authority = "Verification Office";

    private readonly Dictionary<(string Plant, string Lot), ManufacturingStation> _stations = [];
    private readonly ulong _seed;
    private readonly ImageSignatures _signatures = new();
    private readonly Dictionary<FleetModel, FirmwareImage[]> _factory = [];
    private readonly Dictionary<(FleetModel Model, string Lot, MeterBirth Birth), MeterSpec> _specs = [];
    private readonly FleetOptions _options;
    private readonly EcPublicKey _headEnd;
    private readonly ulong _headEndTitle;

    internal FleetFirmware(FleetOptions options, EcPublicKey headEnd, ulong headEndTitle)
    {
        (_options, _seed, _headEnd, _headEndTitle) = (options, options.Seed, headEnd, headEndTitle);
        Vendor = new SigningKey(NistCurve.P256, options.Seed, "vendor");
        Supplier = new SiliconSupplier("Olympus Silicon", options.Seed);
        foreach (var model in options.Models) _factory[model] = FactoryImages(model);
        foreach (var model in options.Models) ImplantShelf.Add(Application(model), Implanted);
    }

    /// <summary>Makes the chips, and vouches for them.</summary>
    public SiliconSupplier Supplier { get; }

    /// <summary>Signs images. An attacker who has it is one of the catalogue's.</summary>
    public SigningKey Vendor { get; }

    public FirmwareShelf Shelf { get; } = new();

    /// <summary>How images behave on meters of <see cref="MeterBirth.HangsOnUpdate"/>.</summary>
    public FirmwareShelf WeakShelf { get; } = new();

    /// <summary>How images behave on meters of <see cref="MeterBirth.Implant"/>: they also serve somebody else.
    /// </summary>
    public FirmwareShelf ImplantShelf { get; } = new();

    private static readonly FirmwareBehaviour Implanted = new()
    {
        ExtraLatencyMs = 40, ExtraRetriesPerDay = 3, ExtraTransmitSecondsPerDay = 3,
    };

    /// <summary>Images that the utility registered, in order of registration.</summary>
    public IReadOnlyList<FirmwareImage> Registered => [.. _options.Models.SelectMany(m => _factory[m])];

    public FirmwareImage Application(FleetModel model) =>
        _factory[model].First(i => i.Header.Part == FirmwarePart.Application);

    /// <summary>An application image for a model, signed by the vendor unless another key is given.</summary>
    public FirmwareImage Build(FleetModel model, string name, uint version, ushort securityVersion = 1,
        SigningKey? signer = null) => Build(FirmwarePart.Application, model.Model, name, version, securityVersion,
            ApplicationBytes, signer ?? Vendor);

    /// <summary>The registry's word on an image.</summary>
    public static Release ReleaseOf(FirmwareImage image, UnixTime at) => new(image.Digest, at, image.Header.Part,
        image.Header.Model, image.Header.Name, image.Header.Version, image.Header.SecurityVersion, default, "");

    /// <summary>What meters of a model, lot and birth have in common. Bounded by the options.</summary>
    internal MeterSpec SpecOf(FleetModel model, string lot, MeterBirth birth)
    {
        if (_specs.TryGetValue((model, lot, birth), out var spec)) return spec;
        return _specs[(model, lot, birth)] = new MeterSpec
        {
            Chip = ChipOf(model, lot, birth), HeadEndKey = _headEnd, HeadEndTitle = _headEndTitle,
            Images = birth == MeterBirth.StolenKeyImage ? Replaced(model, Vendor) : _factory[model],
            Shelf = birth switch
            {
                MeterBirth.HangsOnUpdate => WeakShelf,
                MeterBirth.Implant => ImplantShelf,
                _ => Shelf,
            },
            IntervalMinutes = _options.IntervalMinutes, PushMinutes = _options.PushMinutes,
            IsDualBoard = model.DualBoard, ImageBlockBytes = Campaign.BlockBytes,
        };
    }

    /// <summary>Images of which the application is signed by nobody whom the chips trust.</summary>
    internal IReadOnlyList<FirmwareImage> ForeignImages(FleetModel model) =>
        Replaced(model, new SigningKey(NistCurve.P256, _seed, "somebody at the station"));

    private IReadOnlyList<FirmwareImage> Replaced(FleetModel model, SigningKey signer) =>
    [
        .. _factory[model].Where(i => i.Header.Part != FirmwarePart.Application),
        Build(model, model.Firmware + "-x", model.Version, 1, signer),
    ];

    /// <summary>The station that makes a meter's lot; one key a plant.</summary>
    internal ManufacturingStation StationOf(PlannedMeter meter)
    {
        if (_stations.TryGetValue((meter.Plant, meter.Lot), out var station)) return station;
        return _stations[(meter.Plant, meter.Lot)] = new ManufacturingStation(meter.Plant + " line 1", meter.Plant,
            meter.Lot, new SigningKey(NistCurve.P256, _seed, meter.Plant));
    }

    private ChipSpec ChipOf(FleetModel model, string lot, MeterBirth birth) => new()
    {
        Model = model.Model, Lot = lot, Anchors = [Vendor.PublicKey], Signatures = _signatures,
        OpenBoot = birth == MeterBirth.Counterfeit, RepeatsNonce = birth == MeterBirth.RepeatsNonce,
    };

    private FirmwareImage[] FactoryImages(FleetModel model) =>
    [
        Build(FirmwarePart.Cak, model.Model, model.Model + " kernel 1.0", 100, 1, KernelBytes, Vendor),
        Build(FirmwarePart.Metrology, model.Model, model.Model + " metrology 1.3", 103, 1, MetrologyBytes, Vendor),
        Build(FirmwarePart.Application, model.Model, model.Firmware, model.Version, 1, ApplicationBytes, Vendor),
    ];

    private FirmwareImage Build(FirmwarePart part, string model, string name, uint version, ushort security, int bytes,
        SigningKey signer)
    {
        var draw = SplitMix64.For(_seed, $"image {part} {model} {name} {version}");
        var body = new byte[bytes];
        for (var i = 0; i < bytes; i += 8)
            BitConverter.TryWriteBytes(body.AsSpan(i), draw.NextUInt64());
        var image = FirmwareImage.Build(part, model, name, version, security, body, signer);
        Shelf.Add(image);
        return image;
    }
}
