using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

/// <summary>A maker, a head-end, images of one small page each, and chips made with them.</summary>
internal static class Chips
{
    public static readonly SigningKey Maker = new(NistCurve.P256, 1, "maker");
    public static readonly SigningKey HeadEnd = new(NistCurve.P256, 1, "head-end");
    public static readonly SigningKey Stranger = new(NistCurve.P256, 1, "stranger");
    public static readonly UnixTime Start = new(1_800_000_000);
    public const ulong Title = 0x4D54573000000001;

    public static readonly ChipSpec Spec = new() { Model = "ZX1", Lot = "L1", Anchors = [Maker.PublicKey] };

    public static readonly FirmwareImage[] Factory =
    [
        Image(FirmwarePart.Cak, 1), Image(FirmwarePart.Metrology, 1), Image(FirmwarePart.Application, 1),
    ];

    public static FirmwareImage Image(FirmwarePart part, uint version, ushort security = 1, SigningKey? signer = null,
        int bytes = 3000, string model = "ZX1")
    {
        var body = new byte[bytes];
        var draw = SplitMix64.For(version, part.ToString());
        for (var i = 0; i < bytes; i++) body[i] = (byte)draw.Next(256);
        return FirmwareImage.Build(part, model, $"{part}-{version}", version, security, body, signer ?? Maker);
    }

    /// <summary>A manufactured chip with power.</summary>
    public static ZeusChip New(ulong seed = 1, ChipSpec? spec = null, ulong title = Title)
    {
        var chip = new ZeusChip(spec ?? Spec, seed);
        Assert.True(chip.TryManufacture(Factory, title, HeadEnd.PublicKey, Start), $"seed {seed}");
        return chip;
    }

    /// <summary>A power failure, and the boot after it.</summary>
    public static BootReport Cycle(ZeusChip chip, long second = 0)
    {
        chip.PowerCut();
        return chip.PowerOn(new UnixTime(Start.Seconds + second));
    }

    public static byte[] Checkpoint(ZeusChip chip, uint seq, Digest head, SigningKey? signer = null)
    {
        var checkpoint = new CakCheckpoint(chip.SystemTitle, seq, head);
        var key = signer ?? HeadEnd;
        return checkpoint.WithSignature(key.Sign(checkpoint.ToSign(key.PublicKey.Curve)));
    }

    public static string Kinds(ZeusChip chip, uint since = 0) => string.Join(' ', chip.Cak.Entries()
        .Where(e => e.Seq > since).Select(e => $"{e.Kind}/{e.Part}" + (e.Cause != 0 ? $"/{e.Cause}" : "")));
}
