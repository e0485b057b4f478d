using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;

namespace Twin.Grains.Meters;

// Commands, sessions, the switch and the reaction table.
internal sealed partial class MeterSecurity
{
    /// <summary>A meter may work this long (s) with the table before: it takes the new one when it is next reached.
    /// </summary>
    private const uint TableGrace = 7 * Moment.Day;

    /// <summary>True when a work order in force allows the command. An order that is named must be the one.</summary>
    private bool IsOrdered(CommandKind command, uint at, string order) => _rare is { } r && Array.Exists(r.Orders, o =>
        (o.Commands & (1 << (int)command)) != 0 && IsOpen(o, at) && (order.Length == 0 || o.Name == Cut(order)));

    /// <summary>True when any work order is in force.</summary>
    private bool HasOrder(uint at) => _rare is { } r && Array.Exists(r.Orders, o => IsOpen(o, at));

    /// <summary>True when work orders of this meter are known, and none was in force on the day.</summary>
    public bool LacksOrder(in LocalDay day)
    {
        if (_rare is not { Orders.Length: > 0 } r) return false;
        var (from, to) = (Moment.Of(UnixTime.FromMinutes(day.StartMinute)),
            Moment.Of(UnixTime.FromMinutes(day.EndMinute)));
        return !Array.Exists(r.Orders, o => Moment.Plus(to, PeriodSlack) >= o.From
            && from <= Moment.Plus(o.To, PeriodSlack));
    }

    private static bool IsOpen(OrderMark o, uint at) =>
        Moment.Plus(at, PeriodSlack) >= o.From && at <= Moment.Plus(o.To, PeriodSlack);

    private static bool HasContext(in SecurityScene scene, ContextKind kind, uint at)
    {
        foreach (var c in scene.Contexts)
            if (c.Kind == kind && at + (long)PeriodSlack >= c.From && at <= c.To + PeriodSlack) return true;
        return false;
    }

    private bool IsPlanned(in SecurityScene scene, uint at) => HasOrder(at)
        || HasContext(scene, ContextKind.PlannedWork, at) || HasContext(scene, ContextKind.Exchange, at);

    public void Apply(in SecurityScene scene, CommandOutcome c)
    {
        var now = Moment.Of(c.At);
        Hear(scene, now, "it reported a command");
        if (c.Result == CommandResult.Done)
        {
            var ordered = IsOrdered(c.Command, now, c.Order) || IsCovered(c.Command, now);
            if (!ordered) JudgeUnordered(scene, c, now);
            if (c.Command is CommandKind.Disconnect or CommandKind.Reconnect) Switched(scene, c, ordered, now);
        }
        JudgeOutput(scene, c.Switch, now);
        if (now >= _switchAt) SeeSwitch(c.Switch, now);
    }

    /// <summary>Commands that other registry entries call for.</summary>
    private bool IsCovered(CommandKind command, uint at) => command switch
    {
        CommandKind.ActivateImage or CommandKind.Reset => _rare is { } r && Array.Exists(r.Campaigns, c =>
            Moment.Plus(at, PeriodSlack) >= c.From && at <= Moment.Plus(c.To, PeriodSlack)),
        CommandKind.SetReactionTable => _rare is { TableAt: not 0 } t
            && Moment.Plus(at, PeriodSlack) >= t.TableAt && at <= Moment.Plus(t.TableAt, TableGrace),
        _ => false,
    };

    /// <summary>
    /// What the meter decides itself needs no order, except that firmware which switches the supply does. A head-end
    /// that sets the clock is the daily synchronisation; how far, the clock's events say.
    /// </summary>
    private void JudgeUnordered(in SecurityScene scene, CommandOutcome c, uint now)
    {
        var switching = c.Command is CommandKind.Disconnect or CommandKind.Reconnect;
        var free = c.Origin == CommandOrigin.Local || c.Command == CommandKind.Other
            || c.Origin == CommandOrigin.Firmware && !switching
            || c.Origin == CommandOrigin.HeadEnd && c.Command is CommandKind.SetClock or CommandKind.Reset;
        if (free) return;
        var evidence = SecurityClaim.Seen("work_orders", 0, 1, "");
        Say(scene, now, new SecurityClaim(FindingKind.CommandWithoutOrder, now, (byte)c.Command,
            SecuritySentences.WithoutOrder(now, c.Command, c.Origin, c.Actor), evidence)
        { Shared = SharedCauses.Origin(c.Origin) });
        var also = c.Command switch
        {
            CommandKind.SetLimiter => new SecurityClaim(FindingKind.LimiterChanged, now, 0,
                SecuritySentences.Limiter(now, c.Origin), evidence),
            CommandKind.SetClock => new SecurityClaim(FindingKind.ClockShifted, now, 0,
                SecuritySentences.Shifted(now, 0), evidence),
            CommandKind.ClearLog => new SecurityClaim(FindingKind.LogCleared, now, 0, SecuritySentences.Cleared(now),
                evidence),
            _ => null,
        };
        if (also is not null) Say(scene, now, also with { Shared = SharedCauses.Origin(c.Origin) });
    }

