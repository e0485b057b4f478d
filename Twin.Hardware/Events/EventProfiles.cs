using System.Collections.Frozen;
using System.Globalization;

namespace Twin.Hardware.Events;

/// <summary>
/// Logs of a meter; the number is group E of the log's OBIS code 0.0.99.98.E.255 (as GXF has it), except
/// <see cref="Switch"/>, for which the companion profiles differ.
/// </summary>
public enum EventLogClass : byte
{
    Standard = 0, Fraud = 1, Switch = 2, MBus = 3, Communication = 4, PowerQuality = 5, Auxiliary = 6,
}

/// <summary>
/// What event codes mean, per companion profile. A profile or a code that is not in the tables is
/// <see cref="MeterEventKind.Unmapped"/>: the profiles number differently, and a guess would be a false alarm.
/// <para>
/// Sources: "dsmr" and "smr" as GXF numbers them (EventType.java, Apache-2.0); "idis" has the same codes 1 to 18, 40 to
/// 47 and 255, and 48 to 51 of its own; "cim" is the four-part code of IEC 61968-9; "metertwin" is the number of
/// <see cref="MeterEventKind"/> itself, for emulated events that the meter's profile has no code for.
/// </para>
/// </summary>
public static class EventProfiles
{
    public const string Dsmr = "dsmr", Smr = "smr", Idis = "idis", Cim = "cim", Own = "metertwin";

    /// <summary>Codes that GXF and IDIS share.</summary>
    private static readonly (int Code, MeterEventKind Kind)[] Shared =
    [
        (1, MeterEventKind.PowerDown), (2, MeterEventKind.PowerUp), (3, MeterEventKind.ClockDst),
        (4, MeterEventKind.ClockAdjustedOld), (5, MeterEventKind.ClockAdjustedNew), (6, MeterEventKind.ClockInvalid),
        (7, MeterEventKind.BatteryReplace), (8, MeterEventKind.BatteryLow), (9, MeterEventKind.TariffActivated),
        (10, MeterEventKind.ErrorRegisterCleared), (11, MeterEventKind.AlarmRegisterCleared),
        (12, MeterEventKind.ProgramMemoryError), (13, MeterEventKind.RamError), (14, MeterEventKind.NvMemoryError),
        (15, MeterEventKind.WatchdogReset), (16, MeterEventKind.MeasurementError), (17, MeterEventKind.FirmwareReady),
        (18, MeterEventKind.FirmwareActivated),
        (40, MeterEventKind.TerminalCoverOpened), (41, MeterEventKind.TerminalCoverClosed),
        (42, MeterEventKind.MagneticFieldOn), (43, MeterEventKind.MagneticFieldOff),
        (44, MeterEventKind.MeterCoverOpened), (45, MeterEventKind.MeterCoverClosed), (46, MeterEventKind.LoginFailed),
        (47, MeterEventKind.ConfigurationChanged), (255, MeterEventKind.EventLogCleared),
    ];

    /// <summary>Codes of GXF alone. Per-phase codes share a kind: L1, L2, L3 in the order of the numbers.</summary>
    private static readonly (int Code, MeterEventKind Kind)[] Gxf =
    [
        (20, MeterEventKind.FirmwareSelfCheckOk), (21, MeterEventKind.CommunicationModuleRemoved),
        (22, MeterEventKind.CommunicationModuleInserted), (48, MeterEventKind.ModuleCoverOpened),
        (49, MeterEventKind.ModuleCoverClosed),
        (77, MeterEventKind.UnderVoltage), (78, MeterEventKind.UnderVoltage), (79, MeterEventKind.UnderVoltage),
        (80, MeterEventKind.OverVoltage), (81, MeterEventKind.OverVoltage), (82, MeterEventKind.OverVoltage),
        (83, MeterEventKind.VoltageNormal), (84, MeterEventKind.VoltageNormal), (85, MeterEventKind.VoltageNormal),
        (86, MeterEventKind.PhaseOutage), (87, MeterEventKind.PhaseOutage), (88, MeterEventKind.PhaseOutage),
        (90, MeterEventKind.PhaseReturned), (91, MeterEventKind.PhaseReturned), (92, MeterEventKind.PhaseReturned),
        (93, MeterEventKind.VoltageSag), (94, MeterEventKind.VoltageSag), (95, MeterEventKind.VoltageSag),
        (96, MeterEventKind.VoltageSwell), (97, MeterEventKind.VoltageSwell), (98, MeterEventKind.VoltageSwell),
        (99, MeterEventKind.LastGasp),
    ];

