using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Tests.Emulator.Zeus;

namespace Twin.Hardware.Tests.Attestation;

public class QuoteVerifierTests
{
    private static readonly CakEvent Tamper = new(CakEntryKind.Tamper, FirmwarePart.Device, Detail: 22);
    private const ulong Nonce = 42;

    private static QuoteExpectation Expect(ChainPosition? accepted = null, ChainPosition? checkpoint = null) =>
        new() { SystemTitle = Chips.Title, Nonce = Nonce, Accepted = accepted, Checkpoint = checkpoint };

    private static byte[] Ask(ZeusChip chip, uint since = 0) =>
        chip.Quote(Nonce, since, new SwitchState(true, 1, 4), Chips.Start)!;

    private static QuoteVerdict Verify(ZeusChip chip, byte[] bytes, in QuoteExpectation expected) =>
        QuoteVerifier.Verify(bytes, chip.Vault.SigningKey!, expected);

    private static void Only(ChainViolationKind kind, QuoteVerdict verdict) =>
        Assert.Equal([kind], verdict.Violations.Select(v => v.Kind));

    /// <summary>Signs a changed quote with the chip's own key, as a kernel in an attacker's hands does.</summary>
    private static byte[] Forge(ZeusChip chip, byte[] honest, Func<CakQuote, CakQuote> change)
    {
        Assert.True(CakQuote.TryRead(honest, out var quote, out _, out _));
        var signed = change(quote!).ToSign();
        var signature = new byte[64];
        Assert.True(chip.Vault.TrySign(NistCurve.P256.Digest(signed), signature));
        return CakQuote.WithSignature(signed, signature);
    }

    [Fact]
    public void AnHonestLifeIsCleanFromQuoteToQuote()
    {
        var chip = Chips.New();
        ChainPosition? accepted = null, checkpoint = null;
        var draw = new SplitMix64(1);
        for (var round = 0; round < 60; round++)
        {
            for (var i = draw.Next(12); i > 0; i--) chip.Record(Tamper, Chips.Start);
            if (draw.Next(4) == 0) Chips.Cycle(chip, round);
            // Now and then the meter is asked from further back, as after a lost answer.
            var since = accepted is null ? 0 : (uint)Math.Max(0, (int)accepted.Value.Seq - (draw.Next(3) == 0 ? 3 : 0));
            var verdict = Verify(chip, Ask(chip, since), Expect(accepted, checkpoint));
            Assert.True(verdict.IsClean, $"round {round}: {string.Join(", ", verdict.Violations)}");
            Assert.Equal(SignatureVerdict.Valid, verdict.Signature);
            accepted = verdict.Next;
            Assert.Equal(new ChainPosition(chip.Cak.LastSeq, chip.Cak.Head), accepted);
            if (round % 5 != 4) continue;
            checkpoint = accepted;
            Assert.Equal(CheckpointOutcome.Truncated, chip.TakeCheckpoint(
                Chips.Checkpoint(chip, accepted!.Value.Seq, accepted.Value.Head), Chips.Start));
        }
        Assert.True(accepted!.Value.Seq > 250);
    }

    [Fact]
    public void ALongLogComesInPieces()
    {
        var chip = Chips.New();
        while (chip.Record(new(CakEntryKind.KeyChange, FirmwarePart.Device), Chips.Start) == CakOutcome.Recorded) { }
        var first = Verify(chip, Ask(chip), Expect());
        Assert.Equal(chip.Cak.LastSeq, (uint)first.Quote!.Entries.Length);
        Assert.InRange(first.Quote.Entries.Length, 80, CakQuote.MaxEntries);
        // A piece that ends before the end of the log is accepted as far as it goes.
        var piece = Forge(chip, Ask(chip), q => q with
        {
            Entries = q.Entries[..10],
            Head = q.Entries[..10].Aggregate(q.BaseHead, (h, e) => e.HeadAfter(h)),
        });
        var verdict = Verify(chip, piece, Expect());
        Assert.True(verdict.IsClean);
        Assert.Equal(10u, verdict.Next!.Value.Seq);
        Assert.True(Verify(chip, Ask(chip, 10), Expect(verdict.Next)).IsClean);
    }

