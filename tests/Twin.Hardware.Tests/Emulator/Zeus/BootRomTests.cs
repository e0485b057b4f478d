using System.Security.Cryptography;
using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Tests.Emulator.Zeus;

/// <summary>
/// What a boot ROM makes of lists of signatures, with an algorithm that a test can compute: a keyed hash stands in for
/// a post-quantum signature, so that every edition holds these rules.
/// </summary>
public class BootRomTests
{
    private static readonly UnixTime Later = new(Chips.Start.Seconds + 86_400);
    private static readonly SignatureSuite Suite = SignatureSuite.Classical
        .With(SignatureAlgorithm.MlDsa65, StandIn.Check).With(SignatureAlgorithm.HssLms, StandIn.Check);
    private static readonly StandIn Lattice = new(SignatureAlgorithm.MlDsa65, 1);
    private static readonly StandIn Successor = new(SignatureAlgorithm.MlDsa65, 2);
    private static readonly StandIn Hash = new(SignatureAlgorithm.HssLms, 3);
    private static readonly StandIn Forger = new(SignatureAlgorithm.MlDsa65, 9);

    private sealed class StandIn(SignatureAlgorithm algorithm, byte secret) : IMessageSigner
    {
        public KnownKey Public { get; } = new(algorithm, new byte[] { secret });
        public byte[] Sign(ReadOnlySpan<byte> message) => HMACSHA256.HashData([secret], message);

        public static bool Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
            HMACSHA256.HashData(key, message).AsSpan().SequenceEqual(signature);
    }

    private static ChipSpec Spec(SignaturePolicy policy = SignaturePolicy.Classical, params StandIn[] keys) =>
        Chips.Spec with { Rom = new BootRom(Suite, [.. keys.Select(k => k.Public)], policy) };

    private static FirmwareImage Image(uint version, params StandIn[] signers) =>
        Chips.Image(FirmwarePart.Application, version).Signed(signers);

    private static BootRefusal Refusal(ZeusChip chip, FirmwareImage image)
    {
        var spare = chip.Bootloader.Spare(image.Header.Part);
        chip.Bootloader.Write(spare, image);
        return chip.Bootloader.Check(image.Header.Part, spare).Refusal;
    }

    private static void Run(ZeusChip chip, FirmwareImage image)
    {
        chip.Bootloader.Write(chip.Bootloader.Spare(image.Header.Part), image);
        Assert.Equal(ActivationAnswer.Accepted, chip.RequestActivation(image.Header.Part, Later));
        chip.Reset(Later, BootCause.Activation);
        chip.Bootloader.Confirm(image.Header.Part);
        Assert.Equal(image.Digest, chip.Cak.Of(image.Header.Part).Image);
    }

    [Fact]
    public void ARomOfBeforeTakesTheSameImageHoweverItIsSigned()
    {
        var chip = Chips.New();
        Assert.Equal(BootRefusal.None, Refusal(chip, Image(2)));
        Assert.Equal(BootRefusal.None, Refusal(chip, Image(2, Lattice, Hash)));
        Assert.Equal(BootRefusal.None, Refusal(chip, Image(2, Forger)));
        Assert.Equal(Image(2).Digest, Image(2, Lattice, Hash).Digest);
    }

    [Fact]
    public void AKeyComesIntoForceWithTheFirstImageThatItSignedAndIsConfirmed()
    {
        var chip = Chips.New(spec: Spec(SignaturePolicy.Classical, Lattice));
        Assert.Equal(BootRefusal.None, Refusal(chip, Image(2)));
        Assert.Equal(BootRefusal.BadSignature, Refusal(chip, Bent(Image(2, Lattice))));
        Run(chip, Image(2, Lattice));
        Assert.True(chip.Fuses.IsInForce(FirmwarePart.Application, 0));
        Assert.False(chip.Fuses.IsInForce(FirmwarePart.Metrology, 0));
        Assert.Equal(BootRefusal.StrippedSignature, Refusal(chip, Image(3)));
        Assert.Equal(BootRefusal.StrippedSignature, Refusal(chip, Image(3, Forger)));
        Assert.Equal(BootRefusal.StrippedSignature, Refusal(chip, Image(3, Hash)));
        Assert.Equal(BootRefusal.None, Refusal(chip, Image(3, Lattice)));
        Assert.Equal(BootRefusal.None, Refusal(chip, Image(3, Lattice, Forger)));
        // What another part runs is its own matter.
        Assert.Equal(BootRefusal.None, Refusal(chip, Chips.Image(FirmwarePart.Metrology, 2)));
    }