    private static readonly (int Code, MeterEventKind Kind)[] IdisOnly =
    [
        (48, MeterEventKind.KeysChanged), (49, MeterEventKind.DecryptionFailed), (50, MeterEventKind.ReplayAttack),
        (51, MeterEventKind.FirmwareVerificationFailed),
    ];

    /// <summary>The four-part codes of IEC 61968-9 that are known to be in use for these kinds.</summary>
    private static readonly (string Code, MeterEventKind Kind)[] Cims =
    [
        ("0.26.38.85", MeterEventKind.PowerDown), ("0.26.38.49", MeterEventKind.PowerUp),
        ("0.12.141.212", MeterEventKind.MeterCoverOpened), ("3.12.29.212", MeterEventKind.MeterCoverOpened),
        ("0.12.29.16", MeterEventKind.TerminalCoverClosed),
        ("0.12.66.242", MeterEventKind.MagneticFieldOn), ("0.12.66.243", MeterEventKind.MagneticFieldOff),
        ("0.12.24.85", MeterEventKind.LoginFailed), ("0.12.65.85", MeterEventKind.LoginFailed),
        ("3.12.24.35", MeterEventKind.LoginFailed), ("0.12.6.219", MeterEventKind.ReverseRun),
        ("0.11.283.280", MeterEventKind.FirmwareReady), ("0.11.283.4", MeterEventKind.FirmwareActivated),
        ("0.31.26.68", MeterEventKind.RemoteDisconnection), ("0.31.26.42", MeterEventKind.RemoteReconnection),
        ("0.15.26.68", MeterEventKind.ManualDisconnection), ("0.15.26.42", MeterEventKind.ManualReconnection),
        ("0.15.261.139", MeterEventKind.LimiterExceeded), ("0.15.261.216", MeterEventKind.LimiterOk),
        ("0.15.261.24", MeterEventKind.LimiterChanged), ("0.36.114.35", MeterEventKind.ClockInvalid),
        ("0.7.31.24", MeterEventKind.ConfigurationChanged), ("0.17.44.28", MeterEventKind.EventLogCleared),
        ("0.18.85.79", MeterEventKind.RamError), ("0.18.92.79", MeterEventKind.ProgramMemoryError),
        ("0.18.83.79", MeterEventKind.ProgramMemoryError), ("0.18.72.79", MeterEventKind.NvMemoryError),
        ("0.21.67.79", MeterEventKind.MeasurementError), ("0.11.3.215", MeterEventKind.WatchdogReset),
        ("0.2.22.150", MeterEventKind.BatteryLow),
    ];

    private static readonly FrozenDictionary<int, MeterEventKind> DsmrKinds = Table([.. Shared, .. Gxf]);
    private static readonly FrozenDictionary<int, MeterEventKind> IdisKinds = Table([.. Shared, .. IdisOnly]);
    private static readonly FrozenDictionary<string, MeterEventKind> CimKinds =
        Cims.ToFrozenDictionary(c => c.Code, c => c.Kind);

    private static readonly FrozenDictionary<MeterEventKind, int> DsmrCodes = Inverse([.. Shared, .. Gxf]);
    private static readonly FrozenDictionary<MeterEventKind, int> IdisCodes = Inverse([.. Shared, .. IdisOnly]);
    private static readonly FrozenDictionary<MeterEventKind, string> CimCodes =
        Cims.GroupBy(c => c.Kind).ToFrozenDictionary(g => g.Key, g => g.First().Code);

