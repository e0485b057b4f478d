using System.Buffers.Binary;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// What flows at the meter's terminals in one interval. Errors are relative: +5.82 reads 582 % too much.
/// </summary>
/// <param name="ImportWh">True energy taken, Wh.</param>
/// <param name="ExportWh">True energy given, Wh.</param>
/// <param name="BypassShare">Part of it that flows around the meter, 0 to 1.</param>
/// <param name="FieldError">What a magnet or interference does to the reading; −1 and above.</param>
/// <param name="LostPhases">Phases of three that the meter does not see, 0 to 3.</param>
/// <param name="Voltage">Mean voltage, tenths of a volt.</param>
public readonly record struct SupplyInterval(long ImportWh, long ExportWh, double BypassShare = 0,
    double FieldError = 0, byte LostPhases = 0, ushort Voltage = 2_300);

/// <summary>
/// Calibration constants. <paramref name="GainPpm"/>: what the raw value is multiplied with, in millionths;
/// <paramref name="CtRatio"/>: current transformer ratio, 1 without one.
/// </summary>
public readonly record struct Calibration(int GainPpm, int CtRatio, uint Record)
{
    public static Calibration Nominal => new(1_000_000, 1, 0);

    /// <summary>What lies in flash, 12 bytes.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[12];
        BinaryPrimitives.WriteInt32BigEndian(bytes, GainPpm);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), CtRatio);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), Record);
        return bytes;
    }

    public Digest Digest => Digest.Of(Encode());
}

/// <summary>
/// The wire between metrology board and application board, in meters that have two. What runs over it is plain: whoever
/// opens the case can read it, and put other values on it before they are sealed on the far side. A single-chip meter
/// has no such place.
/// </summary>
public sealed class BoardWire
{
    /// <summary>What the attacker does to each record; null: only the honest wire.</summary>
    public Func<IntervalRecord, IntervalRecord>? Tap { get; set; }

    /// <summary>The record that last ran over the wire, as anybody at it can read.</summary>
    public IntervalRecord LastSeen { get; private set; }

    internal IntervalRecord Carry(IntervalRecord record) => LastSeen = Tap?.Invoke(record) ?? record;
}

/// <summary>Something that the metrology core did on its own. <paramref name="Moved"/>: the switch took it.</summary>
public readonly record struct MetrologyEvent(MeterEventKind Kind, UnixTime MeterTime, bool Moved, SwitchState Switch);

/// <summary>
/// The metrology core: measures, keeps registers, seals each interval before anything else sees it, and owns the
/// switch. It depends on nothing of the application core, so it goes on through boot, update, isolation and a crashed
/// or hostile application; only without supply it stands still, and then nothing flows. Its key is in a vault of its
/// own.
/// </summary>
public sealed class MetrologyCore
{
    /// <summary>Slot of the metrology key in the core's own vault.</summary>
    internal const KeySlot SealKey = KeySlot.MetrologySeal;

    private const byte SealControl = 0x30;

    /// <summary>Events kept for an application that does not run; the oldest gives way.</summary>
    public const int MaxHappened = 32;

    private readonly KeyVault _vault;
    private readonly ulong _title;
    private readonly DurableCounter _periods = new();
    private long _importMilli, _exportMilli;
    private ProfileStatus _pending;

    public MetrologyCore(ulong systemTitle, KeyVault vault, int intervalMinutes, byte controlMode, ulong seed,
        BoardWire? wire)
    {
        if (intervalMinutes is < 1 or > 1_440 || 1_440 % intervalMinutes != 0)
            throw new ArgumentOutOfRangeException(nameof(intervalMinutes), "An interval divides the day.");
        (_title, _vault, IntervalMinutes, Wire) = (systemTitle, vault, intervalMinutes, wire);
        Switch = new SwitchGuard(new Disconnector(controlMode), seed);
    }

    public int IntervalMinutes { get; }
    public SwitchGuard Switch { get; }
    public Limiter Limiter { get; } = new();
    public SealedStore Store { get; } = new();

