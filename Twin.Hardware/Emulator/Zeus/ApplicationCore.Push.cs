using Twin.Hardware.Coding;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Emulator.Zeus;

public sealed partial class ApplicationCore
{
    /// <summary>Intervals of one load profile push: more are split.</summary>
    public const int MaxIntervals = 240;

    /// <summary>
    /// Intervals kept after they were pushed, in case the head-end asks again: seven days of half-hours.
    /// </summary>
    private const int KeptIntervals = 336;

    /// <summary>wPort of the push and of the head-end, in the TCP wrapper.</summary>
    private const ushort MeterPort = 1, HeadEndPort = 102;

    private readonly DurableCounter _out = new();
    private uint _pushed = 1, _ready = 1, _invoke, _toldFrom;
    private long _nextPush, _frameBytes, _dayFrom;
    private int _frames, _boots, _dayEvents;
    private bool _urgent;

    /// <summary>Invocation counter of the next frame under the global unicast key.</summary>
    public uint NextCounter => _out.Next;

    internal DurableCounter OutCounter => _out;

    /// <summary>
    /// All that waits, as frames: quotes, reports, log rows, the load profile of finished periods with its seal. What
    /// is built leaves the queue. Frames are DLMS data-notifications under the unicast key, in the TCP wrapper.
    /// </summary>
    /// <exception cref="PowerLossException">The supply failed; what was not built still waits.</exception>
    internal void Drain(UnixTime now, List<byte[]> into)
    {
        if (!IsRunning) return;
        var shown = Shown(now);
        DrainQueue(_quotes, shown, into);
        if (IsIsolated) return;
        DrainQueue(_reports, shown, into);
        if (_urgent || _pushed < _ready) DrainRows(shown, into);
        while (_pushed < _ready)
        {
            var count = (int)Math.Min(MaxIntervals, _ready - _pushed);
            var body = ProfileBody(count, shown);
            if (body is not null && !TryFrame(body, shown, into)) return;
            _pushed += (uint)count;
            if (Behaviour.ExtraFrameBytes > 0) TryFrame(DeviceReport.WriteBytes(DeviceReport.Own,
                new byte[Math.Min(Behaviour.ExtraFrameBytes, DeviceReport.MaxBytes)]), shown, into);
        }
        if (_pushed > KeptIntervals) _metrology.Store.DropBefore(_pushed - KeptIntervals);
    }

    private void DrainQueue(Queue<byte[]> queue, UnixTime shown, List<byte[]> into)
    {
        while (queue.TryPeek(out var body) && TryFrame(body, shown, into)) queue.Dequeue();
    }

    private void DrainRows(UnixTime shown, List<byte[]> into)
    {
        foreach (var group in _rows.GroupBy(r => (Log: EventProfiles.LogOf(r.Kind), Code: Code(r.Kind).Profile)))
        {
            EventLogRow[] rows = [.. group.Select(r => new EventLogRow(new UnixTime(r.MeterTime), Code(r.Kind).Code))];
            if (!TryFrame(DeviceReport.WriteEvents(group.Key.Log, group.Key.Code, rows), shown, into)) return;
        }
        _rows.Clear();
        _urgent = false;
    }

    /// <summary>The code in the meter's profile; where that has none, the maker's own number.</summary>
    private (string Profile, string Code) Code(MeterEventKind kind) =>
        EventProfiles.CodeOf(_spec.EventProfile, kind) is { } code ? (_spec.EventProfile, code)
            : (EventProfiles.Own, EventProfiles.CodeOf(EventProfiles.Own, kind)!);

    /// <summary>
    /// The rows as this firmware tells them, with the metrology core's seal over what it measured. A record that does
    /// not open as it was sealed is left out and logged, and the profile goes without a seal.
    /// </summary>
    private byte[]? ProfileBody(int count, UnixTime shown)
    {
        var store = _metrology.Store;
        var first = Math.Max(_pushed, store.FirstSeq);
        var rows = new List<ProfileRow>(count + 4);
        var period = _metrology.IntervalMinutes * 60L;
        for (var seq = first; seq < _pushed + (uint)count; seq++)
        {
            if (!_metrology.TryOpen(seq, out var r))
            {
                React(MeterEventKind.NvMemoryError, shown);
                continue;
            }
            r.AddTo(rows, period, _clock.IsInvalid ? ProfileStatus.ClockInvalid : ProfileStatus.None);
        }
        if (rows.Count == 0) return null;
        ProfileRow[] told = [.. rows.Select(r => r with { ImportWattHours = Told(r.ImportWattHours) })];
        var seal = _spec.PushesSeals ? _metrology.SealPeriod(first, (int)(_pushed + (uint)count - first)) : null;
        var w = new ByteWriter(80 + told.Length * 16);
        LoadProfilePush.Write(w, _serial, (int)period, 0, told, seal?.ToBytes());
        return w.ToArray();
    }

