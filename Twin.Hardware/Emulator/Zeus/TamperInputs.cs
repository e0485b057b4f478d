using Twin.Hardware.Events;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>The contacts and sensors that notice hands on the meter.</summary>
public enum TamperInput : byte { TerminalCover = 0, MeterCover = 1, ModuleCover = 2, Magnet = 3 }

/// <summary>
/// Tamper inputs, held by the battery: a cover that was opened while the supply was off is known when it returns. With
/// a dead battery what happened in the dark stays unknown; only the state at power-on is seen.
/// </summary>
public sealed class TamperInputs
{
    private byte _now;
    private byte _latched;

    /// <summary>True while the cover is off or the field is there.</summary>
    public bool IsActive(TamperInput input) => (_now & Bit(input)) != 0;

    /// <summary>Something changes. The events that follow, empty while the meter is off.</summary>
    public MeterEventKind? Change(TamperInput input, bool active, bool powered, bool batteryDead)
    {
        if (IsActive(input) == active) return null;
        _now = (byte)(active ? _now | Bit(input) : _now & ~Bit(input));
        if (powered) return EventOf(input, active);
        if (!batteryDead && active) _latched |= Bit(input);
        return null;
    }

    /// <summary>The supply is back: what the latches hold, and what was closed again.</summary>
    public IReadOnlyList<MeterEventKind> PowerOn()
    {
        if (_latched == 0) return [];
        var events = new List<MeterEventKind>(8);
        foreach (var input in Enum.GetValues<TamperInput>())
        {
            if ((_latched & Bit(input)) == 0) continue;
            events.Add(EventOf(input, true));
            if (!IsActive(input)) events.Add(EventOf(input, false));
        }
        _latched = 0;
        return events;
    }

    private static byte Bit(TamperInput input) => (byte)(1 << (int)input);

    private static MeterEventKind EventOf(TamperInput input, bool active) => (input, active) switch
    {
        (TamperInput.TerminalCover, true) => MeterEventKind.TerminalCoverOpened,
        (TamperInput.TerminalCover, false) => MeterEventKind.TerminalCoverClosed,
        (TamperInput.MeterCover, true) => MeterEventKind.MeterCoverOpened,
        (TamperInput.MeterCover, false) => MeterEventKind.MeterCoverClosed,
        (TamperInput.ModuleCover, true) => MeterEventKind.ModuleCoverOpened,
        (TamperInput.ModuleCover, false) => MeterEventKind.ModuleCoverClosed,
        (TamperInput.Magnet, true) => MeterEventKind.MagneticFieldOn,
        _ => MeterEventKind.MagneticFieldOff,
    };
}
