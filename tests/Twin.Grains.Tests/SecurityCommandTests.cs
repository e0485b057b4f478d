using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using static Twin.Grains.Tests.SecurityMeter;

namespace Twin.Grains.Tests;

/// <summary>Commands, sessions, the switch, the reaction table.</summary>
public sealed class SecurityCommandTests : IDisposable
{
    private readonly SecurityScenario _s = new();
    private SecurityMeter Meter => _s.Meter;

    public void Dispose() => _s.Dispose();

    private static readonly SwitchState Closed = new(true, 1, 4), Open = new(false, 0, 4);

    private void Switch(bool closed, double day, string order = "", CommandOrigin origin = CommandOrigin.HeadEnd)
    {
        Meter.Switch = closed ? Closed : Open;
        _s.Append(Meter.Command(closed ? CommandKind.Reconnect : CommandKind.Disconnect, day, origin, order));
    }

    [Fact]
    public void Ordered_switching_raises_nothing_and_the_fleet_hears_of_it()
    {
        _s.Append(Meter.Order(1, 2, CommandKind.Disconnect, CommandKind.Reconnect));
        Switch(false, 1.2, "W1");
        Switch(true, 1.8);
        _s.Expect();
        var told = _s.Harness.SweptLetters(At(2)).Where(l => l.Kind == FleetLetterKind.Switched).ToArray();
        Assert.Equal([true, true], told.Select(l => l.Flag));
    }

    [Theory]
    [InlineData("", CommandOrigin.HeadEnd)]
    [InlineData("W99", CommandOrigin.HeadEnd)]
    [InlineData("", CommandOrigin.Firmware)]
    public void A_disconnection_without_its_order_is_found(string order, CommandOrigin origin)
    {
        if (order.Length > 0) _s.Append(Meter.Order(1, 2, CommandKind.Disconnect));
        Switch(false, 1.2, order, origin);
        _s.Expect(FindingKind.CommandWithoutOrder);
        Assert.False(Assert.Single(_s.Harness.SweptLetters(At(2)), l => l.Kind == FleetLetterKind.Switched).Flag);
    }

    [Theory]
    [InlineData(CommandKind.SetLimiter, FindingKind.LimiterChanged)]
    [InlineData(CommandKind.ClearLog, FindingKind.LogCleared)]
    [InlineData(CommandKind.TransferKey, null)]
    [InlineData(CommandKind.ActivateImage, null)]
    public void Other_commands_need_orders_too(CommandKind command, FindingKind? also)
    {
        using var ordered = new SecurityScenario();
        ordered.Append(ordered.Meter.Order(0.5, 2, command));
        ordered.Append(ordered.Meter.Command(command, 1));
        ordered.Expect();
        _s.Append(Meter.Command(command, 1));
        _s.Expect([FindingKind.CommandWithoutOrder, .. also is { } k ? [k] : Array.Empty<FindingKind>()]);
    }