    /// <summary>What the firmware says that the register is: honest firmware says what it is.</summary>
    private long Told(long register)
    {
        if (Behaviour.ToldPermille == 1_000) return register;
        if (_toldFrom == 0) _toldFrom = (uint)Math.Max(1, register);
        return register <= _toldFrom ? register : _toldFrom + (register - _toldFrom) * Behaviour.ToldPermille / 1_000;
    }

    private bool TryFrame(byte[] body, UnixTime shown, List<byte[]> into)
    {
        if (!_out.TryTake(out var counter)) return false;
        var plain = new ByteWriter(body.Length + 24);
        DataNotification.WriteHead(plain, 0x4000_0000 | (_invoke++ & 0xFF_FFFF),
            CosemDateTime.FromUnixTime(shown, 0, _clock.IsInvalid ? (byte)1 : (byte)0));
        plain.Bytes(body);
        var apdu = new ByteWriter(plain.Length + 40);
        var code = Protected.Write(apdu, ApduTag.GeneralGloCiphering, _cipher, Meter,
            MeterKeys.Title(_chip.SystemTitle), new SecurityControl(_spec.Suite, true, true), counter, plain.Written);
        if (code != WireCode.None) return false;
        var frame = new ByteWriter(apdu.Length + TcpWrapper.HeaderBytes);
        TcpWrapper.Write(frame, MeterPort, HeadEndPort, apdu.Written);
        into.Add(frame.ToArray());
        (_frames, _frameBytes) = (_frames + 1, _frameBytes + frame.Length);
        return true;
    }

    /// <summary>Has the load profile from a time on sent again, as far as it is held.</summary>
    private void ResendFrom(UnixTime from)
    {
        var store = _metrology.Store;
        for (var seq = store.FirstSeq; seq < _pushed; seq++)
        {
            if (!_metrology.TryOpen(seq, out var r) || r.StartMinute * 60L < from.Seconds) continue;
            _pushed = seq;
            return;
        }
    }

    private void MeasureDay(UnixTime shown)
    {
        // A part of a day, after the first power-on or a change of the clock, says nothing about a day.
        var whole = shown.Seconds - _dayFrom is >= MinDaySeconds and <= MaxDaySeconds;
        _dayFrom = shown.Seconds;
        if (whole) Report(new Fingerprint(Meter, shown, Image.Short, Traits()));
        (_frames, _frameBytes, _boots, _dayEvents) = (0, 0, 0, 0);
    }

    private const int MinDaySeconds = 20 * 3_600, MaxDaySeconds = 28 * 3_600;

    /// <summary>
    /// How the device behaved over the day: measured where the emulation has it, else a seeded base and what the image
    /// adds.
    /// </summary>
    private float[] Traits()
    {
        var b = Behaviour;
        var values = new float[Fingerprint.Features];
        Array.Fill(values, float.NaN);
        values[(int)FingerprintFeature.ResponseLatencyMs] = (float)(180 + 6 * _draw.NextNormal() + b.ExtraLatencyMs);
        if (_frames > 0) values[(int)FingerprintFeature.FrameBytes] = (float)((double)_frameBytes / _frames);
        values[(int)FingerprintFeature.RetriesPerDay] =
            (float)Math.Max(0, 2 + 0.7 * _draw.NextNormal() + b.ExtraRetriesPerDay);
        values[(int)FingerprintFeature.EventsPerDay] = _dayEvents;
        values[(int)FingerprintFeature.ClockDriftPpm] =
            (float)(_ownDriftPpm + b.ClockDriftPpm + 0.05 * _draw.NextNormal());
        values[(int)FingerprintFeature.MetrologyNoisePermille] =
            (float)((1 + 0.1 * _draw.NextNormal()) * b.NoisePermille / 1_000);
        values[(int)FingerprintFeature.BootsPerDay] = _boots;
        values[(int)FingerprintFeature.TransmitSecondsPerDay] =
            (float)(4 + 0.2 * _draw.NextNormal() + b.ExtraTransmitSecondsPerDay);
        return values;
    }
}
