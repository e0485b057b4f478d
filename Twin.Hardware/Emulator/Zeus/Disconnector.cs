namespace Twin.Hardware.Emulator.Zeus;

/// <summary>control_state of class 70.</summary>
public enum ControlState : byte { Disconnected = 0, Connected = 1, ReadyForReconnection = 2 }

/// <summary>What is asked of the switch: by the head-end, by hand, or by the meter itself.</summary>
public enum SwitchRequest : byte
{
    RemoteDisconnect = 0, RemoteReconnect = 1, ManualDisconnect = 2, ManualReconnect = 3, LocalDisconnect = 4,
    LocalReconnect = 5,
}

/// <summary>
/// The disconnect control of IEC 62056-6-2, class 70: control state, control mode 0 to 7, and the output itself. The
/// letters of the transitions are those of the class: a remote reconnect 0→1, b remote disconnect 1→0, c remote
/// disconnect 2→0, d remote reconnect 0→2, e manual reconnect 2→1, f manual disconnect 1→2, g local disconnect 1→2, h
/// local reconnect 2→1, i (mode 7 only) remote reconnect 2→1, as this emulation reads it.
/// </summary>
public sealed class Disconnector
{
    public const byte MaxMode = 7;

    /// <summary>Letters allowed in each mode.</summary>
    private static readonly string[] Allowed =
        ["", "bcfgde", "bcfgae", "bcgde", "bcgae", "bcfgdeh", "bcgdeh", "bcgaieh"];

    private bool _welded;

    /// <exception cref="ArgumentOutOfRangeException">The mode is over 7.</exception>
    public Disconnector(byte mode)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(mode, MaxMode);
        Mode = mode;
    }

    /// <summary>control_mode; a change does not move the switch.</summary>
    public byte Mode { get; private set; }

    public ControlState State { get; private set; } = ControlState.Connected;

    /// <summary>
    /// output_state: true when current can flow. Differs from the control state when contacts are welded.
    /// </summary>
    public bool Output { get; private set; } = true;

    /// <summary>Operations of the contacts so far; stands still at the largest integer.</summary>
    public int Operations { get; private set; }

    /// <summary>False when there is no such mode.</summary>
    public bool TrySetMode(byte mode)
    {
        if (mode > MaxMode) return false;
        Mode = mode;
        return true;
    }

    /// <summary>
    /// A fault of the part: from now on the contacts stay as they are, whatever the control state says.
    /// </summary>
    public void Weld() => _welded = true;

    /// <summary>The letter of the transition that a request means in a state, whatever the mode; 0 when none.</summary>
    private static string Letters(SwitchRequest request, ControlState state) => (request, state) switch
    {
        (SwitchRequest.RemoteDisconnect, ControlState.Connected) => "b",
        (SwitchRequest.RemoteDisconnect, ControlState.ReadyForReconnection) => "c",
        (SwitchRequest.RemoteReconnect, ControlState.Disconnected) => "ad",
        (SwitchRequest.RemoteReconnect, ControlState.ReadyForReconnection) => "i",
        (SwitchRequest.ManualReconnect, ControlState.ReadyForReconnection) => "e",
        (SwitchRequest.ManualDisconnect, ControlState.Connected) => "f",
        (SwitchRequest.LocalDisconnect, ControlState.Connected) => "g",
        (SwitchRequest.LocalReconnect, ControlState.ReadyForReconnection) => "h",
        _ => "",
    };

    /// <summary>Where a request leads from a state in a mode; null when the mode does not allow it there.</summary>
    public static ControlState? Next(byte mode, ControlState from, SwitchRequest request)
    {
        foreach (var letter in Letters(request, from))
        {
            if (!Allowed[mode].Contains(letter, StringComparison.Ordinal)) continue;
            return letter switch
            {
                'b' or 'c' => ControlState.Disconnected,
                'd' or 'f' or 'g' => ControlState.ReadyForReconnection,
                _ => ControlState.Connected,
            };
        }
        return null;
    }

    /// <summary>Does what is asked, if mode and state allow it; else false and nothing changes.</summary>
    public bool TryMove(SwitchRequest request)
    {
        if (Next(Mode, State, request) is not { } next) return false;
        State = next;
        var closed = next == ControlState.Connected;
        if (!_welded && closed != Output)
        {
            Output = closed;
            if (Operations < int.MaxValue) Operations++;
        }
        return true;
    }
}
