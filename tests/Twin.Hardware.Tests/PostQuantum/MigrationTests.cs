using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.PostQuantum;
using Twin.Hardware.Signatures;
using Twin.Hardware.Tests.Emulator.Zeus;

namespace Twin.Hardware.Tests.PostQuantum;

/// <summary>
/// A fleet of three generations of boot ROM goes over to post-quantum signatures: one release for all, then a
/// requirement, then nothing of ECDSA. Whoever forges or strips is refused from the moment that a meter can tell.
/// </summary>
public class MigrationTests
{
    private static readonly MlDsaKey Lattice = MlDsaKey.Emulated(1, "maker");
    private static readonly MlDsaKey Thief = MlDsaKey.Emulated(1, "thief");
    private static readonly FirmwarePart[] Parts = FlashMap.Parts;
    private static long _hour;

    private readonly LmsKey _hash;
    private readonly ZeusChip _old, _lms, _mldsa;

    public MigrationTests()
    {
        var counter = new DurableCounter();
        _hash = LmsKey.Emulated(5, 1, "maker", (out uint index) => counter.TryTake(out index));
        _old = Chips.New(1);
        _lms = Chips.New(2, Rom(PostQuantumSuites.Lms, _hash), Chips.Title + 1);
        _mldsa = Chips.New(3, Rom(PostQuantumSuites.MlDsa, Lattice), Chips.Title + 2);
    }

    private static ChipSpec Rom(SignatureSuite suite, IMessageSigner key) =>
        Chips.Spec with { Rom = new BootRom(suite, [key.Public], SignaturePolicy.Classical) };

    private ZeusChip[] Fleet => [_old, _lms, _mldsa];

    private static UnixTime Now() => new(Chips.Start.Seconds + 3_600 * ++_hour);

    /// <summary>The three generations' answers to an image in the spare slot.</summary>
    private BootRefusal[] Refusals(FirmwareImage image) => [.. Fleet.Select(chip =>
    {
        var (part, spare) = (image.Header.Part, chip.Bootloader.Spare(image.Header.Part));
        chip.Bootloader.Write(spare, image);
        return chip.Bootloader.Check(part, spare).Refusal;
    })];

    private static ActivationAnswer Activate(ZeusChip chip, FirmwareImage image)
    {
        chip.Bootloader.Write(chip.Bootloader.Spare(image.Header.Part), image);
        var answer = chip.RequestActivation(image.Header.Part, Now());
        if (answer != ActivationAnswer.Accepted) return answer;
        chip.Reset(Now(), BootCause.Activation);
        chip.Bootloader.Confirm(image.Header.Part);
        return answer;
    }

    private FirmwareImage Release(FirmwarePart part, uint version) =>
        Chips.Image(part, version).Signed(_hash, Lattice);

    [Fact]
    public void OneReleaseSignedThreeWaysRunsOnAllAndFromThenOnNobodyGoesBack()
    {
        var plain = Chips.Image(FirmwarePart.Application, 2);
        Assert.Equal([BootRefusal.None, BootRefusal.None, BootRefusal.None], Refusals(plain));

        var release = Release(FirmwarePart.Application, 3);
        // As it travels: what a meter receives is what it puts into flash.
        Assert.Equal(ImageFault.None, FirmwareImage.TryParse(release.ToBytes(), out var received));
        foreach (var chip in Fleet)
        {
            Assert.Equal(ActivationAnswer.Accepted, Activate(chip, received));
            Assert.Equal(release.Digest, chip.Cak.Of(FirmwarePart.Application).Image);
        }

        // Stripped of all, of one, forged by another's key, bent: each meter refuses what it can tell.
        var next = Chips.Image(FirmwarePart.Application, 4);
        Assert.Equal([BootRefusal.None, BootRefusal.StrippedSignature, BootRefusal.StrippedSignature], Refusals(next));
        Assert.Equal([BootRefusal.None, BootRefusal.None, BootRefusal.StrippedSignature],
            Refusals(next.Signed(_hash)));
        Assert.Equal([BootRefusal.None, BootRefusal.StrippedSignature, BootRefusal.None],
            Refusals(next.Signed(Lattice)));
        Assert.Equal([BootRefusal.None, BootRefusal.StrippedSignature, BootRefusal.StrippedSignature],
            Refusals(next.Signed(Thief)));
        // Signatures of the last release under the next image.
        Assert.Equal([BootRefusal.None, BootRefusal.BadSignature, BootRefusal.BadSignature],
            Refusals(next.With(release.Others)));
        Assert.Equal([BootRefusal.None, BootRefusal.None, BootRefusal.None],
            Refusals(Release(FirmwarePart.Application, 4)));

        // What is refused is in the attested log, from which the twin states its finding.
        Assert.Equal(ActivationAnswer.Refused, Activate(_mldsa, next));
        var entry = _mldsa.Cak.Entries().Single(e => e.Kind == CakEntryKind.Refused);
        Assert.Equal((next.Digest, (ushort)BootRefusal.StrippedSignature), (entry.Image, entry.Detail));
    }

    [Fact]
    public void TheRequirementRollsOverMeterByMeterAndOnlyWhereItCan()
    {
        foreach (var chip in Fleet)
            Assert.Equal(BootRefusal.TooFewSignatures, chip.TryRequireSignatures(SignaturePolicy.Both, Now()));
        foreach (var part in Parts)
            foreach (var chip in Fleet)
                Assert.Equal(ActivationAnswer.Accepted, Activate(chip, Release(part, 2)));

        // The first generation never can: it stays a meter of ECDSA, to be exchanged.
        BootRefusal[] Require(SignaturePolicy policy) =>
            [.. Fleet.Select(c => c.TryRequireSignatures(policy, Now()))];
        Assert.Equal([BootRefusal.TooFewSignatures, BootRefusal.None, BootRefusal.None], Require(SignaturePolicy.Both));
        Assert.Equal([BootRefusal.TooFewSignatures, BootRefusal.None, BootRefusal.None],
            Require(SignaturePolicy.PostQuantum));
        foreach (var chip in Fleet) Assert.Equal(3, Chips.Cycle(chip, 3_600 * ++_hour).Booted.Count);

        // A quantum computer found the maker's ECDSA key: it helps against the first generation alone.
        var stolen = Chips.Image(FirmwarePart.Application, 9);
        Assert.Equal([BootRefusal.None, BootRefusal.StrippedSignature, BootRefusal.StrippedSignature],
            Refusals(stolen));
        // And the maker signs on with a new ECDSA key, or any.
        var anew = Chips.Image(FirmwarePart.Application, 9, signer: Chips.Stranger).Signed(_hash, Lattice);
        Assert.Equal([BootRefusal.UnknownSigner, BootRefusal.None, BootRefusal.None], Refusals(anew));
    }

    [Fact]
    public void SizesAreThoseThatFitTheFirstPageOfTheLargestImage()
    {
        var image = Chips.Image(FirmwarePart.Application, 2, bytes: 50 * Flash.PageBytes);
        var signed = image.Signed(_hash, Lattice);
        Assert.Equal((2_352, 3_309), (signed.Others.All[1].Value.Length, signed.Others.All[0].Value.Length));
        Assert.Equal(5_691, signed.Others.Encode().Length);
        Assert.Equal(image.Pages.Count, signed.Pages.Count);
    }
}