    private static FrozenDictionary<int, MeterEventKind> Table((int Code, MeterEventKind Kind)[] rows) =>
        rows.ToFrozenDictionary(r => r.Code, r => r.Kind);

    /// <summary>The first code of a kind stands for it: that of phase L1.</summary>
    private static FrozenDictionary<MeterEventKind, int> Inverse((int Code, MeterEventKind Kind)[] rows) =>
        rows.GroupBy(r => r.Kind).ToFrozenDictionary(g => g.Key, g => g.First().Code);

    /// <summary>True when events of this profile can be read at all.</summary>
    public static bool IsKnown(string profile) => profile is Dsmr or Smr or Idis or Cim or Own;

    /// <summary>What the code means, whatever log it stood in. Case of the profile's name does not matter.</summary>
    public static MeterEventKind Decode(string profile, string code)
    {
        var name = profile.ToLowerInvariant();
        if (name == Cim) return CimKinds.GetValueOrDefault(code, MeterEventKind.Unmapped);
        if (!int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return MeterEventKind.Unmapped;
        return name switch
        {
            Dsmr or Smr => DsmrKinds.GetValueOrDefault(number, MeterEventKind.Unmapped),
            Idis => IdisKinds.GetValueOrDefault(number, MeterEventKind.Unmapped),
            Own when number <= byte.MaxValue && Enum.IsDefined((MeterEventKind)number) => (MeterEventKind)number,
            _ => MeterEventKind.Unmapped,
        };
    }

    /// <summary>
    /// What the code means in the named log. A code that stands in a log where it does not belong is unmapped.
    /// </summary>
    public static MeterEventKind Decode(string profile, EventLogClass log, int code)
    {
        var kind = Decode(profile, code.ToString(CultureInfo.InvariantCulture));
        return kind != MeterEventKind.Unmapped && (kind == MeterEventKind.EventLogCleared || LogOf(kind) == log)
            ? kind : MeterEventKind.Unmapped;
    }

    /// <summary>The profile's code of a kind; null when it has none.</summary>
    public static string? CodeOf(string profile, MeterEventKind kind) => profile.ToLowerInvariant() switch
    {
        Dsmr or Smr => Number(DsmrCodes, kind),
        Idis => Number(IdisCodes, kind),
        Cim => CimCodes.GetValueOrDefault(kind),
        Own when kind != MeterEventKind.Unmapped => ((int)kind).ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>The four-part code of IEC 61968-9; null where none is established.</summary>
    public static string? CimCode(MeterEventKind kind) => CodeOf(Cim, kind);

    private static string? Number(FrozenDictionary<MeterEventKind, int> codes, MeterEventKind kind) =>
        codes.TryGetValue(kind, out var code) ? code.ToString(CultureInfo.InvariantCulture) : null;

    /// <summary>The log that events of a kind belong to.</summary>
    public static EventLogClass LogOf(MeterEventKind kind) => kind switch
    {
        >= MeterEventKind.TerminalCoverOpened and <= MeterEventKind.UnexpectedExport
            or >= MeterEventKind.LoginFailed and <= MeterEventKind.ConfigurationChanged
            or MeterEventKind.DecryptionFailed or MeterEventKind.ReplayAttack => EventLogClass.Fraud,
        MeterEventKind.LocalSessionOpened or MeterEventKind.LocalSessionClosed => EventLogClass.Communication,
        >= MeterEventKind.RemoteDisconnection and <= MeterEventKind.LimiterChanged
            or MeterEventKind.SwitchRateLimited => EventLogClass.Switch,
        >= MeterEventKind.UnderVoltage and <= MeterEventKind.VoltageSwell => EventLogClass.PowerQuality,
        _ => EventLogClass.Standard,
    };
}
