using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Tests.Emulator.Zeus;

namespace Twin.Hardware.Tests.Attestation;

public class AttestationResultTests
{
    private static readonly AttestationContext Sound = new()
    {
        Application = ImageStanding.Approved, Metrology = ImageStanding.Approved, ConfigurationAsRegistered = true,
        ReadingScore = 0.1,
    };

    private static AttestationResult Result(AttestationContext context, Action<ZeusChip>? meddle = null,
        EcPublicKey? key = null, UInt128? nonce = null, ulong title = Chips.Title)
    {
        var chip = Chips.New();
        meddle?.Invoke(chip);
        var bytes = chip.Quote(5, 0, default, Chips.Start)!;
        var verdict = QuoteVerifier.Verify(bytes, key ?? chip.Vault.SigningKey!,
            new QuoteExpectation { SystemTitle = title, Nonce = nonce ?? 5 });
        return AttestationResult.From(Chips.Title, Chips.Start, verdict, context);
    }

    private static string Claims(AttestationSubmodule m) =>
        $"{m.InstanceIdentity} {m.Configuration} {m.Executables} {m.Hardware} {m.SourcedData}";

    [Fact]
    public void ASoundMeterIsAffirmedInBothParts()
    {
        var result = Result(Sound);
        Assert.Equal((TrustTier.Affirming, "2 2 2 2 0", "2 2 2 2 2"),
            (result.Status, Claims(result.Application), Claims(result.Metrology)));
        Assert.Equal((UInt128)5, result.Nonce);
    }

    [Theory]
    [InlineData(ImageStanding.Unknown, 0, TrustTier.Affirming)]
    [InlineData(ImageStanding.Withdrawn, 32, TrustTier.Warning)]
    [InlineData(ImageStanding.Unauthorised, 33, TrustTier.Warning)]
    [InlineData(ImageStanding.Unregistered, 96, TrustTier.Contraindicated)]
    public void ExecutablesFollowTheStandingOfTheImage(ImageStanding standing, int claim, TrustTier tier)
    {
        var result = Result(Sound with { Application = standing });
        Assert.Equal((claim, tier, TrustTier.Affirming),
            (result.Application.Executables, result.Status, result.Metrology.Status));
    }

    [Theory]
    [InlineData(double.NaN, 0)]
    [InlineData(0.49, 2)]
    [InlineData(0.5, 32)]
    [InlineData(0.95, 96)]
    public void SourcedDataFollowTheReadings(double score, int claim) =>
        Assert.Equal(claim, Result(Sound with { ReadingScore = score }).Metrology.SourcedData);

    [Fact]
    public void ReadingsOfAnUnknownMetrologyImageAreWorthNothing() =>
        Assert.Equal(96, Result(Sound with { Metrology = ImageStanding.Unregistered }).Metrology.SourcedData);

    [Fact]
    public void ARefusedSignatureAffirmsNothing()
    {
        var other = Result(Sound, key: Chips.Stranger.PublicKey);
        Assert.Equal((TrustTier.Contraindicated, "97 0 99 0 0"), (other.Status, Claims(other.Application)));
    }

    [Fact]
    public void TheOtherInputsHaveTheirClaims()
    {
        Assert.Equal("96 2 2 2 0", Claims(Result(Sound with { KeyIsShared = true }).Application));
        Assert.Equal("2 32 2 2 0", Claims(Result(Sound with { ConfigurationAsRegistered = false }).Application));
        Assert.Equal("2 2 2 32 0", Claims(Result(Sound with { Tampered = true }).Application));
        Assert.Equal("2 2 1 2 0", Claims(Result(Sound, nonce: 6).Application));
        Assert.Equal("96 2 96 2 0", Claims(Result(Sound, title: 1).Application));
        var page = FlashMap.Slot(64, FirmwarePart.Metrology, FirmwareSlot.A).First + 1;
        Assert.Equal("2 2 2 32 2", Claims(Result(Sound, c => c.Flash.Rot(page, 1, 1)).Metrology));
    }

    [Fact]
    public void TiersAreRanges() => Assert.Equal(
        [TrustTier.None, TrustTier.None, TrustTier.Affirming, TrustTier.Affirming, TrustTier.Warning, TrustTier.Warning,
            TrustTier.Contraindicated, TrustTier.Contraindicated],
        new sbyte[] { -1, 1, 2, 31, 32, 95, 96, 127 }.Select(TrustClaim.Tier));
}
