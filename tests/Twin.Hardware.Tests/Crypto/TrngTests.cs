using System.Numerics;
using Twin.Hardware.Crypto;

namespace Twin.Hardware.Tests.Crypto;

public class TrngTests
{
    private static Trng On(ulong seed, NoiseCondition condition, uint boot = 0)
    {
        var trng = new Trng(seed, "lot-1", condition);
        trng.PowerOn(boot);
        return trng;
    }

    private static string Draw(Trng trng, int bytes = 32)
    {
        var drawn = new byte[bytes];
        return trng.TryFill(drawn) ? Convert.ToHexString(drawn) : "refused";
    }

    [Fact]
    public void OneSeedGivesOneStream()
    {
        Assert.Equal(Draw(On(1, NoiseCondition.Sound)), Draw(On(1, NoiseCondition.Sound)));
        Assert.NotEqual(Draw(On(1, NoiseCondition.Sound)), Draw(On(2, NoiseCondition.Sound)));
        Assert.NotEqual(Draw(On(1, NoiseCondition.Sound)), Draw(On(1, NoiseCondition.Sound, boot: 1)));
        var trng = On(1, NoiseCondition.Sound);
        Assert.NotEqual(Draw(trng), Draw(trng));
    }

    /// <summary>SP 800-90B, 4.4.2: the least c with P(X > c) ≤ α for X ~ B(512, 1/16), by exact arithmetic.</summary>
    [Fact]
    public void TheProportionCutoffIsTheCriticalValue()
    {
        const int alphaBits = 30, w = HealthTests.Window, h = HealthTests.ClaimedBits;
        // Everything times 16^512: a term is C(512, c) · 15^(512 − c).
        var limit = BigInteger.Pow(2, h * w - alphaBits);
        BigInteger tail = 0, choose = 1;
        var c = w;
        while (true)
        {
            tail += choose * BigInteger.Pow(15, w - c);
            if (tail > limit) break;
            choose = choose * c / (w - c + 1);
            c--;
        }
        Assert.Equal(HealthTests.ProportionCutoff, 1 + c);
        Assert.Equal(HealthTests.RepetitionCutoff, 1 + (alphaBits + h - 1) / h);
    }

    [Fact]
    public void TheRepetitionTestFailsAtItsCutoffAndNotBefore()
    {
        var tests = new HealthTests();
        for (var i = 0; i < HealthTests.RepetitionCutoff - 1; i++) Assert.True(tests.Take(7));
        Assert.True(tests.Take(8));
        for (var i = 0; i < HealthTests.RepetitionCutoff - 2; i++) Assert.True(tests.Take(8));
        Assert.False(tests.Take(8));
        Assert.Equal(HealthFailure.RepetitionCount, tests.Failure);
        Assert.False(tests.Take(9));
    }

    [Theory]
    [InlineData(HealthTests.ProportionCutoff - 1, true)]
    [InlineData(HealthTests.ProportionCutoff, false)]
    public void TheProportionTestCountsTheFirstSampleOfItsWindow(int matches, bool passes)
    {
        var tests = new HealthTests();
        for (var i = 0; i < HealthTests.Window; i++)
            tests.Take(i % 2 == 0 && i / 2 < matches ? (byte)1 : (byte)(2 + i % 100));
        Assert.Equal(passes ? HealthFailure.None : HealthFailure.AdaptiveProportion, tests.Failure);
    }

    [Fact]
    public void SoundNoiseOfTenThousandChipsPasses()
    {
        for (var seed = 0UL; seed < 10_000; seed++)
            Assert.True(On(seed, NoiseCondition.Sound).State == TrngState.Ready, $"seed {seed}");
    }

    [Theory]
    [InlineData(NoiseFault.Stuck, HealthFailure.RepetitionCount)]
    [InlineData(NoiseFault.Repeating, HealthFailure.AdaptiveProportion)]
    public void AFaultySourceIsRefusedAtStartup(NoiseFault fault, HealthFailure by)
    {
        var trng = On(3, new NoiseCondition(fault));
        Assert.Equal((TrngState.Failed, by), (trng.State, trng.Failure));
        Assert.Equal("refused", Draw(trng));
        Assert.False(trng.TryScalar(NistCurve.P256, new byte[32]));
        Assert.Equal(2, trng.Refused);
    }

    /// <summary>
    /// The bias shows when a window happens to begin with the value: within 40 windows for all but 1e−8.
    /// </summary>
    [Fact]
    public void ABiasedSourceIsFoundWhileItRuns()
    {
        for (var seed = 0UL; seed < 50; seed++)
        {
            var trng = On(seed, NoiseCondition.Sound);
            trng.Become(NoiseFault.Biased);
            var drawn = 0;
            while (drawn < 160 && Draw(trng) != "refused") drawn++;
            Assert.True(trng.State == TrngState.Failed, $"seed {seed}");
            Assert.NotEqual(HealthFailure.None, trng.Failure);
        }
    }

    [Fact]
    public void AFailedSourceGivesZerosAndStaysFailedUntilPowerOn()
    {
        var trng = On(4, NoiseCondition.Sound);
        trng.Become(NoiseFault.Stuck);
        var drawn = Enumerable.Repeat((byte)9, 32).ToArray();
        Assert.False(trng.TryFill(drawn));
        Assert.Equal(new byte[32], drawn);
        trng.Become(NoiseFault.None);
        Assert.Equal("refused", Draw(trng));
        Assert.True(trng.PowerOn(1));
        Assert.NotEqual("refused", Draw(trng));
    }

    [Fact]
    public void ARestoredStateRepeatsAndPassesTheTests()
    {
        var restored = new NoiseCondition(NoiseFault.Restored);
        Assert.Equal(Draw(On(5, restored, boot: 1)), Draw(On(5, restored, boot: 2)));
        Assert.NotEqual(Draw(On(5, restored)), Draw(On(6, restored)));
    }

    [Fact]
    public void ChipsOfALowEntropyLotRepeatEachOther()
    {
        var weak = new NoiseCondition(NoiseFault.LowEntropy, EntropyBits: 4);
        var streams = new HashSet<string>();
        for (var seed = 0UL; seed < 200; seed++) streams.Add(Draw(On(seed, weak)));
        Assert.Equal(16, streams.Count);
        Assert.DoesNotContain("refused", streams);
    }

    [Fact]
    public void AScalarIsInRangeAndOfItsCurve()
    {
        foreach (var curve in new[] { NistCurve.P256, NistCurve.P384 })
        {
            var trng = On(8, NoiseCondition.Sound);
            var scalar = new byte[curve.ScalarBytes];
            for (var i = 0; i < 50; i++)
            {
                Assert.True(trng.TryScalar(curve, scalar));
                var d = NistCurve.Integer(scalar);
                Assert.True(d >= 1 && d < curve.Order, $"{curve}, round {i}");
            }
        }
    }

    [Fact]
    public void ALongRequestIsRefusedAndTheTextShowsNoState()
    {
        var trng = On(9, NoiseCondition.Sound);
        Assert.Throws<ArgumentOutOfRangeException>(() => trng.TryFill(new byte[Trng.MaxRequest + 1]));
        Assert.Equal("TRNG Ready, None", trng.ToString());
    }
}
