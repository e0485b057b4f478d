using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

/// <summary>
/// What a twin can tell of a register without the journal: only what is later than all before is surely new.
/// </summary>
public sealed class RegisterNewsTests
{
    private static byte[] Register(long at, long value, Channel channel = Channel.Import) =>
        new RegisterSnapshot(Meter, channel, new UnixTime(Day0 * 86_400L + at), value).ToBytes();

    [Fact]
    public void Only_a_later_register_of_a_known_channel_is_surely_new()
    {
        var twin = new MeterTwin(Meter.Value);
        Assert.False(twin.IsSurelyNew(Register(100, 5)));
        twin.Apply(Register(100, 5), new NoOutbox());
        Assert.False(twin.IsSurelyNew(Register(100, 5)));
        Assert.False(twin.IsSurelyNew(Register(100, 6)));
        Assert.False(twin.IsSurelyNew(Register(99, 5)));
        Assert.True(twin.IsSurelyNew(Register(101, 5)));
        Assert.False(twin.IsSurelyNew(Register(101, 5, Channel.Export)));
        Assert.False(twin.IsSurelyNew(new DeviceEvent(Meter, new UnixTime(0), "dsmr", "1", "").ToBytes()));
    }

    [Fact]
    public void After_an_erasure_nothing_is_surely_new()
    {
        var twin = new MeterTwin(Meter.Value);
        twin.Apply(Register(100, 5), new NoOutbox());
        twin.Apply(new Erasure(Meter, Day0 - 1, "asked for").ToBytes(), new NoOutbox());
        Assert.False(twin.IsSurelyNew(Register(101, 5)));
    }

    [Fact]
    public void Nothing_that_was_applied_is_ever_called_new()
    {
        for (var seed = 0UL; seed < 50; seed++)
        {
            var draw = SplitMix64.For(seed, "registers");
            var twin = new MeterTwin(Meter.Value);
            var told = new HashSet<string>();
            var surely = 0;
            for (var i = 0; i < 200; i++)
            {
                var bytes = Register(i / 4 + draw.Next(20), draw.Next(3), draw.Next(2) == 0 ? Channel.Import
                    : Channel.Export);
                var repeated = told.Contains(Convert.ToHexString(bytes));
                Assert.False(repeated && twin.IsSurelyNew(bytes), $"seed {seed}, register {i}");
                surely += twin.IsSurelyNew(bytes) ? 1 : 0;
                told.Add(Convert.ToHexString(bytes));
                twin.Apply(bytes, new NoOutbox());
            }
            Assert.True(surely > 10, $"seed {seed}: {surely}");
        }
    }

    private sealed class NoOutbox : IOutbox
    {
        public void Send(TwinKey to, ReadOnlySpan<byte> message) => Assert.Fail("A register sends nothing.");
        public void Publish(ReadOnlySpan<byte> message) => Assert.Fail("A register publishes nothing.");
        public void Fact(FactKind kind, ReadOnlySpan<byte> fact) => Assert.Fail("A register states nothing.");
    }
}