    private static FirmwareImage Bent(FirmwareImage image)
    {
        var (algorithm, id, key, value) = image.Others.All[0];
        var bytes = value.ToArray();
        bytes[7] ^= 1;
        return image.With(new SignatureList([new ListedSignature(algorithm, id, key, bytes)]));
    }

    [Fact]
    public void AStrippedImageIsRefusedAndInTheLog()
    {
        var chip = Chips.New(spec: Spec(SignaturePolicy.Classical, Lattice));
        Run(chip, Image(2, Lattice));
        var stripped = Image(3);
        chip.Bootloader.Write(chip.Bootloader.Spare(FirmwarePart.Application), stripped);
        Assert.Equal(ActivationAnswer.Refused, chip.RequestActivation(FirmwarePart.Application, Later));
        var entry = chip.Cak.Entries().Single(e => e.Kind == CakEntryKind.Refused);
        Assert.Equal((stripped.Digest, (ushort)BootRefusal.StrippedSignature), (entry.Image, entry.Detail));
    }

    [Fact]
    public void ARequirementRisesOnlyWhenWhatRunsMeetsIt()
    {
        var chip = Chips.New(spec: Spec(SignaturePolicy.Classical, Lattice));
        var seq = chip.Cak.LastSeq;
        Assert.Equal(BootRefusal.TooFewSignatures, chip.TryRequireSignatures(SignaturePolicy.Both, Later));
        Assert.Equal(seq, chip.Cak.LastSeq);
        Assert.Equal(SignaturePolicy.Classical, chip.Bootloader.Required(FirmwarePart.Cak));
        Run(chip, Image(2, Lattice));
        Run(chip, Chips.Image(FirmwarePart.Metrology, 2).Signed(Lattice));
        Run(chip, Chips.Image(FirmwarePart.Cak, 2).Signed(Lattice));
        Assert.Equal(BootRefusal.None, chip.TryRequireSignatures(SignaturePolicy.Both, Later));
        Assert.Equal(new CakEvent(CakEntryKind.Config, FirmwarePart.Bootloader, Detail: (ushort)SignaturePolicy.Both),
            Event(chip.Cak.Entries()[^1]));
        Assert.Equal(BootRefusal.StrippedSignature, Refusal(chip, Image(3)));
        Assert.Equal(BootRefusal.None, chip.TryRequireSignatures(SignaturePolicy.PostQuantum, Later));
        Assert.Equal(BootRefusal.None, chip.TryRequireSignatures(SignaturePolicy.Classical, Later));
        Assert.Equal(SignaturePolicy.PostQuantum, chip.Bootloader.Required(FirmwarePart.Cak));
        Assert.True(Chips.Cycle(chip, 90_000).Runs(FirmwarePart.Application));
        // Whoever has the maker's ECDSA key has nothing; whoever has the other needs no ECDSA.
        Assert.Equal(BootRefusal.StrippedSignature, Refusal(chip, Image(3)));
        var stranger = Chips.Image(FirmwarePart.Application, 3, signer: Chips.Stranger);
        Assert.Equal(BootRefusal.StrippedSignature, Refusal(chip, stranger));
        Assert.Equal(BootRefusal.None, Refusal(chip, stranger.Signed(Lattice)));
    }

    private static CakEvent Event(CakEntry e) => new(e.Kind, e.Part, e.Image, e.Version, e.SecurityVersion, e.Detail,
        e.Slot, e.Cause);

    [Fact]
    public void KeysOfTheFactorysImagesAreInForceFromBirth()
    {
        var chip = new ZeusChip(Spec(SignaturePolicy.Both, Lattice, Hash), 1);
        Assert.True(chip.TryManufacture(Chips.Factory.Select(i => i.Signed(Lattice, Hash)), Chips.Title, null,
            Chips.Start));
        Assert.Equal(3, chip.LastBoot.Booted.Count);
        Assert.Equal(BootRefusal.StrippedSignature, Refusal(chip, Image(2, Lattice)));
        Assert.Equal(BootRefusal.None, Refusal(chip, Image(2, Lattice, Hash)));
        Assert.NotEqual(Chips.Spec.RomImage, Spec(SignaturePolicy.Both, Lattice, Hash).RomImage);
    }

