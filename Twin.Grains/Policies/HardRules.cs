using Twin.Hardware;

namespace Twin.Grains.Policies;

/// <summary>
/// What no document can switch off. Sources: DESIGN, Policy; the safe-disconnect rules of regulators (CPUC
/// D.10-07-048: no remote disconnection of medical customers; Virginia 56-245.1:3: days and weather); the control modes
/// of the DLMS disconnect control, class 70.
/// </summary>
internal static class HardRules
{
    /// <summary>Why the policy may not choose a rung on its own; null when it may.</summary>
    public static string? Forbids(PolicyDocument p, CaseFacts f, ResponseRung rung, RungTerms terms)
    {
        if (rung is ResponseRung.LimitLoad or ResponseRung.Disconnect)
        {
            if (!f.Confirmed && !f.ConfirmedDangerous && !Array.Exists(f.Findings, x => x.IsProof))
                return "statistics alone never touch a customer's supply";
            if (rung == ResponseRung.Disconnect && !f.ConfirmedDangerous)
                return "nobody confirmed a dangerous condition";
            if (Protected(p, f) is { } reason) return reason;
            if (terms.Approvals < PolicyEngine.LeastPersons) return "fewer than two persons would have to approve";
        }
        if (rung == ResponseRung.IsolateCommunications && f.Subject.Kind is not (TwinKind.Meter
            or TwinKind.Concentrator)) return "only a device has communications to isolate";
        if (ResponseRungs.IsCommand(rung) && f.Subject.Kind is not (TwinKind.Meter or TwinKind.Concentrator
            or TwinKind.Guard)) return "there is no device to command";
        return null;
    }

    /// <summary>
    /// Medical and critical customers are not switched off from afar, dangerous or not: somebody goes there. Whose
    /// category is unknown or old counts as critical.
    /// </summary>
    private static string? Protected(PolicyDocument p, CaseFacts f) => PolicyEngine.CategoryOf(p, f) switch
    {
        CustomerCategory.Ordinary => null,
        CustomerCategory.Medical => "the customer depends on supply for life; somebody has to go there",
        _ when f.Context.Category is CustomerCategory.Critical => "the customer is critical; somebody has to go there",
        _ => "the customer's category is not known well enough, and counts as critical",
    };

    /// <summary>Why what somebody wants may not be; null when it may, after the approvals that it needs.</summary>
    public static string? Refuses(PolicyDocument p, CaseFacts f, ResponseRung wanted, bool isUndo)
    {
        if (ResponseRungs.MovesLoad(wanted) && f.RequestsInHour > p.SwitchRequestsPerHour && !isUndo)
            return $"{f.RequestsInHour} switchings were asked for within an hour, and {p.SwitchRequestsPerHour} are "
                + "allowed: switching in rhythm swings the grid";
        if (wanted is ResponseRung.LimitLoad or ResponseRung.Disconnect && Protected(p, f) is { } reason) return reason;
        if (wanted == ResponseRung.Reconnect && f.Context is { SwitchKnown: true, Switch.ControlMode: 0 })
            return "the meter's control mode is 0: its switch is always closed";
        if (ResponseRungs.IsCommand(wanted) && f.Subject.Kind is not (TwinKind.Meter or TwinKind.Concentrator))
            return "there is no device to command";
        return null;
    }

    /// <summary>A work order is quoted, and one is in force on the meter.</summary>
    public static bool IsOrdered(CaseFacts f) => f.Order.Length > 0 && f.Context.Orders;

    /// <summary>While the freeze is on, these do not go out. Metering and asking go on.</summary>
    public static bool IsFrozen(ResponseRung rung) => rung >= ResponseRung.RotateKeys;

    /// <summary>
    /// Whether a rung holds a threat up. What the suspect part itself would have to obey contains nothing; what asks,
    /// tells or watches contains nothing either, but brings what the next step needs.
    /// </summary>
    public static bool Contains(CaseFacts f, ResponseRung rung, Enforcer enforcer)
    {
        if (rung < ResponseRung.RotateKeys) return true;
        var suspectsFirmware = f.Cause.StartsWith("image:", StringComparison.Ordinal)
            || f.Cause.StartsWith("origin:firmware", StringComparison.Ordinal)
            || Array.Exists(f.Findings, x => x.Kind is FindingKind.UnknownImage or FindingKind.FirmwareBehaviour
                or FindingKind.SimultaneousSwitching or FindingKind.ChainBroken or FindingKind.LogTruncated);
        return enforcer is not (Enforcer.None or Enforcer.ApplicationCore)
            || enforcer == Enforcer.ApplicationCore && !suspectsFirmware;
    }

    /// <summary>How a rung is undone where that moves load: by a response of its own.</summary>
    public static ResponseRung? UndoOf(ResponseRung rung) =>
        rung is ResponseRung.Disconnect or ResponseRung.LimitLoad ? ResponseRung.Reconnect : null;

    /// <summary>
    /// The first time from now on at which supply may be switched off; default for what needs no window. A dangerous
    /// condition does not wait for Monday.
    /// </summary>
    public static UnixTime Window(PolicyDocument p, CaseFacts f, ResponseRung rung)
    {
        if (rung is not (ResponseRung.Disconnect or ResponseRung.LimitLoad) || f.ConfirmedDangerous
            || !ZoneRules.TryGet(p.Window.Zone, out var zone)) return default;
        const int farthest = 400;
        for (var step = 0; step < 24 * farthest; step++)
        {
            var at = step == 0 ? f.Now : new UnixTime((f.Now.Seconds / 3_600 + step) * 3_600);
            if (IsOpen(p.Window, zone, at)) return at;
        }
        return new UnixTime(f.Now.Seconds + 86_400L * farthest);
    }

    private static bool IsOpen(DisconnectWindow w, ZoneRules zone, UnixTime at)
    {
        var day = zone.DayOf(at.Minutes);
        var date = new DateOnly(1970, 1, 1).AddDays(day.Number);
        var hour = (at.Minutes - day.StartMinute) / 60;
        return Array.IndexOf(w.Days, date.DayOfWeek) >= 0 && hour >= w.FromHour && hour < w.ToHour
            && Array.IndexOf(w.Not, date) < 0 && Array.IndexOf(w.Not, date.AddDays(1)) < 0;
    }
}
