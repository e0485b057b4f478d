namespace Twin.Hardware.Tests;

public class IdsTests
{
    [Theory]
    [InlineData("X2", 0x9D1DCA7A0105AB51UL)]
    [InlineData("X5", 0x86B4FEFB71DDC9CEUL)]
    [InlineData("  MAC000002 ", 0xD92C43802A40E42DUL)]
    public void AUtilityIdIsTheHeadOfItsDigestWithTheTopBit(string name, ulong expected)
    {
        var id = MeterId.FromUtilityId(name);
        Assert.Equal(expected, id.Value);
        Assert.True(id.IsMapped);
        Assert.Equal(id, MeterId.ParseOrMap(id.ToString()));
        Assert.Equal(id, MeterId.ParseOrMap(name));
    }

    [Fact]
    public void ASystemTitleIsBigEndianAndNeverMapped()
    {
        var id = MeterId.FromSystemTitle("KFM\0\0\0\0\u0001"u8);
        Assert.Equal(0x4B464D0000000001UL, id.Value);
        Assert.False(id.IsMapped);
        Assert.Throws<FormatException>(() => MeterId.FromSystemTitle("KFM"u8));
    }

    [Fact]
    public void AnEmptyIdIsRefused() => Assert.Throws<FormatException>(() => MeterId.FromUtilityId("  "));

    /// <summary>The list published for seed 1234567 (Rosetta Code, "Pseudo-random numbers/Splitmix64").</summary>
    [Fact]
    public void SplitMix64GivesThePublishedNumbers()
    {
        var random = new SplitMix64(1234567);
        ulong[] expected =
        [
            6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
        ];
        Assert.Equal(expected, expected.Select(_ => random.NextUInt64()));
    }

    /// <summary>The same source: shares of the fifths in 100,000 draws of seed 987654321.</summary>
    [Fact]
    public void SplitMix64DrawsThePublishedShares()
    {
        var random = new SplitMix64(987654321);
        var counts = new int[5];
        for (var i = 0; i < 100_000; i++) counts[(int)(random.NextDouble() * 5)]++;
        Assert.Equal([20027, 19892, 20073, 19978, 20030], counts);
    }

    [Fact]
    public void PartsOfOneSeedDrawApart()
    {
        Assert.Equal(SplitMix64.For(1, "a").NextUInt64(), SplitMix64.For(1, "a").NextUInt64());
        Assert.NotEqual(SplitMix64.For(1, "a").NextUInt64(), SplitMix64.For(1, "b").NextUInt64());
    }

    [Fact]
    public void TwinKeysOrderByKindThenId()
    {
        TwinKey[] ordered = [new(TwinKind.Meter, 1), new(TwinKind.Meter, ulong.MaxValue), new(TwinKind.Feeder, 0)];
        Assert.Equal(ordered, ordered.Reverse().Order());
    }
}
