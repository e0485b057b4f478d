using Twin.Hardware.Crypto;
using Twin.Hardware.Events;

namespace Twin.Hardware.Tests.Events;

public class ReactionTableTests
{
    private static readonly SigningKey HeadEnd = new(NistCurve.P256, 1, "head-end");

    private static ReactionTable Example => new(7, 900, new Dictionary<MeterEventKind, ReactionAction>
    {
        [MeterEventKind.LoginFailed] = ReactionAction.RefuseWrites, [MeterEventKind.PowerDown] = ReactionAction.Ignore,
    });

    [Fact]
    public void A_signed_table_comes_back_as_it_was()
    {
        var signed = Example.ToSigned(d => HeadEnd.Sign(d));
        Assert.Equal(10 + 4 + 64, signed.Length);
        Assert.True(ReactionTable.TryVerify(signed, HeadEnd.PublicKey.Point, out var read, out var reason), reason);
        Assert.Equal((7u, 900u, 2, Example.Digest), (read.Version, read.HoldSeconds, read.Rows, read.Digest));
        Assert.Equal(ReactionAction.RefuseWrites, read.On(MeterEventKind.LoginFailed));
        Assert.Equal(ReactionAction.Ignore, read.On(MeterEventKind.PowerDown));
        Assert.Equal(ReactionAction.Log, read.On(MeterEventKind.PowerUp));
    }

    [Fact]
    public void Any_changed_bit_is_noticed()
    {
        var signed = Example.ToSigned(d => HeadEnd.Sign(d));
        for (var bit = 0; bit < signed.Length * 8; bit++)
        {
            byte[] changed = [.. signed];
            changed[bit / 8] ^= (byte)(1 << bit % 8);
            var verified = ReactionTable.TryVerify(changed, HeadEnd.PublicKey.Point, out _, out var reason);
            Assert.False(verified, $"bit {bit}");
            Assert.NotEqual("", reason);
        }
        for (var length = 0; length < signed.Length; length++)
            Assert.False(ReactionTable.TryRead(signed.AsSpan(0, length), out _, out _), $"{length} bytes");
    }

    [Fact]
    public void Newer_encodings_long_holds_and_rows_out_of_order_are_refused()
    {
        var signed = Example.ToSigned(d => HeadEnd.Sign(d));
        byte[] newer = [.. signed], hold = [.. signed], order = [.. signed];
        newer[0] = 2;
        hold[5] = 0xFF;
        (order[10], order[12]) = (order[12], order[10]);
        foreach (var bytes in new[] { newer, hold, order }) Assert.False(ReactionTable.TryRead(bytes, out _, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReactionTable(1, ReactionTable.MaxHoldSeconds + 1, []));
    }
}
