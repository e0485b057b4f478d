using System.Globalization;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;

namespace Twin.Detection.Specification;

/// <summary>All sentences of the specification checks: what happened, since when, in plain words with names.</summary>
public static class SecuritySentences
{
    private static string On(uint at) => $"On {Moment.Time(at)}";
    private static string Hex(ulong value) => value.ToString("x16", CultureInfo.InvariantCulture)[..12];

    public static string PartName(FirmwarePart part) => part switch
    {
        FirmwarePart.Cak => "attestation kernel",
        FirmwarePart.ReactionTable => "reaction table",
        _ => part.ToString().ToLowerInvariant(),
    };

    public static string CommandName(CommandKind command) => command switch
    {
        CommandKind.Disconnect => "disconnection",
        CommandKind.Reconnect => "reconnection",
        CommandKind.SetLimiter => "change of the limiter",
        CommandKind.ActivateImage => "activation of an image",
        CommandKind.TransferKey => "change of keys",
        CommandKind.Reset => "reset",
        CommandKind.SetClock => "setting of the clock",
        CommandKind.WriteConfiguration => "change of configuration",
        CommandKind.SetTariff => "change of the tariff",
        CommandKind.ClearLog => "clearing of a log",
        CommandKind.SetReactionTable => "change of the reaction table",
        _ => "command",
    };

    private static string OriginName(CommandOrigin origin) => origin switch
    {
        CommandOrigin.HeadEnd => "the head-end",
        CommandOrigin.OpticalPort => "the optical port",
        CommandOrigin.Local => "the meter's own controls",
        CommandOrigin.Firmware => "the meter's own firmware",
        CommandOrigin.Mesh => "a neighbour in the mesh",
        _ => "an unknown origin",
    };

    public static string SlotName(KeySlot slot) => slot switch
    {
        KeySlot.DeviceSigning => "device signing",
        KeySlot.KeyAgreement => "key agreement",
        KeySlot.EncryptionUnicast => "unicast encryption",
        KeySlot.EncryptionBroadcast => "broadcast encryption",
        KeySlot.OpticalPort => "optical port",
        KeySlot.LlsPassword => "LLS password",
        KeySlot.MetrologySeal => "metrology seal",
        _ => slot.ToString().ToLowerInvariant(),
    };

    private static string Way(FrameDirection direction) => direction == FrameDirection.FromMeter ? "from" : "to";

    /// <param name="at">When it was received.</param>
    /// <param name="violation">What is wrong with the log.</param>
    /// <param name="known">The last entry that was accepted before.</param>
    public static string Log(uint at, ChainViolation violation, uint known) => violation.Kind switch
    {
        ChainViolationKind.Fork => $"{On(at)} the meter's log tells another history than the one accepted up to entry "
            + $"{known}: the chain was forked.",
        ChainViolationKind.SequenceGap => $"{On(at)} the numbers of the meter's log break off at entry "
            + $"{violation.Seq}: entries are missing, which a power cut cannot cause.",
        ChainViolationKind.TruncatedBeyondCheckpoint => $"{On(at)} the meter's log begins at entry {violation.Seq}; "
            + $"the entries behind {known} are gone, and no countersigned checkpoint covers them.",
        ChainViolationKind.UnknownCheckpoint => $"{On(at)} entry {violation.Seq} of the meter's log says that older "
            + "entries were dropped, and the checkpoint that it names was never countersigned.",
        ChainViolationKind.RolledBack => $"{On(at)} the meter answered a fresh challenge with a log that ends at entry "
            + $"{violation.Seq}; entry {known} had been accepted before: the log was rolled back.",
        ChainViolationKind.CounterRegressed => $"{On(at)} counters that only rise fell at entry {violation.Seq} of the "
            + "meter's log.",
        _ => $"{On(at)} the digests of the meter's log do not lead from its beginning to the head that it signed.",
    };

    public static string Upgrade(uint at, FirmwarePart part, uint version, ulong image) =>
        $"{On(at)} the meter took on {PartName(part)} version {version} (image {Hex(image)}), which no campaign allows "
        + "for it.";

    public static string Reverted(uint at, FirmwarePart part, ulong image) =>
        $"{On(at)} image {Hex(image)} ran as {PartName(part)} without a campaign; it was gone again before the meter "
        + "next attested, and only its log remembers.";

    public static string Silent(uint at, FirmwarePart part, ulong image) =>
        $"{On(at)} the {PartName(part)} is image {Hex(image)}, and no entry of the log says how it came.";

    public static string Downgraded(uint at, FirmwarePart part, uint from, uint to, bool security) =>
        $"{On(at)} the {PartName(part)} went back from {(security ? "security version" : "version")} {from} to {to} "
        + "without a signed permit.";

    public static string Stale(uint at, bool replay) => replay
        ? $"{On(at)} an outstanding challenge was answered with a quote that had been received before, byte for byte."
        : $"{On(at)} an outstanding challenge was answered with a nonce that was not asked for.";