    [Fact]
    public void EveryFlippedBitOfAQuoteIsSeen()
    {
        var chip = Chips.New();
        var bytes = Ask(chip);
        for (var i = 0; i < bytes.Length; i++)
        {
            var bent = bytes.ToArray();
            bent[i] ^= (byte)(1 << i % 8);
            var verdict = Verify(chip, bent, Expect());
            Assert.True(verdict.Signature is SignatureVerdict.Invalid or SignatureVerdict.Malformed, $"byte {i}");
            Assert.Null(verdict.Next);
        }
        for (var n = 0; n < bytes.Length; n += 7) Assert.False(Verify(chip, bytes[..n], Expect()).IsClean);
    }

    [Fact]
    public void IdentityKeyAndNonceAreHeldToWhatIsKnown()
    {
        ZeusChip chip = Chips.New(), other = Chips.New(2);
        var bytes = Ask(chip);
        var byOther = QuoteVerifier.Verify(bytes, other.Vault.SigningKey!, Expect());
        Assert.Equal([ChainViolationKind.OtherKey, ChainViolationKind.BadSignature],
            byOther.Violations.Select(v => v.Kind));

        Only(ChainViolationKind.OtherMeter, Verify(chip, bytes, Expect() with { SystemTitle = Chips.Title + 1 }));
        Only(ChainViolationKind.StaleNonce, Verify(chip, bytes, Expect() with { Nonce = Nonce + 1 }));
        Assert.True(Verify(chip, bytes, Expect() with { Nonce = null }).IsClean);
        // A stale quote is authentic and its chain sound: what it shows may be accepted, if it is ahead.
        Assert.NotNull(Verify(chip, bytes, Expect() with { Nonce = 1 }).Next);
        Assert.Null(Verify(chip, bytes, Expect() with { SystemTitle = 1 }).Next);
    }

    /// <summary>The debug port puts back an old log: shorter it is a roll-back, longer again it is a fork.</summary>
    [Fact]
    public void ALogPutBackIsARollbackAndThenAFork()
    {
        var chip = Chips.New(spec: Chips.Spec with { DebugPortLeftOpen = true });
        var saved = new byte[2][];
        for (var p = 0; p < 2; p++) Assert.True(chip.DebugPort.TryRead(p, saved[p] = new byte[Flash.PageBytes]));
        chip.Record(Tamper, Chips.Start);
        var accepted = Verify(chip, Ask(chip), Expect()).Next;
        for (var p = 0; p < 2; p++) Assert.True(chip.DebugPort.TryWrite(p, saved[p]));
        chip.Cak.Start();
        Only(ChainViolationKind.RolledBack, Verify(chip, Ask(chip, accepted!.Value.Seq), Expect(accepted)));

        for (var i = 0; i < 3; i++) chip.Record(Tamper with { Detail = 1 }, Chips.Start);
        var forked = Verify(chip, Ask(chip, accepted.Value.Seq), Expect(accepted));
        Only(ChainViolationKind.Fork, forked);
        Assert.Equal(accepted, forked.Next);
        Only(ChainViolationKind.Fork, Verify(chip, Ask(chip, 2), Expect(accepted)));
    }

    [Fact]
    public void AHostileKernelIsSeenThroughItsOwnSignature()
    {
        var chip = Chips.New();
        for (var i = 0; i < 6; i++) chip.Record(Tamper, Chips.Start);
        var honest = Ask(chip);
        QuoteVerdict Forged(Func<CakQuote, CakQuote> change, ChainPosition? accepted = null) =>
            Verify(chip, Forge(chip, honest, change), Expect(accepted));

        Assert.True(Forged(q => q).IsClean);
        Only(ChainViolationKind.SequenceGap, Forged(q => q with { Entries = [.. q.Entries[..3], .. q.Entries[4..]] }));
        Only(ChainViolationKind.SequenceGap, Forged(q => q with { LastSeq = 3 }));
        Only(ChainViolationKind.BrokenChain, Forged(q => q with { Head = Digest.Of([1]) }));
        Only(ChainViolationKind.BrokenChain, Forged(q => q with
        {
            Entries = [.. q.Entries.Select((e, i) => i == 4 ? e with { Detail = 9 } : e)],
        }));
        Only(ChainViolationKind.CounterRegressed, Forged(q => q with { Counters = default }));
        // Begins behind what was accepted, as a log that was cut on its own account does.
        var at = Verify(chip, honest, Expect()).Quote!;
        var second = at.Entries[..2].Aggregate(at.BaseHead, (h, e) => e.HeadAfter(h));
        Only(ChainViolationKind.TruncatedBeyondCheckpoint, Forged(
            q => q with { FirstSeq = 4, Entries = q.Entries[3..], BaseHead = q.Entries[2].HeadAfter(second) },
            new ChainPosition(2, second)));
    }

