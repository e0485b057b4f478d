using Twin.Hardware.Emulator.Network;

namespace Twin.Hardware.Tests.Emulator.Network;

/// <summary>A man in the middle at a hop or at the backhaul: each thing that he can do.</summary>
public sealed class MeshTapTests
{
    private const long Start = 1_750_000_000_000;
    private readonly MeshNetwork _mesh = new(
        new MeshOptions { HopLoss = 0, DuplicateShare = 0, ReorderShare = 0 }, 3,
        [.. Enumerable.Range(0, 30).Select(m => new MeterId((ulong)m + 1))], new int[30], ["DC-1"]);

    private List<MeshArrival> Drain(long untilMs)
    {
        var all = new List<MeshArrival>();
        while (_mesh.TryNext(untilMs, out var arrival)) all.Add(arrival);
        Assert.True(_mesh.Totals.IsBalanced);
        return all;
    }

    private MeshTap Tap(TapAct act, MeshLink link) => new() { Act = act, Link = link };

    private int DeepMeter => Enumerable.Range(0, 30).First(m => _mesh.Depth(m) >= 3);

    [Fact]
    public void He_drops_what_passes_his_relay_and_nothing_else()
    {
        var relay = _mesh.Relay(DeepMeter)!.Value;
        var through = _mesh.Through(relay);
        _mesh.Add(Tap(TapAct.Drop, MeshLink.Above(relay)));
        for (var m = 0; m < 30; m++) _mesh.SendUp(m, [(byte)m], Start);
        var heard = Drain(Start + 60_000).Select(a => a.Meter).Order();
        Assert.Equal(Enumerable.Range(0, 30).Except(through), heard);
        Assert.Equal(through.Count, _mesh.Totals.Lost(MeshLoss.Dropped));
    }

    [Fact]
    public void He_delays_duplicates_and_modifies_as_often_as_he_is_told()
    {
        var meter = DeepMeter;
        var late = new MeshTap { Link = MeshLink.Above(meter), Act = TapAct.Delay, MaxActs = 1, DelaySeconds = 600 };
        _mesh.Add(late);
        _mesh.SendUp(meter, [1, 2], Start);
        _mesh.SendUp(meter, [3, 4], Start + 1);
        var arrivals = Drain(Start + 3_600_000);
        Assert.Equal([[3, 4], [1, 2]], arrivals.Select(a => a.Bytes));
        Assert.InRange(arrivals[1].AtMs, Start + 600_000, Start + 660_000);
        Assert.Equal(1, late.Acts);

        _mesh.Add(Tap(TapAct.Duplicate, MeshLink.Backhaul(0)));
        _mesh.Add(new MeshTap { Link = MeshLink.Above(meter), Act = TapAct.Modify, Offset = -2, Xor = 0x80 });
        var sent = new byte[] { 5, 6, 7 };
        _mesh.SendUp(meter, sent, Start + 4_000_000);
        Assert.Equal([[5, 0x86, 7], [5, 0x86, 7]], Drain(Start + 8_000_000).Select(a => a.Bytes));
        Assert.Equal([5, 6, 7], sent);
    }

    [Fact]
    public void He_captures_a_frame_and_replays_it_a_week_later()
    {
        var meter = DeepMeter;
        var tap = Tap(TapAct.Capture, MeshLink.Above(meter));
        _mesh.Add(tap);
        _mesh.SendUp(meter, [42], Start);
        Assert.Single(Drain(Start + 60_000));
        var captured = Assert.Single(tap.Captured);
        const long week = 7 * 86_400_000L;
        _mesh.Inject(tap.Link, captured.Direction, captured.Meter, captured.Bytes, Start + week);
        var again = Assert.Single(Drain(Start + week + 60_000));
        Assert.Equal(meter, again.Meter);
        Assert.Equal(new byte[] { 42 }, again.Bytes);
        Assert.Equal(1, tap.Acts);
        Assert.Equal(1, _mesh.Totals.Injected);
    }

    [Fact]
    public void He_forges_a_command_below_the_backhaul_and_picks_frames_by_time_size_and_direction()
    {
        _mesh.Inject(MeshLink.Backhaul(0), FrameDirection.ToMeter, 9, [1, 1, 1], Start);
        var forged = Assert.Single(Drain(Start + 60_000));
        Assert.Equal((FrameDirection.ToMeter, 9), (forged.Direction, forged.Meter));

        var tap = new MeshTap
        {
            Link = MeshLink.Backhaul(0), Act = TapAct.Drop, Direction = FrameDirection.ToMeter, MinBytes = 2,
            From = new UnixTime(Start / 1000 + 100), To = new UnixTime(Start / 1000 + 200), Meter = 9,
        };
        _mesh.Add(tap);
        _mesh.SendDown(9, [1, 2], Start + 90_000);
        _mesh.SendDown(9, [1], Start + 150_000);
        _mesh.SendDown(9, [3, 4], Start + 150_000);
        _mesh.SendDown(8, [5, 6], Start + 150_000);
        _mesh.SendUp(9, [7, 8], Start + 150_000);
        _mesh.SendDown(9, [9, 9], Start + 200_000);
        var seen = Drain(Start + 400_000).Select(a => a.Bytes[0]).Order();
        Assert.Equal(new byte[] { 1, 1, 5, 7, 9 }, seen);
    }

    [Fact]
    public void Bounds_are_said_when_they_are_broken()
    {
        for (var i = 0; i < MeshNetwork.MaxTaps; i++) _mesh.Add(Tap(TapAct.Capture, MeshLink.Above(i % 30)));
        var full = Assert.Throws<InvalidOperationException>(() => _mesh.Add(Tap(TapAct.Drop, MeshLink.Above(0))));
        Assert.Equal("A mesh has at most 32 taps.", full.Message);
        var bad = Assert.Throws<ArgumentException>(() => new MeshNetwork(
            new MeshOptions { HopLoss = 1.5 }, 1, [], [], ["DC-1"]));
        Assert.Equal("The mesh cannot be made: the loss on a hop must be 0 to 0.9, not 1.5.", bad.Message);
    }
}
