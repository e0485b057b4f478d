using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class CakKernelTests
{
    private static readonly CakEvent Tamper = new(CakEntryKind.Tamper, FirmwarePart.Device, Detail: 22);

    private static CakKernel On(Flash flash)
    {
        var kernel = new CakKernel(flash, new KeyVault());
        kernel.Provision(Chips.Title, Chips.HeadEnd.PublicKey);
        kernel.Start();
        return kernel;
    }

    /// <summary>The head that entries lead to from a base: worked out here, beside the kernel.</summary>
    private static Digest HeadOf(Digest head, IEnumerable<CakEntry> entries) =>
        entries.Aggregate(head, (h, e) => e.HeadAfter(h));

    private static void Holds(CakKernel kernel, string where)
    {
        var entries = kernel.Entries();
        Assert.True(entries.Select((e, i) => e.Seq == kernel.BaseSeq + 1 + i).All(x => x), $"{where}: a gap");
        Assert.True(kernel.LastSeq == kernel.BaseSeq + entries.Count, $"{where}: number");
        Assert.True(kernel.Head == HeadOf(kernel.BaseHead, entries), $"{where}: head");
    }

    [Fact]
    public void EntriesChainAndOutliveThePower()
    {
        var flash = new Flash();
        var kernel = On(flash);
        for (var i = 0u; i < 20; i++) Assert.Equal(CakOutcome.Recorded, kernel.Append(Tamper, i, 0));
        Holds(kernel, "before");
        var again = On(flash);
        Assert.Equal((20u, kernel.Head), (again.LastSeq, again.Head));
        Holds(again, "after");
        Assert.Equal(Enumerable.Range(0, 20).Select(i => (uint)i), again.Entries().Select(e => e.MeterTime));
    }

    [Fact]
    public void CountersFollowCausesAndCrashes()
    {
        var kernel = On(new Flash());
        foreach (var cause in new[] { BootCause.PowerFailure, BootCause.PowerFailure, BootCause.Watchdog,
            BootCause.Activation, BootCause.Commanded })
            kernel.Append(new CakEvent(CakEntryKind.Boot, FirmwarePart.Application, Cause: cause), 0, 0);
        kernel.Append(new CakEvent(CakEntryKind.AppCrash, FirmwarePart.Application), 0, 0);
        Assert.Equal(new CakCounters(5, 2, 1, 1, 1, 1), kernel.Counters);
        Assert.Equal(kernel.Counters.Boots, kernel.Counters.Explained);
    }

    /// <summary>
    /// Every cut of an append, of its first entry and of a later one, with what the next start finds.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void ACutAtAnyByteOfAnAppendLosesAtMostThatEntry(int before)
    {
        var (cuts, lost) = (0, 0);
        for (; ; cuts++)
        {
            var flash = new Flash();
            var kernel = On(flash);
            for (var i = 0u; i < before; i++) kernel.Append(Tamper, i, 0);
            var (seq, head) = (kernel.LastSeq, kernel.Head);
            flash.CutAfter(cuts);
            var cut = Cut(() => kernel.Append(Tamper, 99, 0));
            flash.RestorePower();
            var again = On(flash);
            Holds(again, $"cut at {cuts}");
            if (!cut) break;
            if (again.LastSeq == seq) Assert.True(again.Head == head, $"cut at {cuts}: another past");
            else Assert.Equal(seq + 1, again.LastSeq);
            lost += again.LastSeq == seq ? 1 : 0;

            Assert.Equal(CakOutcome.Recorded, again.Append(Tamper, 100, 0));
            var third = On(flash);
            Holds(third, $"cut at {cuts}, next entry");
            Assert.Equal(again.Head, third.Head);
            Assert.Equal(100u, third.Entries()[^1].MeterTime);
        }
        Assert.Equal(CakEntry.Size + 8, cuts);
        Assert.InRange(lost, cuts - 1, cuts);
    }

    /// <summary>
    /// Every cut of a truncation: erasure, header, copies, the mark. The log is as before, or truncated.
    /// </summary>
    [Fact]
    public void ACutAtAnyByteOfATruncationLosesNothing()
    {
        var made = new Flash();
        var first = On(made);
        for (var i = 0u; i < 12; i++) first.Append(Tamper, i, 0);
        var at = HeadOf(Digest.None, first.Entries().Take(9));
        var bytes = new CakCheckpoint(Chips.Title, 9, at);
        var signed = bytes.WithSignature(Chips.HeadEnd.Sign(bytes.ToSign(Chips.HeadEnd.PublicKey.Curve)));
        // A swap already happened once, so that the other page has old content to erase.
        Assert.Equal(CheckpointOutcome.Truncated, first.TakeCheckpoint(signed, 50, 0));
        for (var i = 0u; i < 5; i++) first.Append(Tamper, 60 + i, 0);
        Assert.Equal(18u, first.LastSeq);
        var next = new CakCheckpoint(Chips.Title, 15, HeadOf(at, first.Entries().Take(6)));
        signed = next.WithSignature(Chips.HeadEnd.Sign(next.ToSign(Chips.HeadEnd.PublicKey.Curve)));
        var (seq, head) = (first.LastSeq, first.Head);

        var (cuts, truncated) = (0, 0);
        for (; ; cuts++)
        {
            var flash = made.Copy();
            var kernel = On(flash);
            flash.CutAfter(cuts);
            var cut = Cut(() => kernel.Truncate(next, 70, 0));
            flash.RestorePower();
            var again = On(flash);
            if (again.BaseSeq == 9) Assert.True((again.LastSeq, again.Head) == (seq, head), $"cut at {cuts}");
            else
            {
                Assert.True(again.BaseSeq == 15 && again.LastSeq == seq + 1 && again.BaseHead == next.Head, $"{cuts}");
                Assert.Equal(CakEntryKind.Truncate, again.Entries()[^1].Kind);
                truncated++;
            }
            if (cuts % 16 == 0 || again.BaseSeq == 15 || !cut)
            {
                Holds(again, $"cut at {cuts}");
                Assert.Equal(CakOutcome.Recorded, again.Append(Tamper, 99, 0));
                Holds(On(flash), $"cut at {cuts}, next entry");
            }
            if (!cut) break;
        }
        Assert.True(cuts > Flash.PageBytes + CakKernel.HeaderBytes, $"{cuts} cuts");
        Assert.InRange(truncated, 1, 2);
        Assert.Equal(CheckpointOutcome.Truncated, On(made).TakeCheckpoint(signed, 70, 0));
    }

    /// <summary>
    /// Long lives: appends and truncations, each cut at a random byte, against a list of what was acknowledged.
    /// </summary>
    [Fact]
    public void RandomCutsNeverForkTheChain()
    {
        for (var seed = 0UL; seed < 12; seed++)
        {
            var draw = SplitMix64.For(seed, "cuts");
            var flash = new Flash();
            var kernel = On(flash);
            for (var step = 0; step < 250; step++)
            {
                var (seq, head, from) = (kernel.LastSeq, kernel.Head, kernel.BaseSeq);
                if (draw.Next(3) == 0) flash.CutAfter(draw.Next(draw.Next(2) == 0 ? 100 : 12_000));
                var cut = Cut(() =>
                {
                    if (step % 40 == 39) kernel.Truncate(new CakCheckpoint(Chips.Title, seq, head), (uint)step, 0);
                    else kernel.Append(Tamper, (uint)step, 0);
                });
                if (cut)
                {
                    flash.RestorePower();
                    kernel = On(flash);
                    Assert.True(kernel.LastSeq - seq <= 1, $"seed {seed}, step {step}");
                    Assert.True(kernel.LastSeq > seq || kernel.Head == head, $"seed {seed}, step {step}: a fork");
                }
                else
                {
                    flash.RestorePower();
                    Assert.True(kernel.LastSeq == seq + 1 || kernel.Unrecorded > 0, $"seed {seed}, step {step}: lost");
                }
                Holds(kernel, $"seed {seed}, step {step}");
            }
            Assert.True(kernel.LastSeq > 100, $"seed {seed}: {kernel.LastSeq} entries");
        }
    }

    [Fact]
    public void AFullLogCountsWhatRepeatsAndRefusesWhatMayNotHappenUnrecorded()
    {
        var flash = new Flash();
        var kernel = On(flash);
        while (kernel.Room > 0) Assert.Equal(CakOutcome.Recorded, kernel.Append(Tamper, 1, 0));
        Assert.Equal(CakKernel.Reserved, kernel.RoomWithReserve);
        var full = kernel.LastSeq;
        Assert.InRange(full, 80u, 92u);

        Assert.Equal(CakOutcome.Counted, kernel.Append(Tamper, 2, 0));
        var boot = new CakEvent(CakEntryKind.Boot, FirmwarePart.Device, Cause: BootCause.PowerFailure);
        for (var i = 0; i < 300; i++) Assert.Equal(CakOutcome.Counted, kernel.Append(boot, 3, 0));
        Assert.Equal((full, 257, 256u), (kernel.LastSeq, kernel.Unrecorded, kernel.Counters.Boots));

        var upgrade = new CakEvent(CakEntryKind.Upgrade, FirmwarePart.Cak, Digest.Of([1]), 2, 1);
        for (var i = 0; i < CakKernel.Reserved; i++) Assert.Equal(CakOutcome.Recorded, kernel.Append(upgrade, 4, 0));
        Assert.Equal(CakOutcome.Refused, kernel.Append(upgrade, 5, 0));
        Assert.Equal(CakOutcome.Refused, kernel.Append(new(CakEntryKind.KeyChange, FirmwarePart.Device), 5, 0));
        var changed = new CakEvent(CakEntryKind.Boot, FirmwarePart.Application, Digest.Of([2]), 9, 1,
            Cause: BootCause.Watchdog);
        Assert.Equal(CakOutcome.Counted, kernel.Append(changed, 6, 0));
        // What runs is known although it could not be recorded.
        Assert.Equal(Digest.Of([2]), kernel.Of(FirmwarePart.Application).Image);

        var again = On(flash);
        Assert.Equal((kernel.LastSeq, kernel.Unrecorded, kernel.Counters),
            (again.LastSeq, again.Unrecorded, again.Counters));
        again.Truncate(new CakCheckpoint(Chips.Title, again.LastSeq, again.Head), 7, 0);
        Assert.Equal((0, new CakCounters(257, 256, 1, 0, 0, 0)), (again.Unrecorded, again.Counters));
        Assert.Equal(CakOutcome.Recorded, again.Append(boot, 8, 0));
        Assert.Equal(258u, again.Counters.Boots);
        Holds(On(flash), "after truncation");
    }

    /// <summary>A supply that fails in every append fills the page with torn slots; the swap drops them.</summary>
    [Fact]
    public void TornSlotsAreDroppedWhenThePageIsFull()
    {
        var flash = new Flash();
        var kernel = On(flash);
        for (var i = 0u; i < 300; i++)
        {
            flash.CutAfter(30);
            Assert.True(Cut(() => kernel.Append(Tamper, i, 0)));
            flash.RestorePower();
            kernel = On(flash);
            if (i % 10 == 0) Assert.Equal(CakOutcome.Recorded, kernel.Append(Tamper, i, 0));
        }
        Assert.Equal(30u, kernel.LastSeq);
        Holds(kernel, "after 300 cuts");
    }

    [Fact]
    public void OnlyACountersignedCheckpointOfThisLogTruncates()
    {
        var chip = Chips.New();
        for (var i = 0; i < 10; i++) chip.Record(Tamper, Chips.Start);
        var (seq, head) = (chip.Cak.LastSeq, chip.Cak.Head);
        CheckpointOutcome Take(byte[] bytes) => chip.TakeCheckpoint(bytes, Chips.Start);

        var good = Chips.Checkpoint(chip, seq, head);
        Assert.Equal(CheckpointOutcome.Malformed, Take(good[..^1]));
        Assert.Equal(CheckpointOutcome.BadSignature, Take(Chips.Checkpoint(chip, seq, head, Chips.Stranger)));
        var bent = good.ToArray();
        bent[20] ^= 1;
        Assert.Equal(CheckpointOutcome.BadSignature, Take(bent));
        Assert.Equal(CheckpointOutcome.OutOfRange, Take(Chips.Checkpoint(chip, seq + 1, head)));
        Assert.Equal(CheckpointOutcome.OutOfRange, Take(Chips.Checkpoint(chip, 0, Digest.None)));
        Assert.Equal(CheckpointOutcome.OtherHead, Take(Chips.Checkpoint(chip, seq - 1, head)));
        var other = new CakCheckpoint(chip.SystemTitle + 1, seq, head);
        Assert.Equal(CheckpointOutcome.OtherMeter,
            Take(other.WithSignature(Chips.HeadEnd.Sign(other.ToSign(Chips.HeadEnd.PublicKey.Curve)))));
        Assert.Equal((seq, 0u), (chip.Cak.LastSeq, chip.Cak.BaseSeq));

        Assert.Equal(CheckpointOutcome.Truncated, Take(good));
        Assert.Equal((seq + 1, seq, head), (chip.Cak.LastSeq, chip.Cak.BaseSeq, chip.Cak.BaseHead));
        Assert.Equal(CheckpointOutcome.OutOfRange, Take(good));
        var unprovisioned = new CakKernel(new Flash(), new KeyVault());
        Assert.Equal(CheckpointOutcome.NoKey, unprovisioned.TakeCheckpoint(good, 0, 0));
    }

    [Fact]
    public void RotInACommittedEntryIsCountedAndStaysInTheChainAsItIs()
    {
        var flash = new Flash();
        var kernel = On(flash);
        for (var i = 0u; i < 5; i++) kernel.Append(Tamper, i, 0);
        var head = kernel.Head;
        // Found by its content: the meter time of the third entry.
        var page = new byte[Flash.PageBytes];
        const int log = 1; // A new chip writes the second page first.
        flash.Read(log, 0, page);
        var size = CakEntry.Size + 8;
        var first = page.AsSpan().IndexOf(new byte[] { 0, 0, 0, 1, (byte)CakEntryKind.Tamper, 0 });
        flash.Rot(log, first + 2 * size + 51, 0);
        var again = On(flash);
        Assert.Equal((1, 5u), (again.Damaged, again.LastSeq));
        Assert.NotEqual(head, again.Head);
        Assert.Equal([0u, 1u, 3u, 3u, 4u], again.Entries().Select(e => e.MeterTime));
    }

    private static bool Cut(Action work)
    {
        try
        {
            work();
            return false;
        }
        catch (PowerLossException)
        {
            return true;
        }
    }
}
