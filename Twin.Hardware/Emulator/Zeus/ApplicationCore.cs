using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// The application core: reads what the metrology core sealed, pushes, takes commands, keeps the logs and applies the
/// reaction table, with or without the head-end. It runs the image that the bootloader chose, and behaves as that image
/// does. Times given to it are true; what it writes carries its own clock. Reports, rows, holds and counters last
/// without power; sessions and the image under way do not.
/// </summary>
public sealed partial class ApplicationCore
{
    /// <summary>Reports waiting to be pushed; at the bound the oldest is dropped and counted.</summary>
    public const int MaxReports = 256;

    /// <summary>Log rows waiting to be pushed; at the bound the oldest is dropped (it is still in its log).</summary>
    public const int MaxRows = 256;

    /// <summary>Quotes waiting; at the bound the oldest is dropped: its challenge is stale.</summary>
    public const int MaxQuotes = 4;

    /// <summary>Under a rate limit, one write in so many seconds.</summary>
    public const int WriteSpacingSeconds = 60;

    private readonly MeterSpec _spec;
    private readonly ZeusChip _chip;
    private readonly MetrologyCore _metrology;
    private readonly MeterClock _clock;
    private readonly VaultCipher _cipher;
    private readonly string _serial;
    private double _ownDriftPpm;
    private readonly SplitMix64 _draw;
    private readonly Queue<byte[]> _reports = new();
    private readonly Queue<byte[]> _quotes = new();
    private readonly Queue<EventRow> _rows = new();
    private long _refuseUntil = long.MinValue, _limitUntil = long.MinValue, _lastWrite = long.MinValue;
    private (string Order, string Actor, CommandOrigin Origin)? _switching;
    private bool _bombDone;

    internal ApplicationCore(MeterSpec spec, ZeusChip chip, MetrologyCore metrology, MeterClock clock, string serial,
        double driftPpm, ulong seed)
    {
        (_spec, _chip, _metrology, _clock, _serial, _ownDriftPpm) = (spec, chip, metrology, clock, serial, driftPpm);
        (_cipher, _draw) = (new VaultCipher(chip.Vault), SplitMix64.For(seed, "application"));
        Table = spec.ReactionTable;
        _transfer = new ImageTransfer(spec.ImageBlockBytes);
    }

    private MeterId Meter => new(_chip.SystemTitle);

    public EventLog Log { get; } = new();
    public ReactionTable Table { get; private set; }
    public FirmwareBehaviour Behaviour { get; private set; } = FirmwareBehaviour.Honest;

    /// <summary>Digest of the image that runs; none when the bootloader had none to run.</summary>
    public Digest Image { get; private set; }

    /// <summary>False after a crash until the next boot, and with firmware that says nothing.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Cut off from the network: <see cref="ZeusMeter.IsIsolated"/>.</summary>
    internal bool IsIsolated { get; set; }

    /// <summary>Reports that were dropped at the bound.</summary>
    public int DroppedReports { get; private set; }

    /// <summary>Reports and quotes waiting for contact.</summary>
    public int Waiting => _reports.Count + _quotes.Count;

    /// <summary>Until when all writes are refused, by the meter's clock; in the past when none are.</summary>
    public UnixTime? RefusesWritesUntil => _refuseUntil == long.MinValue ? null : new UnixTime(_refuseUntil);

    /// <summary>An image that gives no sign of life: its watchdog bites again and again.</summary>
    internal bool IsHung => Behaviour.GivesNoSignOfLife;

    /// <summary>The crystal ages: the clock gains so much more, in parts per million, for good.</summary>
    internal void Age(UnixTime now, double ppm)
    {
        _ownDriftPpm += ppm;
        _clock.Drift(now, _ownDriftPpm + Behaviour.ClockDriftPpm);
    }

    /// <summary>An image that lets its watchdog bite at set hours, and does not tell of it.</summary>
    internal bool RestartsAt(UnixTime now) => IsRunning && Behaviour.RestartsPerDay > 0
        && now.Minutes % (1_440 / Math.Min(Behaviour.RestartsPerDay, 1_440)) < _metrology.IntervalMinutes;

    internal void RestartCovertly(UnixTime now)
    {
        Crash();
        _chip.Reset(Shown(now), BootCause.Watchdog);
        Boot(now);
    }

    private UnixTime Shown(UnixTime now) => _clock.Read(now);

    /// <summary>The chip has booted: what was in RAM is gone, and what the image does begins.</summary>
    internal void Boot(UnixTime now)
    {
        var booted = _chip.LastBoot.Booted.FirstOrDefault(b => b.Part == FirmwarePart.Application);
        Image = booted.Check.Image;
        Behaviour = _spec.Shelf.Of(Image);
        IsRunning = !Image.IsNone && !Behaviour.IsMute && !Behaviour.GivesNoSignOfLife;
        _transfer = new ImageTransfer(_spec.ImageBlockBytes);
        _image = null;
        (_failures, _session) = (0, null);
        _clock.Drift(now, _ownDriftPpm + Behaviour.ClockDriftPpm);
        _out.PowerOn();
        _boots++;
        if (_nextPush == 0) _nextPush = NextBoundary(Shown(now));
        if (Image.IsNone || IsHung) return;
        foreach (var refused in _chip.LastBoot.Refused)
            if (refused.Check.Refusal != BootRefusal.NoImage) Happen(MeterEventKind.FirmwareVerificationFailed, now);
        foreach (var part in _chip.LastBoot.Booted)
        {
            var wanted = _activating == part.Part;
            if (part.Origin != SlotOrigin.Activated) _confirmed[(int)part.Part] = Digest.None;
            else if (wanted || part.Check.Image != _confirmed[(int)part.Part]) Confirm(part, now);
        }
        _activating = FirmwarePart.Device;
    }