    /// <summary>Null in a single-chip meter.</summary>
    public BoardWire? Wire { get; }

    public Calibration Calibration { get; private set; } = Calibration.Nominal;

    /// <summary>
    /// Error of the sensor itself, millionths: what ageing does. The calibration is meant to take it out.
    /// </summary>
    public double SensorErrorPpm { get; set; }

    /// <summary>Cumulative registers, Wh.</summary>
    public WattHours Import => new(_importMilli / 1_000);

    /// <inheritdoc cref="Import"/>
    public WattHours Export => new(_exportMilli / 1_000);

    /// <summary>What the core did on its own since the application last asked, oldest first.</summary>
    internal Queue<MetrologyEvent> Happened { get; } = new();

    public SwitchState SwitchState => new(Switch.Switch.Output, (byte)Switch.Switch.State, Switch.Switch.Mode);

    public void SetCalibration(Calibration calibration) => Calibration = calibration;

    /// <summary>End of the last interval by the meter's clock, on the grid of the intervals.</summary>
    public UnixTime MeasuredTo { get; private set; }

    /// <summary>The clock was set: intervals go on from there, and the one under way says so.</summary>
    internal void ClockMoved(UnixTime shown)
    {
        var seconds = IntervalMinutes * 60L;
        MeasuredTo = new UnixTime(shown.Seconds / seconds * seconds);
        Mark(ProfileStatus.ClockAdjusted);
    }

    /// <summary>Marks the interval under way.</summary>
    public void Mark(ProfileStatus status) => _pending |= status;

    /// <summary>Power is back: numbers that may have been given are not given again.</summary>
    internal void PowerOn()
    {
        _periods.PowerOn();
        Mark(ProfileStatus.PowerDown);
    }

    /// <summary>
    /// Measures the interval that ends at <paramref name="meterTime"/> by the meter's clock, keeps registers, seals the
    /// record, and lets the limiter judge. With the contacts open nothing flows through the meter.
    /// </summary>
    public void Measure(UnixTime meterTime, in SupplyInterval flow)
    {
        var seen = Switch.Switch.Output ? (1 - flow.BypassShare) * Math.Max(0, 1 + flow.FieldError)
            * (1 + SensorErrorPpm / 1e6) * (3 - Math.Min((byte)3, flow.LostPhases)) / 3
            * Calibration.CtRatio * (Calibration.GainPpm / 1e6) : 0;
        var (import, export) = (Count(ref _importMilli, flow.ImportWh, seen),
            Count(ref _exportMilli, flow.ExportWh, seen));
        var start = (meterTime.Minutes - IntervalMinutes + IntervalMinutes / 2) / IntervalMinutes * IntervalMinutes;
        MeasuredTo = new UnixTime((start + IntervalMinutes) * 60);
        var record = new IntervalRecord((uint)Math.Clamp(start, 0, uint.MaxValue), import, export,
            Register(_importMilli), Register(_exportMilli), flow.Voltage, _pending);
        _pending = ProfileStatus.None;
        Seal(Wire?.Carry(record) ?? record);
        var verdict = Limiter.Step(import * 60L / IntervalMinutes, IntervalMinutes * 60, meterTime);
        if (verdict == LimiterVerdict.None) return;
        var exceeded = verdict == LimiterVerdict.Exceeded;
        Tell(exceeded ? MeterEventKind.LimiterExceeded : MeterEventKind.LimiterOk, meterTime);
        Here(exceeded ? SwitchRequest.LocalDisconnect : SwitchRequest.LocalReconnect, meterTime);
    }

    /// <summary>A hand on the meter, or the limiter: at once. False when mode or state do not allow it.</summary>
    public bool Here(SwitchRequest request, UnixTime meterTime)
    {
        if (Switch.RequestHere(request) != GuardAnswer.Done) return false;
        Tell(request switch
        {
            SwitchRequest.ManualDisconnect => MeterEventKind.ManualDisconnection,
            SwitchRequest.ManualReconnect => MeterEventKind.ManualReconnection,
            SwitchRequest.LocalDisconnect => MeterEventKind.LocalDisconnection,
            _ => MeterEventKind.LocalReconnection,
        }, meterTime);
        return true;
    }