    public static string NotSigned(uint at, ulong named, ulong enrolled) =>
        $"{On(at)} a quote came in that the enrolled device key {Hex(enrolled)} did not sign; it names key "
        + $"{Hex(named)}.";

    public static string OtherTitle(uint at, ulong title) =>
        $"{On(at)} a quote signed with this meter's key speaks for the system title {title:x16}.";

    public static string Boots(uint at, long excess) => excess > 0
        ? $"Up to {Moment.Time(at)} the meter booted {excess} times more than power failures, watchdog, activations "
            + "and commands explain."
        : $"Up to {Moment.Time(at)} the meter counted {-excess} causes of boots more than boots.";

    public static string CountersBack(uint at) => $"{On(at)} counters that only rise were lower than before.";

    public static string Drift(uint at, long seconds) =>
        $"{On(at)} the meter's clock was {Math.Abs(seconds)} s {(seconds > 0 ? "ahead of" : "behind")} the head-end's.";

    public static string MissingEvents(uint at, FirmwarePart part, string missing) =>
        $"The log has an upgrade of the {PartName(part)} on {Moment.Time(at)}, but the meter never reported {missing}.";

    public static string EventsAlone(uint at) =>
        $"{On(at)} the meter reported an activated firmware, but its attested log has no upgrade then.";

    public static string Metrology(uint at, bool calibration, ulong now) =>
        $"{On(at)} the {(calibration ? "calibration constants" : "metrology image")} had changed to {Hex(now)} without "
        + "a verification of the metrology.";

    /// <param name="detail">Of the entry: <see cref="RefusalDetail"/>, or another that is not said.</param>
    public static string Refused(uint at, FirmwarePart part, ulong image, ushort detail) =>
        $"{On(at)} the bootloader refused image {Hex(image)} for the {PartName(part)}" + detail switch
        {
            RefusalDetail.StrippedSignature => ": a signature is missing that its images had before, which is a "
                + "downgrade.",
            RefusalDetail.UnreadableSignatures => ": its list of signatures cannot be read.",
            RefusalDetail.TooFewSignatures => ": the device requires more signatures than it has.",
            _ => ".",
        };

    public static string Pages(uint at, int pages, int first) =>
        $"{On(at)} {pages} flash page{(pages == 1 ? "" : "s")} differed from the signed image, the first is page "
        + $"{first}, and no upgrade explains it.";

    public static string Retired(uint at, uint since, string what) =>
        $"{On(at)} the meter, retired on {Moment.Time(since)}, was heard again: {what}.";

    public static string Overdue(uint issued) =>
        $"The challenge of {Moment.Time(issued)} is still not answered, although the meter was heard since.";

    public static string Regression(uint at, KeySlot key, FrameDirection way, uint counter, uint highest) =>
        $"{On(at)} a frame {Way(way)} the meter under key {SlotName(key)} had counter {counter}, far behind "
        + $"{highest}.";

    public static string Reuse(uint at, KeySlot key, FrameDirection way, uint counter) =>
        $"{On(at)} counter {counter} of key {SlotName(key)} came a second time with other bytes {Way(way)} the meter: "
        + "two holders of the key, or a counter that was reset.";

    public static string Jump(uint at, KeySlot key, FrameDirection way, uint from, uint to) =>
        $"{On(at)} the counter of key {SlotName(key)} {Way(way)} the meter jumped from {from} to {to}, more "
        + "frames than it can have sent.";

    public static string Exhaustion(KeySlot key, uint counter) =>
        $"The counter of key {SlotName(key)} has reached {counter}; at 4294967295 the key can send no more.";

    public static string Tags(uint from, int count) =>
        $"Since {Moment.Time(from)} {count} frames failed authentication within an hour.";

    public static string Malformed(uint from, int count) =>
        $"Since {Moment.Time(from)} {count} frames could not be decoded within an hour.";

    public static string Unprotected(uint at) =>
        $"{On(at)} a frame came without protection, though the meter's frames are protected.";

    public static string Seal(uint at, string reason) =>
        $"{On(at)} the meter's application told other readings than its metrology had sealed"
        + (reason.Length > 0 ? $": {reason}." : ".");

    public static string SealMissing(uint from, int count, uint since) =>
        $"Since {Moment.Time(from)} {count} load profiles came without the seal of the meter's metrology, which its "
        + $"profiles have carried since {Moment.Time(since)}.";

    public static string BadKey(uint at, KeySlot key, bool expired, uint since) =>
        $"{On(at)} key {SlotName(key)} was used, which {(expired ? "expired" : "was reported compromised")} on "
        + $"{Moment.Time(since)}.";

    public static string Certificate(uint at, KeySlot key, string actor) =>
        $"{On(at)} a certificate for key {SlotName(key)} did not chain to a trusted authority"
        + (actor.Length > 0 ? $" (presented by {actor})." : ".");

    public static string WithoutOrder(uint at, CommandKind command, CommandOrigin origin, string actor) =>
        $"{On(at)} the meter executed a {CommandName(command)} from {OriginName(origin)}"
        + (actor.Length > 0 ? $" ({actor})" : "") + ", for which there is no work order.";