    private void Switched(in SecurityScene scene, CommandOutcome c, bool ordered, uint now)
    {
        Post(scene, FleetLetterKind.Switched, c.At, 0, (byte)c.Command, (ulong)c.Origin, ordered, c.Actor);
        if (now >= _commandAt && c.Origin is not (CommandOrigin.Local or CommandOrigin.Firmware))
            (_lastCommand, _commandAt) = (c.Command, now);
        ref var rate = ref Rare.Rate(SecurityRare.Switching);
        if (rate.Add(now, Moment.Hour) < SwitchCheck.RapidPerHour) return;
        Say(scene, now, new SecurityClaim(FindingKind.RapidSwitching, rate.From, 0,
            SecuritySentences.Rapid(rate.From, rate.Count),
            SecurityClaim.Seen("switchings", rate.Count, 2, "per hour"))
        { Shared = SharedCauses.Origin(c.Origin) });
    }

    /// <summary>Output against control state, as one report has them.</summary>
    private void JudgeOutput(in SecurityScene scene, in SwitchState state, uint now)
    {
        if (SwitchCheck.Agrees(state)) return;
        Say(scene, now, new SecurityClaim(FindingKind.OutputStateMismatch, now, 0,
            SecuritySentences.Output(now, state),
            SecurityClaim.Seen("output_closed", state.Output ? 1 : 0, state.Output ? 0 : 1, "")));
    }

    /// <summary>Energy of a folded day: none should flow through an output that was open all day.</summary>
    /// <param name="scene">Where to say it.</param>
    /// <param name="start">Begin of the day.</param>
    /// <param name="end">End of the day.</param>
    /// <param name="wattHours">Imported in it.</param>
    public void JudgeFlow(in SecurityScene scene, uint start, uint end, double wattHours)
    {
        if (!IsOffSince(start) || wattHours <= SwitchCheck.OpenWattHours) return;
        Say(scene, end, new SecurityClaim(FindingKind.OutputStateMismatch, start, 2,
            SecuritySentences.Flow((long)wattHours, _offSince),
            SecurityClaim.Seen("energy", wattHours, 0, "Wh")));
    }

    public void Apply(in SecurityScene scene, Session s)
    {
        var now = Moment.Of(s.At);
        Hear(scene, now, "it reported a session");
        if (!s.Succeeded)
        {
            CountLogin(scene, now);
            return;
        }
        var optical = s.Port == CommandOrigin.OpticalPort && SessionCheck.Wrote(s);
        if (SessionCheck.Rogue(s) is { } why)
            Say(scene, now, new SecurityClaim(FindingKind.RogueSession, now, s.Client,
                SecuritySentences.Rogue(now, why, s.Tool),
                SecurityClaim.Seen("mechanism", s.Mechanism, 5, ""))
            { Shared = SharedCauses.Tool(s.Tool) });
        if (!optical) return;
        var order = _rare is { } r && Array.Exists(r.Orders, o => IsOpen(o, now)
            && (s.Order.Length == 0 || o.Name == Cut(s.Order)));
        if (!order)
            Say(scene, now, new SecurityClaim(FindingKind.LocalReprogramming, now, 0,
                SecuritySentences.Optical(now, s.Tool, s.Contractor),
                SecurityClaim.Seen("work_orders", 0, 1, ""))
            { Shared = SharedCauses.Tool(s.Tool.Length > 0 ? s.Tool : s.Contractor) });
        foreach (var used in (ReadOnlySpan<string>)[s.Tool, s.Contractor])
            if (used.Length > 0)
                Post(scene, FleetLetterKind.ToolUsed, s.At, StableHash.Of(used), 0, 0, order, used);
    }

    private void CountLogin(in SecurityScene scene, uint now)
    {
        ref var rate = ref Rare.Rate(SecurityRare.Logins);
        if (rate.Add(now, Moment.Hour) < SessionCheck.FailedPerHour) return;
        Say(scene, now, new SecurityClaim(FindingKind.LoginFailures, rate.From, 0,
            SecuritySentences.Logins(rate.From, rate.Count),
            SecurityClaim.Seen("failed_logins", rate.Count, 0, "per hour")));
    }

    public void Apply(in SecurityScene scene, Reaction reaction)
    {
        var now = Moment.Of(reaction.At);
        Hear(scene, now, "it reported a reaction");
        if (_rare is not { TableVersion: not 0 } r) return;
        JudgeTable(scene, reaction.TableVersion, now, now);
        if (reaction.TableVersion != r.TableVersion) return;
        var told = ReactionAction.Log;
        for (var i = 0; i + 1 < r.TableRows.Length; i += 2)
            if (r.TableRows[i] == (byte)reaction.Event) told = (ReactionAction)r.TableRows[i + 1];
        if (reaction.Action >= told) return;
        Say(scene, now, new SecurityClaim(FindingKind.ReactionIgnored, now, (byte)reaction.Event,
            SecuritySentences.Reaction(now, reaction.Event, reaction.Action, told, r.TableVersion),
            SecurityClaim.Seen("action", (byte)reaction.Action, (byte)told, "")));
    }

    /// <summary>The table in use against the one assigned.</summary>
    private void JudgeTable(in SecurityScene scene, uint version, uint at, uint now)
    {
        // Version 0: the meter does not attest its table, as one with the factory's does not.
        if (version == 0 || _rare is not { TableVersion: not 0 } r || version == r.TableVersion) return;
        if (version < r.TableVersion && at <= Moment.Plus(r.TableAt, TableGrace)) return;
        Say(scene, now, new SecurityClaim(FindingKind.ReactionIgnored, now, 0,
            SecuritySentences.Table(now, version, r.TableVersion),
            SecurityClaim.Seen("table_version", version, r.TableVersion, ""))
        {
            Severity = version < r.TableVersion ? Severity.Medium : Severity.High,
        });
    }
}