    /// <summary>Lets a remote request that came due happen.</summary>
    public void Step(UnixTime meterTime)
    {
        if (Switch.Step(meterTime) is not { } done) return;
        Tell(done.Request == SwitchRequest.RemoteDisconnect ? MeterEventKind.RemoteDisconnection
            : MeterEventKind.RemoteReconnection, done.At, done.Moved);
    }

    private void Tell(MeterEventKind kind, UnixTime meterTime, bool moved = true)
    {
        if (Happened.Count == MaxHappened) Happened.Dequeue();
        Happened.Enqueue(new MetrologyEvent(kind, meterTime, moved, SwitchState));
    }

    private static int Count(ref long milli, long trueWh, double factor)
    {
        var before = milli / 1_000;
        milli += (long)Math.Round(trueWh * 1_000L * factor);
        return (int)(milli / 1_000 - before);
    }

    /// <summary>A register of ten digits of Wh rolls over, like the display.</summary>
    private static uint Register(long milli) => (uint)(milli / 1_000 % 4_000_000_000L);

    private void Seal(in IntervalRecord record)
    {
        Span<byte> plain = stackalloc byte[IntervalRecord.Bytes], nonce = stackalloc byte[KeyVault.NonceBytes];
        record.Write(plain);
        Nonce(Store.NextSeq, nonce);
        var to = Store.Append();
        // Without a key (blank or zeroised) the core still counts, but what it stores opens nowhere.
        if (!_vault.TrySeal(SealKey, KeySlot.None, SealControl, nonce, [], plain, to[..IntervalRecord.Bytes],
            to[IntervalRecord.Bytes..])) to.Clear();
    }

    /// <summary>
    /// Opens a record for the application core. False when it is not as the metrology core sealed it.
    /// </summary>
    public bool TryOpen(uint seq, out IntervalRecord record)
    {
        Span<byte> plain = stackalloc byte[IntervalRecord.Bytes], nonce = stackalloc byte[KeyVault.NonceBytes];
        Nonce(seq, nonce);
        var bytes = Store.Record(seq);
        var sound = _vault.TryOpen(SealKey, KeySlot.None, SealControl, nonce, [], bytes[..IntervalRecord.Bytes],
            bytes[IntervalRecord.Bytes..], plain);
        record = sound ? IntervalRecord.Read(plain) : default;
        return sound;
    }

    /// <summary>
    /// The core's own word for a run of records, to travel in the load profile that the application writes: whoever
    /// holds the metrology key sees whether the application told what was measured. Null when a record is altered.
    /// </summary>
    public PeriodSeal? SealPeriod(uint firstSeq, int count)
    {
        var rows = new List<ProfileRow>(count + 4);
        for (var i = 0; i < count; i++)
        {
            if (!TryOpen(firstSeq + (uint)i, out var record)) return null;
            record.AddTo(rows, IntervalMinutes * 60L);
        }
        if (!_periods.TryTake(out var number)) return null;
        var seal = new PeriodSeal(_title, number, firstSeq, (ushort)rows.Count, new byte[KeyVault.TagBytes]);
        Span<byte> nonce = stackalloc byte[KeyVault.NonceBytes];
        seal.Nonce(nonce);
        return _vault.TrySeal(SealKey, KeySlot.None, PeriodSeal.Control, nonce, seal.Content(rows.ToArray()), [], [],
            seal.Tag) ? seal : null;
    }

    private void Nonce(uint seq, Span<byte> nonce)
    {
        BinaryPrimitives.WriteUInt64BigEndian(nonce, _title);
        BinaryPrimitives.WriteUInt32BigEndian(nonce[8..], seq & 0x7FFF_FFFF);
    }
}