    [Fact]
    public void AKeyRollsOverWithinItsAlgorithmAndIsRevoked()
    {
        var chip = new ZeusChip(Spec(SignaturePolicy.Both, Lattice, Successor), 1);
        Assert.True(chip.TryManufacture(Chips.Factory.Select(i => i.Signed(Lattice)), Chips.Title, null, Chips.Start));
        Assert.False(chip.TryRevoke(Lattice.Public, Later), "what runs has no other signature");
        Assert.False(chip.TryRevoke(Forger.Public, Later), "no key of this ROM");
        foreach (var image in Chips.Factory)
            Run(chip, Chips.Image(image.Header.Part, 2).Signed(Successor));
        Assert.True(chip.TryRevoke(Lattice.Public, Later));
        Assert.Equal(BootRefusal.StrippedSignature, Refusal(chip, Image(3, Lattice)));
        Assert.Equal(BootRefusal.None, Refusal(chip, Image(3, Lattice, Successor)));
        Assert.True(Chips.Cycle(chip, 90_000).Runs(FirmwarePart.Application));
    }

    [Fact]
    public void AListThatCannotBeReadIsRefusedWhereListsAreRead()
    {
        var image = Image(2, Lattice);
        var at = image.Header.Encode().Length + image.Signature.Length + 4;
        foreach (var (spec, refusal) in new[]
        {
            (Chips.Spec, BootRefusal.None),
            (Spec(SignaturePolicy.Classical, Lattice), BootRefusal.UnreadableSignatures),
        })
        {
            var chip = Chips.New(spec: spec);
            chip.Bootloader.Write(FirmwareSlot.B, image);
            // Version 1 with bit 0 cleared is a version that never was.
            chip.Flash.Rot(FlashMap.Slot(64, FirmwarePart.Application, FirmwareSlot.B).First, at, 0);
            Assert.Equal(refusal, chip.Bootloader.Check(FirmwarePart.Application, FirmwareSlot.B).Refusal);
        }
    }

    [Fact]
    public void AnImageCarriesItsListBehindTheBody()
    {
        var (plain, signed) = (Image(7).ToBytes(), Image(7, Lattice, Hash));
        var bytes = signed.ToBytes();
        Assert.Equal(plain, bytes[..plain.Length]);
        Assert.Equal(signed.Others.Encode(), bytes[plain.Length..]);
        Assert.Equal(ImageFault.None, FirmwareImage.TryParse(bytes, out var read));
        Assert.Equal(bytes, read.ToBytes());
        Assert.Equal(signed.Pages[0].Digest, read.Pages[0].Digest);
        Assert.Equal(ImageFault.WrongLength, FirmwareImage.TryParse([.. bytes, 0], out _));
        Assert.Equal(ImageFault.DamagedSignatures, FirmwareImage.TryParse(bytes.AsSpan(..^1), out _));
        bytes[plain.Length + 4] = 2;
        Assert.Equal(ImageFault.NewerFormat, FirmwareImage.TryParse(bytes, out _));
        var large = new SignatureList([new ListedSignature(SignatureAlgorithm.MlDsa65, 1, default, new byte[8_000])]);
        Assert.Throws<ArgumentException>(() => Image(7).With(large));
        Assert.Equal(ImageFault.DamagedSignatures, FirmwareImage.TryParse([.. plain, .. large.Encode()], out _));
    }

    [Fact]
    public void ARomThatCouldNotBootIsNotMade()
    {
        Assert.Throws<ArgumentException>(() => new BootRom(Suite, [], SignaturePolicy.Both));
        Assert.Throws<ArgumentException>(() => new BootRom(SignatureSuite.Classical, [Lattice.Public],
            SignaturePolicy.Classical));
        Assert.Throws<ArgumentException>(() => new BootRom(Suite,
            [new KnownKey(SignatureAlgorithm.EcdsaP256, new byte[64])], SignaturePolicy.Classical));
        Assert.Throws<ArgumentException>(() => new BootRom(Suite,
            [.. Enumerable.Range(0, 9).Select(i => new StandIn(SignatureAlgorithm.HssLms, (byte)i).Public)],
            SignaturePolicy.Classical));
    }
}
