using Twin.Hardware.Coding;

namespace Twin.Hardware.Tests;

public class FindingTests
{
    internal static readonly Finding Example = new(new TwinKey(TwinKind.Meter, 0x8123456789ABCDEF), "X2",
        FindingKind.LevelShift, new UnixTime(1_700_000_000), new UnixTime(1_700_086_400), new UnixTime(1_700_172_800),
        4.25, Severity.Medium, 0.75, "level", 1, "T1565", "X2 uses half.",
        [new Evidence("mean", 1.5, 3, 0.8, "kWh"), new Evidence("spread", double.NaN, 0, 0.2, "")], ["an outage"]);

    internal static byte[] Encode(Finding finding)
    {
        var w = new ByteWriter();
        finding.Write(w);
        return w.ToArray();
    }

    [Fact]
    public void AFindingRoundTrips()
    {
        var read = Finding.Read(Encode(Example));
        Assert.Equal(Example.Evidence, read.Evidence);
        Assert.Equal(Example.CounterEvidence, read.CounterEvidence);
        Assert.Equal(Example, read with { Evidence = Example.Evidence, CounterEvidence = Example.CounterEvidence });
        Assert.Equal(Example.Id, read.Id);
    }

    [Fact]
    public void TheEncodingAndTheIdStay()
    {
        Golden.Is(
            "0201efcdab89674523810258322080c49fd50c808aaad50c80d0b4d50c000000000000114003000000000000e83f056c6576"
            + "656c010554313536350d583220757365732068616c662e02046d65616e000000000000f83f00000000000008409a99999999"
            + "99e93f036b576806737072656164000000000000f8ff00000000000000009a9999999999c93f000109616e206f757461676500",
            Encode(Example));
        Assert.Equal("1daf907c504107b0", Example.Id);
    }

    [Fact]
    public void A_shared_cause_round_trips_and_is_empty_in_the_first_version()
    {
        Assert.Equal("image:0123", Finding.Read(Encode(Example with { Cause = "image:0123" })).Cause);
        byte[] first = [1, .. Encode(Example)[1..^1]];
        Assert.Equal("", Finding.Read(first).Cause);
        Assert.Equal(Example.Id, Finding.Read(first).Id);
    }

    [Fact]
    public void TooMuchEvidenceIsRefused() => Assert.Throws<InvalidOperationException>(() =>
        Encode(Example with { Evidence = new Evidence[Finding.MaxEvidence + 1] }));

    [Fact]
    public void WhatFollowsAFindingIsRefused()
        => Assert.Throws<InvalidDataException>(() => Finding.Read([.. Encode(Example), 0]));

    [Theory]
    [InlineData(FindingKind.LevelShift, "level_shift")]
    [InlineData(FindingKind.Spike, "spike")]
    [InlineData(FindingKind.ContextForSingleMeter, "context_for_single_meter")]
    public void KindsHaveNames(FindingKind kind, string name) => Assert.Equal(name, Finding.NameOf(kind));
}
