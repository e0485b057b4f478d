using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Detection.Specification;

/// <summary>
/// The disconnect control of class 70 (IEC 62056-6-2): control states 0 disconnected, 1 connected, 2 ready for
/// reconnection; modes 0 to 7.
/// </summary>
public static class SwitchCheck
{
    public const byte Disconnected = 0, Connected = 1, Ready = 2;

    /// <summary>Executed switchings within an hour from which on it is rapid; planned work needs two. Ours.</summary>
    public const int RapidPerHour = 4;

    /// <summary>Energy of a day above which current flows through an output that says it is open (Wh): ours.</summary>
    public const long OpenWattHours = 50;

    /// <summary>Output and control state agree: the output is closed when, and only when, the state is connected.
    /// </summary>
    public static bool Agrees(in SwitchState s) => s.Output == (s.ControlState == Connected);

    /// <summary>
    /// True when an attested state contradicts the last executed remote command: connected after a disconnection, which
    /// nothing but a remote command undoes; or disconnected (state 0), which no hand at the meter brings about, after a
    /// reconnection.
    /// </summary>
    public static bool Contradicts(CommandKind last, in SwitchState attested) => last switch
    {
        CommandKind.Disconnect => attested.ControlMode != 0 && attested.ControlState == Connected,
        CommandKind.Reconnect => attested.ControlState == Disconnected,
        _ => false,
    };
}