    /// <summary>The part that an activation is under way for; the device as a whole: none.</summary>
    private FirmwarePart _activating;

    private readonly Digest[] _confirmed = new Digest[CakQuote.Parts + 1];

    /// <summary>The sign of life of an image that runs for the first time.</summary>
    private void Confirm(in BootedPart part, UnixTime now)
    {
        _chip.Bootloader.Confirm(part.Part);
        _confirmed[(int)part.Part] = part.Check.Image;
        Happen(MeterEventKind.FirmwareActivated, now);
        Happen(MeterEventKind.FirmwareSelfCheckOk, now);
    }

    /// <summary>The application hangs: it says and takes nothing until the next boot.</summary>
    internal void Crash()
    {
        (IsRunning, _session) = (false, null);
    }

    /// <summary>Time has come to an instant: what the metrology core did, what is due, what the image does.</summary>
    internal void Step(UnixTime now)
    {
        if (!IsRunning) return;
        var shown = Shown(now);
        while (_metrology.Happened.TryDequeue(out var happened)) TakeFromMetrology(happened);
        // Periods end with intervals, which lie on their grid however the clock is fast or slow by seconds.
        var reached = Math.Max(_metrology.MeasuredTo.Seconds, shown.Seconds - _metrology.IntervalMinutes * 60L);
        if (reached >= _nextPush)
        {
            var store = _metrology.Store;
            var behind = store.Count > 0 && _metrology.MeasuredTo.Seconds > _nextPush ? 1u : 0;
            _ready = Math.Max(_ready, store.NextSeq - behind);
            _dayEvents += Behaviour.ExtraEventsPerDay * _spec.PushMinutes / 1_440;
            for (var i = 0; i < Behaviour.ExtraEventsPerDay * _spec.PushMinutes / 1_440; i++)
                Keep(MeterEventKind.ConfigurationChanged, shown);
            if (_nextPush % 86_400 == 0) MeasureDay(shown);
            _nextPush = NextBoundary(new UnixTime(reached));
        }
        if (Behaviour.OpensSwitchAt is { } at && shown.Seconds >= at.Seconds && !_bombDone)
        {
            _bombDone = true;
            if (_metrology.Switch.Request(SwitchRequest.RemoteDisconnect, shown) == GuardAnswer.Delayed)
                _switching = ("", "", CommandOrigin.Firmware);
        }
    }

    private long NextBoundary(UnixTime shown) =>
        (shown.Seconds / 60 / _spec.PushMinutes + 1) * _spec.PushMinutes * 60L;

    private void TakeFromMetrology(in MetrologyEvent happened)
    {
        var remote = happened.Kind is MeterEventKind.RemoteDisconnection or MeterEventKind.RemoteReconnection;
        if (happened.Moved) React(happened.Kind, happened.MeterTime);
        if (!remote) return;
        // Without a command behind it, it was the firmware that asked.
        var (order, actor, origin) = _switching ?? ("", "", CommandOrigin.Firmware);
        _switching = null;
        Report(new CommandOutcome(Meter, happened.MeterTime,
            happened.Kind == MeterEventKind.RemoteDisconnection ? CommandKind.Disconnect : CommandKind.Reconnect,
            origin, happened.Moved ? CommandResult.Done : CommandResult.Failed, happened.Switch, order, actor,
            "after its delay"));
    }

    /// <summary>An event happens at a true time: the reaction table decides.</summary>
    internal void Happen(MeterEventKind kind, UnixTime now) => React(kind, Shown(now));

    private void React(MeterEventKind kind, UnixTime shown)
    {
        if (!IsRunning) return;
        var action = Table.On(kind);
        if (action == ReactionAction.Ignore) return;
        Keep(kind, shown);
        _dayEvents++;
        if (action < ReactionAction.Report) return;
        _urgent = true;
        if (action == ReactionAction.RateLimit)
            _limitUntil = Math.Max(_limitUntil, shown.Seconds + Table.HoldSeconds);
        if (action == ReactionAction.RefuseWrites)
            _refuseUntil = Math.Max(_refuseUntil, shown.Seconds + Table.HoldSeconds);
        Report(new Reaction(Meter, shown, Table.Version, kind, action));
    }

    private void Keep(MeterEventKind kind, UnixTime shown)
    {
        Log.Add(kind, shown);
        if (_rows.Count == MaxRows) _rows.Dequeue();
        _rows.Enqueue(new EventRow((uint)Math.Clamp(shown.Seconds, 0, uint.MaxValue), kind));
    }

    private void Report(Input input) => Report(DeviceReport.WriteInput(input));

    private void Report(byte[] body)
    {
        if (_reports.Count == MaxReports)
        {
            _reports.Dequeue();
            if (DroppedReports < int.MaxValue) DroppedReports++;
        }
        _reports.Enqueue(body);
    }
}
