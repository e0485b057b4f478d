using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class DisconnectorTests
{
    private const ControlState Off = ControlState.Disconnected, On = ControlState.Connected,
        Ready = ControlState.ReadyForReconnection;

    /// <summary>
    /// Per mode, in words: remote disconnection, manual and local; then reconnection remote, manual, local.
    /// </summary>
    private static readonly (bool Disconnects, bool Manual, bool RemoteCloses, bool LocalCloses)[] Modes =
    [
        (false, false, false, false), (true, true, false, false), (true, true, true, false),
        (true, false, false, false), (true, false, true, false), (true, true, false, true),
        (true, false, false, true), (true, false, true, true),
    ];

    private static ControlState? Expected(byte mode, ControlState from, SwitchRequest request)
    {
        var m = Modes[mode];
        if (!m.Disconnects) return null;
        return request switch
        {
            SwitchRequest.RemoteDisconnect => from == Off ? null : Off,
            SwitchRequest.RemoteReconnect when from == Off => m.RemoteCloses ? On : Ready,
            SwitchRequest.RemoteReconnect when from == Ready => mode == 7 ? On : null,
            SwitchRequest.ManualDisconnect => from == On && m.Manual ? Ready : null,
            SwitchRequest.ManualReconnect => from == Ready ? On : null,
            SwitchRequest.LocalDisconnect => from == On ? Ready : null,
            SwitchRequest.LocalReconnect => from == Ready && m.LocalCloses ? On : null,
            _ => null,
        };
    }

    [Fact]
    public void Every_mode_state_and_request_leads_where_the_standard_says()
    {
        var moves = 0;
        for (byte mode = 0; mode <= Disconnector.MaxMode; mode++)
        {
            foreach (var from in Enum.GetValues<ControlState>())
            {
                foreach (var request in Enum.GetValues<SwitchRequest>())
                {
                    var expected = Expected(mode, from, request);
                    Assert.True(expected == Disconnector.Next(mode, from, request), $"{mode} {from} {request}");
                    var it = At(mode, from);
                    if (it is null) continue;
                    Assert.Equal(expected is not null, it.TryMove(request));
                    Assert.Equal(expected ?? from, it.State);
                    Assert.Equal(it.State == On, it.Output);
                    if (expected is not null) moves++;
                }
            }
        }
        // Transitions of modes 1 to 7 by their letters: bcfgde, bcfgae, bcgde, bcgae, bcfgdeh, bcgdeh, bcgaieh.
        Assert.Equal(6 + 6 + 5 + 5 + 7 + 6 + 7, moves);
    }

    /// <summary>A switch in a state, brought there in a mode that can; null for states that mode 0 never has.</summary>
    private static Disconnector? At(byte mode, ControlState state)
    {
        var it = new Disconnector(2);
        if (state == Off) Assert.True(it.TryMove(SwitchRequest.RemoteDisconnect));
        if (state == Ready) Assert.True(it.TryMove(SwitchRequest.ManualDisconnect));
        Assert.True(it.TrySetMode(mode));
        return it;
    }

    [Fact]
    public void Welded_contacts_stay_while_the_control_state_moves()
    {
        var it = new Disconnector(4);
        it.Weld();
        Assert.True(it.TryMove(SwitchRequest.RemoteDisconnect));
        Assert.Equal((Off, true, 0), (it.State, it.Output, it.Operations));
        Assert.False(it.TrySetMode(8));
    }

    [Fact]
    public void Delays_are_geometric_bounded_and_of_the_seed()
    {
        var slots = Enumerable.Range(0, 4_000).Select(seed => Wait((ulong)seed)).ToArray();
        Assert.Equal(slots, Enumerable.Range(0, 4_000).Select(seed => Wait((ulong)seed)));
        Assert.All(slots, s => Assert.InRange(s, 1, SwitchGuard.MaxSlots));
        Assert.InRange(slots.Count(s => s == 1), 320, 480);
        Assert.InRange(slots.Average(), 9, 11);
    }

    private static long Wait(ulong seed)
    {
        var guard = new SwitchGuard(new Disconnector(4), seed);
        Assert.Equal(GuardAnswer.Delayed, guard.Request(SwitchRequest.RemoteDisconnect, new UnixTime(1_000)));
        return (guard.Due!.Value.Seconds - 1_000) / SwitchGuard.SlotSeconds;
    }

    [Fact]
    public void The_guard_refuses_what_mode_and_rate_do_not_allow_and_can_be_cancelled()
    {
        var guard = new SwitchGuard(new Disconnector(4), 1);
        var now = new UnixTime(10_000);
        Assert.Equal(GuardAnswer.NotAllowed, guard.Request(SwitchRequest.RemoteReconnect, now));
        for (var i = 0; i < SwitchGuard.MaxAnHour; i++)
            Assert.Equal(GuardAnswer.Delayed, guard.Request(SwitchRequest.RemoteDisconnect, now));
        Assert.Equal(GuardAnswer.RateLimited, guard.Request(SwitchRequest.RemoteDisconnect, now));
        Assert.True(guard.Cancel());
        Assert.Null(guard.Step(new UnixTime(now.Seconds + 36_000)));
        Assert.True(guard.Switch.Output);
        var later = new UnixTime(now.Seconds + 3_600);
        Assert.Equal(GuardAnswer.Delayed, guard.Request(SwitchRequest.RemoteDisconnect, later));
        Assert.Null(guard.Step(later));
        Assert.True(guard.Step(new UnixTime(later.Seconds + 3_600))!.Value.Moved);
        Assert.False(guard.Switch.Output);
    }

    [Fact]
    public void The_limiter_opens_above_its_threshold_for_its_time_and_closes_below()
    {
        var limiter = new Limiter();
        Assert.True(limiter.TrySet(3_000, 500, 3_600, 1_800));
        var t = new UnixTime(0);
        Assert.Equal(LimiterVerdict.None, limiter.Step(3_001, 1_800, t));
        Assert.Equal(LimiterVerdict.Exceeded, limiter.Step(3_001, 1_800, t));
        Assert.Equal(LimiterVerdict.None, limiter.Step(9_000, 1_800, t));
        Assert.Equal(LimiterVerdict.BackBelow, limiter.Step(3_000, 1_800, t));
        Assert.True(limiter.TrySetEmergency(new EmergencyProfile(7, new UnixTime(100), 1_000), [3, 7]));
        Assert.Equal(LimiterVerdict.None, limiter.Step(501, 3_600, new UnixTime(99)));
        Assert.Equal(LimiterVerdict.Exceeded, limiter.Step(501, 3_600, new UnixTime(100)));
        Assert.Equal(500, limiter.ActiveWatts);
        Assert.Equal(LimiterVerdict.BackBelow, limiter.Step(501, 3_600, new UnixTime(1_100)));
        Assert.False(limiter.TrySetEmergency(default, new ushort[Limiter.MaxGroups + 1]));
        Assert.False(limiter.TrySet(-1, 0, 0, 0));
    }
}
