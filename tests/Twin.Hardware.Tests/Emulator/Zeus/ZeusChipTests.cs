using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class ZeusChipTests
{
    private static readonly UnixTime Later = new(Chips.Start.Seconds + 86_400);

    private static void Offer(ZeusChip chip, FirmwareImage image) =>
        chip.Bootloader.Write(chip.Bootloader.Spare(image.Header.Part), image);

    private static BootRefusal Refusal(ZeusChip chip, FirmwareImage image)
    {
        var (part, spare) = (image.Header.Part, chip.Bootloader.Spare(image.Header.Part));
        chip.Bootloader.Write(part, spare, image);
        return chip.Bootloader.Check(part, spare).Refusal;
    }

    [Fact]
    public void ANewChipRecordsWhatItIs()
    {
        var chip = Chips.New();
        Assert.Equal("Boot/Bootloader Boot/Cak Boot/Metrology Boot/Application/PowerFailure KeyChange/Device",
            Chips.Kinds(chip));
        Assert.Equal(Chips.Factory.Select(i => i.Digest),
            FlashMap.Parts.Select(p => chip.Cak.Of(p).Image));
        Assert.Equal(Chips.Spec.RomImage, chip.Cak.Of(FirmwarePart.Bootloader).Image);
        Assert.Equal(1u, chip.Cak.Counters.Boots);
        Assert.False(chip.DebugPort.IsOpen);
    }

    [Fact]
    public void OneSeedGivesOneChip()
    {
        byte[] Quote(ulong seed) => Chips.New(seed).Quote(7, 0, default, Later)!;
        Assert.Equal(Quote(5), Quote(5));
        Assert.NotEqual(Chips.New(5).Vault.SigningKey, Chips.New(6).Vault.SigningKey);
    }

    [Fact]
    public void APowerCycleIsOneEntryAndKeepsTheKeys()
    {
        var chip = Chips.New();
        var (key, seq) = (chip.Vault.SigningKey, chip.Cak.LastSeq);
        Chips.Cycle(chip, 60);
        Assert.Equal("Boot/Application/PowerFailure", Chips.Kinds(chip, seq));
        chip.Reset(Later, BootCause.Watchdog);
        Assert.Equal("Boot/Application/PowerFailure Boot/Application/Watchdog", Chips.Kinds(chip, seq));
        Assert.Equal(key, chip.Vault.SigningKey);
        Assert.Equal(new CakCounters(3, 2, 1, 0, 0, 0), chip.Cak.Counters);
    }

    [Fact]
    public void WithoutPowerTheChipDoesNothing()
    {
        var chip = Chips.New();
        chip.PowerCut();
        Assert.Throws<InvalidOperationException>(() => chip.Quote(1, 0, default, Later));
        Assert.Throws<InvalidOperationException>(() => chip.Reset(Later, BootCause.Commanded));
        Assert.False(chip.Trng.TryFill(new byte[4]));
    }

    [Theory]
    [InlineData(FirmwarePart.Application)]
    [InlineData(FirmwarePart.Metrology)]
    [InlineData(FirmwarePart.Cak)]
    public void AnUpgradeRunsAndIsAnEntry(FirmwarePart part)
    {
        var chip = Chips.New();
        var seq = chip.Cak.LastSeq;
        var image = Chips.Image(part, 2, 2);
        Offer(chip, image);
        Assert.Equal(ActivationAnswer.Accepted, chip.RequestActivation(part, Later));
        Assert.True(chip.Bootloader.IsPending(part));
        chip.Reset(Later, BootCause.Activation);
        Assert.Equal($"Upgrade/{part} Boot/Application/Activation", Chips.Kinds(chip, seq));
        Assert.Equal(new PartState(image.Digest, 2, 2), chip.Cak.Of(part));
        Assert.Equal(FirmwareSlot.B, chip.Bootloader.Active(part));

        chip.Bootloader.Confirm(part);
        Assert.Equal(2, chip.Fuses.LeastSecurity(part));
        Assert.Equal(BootRefusal.SecurityVersion, Refusal(chip, Chips.Image(part, 3, 1)));
    }

    [Fact]
    public void WhatIsNotGenuineIsRefusedWithItsReason()
    {
        var chip = Chips.New();
        Assert.Equal(BootRefusal.UnknownSigner,
            Refusal(chip, Chips.Image(FirmwarePart.Application, 2, signer: Chips.Stranger)));
        Assert.Equal(BootRefusal.WrongModel, Refusal(chip, Chips.Image(FirmwarePart.Application, 2, model: "ZX2")));
        Assert.Equal(BootRefusal.None, Refusal(chip, Chips.Image(FirmwarePart.Application, 2)));

        var spare = FlashMap.Slot(64, FirmwarePart.Application, FirmwareSlot.B);
        chip.Bootloader.Write(FirmwarePart.Application, FirmwareSlot.B, Chips.Image(FirmwarePart.Metrology, 2));
        Assert.Equal(BootRefusal.WrongPart, chip.Bootloader.Check(FirmwarePart.Application, FirmwareSlot.B).Refusal);

        Offer(chip, Chips.Image(FirmwarePart.Application, 2));
        var header = Chips.Image(FirmwarePart.Application, 2).Header.Encode().Length;
        chip.Flash.Rot(spare.First, header + 5, 0);
        Assert.Equal(BootRefusal.BadSignature, chip.Bootloader.Check(FirmwarePart.Application, FirmwareSlot.B).Refusal);
        chip.Flash.Erase(spare.First);
        Assert.Equal(BootRefusal.NoImage, chip.Bootloader.Check(FirmwarePart.Application, FirmwareSlot.B).Refusal);
        Assert.Throws<ArgumentException>(() => Offer(chip, Chips.Image(FirmwarePart.Application, 2, bytes: 19 * 8192)));
    }

    [Fact]
    public void ARefusedActivationIsRecordedAndChangesNothing()
    {
        var chip = Chips.New();
        var seq = chip.Cak.LastSeq;
        var image = Chips.Image(FirmwarePart.Application, 2, signer: Chips.Stranger);
        Offer(chip, image);
        Assert.Equal(ActivationAnswer.Refused, chip.RequestActivation(FirmwarePart.Application, Later));
        Chips.Cycle(chip);
        Assert.Equal("Refused/Application Boot/Application/PowerFailure", Chips.Kinds(chip, seq));
        var entry = chip.Cak.Entries().Single(e => e.Kind == CakEntryKind.Refused);
        Assert.Equal((image.Digest, (ushort)BootRefusal.UnknownSigner), (entry.Image, entry.Detail));
        Assert.Equal(Chips.Factory[2].Digest, chip.Cak.Of(FirmwarePart.Application).Image);
    }

    [Fact]
    public void AnImageWithoutASignOfLifeFallsBackAfterThreeBoots()
    {
        var chip = Chips.New();
        var (seq, image) = (chip.Cak.LastSeq, Chips.Image(FirmwarePart.Application, 2, 2));
        Offer(chip, image);
        chip.RequestActivation(FirmwarePart.Application, Later);
        chip.Reset(Later, BootCause.Activation);
        chip.Reset(Later, BootCause.Watchdog);
        chip.Reset(Later, BootCause.Watchdog);
        Assert.Equal(image.Digest, chip.Cak.Of(FirmwarePart.Application).Image);
        chip.Reset(Later, BootCause.Watchdog);
        Assert.Equal("Upgrade/Application Boot/Application/Activation Boot/Application/Watchdog "
            + "Boot/Application/Watchdog Refused/Application Rollback/Application Boot/Application/Watchdog",
            Chips.Kinds(chip, seq));
        Assert.Equal(Chips.Factory[2].Digest, chip.Cak.Of(FirmwarePart.Application).Image);
        Assert.Equal(0, chip.Fuses.LeastSecurity(FirmwarePart.Application));
    }

    [Fact]
    public void RotIsLocatedByTheScrubAndTheNextBootFallsBack()
    {
        var chip = Chips.New();
        var seq = chip.Cak.LastSeq;
        Assert.Equal((0, 0), chip.Bootloader.Scrub());
        var page = FlashMap.Slot(64, FirmwarePart.Metrology, FirmwareSlot.A).First + 1;
        chip.Flash.Rot(page, 4000, 3);
        Assert.Equal((1, page), chip.Bootloader.Scrub());
        Assert.True(CakQuote.TryRead(chip.Quote(1, 0, default, Later), out var quote, out _, out _));
        Assert.Equal((1, page), (quote!.ChangedPages, quote.FirstChangedPage));

        var report = Chips.Cycle(chip);
        var refused = Assert.Single(report.Refused);
        Assert.Equal((BootRefusal.ChangedPages, (ushort)page), (refused.Check.Refusal, refused.Check.FirstChangedPage));
        // Both slots hold the same image: the meter runs on what it ran on.
        Assert.Equal("Refused/Metrology Boot/Application/PowerFailure", Chips.Kinds(chip, seq));
        Assert.True(report.Runs(FirmwarePart.Metrology));
        Assert.Equal((0, 0), chip.Bootloader.Scrub());
    }

    [Fact]
    public void WithoutAnApplicationTheMetrologyStillRuns()
    {
        var chip = Chips.New();
        foreach (var slot in new[] { FirmwareSlot.A, FirmwareSlot.B })
            chip.Flash.Erase(FlashMap.Slot(64, FirmwarePart.Application, slot).First);
        var report = Chips.Cycle(chip);
        Assert.True(report.Runs(FirmwarePart.Metrology));
        Assert.False(report.Runs(FirmwarePart.Application));
        Assert.Equal(FirmwarePart.Device, chip.Cak.Entries()[^1].Part);
    }

    /// <summary>
    /// A cut at any byte of activation and boot: the new image or the old one runs, and the log says which.
    /// </summary>
    [Fact]
    public void ACutAnywhereInAnUpgradeLeavesAMeterThatRunsAndALogThatSaysWhat()
    {
        var (cuts, upgrade) = (0, Chips.Image(FirmwarePart.Application, 2, 2));
        for (; ; cuts++)
        {
            var chip = Chips.New();
            Offer(chip, upgrade);
            chip.Flash.CutAfter(cuts);
            var done = false;
            try
            {
                chip.RequestActivation(FirmwarePart.Application, Later);
                chip.Reset(Later, BootCause.Activation);
                done = true;
            }
            catch (PowerLossException)
            {
                var report = Chips.Cycle(chip);
                Assert.True(report.Runs(FirmwarePart.Application), $"cut at {cuts}");
            }
            var runs = chip.LastBoot.Booted.Single(b => b.Part == FirmwarePart.Application).Check.Image;
            Assert.True(chip.Cak.Of(FirmwarePart.Application).Image == runs, $"cut at {cuts}");
            var upgrades = chip.Cak.Entries().Count(e => e.Kind == CakEntryKind.Upgrade);
            Assert.True(upgrades == (runs == upgrade.Digest ? 1 : 0), $"cut at {cuts}: {upgrades} upgrades");
            Assert.Equal(chip.Cak.Counters.Boots, chip.Cak.Counters.Explained);
            if (done) break;
        }
        Assert.InRange(cuts, 150, 300);
    }

    [Fact]
    public void AnOpenedBootloaderRunsAnythingAndTheKernelRecordsWhat()
    {
        var chip = Chips.New(spec: Chips.Spec with { OpenBoot = true, DebugPortLeftOpen = true });
        var seq = chip.Cak.LastSeq;
        Assert.True(chip.DebugPort.IsOpen);
        var page = FlashMap.Slot(64, FirmwarePart.Application, FirmwareSlot.A).First + 1;
        var content = new byte[Flash.PageBytes];
        Assert.True(chip.DebugPort.TryRead(page, content));
        content[17] ^= 0xFF;
        Assert.True(chip.DebugPort.TryWrite(page, content));
        Chips.Cycle(chip);
        var entry = chip.Cak.Entries()[^1];
        Assert.Equal("Boot/Application/PowerFailure", Chips.Kinds(chip, seq));
        Assert.NotEqual(Chips.Factory[2].Digest, entry.Image);
        Assert.Equal(entry.Image, chip.Cak.Of(FirmwarePart.Application).Image);
        // Put back: the log keeps that it was there.
        content[17] ^= 0xFF;
        chip.DebugPort.TryWrite(page, content);
        Chips.Cycle(chip);
        Assert.Equal(Chips.Factory[2].Digest, chip.Cak.Of(FirmwarePart.Application).Image);
        Assert.Equal(2, chip.Cak.Entries().Count(e => e.Seq > seq));
    }

    /// <summary>A genuine image put into the active slot past the bootloader is no upgrade, even after one.</summary>
    [Fact]
    public void AnImageThatNobodyActivatedIsNoUpgrade()
    {
        var chip = Chips.New(spec: Chips.Spec with { DebugPortLeftOpen = true });
        Offer(chip, Chips.Image(FirmwarePart.Metrology, 2));
        chip.RequestActivation(FirmwarePart.Metrology, Later);
        chip.Reset(Later, BootCause.Activation);
        chip.Bootloader.Confirm(FirmwarePart.Metrology);
        var seq = chip.Cak.LastSeq;
        var other = Chips.Image(FirmwarePart.Metrology, 5);
        var slot = FlashMap.Slot(64, FirmwarePart.Metrology, chip.Bootloader.Active(FirmwarePart.Metrology));
        for (var p = 0; p < other.Pages.Count; p++)
            Assert.True(chip.DebugPort.TryWrite(slot.First + p, other.Pages[p].Bytes));
        Chips.Cycle(chip);
        Assert.Equal("Boot/Metrology Boot/Application/PowerFailure", Chips.Kinds(chip, seq));
        Assert.Equal(other.Digest, chip.Cak.Of(FirmwarePart.Metrology).Image);
    }

    [Fact]
    public void ALockedDebugPortReadsAndWritesNothing()
    {
        var chip = Chips.New();
        var content = new byte[Flash.PageBytes];
        Assert.False(chip.DebugPort.TryRead(0, content));
        Assert.False(chip.DebugPort.TryWrite(0, content));
        Assert.Equal(new byte[Flash.PageBytes], content);
    }

    [Fact]
    public void AFullLogTakesNoUpgrade()
    {
        var chip = Chips.New();
        var key = new CakEvent(CakEntryKind.KeyChange, FirmwarePart.Device);
        while (chip.Record(key, Later) == CakOutcome.Recorded) { }
        Offer(chip, Chips.Image(FirmwarePart.Application, 2));
        Assert.Equal(ActivationAnswer.LogFull, chip.RequestActivation(FirmwarePart.Application, Later));
        var report = Chips.Cycle(chip);
        Assert.True(report.Runs(FirmwarePart.Application));
        Assert.Equal(Chips.Factory[2].Digest, chip.Cak.Of(FirmwarePart.Application).Image);
        Assert.Equal(2u, chip.Cak.Counters.Boots);
    }

    [Fact]
    public void AChipWithBadNoiseIsScrap()
    {
        var chip = new ZeusChip(Chips.Spec with { Noise = new NoiseCondition(NoiseFault.Stuck) }, 1);
        Assert.False(chip.TryManufacture(Chips.Factory, Chips.Title, null, Chips.Start));
        Assert.Null(chip.Vault.SigningKey);
        Assert.Null(chip.Quote(1, 0, default, Later));
    }

    [Fact]
    public void AWeakLotRepeatsKeysAndARepeatedNonceRepeatsR()
    {
        var weak = Chips.Spec with { Noise = new NoiseCondition(NoiseFault.LowEntropy, 3) };
        var keys = Enumerable.Range(0, 60).Select(i => Chips.New((ulong)i, weak).Vault.SigningKey);
        Assert.Equal(8, keys.Distinct().Count());
        var nonce = Chips.Spec with { RepeatsNonce = true };
        var one = Chips.New(1, nonce).Quote(1, 0, default, Later)!;
        var two = Chips.New(2, nonce).Quote(2, 0, default, Later)!;
        Assert.Equal(one[^64..^32], two[^64..^32]);
        Assert.NotEqual(one[^32..], two[^32..]);
    }

    [Fact]
    public void RevokedAndSupernumeraryAnchorsAreRefused()
    {
        var chip = Chips.New();
        Assert.True(chip.Fuses.TryBurnAnchor(Chips.Stranger.PublicKey));
        Assert.Equal(BootRefusal.None, Refusal(chip, Chips.Image(FirmwarePart.Application, 2, signer: Chips.Stranger)));
        Assert.True(chip.Fuses.TryRevoke(Chips.Stranger.PublicKey));
        Assert.Equal(BootRefusal.UnknownSigner,
            chip.Bootloader.Check(FirmwarePart.Application, FirmwareSlot.B).Refusal);
        for (var i = 0UL; i < 2; i++)
            Assert.True(chip.Fuses.TryBurnAnchor(new SigningKey(NistCurve.P256, i, "more").PublicKey));
        Assert.False(chip.Fuses.TryBurnAnchor(new SigningKey(NistCurve.P256, 9, "more").PublicKey));
    }
}
