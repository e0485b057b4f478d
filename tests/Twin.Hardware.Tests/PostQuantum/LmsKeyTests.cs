using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.PostQuantum;

namespace Twin.Hardware.Tests.PostQuantum;

/// <summary>An index signs once, whatever happens.</summary>
public class LmsKeyTests
{
    private static LmsKey Key(DurableCounter counter, string name = "release") => LmsKey.Emulated(5, 1, name,
        (out uint index) =>
        {
            var taken = counter.TryTake(out var number);
            index = number - (taken ? 1u : 0);
            return taken;
        });

    private static int IndexOf(byte[] signature) =>
        System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(signature.AsSpan(4));

    [Fact]
    public void OneSeedGivesOneKeyAndItsSignatures()
    {
        var (a, b) = (Key(new DurableCounter()), Key(new DurableCounter()));
        Assert.Equal(a.Public.Key.ToArray(), b.Public.Key.ToArray());
        Assert.Equal(a.Sign("release"u8), b.Sign("release"u8));
        Assert.NotEqual(a.Public.KeyId, Key(new DurableCounter(), "other").Public.KeyId);
        var signature = a.Sign("more"u8);
        Assert.Equal((60, 2_352, 1), (a.Public.Key.Length, signature.Length, IndexOf(signature)));
        Assert.True(LmsKey.Check(a.Public.Key.Span, "more"u8, signature));
        Assert.False(LmsKey.Check(a.Public.Key.Span, "less"u8, signature));
    }

    /// <summary>The index is where it lasts before the signature leaves: a crash wastes some, and repeats
    /// none.</summary>
    [Fact]
    public void NoIndexSignsTwiceOverCrashesAndTheTreeEnds()
    {
        for (var crashAfter = 0; crashAfter < 20; crashAfter++)
        {
            var (counter, used) = (new DurableCounter(), new List<int>());
            var key = Key(counter);
            for (var i = 0; i < crashAfter; i++) used.Add(IndexOf(key.Sign([(byte)i])));
            counter.CutNextWrite();
            try
            {
                for (; ; ) used.Add(IndexOf(key.Sign("until the cut"u8)));
            }
            catch (PowerLossException)
            {
                counter.PowerOn();
            }
            key = Key(counter);
            Exception? end = null;
            while (end is null)
            {
                end = Record.Exception(() => used.Add(IndexOf(key.Sign("after"u8))));
            }
            Assert.Contains("has signed 32 times", Assert.IsType<InvalidOperationException>(end).Message);
            Assert.Equal(used.Count, used.Distinct().Count());
            Assert.InRange(used.Count, 32 - 2 * (int)DurableCounter.Step, 32);
            Assert.Equal(31, used.Max());
        }
    }

    [Fact]
    public void ACounterThatWasPutBackSignsNothing()
    {
        uint next = 4;
        var key = LmsKey.Emulated(5, 1, "restored", (out uint index) => (index = next) < 32);
        Assert.Equal(4, IndexOf(key.Sign("one"u8)));
        var e = Assert.Throws<InvalidOperationException>(() => key.Sign("two"u8));
        Assert.Contains("gave index 4 after 4: it was put back", e.Message);
        next = 9;
        Assert.Equal(9, IndexOf(key.Sign("three"u8)));
    }

    [Fact]
    public void HostileKeysAndSignaturesAreFalseAndNothingElse()
    {
        var key = Key(new DurableCounter());
        var signature = key.Sign("m"u8);
        Assert.False(LmsKey.Check([], "m"u8, signature));
        Assert.False(LmsKey.Check(key.Public.Key.Span, "m"u8, []));
        Assert.False(LmsKey.Check([0xFF, 0xFF, 0xFF, 0xFF, .. key.Public.Key.Span[4..]], "m"u8, signature));
        Assert.False(LmsKey.Check(key.Public.Key.Span, "m"u8, [0x7F, 0xFF, 0xFF, 0xFF, .. signature.AsSpan(4)]));
        Assert.False(LmsKey.Check(key.Public.Key.Span, "m"u8, new byte[100_000]));
        Assert.False(MlDsaKey.Check(key.Public.Key.Span, "m"u8, signature));
        Assert.False(MlDsaKey.Check(new byte[1_952], "m"u8, new byte[3_309]));
    }
}
