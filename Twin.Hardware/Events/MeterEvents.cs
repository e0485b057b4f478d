namespace Twin.Hardware.Events;

/// <summary>
/// What an entry of a meter's event log means, whatever companion profile numbered it. Numbers are stored (reaction
/// tables, counters): never reuse one.
/// </summary>
public enum MeterEventKind : byte
{
    /// <summary>The profile or its code is not known: never guessed.</summary>
    Unmapped = 0,

    PowerDown = 1, PowerUp = 2, LastGasp = 3, WatchdogReset = 4, CommandedReset = 5,

    ClockAdjustedOld = 10, ClockAdjustedNew = 11, ClockInvalid = 12, ClockDst = 13, BatteryLow = 14,
    BatteryReplace = 15,

    TerminalCoverOpened = 20, TerminalCoverClosed = 21, MeterCoverOpened = 22, MeterCoverClosed = 23,
    ModuleCoverOpened = 24, ModuleCoverClosed = 25, MagneticFieldOn = 26, MagneticFieldOff = 27,
    ReverseRun = 28, CurrentWithoutVoltage = 29, UnexpectedExport = 30,

    LoginFailed = 40, ConfigurationChanged = 41, KeysChanged = 42, DecryptionFailed = 43, ReplayAttack = 44,
    EventLogCleared = 45, ErrorRegisterCleared = 46, AlarmRegisterCleared = 47, LocalSessionOpened = 48,
    LocalSessionClosed = 49,

    FirmwareReady = 50, FirmwareActivated = 51, FirmwareSelfCheckOk = 52, FirmwareVerificationFailed = 53,

    ProgramMemoryError = 60, RamError = 61, NvMemoryError = 62, MeasurementError = 63,
    CommunicationModuleRemoved = 64, CommunicationModuleInserted = 65,

    RemoteDisconnection = 70, RemoteReconnection = 71, ManualDisconnection = 72, ManualReconnection = 73,
    LocalDisconnection = 74, LocalReconnection = 75, LimiterExceeded = 76, LimiterOk = 77, LimiterChanged = 78,
    TariffActivated = 79, SwitchRateLimited = 80,

    UnderVoltage = 90, OverVoltage = 91, VoltageNormal = 92, PhaseOutage = 93, PhaseReturned = 94, VoltageSag = 95,
    VoltageSwell = 96,
}

/// <summary>What the reaction table of a meter tells it to do, alone, on an event. The strongest wins.</summary>
public enum ReactionAction : byte { Ignore = 0, Log = 1, Report = 2, RateLimit = 3, RefuseWrites = 4 }