    public static string Logged(uint at, CommandKind command) =>
        $"{On(at)} the meter's attested log records a {CommandName(command)}, for which there is no work order.";

    public static string Rapid(uint from, int count) =>
        $"Since {Moment.Time(from)} the supply was switched {count} times within an hour.";

    public static string Output(uint at, in SwitchState s) =>
        $"{On(at)} the contactor's output was {(s.Output ? "closed" : "open")} while its control state said "
        + $"{StateName(s.ControlState)}.";

    public static string OutputAgainst(uint at, CommandKind last, uint when, in SwitchState s) =>
        $"{On(at)} the meter attested the state {StateName(s.ControlState)}, though the last command, of "
        + $"{Moment.Time(when)}, was a {CommandName(last)}.";

    public static string Flow(long wattHours, uint since) =>
        $"The meter registered {wattHours} Wh in a day, though its contactor is reported open since "
        + $"{Moment.Time(since)}.";

    private static string StateName(byte state) => state switch
    {
        SwitchCheck.Disconnected => "disconnected",
        SwitchCheck.Connected => "connected",
        _ => "ready for reconnection",
    };

    public static string Limiter(uint at, CommandOrigin origin) =>
        $"{On(at)} the limiter's thresholds were changed from {OriginName(origin)} without a work order.";

    public static string Shifted(uint at, long seconds) => seconds == 0
        ? $"{On(at)} the meter's clock was set without a work order."
        : $"{On(at)} the meter's clock was set {(seconds > 0 ? "forward" : "back")} by {Math.Abs(seconds)} s, more "
            + "than a synchronisation needs.";

    public static string Cleared(uint at) => $"{On(at)} an event log of the meter was cleared without a work order.";

    public static string Logins(uint from, int count) =>
        $"Since {Moment.Time(from)} {count} logins failed within an hour.";

    public static string Optical(uint at, string tool, string contractor) =>
        $"{On(at)} a session at the optical port changed the meter without a work order"
        + (tool.Length + contractor.Length == 0 ? "." : $" (tool {Or(tool)}, contractor {Or(contractor)}).");

    public static string Rogue(uint at, string why, string tool) =>
        $"{On(at)} {why}" + (tool.Length > 0 ? $" (client {tool})." : ".");

    public static string Reaction(uint at, MeterEventKind kind, ReactionAction did, ReactionAction told, uint table) =>
        $"{On(at)} the meter answered {kind} with {did}, where its reaction table {table} tells it to {told}.";

    public static string Table(uint at, uint has, uint assigned) => has < assigned
        ? $"{On(at)} the meter still worked with reaction table {has}; version {assigned} was assigned to it."
        : $"{On(at)} the meter worked with reaction table {has}, which was never assigned to it; {assigned} was.";

    public static string Tampered(uint at, MeterEventKind kind) => $"{On(at)} " + kind switch
    {
        MeterEventKind.TerminalCoverOpened => "the terminal cover was opened.",
        MeterEventKind.MeterCoverOpened => "the meter cover was opened.",
        MeterEventKind.ModuleCoverOpened => "the module cover was opened.",
        MeterEventKind.MagneticFieldOn => "the meter felt a strong magnetic field.",
        MeterEventKind.CommunicationModuleRemoved => "the communication module was taken out.",
        MeterEventKind.CurrentWithoutVoltage => "current flowed in a phase without voltage.",
        MeterEventKind.ReverseRun => "energy ran backwards through the meter.",
        _ => "a tamper input of the meter answered.",
    };

    public static string LastGasp(uint at) =>
        $"{On(at)} the meter was reported without power, but its attested counters know no power failure then.";

    public static string InstalledElsewhere(uint at, string here, uint since) =>
        $"{On(at)} the meter was reported installed at {Or(here)}, though it is mounted elsewhere since "
        + $"{Moment.Time(since)} and nobody took it down.";

    public static string InstalledAgainst(uint at, string here, string registry) =>
        $"{On(at)} the meter was installed at {Or(here)}; the registry has it at {Or(registry)}.";

    public static string StartRegister(uint at, long start, long reads) =>
        $"The installer noted a register of {start} Wh; on {Moment.Time(at)} the meter reads {reads} Wh.";

    public static string Calibration(uint at, ulong made, ulong attested) =>
        $"{On(at)} the meter attested calibration {Hex(attested)}; it left the factory with {Hex(made)}.";

    public static string NotLocked(uint at, LifeCycle stage) =>
        $"{On(at)} the meter was in service but attests the life-cycle stage {stage}: it was never locked.";

    public static string Behaviour(uint since, IEnumerable<string> features, bool activated, bool attested) =>
        $"Since {Moment.Time(since)} the meter behaves otherwise than before"
        + (activated ? " its last firmware activation" : "") + $": {string.Join(", ", features)}"
        + (attested ? "; every cryptographic check passed." : ".");

    private static string Or(string text) => text.Length == 0 ? "(not given)" : text;
}