    [Fact]
    public void Daily_synchronisation_and_the_limiters_own_switching_raise_nothing()
    {
        _s.Append(Meter.Command(CommandKind.SetClock, 1));
        _s.Append(Meter.Event(MeterEventKind.ClockAdjustedOld, 1));
        _s.Append(Meter.Event(MeterEventKind.ClockAdjustedNew, 1.0005));
        Meter.Switch = new SwitchState(false, 2, 5);
        _s.Append(Meter.Command(CommandKind.Disconnect, 1.1, CommandOrigin.Local));
        _s.Expect();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_clock_set_far_is_found_unless_ordered_or_lost(bool ordered, bool lost)
    {
        if (ordered) _s.Append(Meter.Order(0.5, 2, CommandKind.SetClock));
        if (lost) _s.Append(Meter.Event(MeterEventKind.ClockInvalid, 0.9));
        _s.Append(Meter.Event(MeterEventKind.ClockAdjustedNew, 1.3));
        _s.Append(Meter.Event(MeterEventKind.ClockAdjustedOld, 1));
        _s.Expect(ordered || lost ? [] : [FindingKind.ClockShifted]);
    }

    [Fact]
    public void Rapid_switching_is_found_even_when_ordered()
    {
        _s.Append(Meter.Order(1, 2, CommandKind.Disconnect, CommandKind.Reconnect));
        for (var i = 0; i < 6; i++) Switch(i % 2 == 1, 1.1 + i * 0.002);
        _s.Expect(FindingKind.RapidSwitching);
    }

    [Fact]
    public void Output_and_control_state_must_agree()
    {
        _s.Append(Meter.Order(1, 2, CommandKind.Disconnect));
        Meter.Switch = new SwitchState(true, 0, 4);
        _s.Append(Meter.Command(CommandKind.Disconnect, 1.2));
        _s.Expect(FindingKind.OutputStateMismatch);
    }

    [Fact]
    public void A_meter_that_attests_connected_after_a_disconnection_is_found()
    {
        _s.Append(Meter.Order(1, 2, CommandKind.Disconnect));
        Switch(false, 1.2);
        Meter.Switch = Closed;
        _s.Challenge(1.25);
        _s.Expect();
        _s.Challenge(2);
        _s.Expect(FindingKind.OutputStateMismatch);
    }

    [Fact]
    public void Energy_through_an_open_output_is_found()
    {
        _s.Append(Meter.Order(1, 2, CommandKind.Disconnect));
        Switch(false, 1.2);
        foreach (var day in (int[])[1, 2])
            _s.Harness.Append(Sample.Raw((Sample.Day0 + day) * 1440L, Sample.Values(day), meter: Meter.Id));
        _s.Close(1);
        _s.Expect();
        _s.Close(2);
        Assert.Equal([FindingKind.OutputStateMismatch], _s.Kinds.Where(k => (int)k > 127));
    }

    private Session Optical(double day, string order = "", byte mechanism = 5, byte client = 1, bool ok = true) =>
        new(Meter.Id.Twin, At(day), CommandOrigin.OpticalPort, client, mechanism, ok, 0x18, 60, "T9", "acme", order);

    [Fact]
    public void An_optical_session_that_wrote_needs_an_order_and_is_told_either_way()
    {
        _s.Append(Meter.Order(1, 2, CommandKind.WriteConfiguration));
        _s.Append(Optical(1.5, "W1"));
        _s.Expect();
        _s.Append(Optical(5));
        _s.Expect(FindingKind.LocalReprogramming);
        var told = _s.Harness.SweptLetters(At(6)).Where(l => l.Kind == FleetLetterKind.ToolUsed).ToArray();
        Assert.Equal(["T9", "acme", "T9", "acme"], told.Select(l => l.Text));
        Assert.Equal([true, true, false, false], told.Select(l => l.Flag));
    }

    [Theory]
    [InlineData(0, 1, true)]
    [InlineData(5, 16, true)]
    [InlineData(5, 1, false)]
    public void A_session_that_could_not_have_written_is_rogue(byte mechanism, byte client, bool rogue)
    {
        _s.Append(Meter.Order(1, 2, CommandKind.WriteConfiguration));
        _s.Append(Optical(1.5, "", mechanism, client));
        _s.Expect(rogue ? [FindingKind.RogueSession] : []);
    }

    [Fact]
    public void Failed_logins_count_by_their_rate()
    {
        for (var day = 1; day < 9; day++) _s.Append(Optical(day, ok: false));
        _s.Expect();
        for (var i = 0; i < 6; i++) _s.Append(Meter.Event(MeterEventKind.LoginFailed, 10 + i * 0.003, $"{i}"));
        _s.Expect(FindingKind.LoginFailures);
    }

    private static byte[] Table(uint version) => new ReactionTable(version, 60,
        new Dictionary<MeterEventKind, ReactionAction> { [MeterEventKind.LoginFailed] = ReactionAction.RefuseWrites })
        .ToSigned(_ => new byte[ReactionTable.SignatureBytes]);

    [Fact]
    public void A_reaction_must_be_the_tables()
    {
        _s.Append(new ReactionTableAssigned(Meter.Id, At(0.2), 3, Table(3)));
        _s.Append(new Reaction(Meter.Id, At(1), 3, MeterEventKind.LoginFailed, ReactionAction.RefuseWrites));
        _s.Append(new Reaction(Meter.Id, At(1.1), 3, MeterEventKind.PowerUp, ReactionAction.Report));
        _s.Append(new Reaction(Meter.Id, At(1.2), 2, MeterEventKind.LoginFailed, ReactionAction.Ignore));
        _s.Expect();
        _s.Append(new Reaction(Meter.Id, At(1.3), 3, MeterEventKind.LoginFailed, ReactionAction.Log));
        _s.Expect(FindingKind.ReactionIgnored);
    }

    [Theory]
    [InlineData(2, 20)]
    [InlineData(4, 1)]
    public void A_table_that_is_old_or_was_never_assigned_is_found(uint version, double day)
    {
        _s.Append(new ReactionTableAssigned(Meter.Id, At(0.2), 3, Table(3)));
        _s.Append(new Reaction(Meter.Id, At(day), version, MeterEventKind.PowerUp, ReactionAction.Report));
        _s.Expect(FindingKind.ReactionIgnored);
    }
}