    [Fact]
    public void ATruncationWithoutAnIssuedCheckpointIsSeen()
    {
        var chip = Chips.New();
        for (var i = 0; i < 6; i++) chip.Record(Tamper, Chips.Start);
        var accepted = Verify(chip, Ask(chip), Expect()).Next;
        // The head-end's key is stolen, or its operator: the meter truncates, and the twin issued nothing.
        chip.TakeCheckpoint(Chips.Checkpoint(chip, accepted!.Value.Seq, accepted.Value.Head), Chips.Start);
        Only(ChainViolationKind.UnknownCheckpoint, Verify(chip, Ask(chip, accepted.Value.Seq), Expect(accepted)));
        Only(ChainViolationKind.UnknownCheckpoint,
            Verify(chip, Ask(chip, accepted.Value.Seq), Expect(accepted, accepted.Value with { Head = default })));
        Assert.True(Verify(chip, Ask(chip, accepted.Value.Seq), Expect(accepted, accepted)).IsClean);
    }

    [Fact]
    public void ACopiedChipIsAuthenticAndNotThisMeter()
    {
        var weak = Chips.Spec with { Noise = new NoiseCondition(NoiseFault.LowEntropy, 0) };
        ZeusChip chip = Chips.New(1, weak), clone = Chips.New(2, weak, Chips.Title + 1);
        Assert.Equal(chip.Vault.SigningKey, clone.Vault.SigningKey);
        Only(ChainViolationKind.OtherMeter, Verify(chip, Ask(clone), Expect()));
    }

    [Fact]
    public void RotInTheLogIsAForkAndWhatFollowsIsStillReadable()
    {
        var chip = Chips.New();
        var accepted = Verify(chip, Ask(chip), Expect()).Next;
        var page = new byte[Flash.PageBytes];
        chip.Flash.Read(1, 0, page);
        // The kind of the second entry, to a number that no entry has.
        var second = page.AsSpan().IndexOf(new byte[] { 0, 0, 0, 2, (byte)CakEntryKind.Boot, (byte)FirmwarePart.Cak });
        chip.Flash.Rot(1, second + 4, 7);
        chip.PowerCut();
        chip.PowerOn(Chips.Start);
        Assert.Equal(1, chip.Cak.Damaged);
        var verdict = Verify(chip, Ask(chip), Expect());
        Assert.Equal((3u, 0), (verdict.Quote!.FirstSeq, verdict.Violations.Count));
        Only(ChainViolationKind.Fork, Verify(chip, Ask(chip, accepted!.Value.Seq), Expect(accepted)));
    }

    [Fact]
    public void ImportedKeysAnswerAsThePlatformDoesAndStayWithinTheirBound()
    {
        using var keys = new ImportedKeys(maxKeys: 2);
        for (var seed = 1UL; seed <= 5; seed++)
        {
            var chip = Chips.New(seed);
            var bytes = Ask(chip);
            Assert.True(QuoteVerifier.Verify(bytes, chip.Vault.SigningKey!, keys, Expect()).IsClean);
            bytes[^1] ^= 1;
            Only(ChainViolationKind.BadSignature, QuoteVerifier.Verify(bytes, chip.Vault.SigningKey!, keys, Expect()));
            Assert.InRange(keys.Count, 1, 2);
        }
        Assert.False(keys.Verify(EcPublicKey.From(new byte[64]), new byte[32], new byte[64]));
    }

    [Fact]
    public void SuiteTwoQuotesVerify()
    {
        var chip = Chips.New(spec: Chips.Spec with { Curve = NistCurve.P384 });
        var bytes = Ask(chip);
        Assert.True(Verify(chip, bytes, Expect()).IsClean);
        Assert.True(CakQuote.TryRead(bytes, out _, out var signed, out _));
        Assert.Equal(96, bytes.Length - signed);
        Assert.True(CakQuote.IsSignedBy(bytes, signed, chip.Vault.SigningKey!.Point));
    }
}
