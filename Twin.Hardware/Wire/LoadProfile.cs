using System.Text;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>Status byte of an interval (AMR profile status); several bits may be set.</summary>
[Flags]
public enum ProfileStatus : byte
{
    None = 0,
    CriticalError = 0x01,
    ClockInvalid = 0x02,
    DataNotValid = 0x04,
    DaylightSaving = 0x08,
    ClockAdjusted = 0x20,
    RecoveredValue = 0x40,
    PowerDown = 0x80,
}

/// <summary>
/// One row of a load profile: the end of the interval, its status and the total registers at that instant, Wh.
/// </summary>
public readonly record struct ProfileRow(UnixTime End, ProfileStatus Status, long ImportWattHours,
    long ExportWattHours);

/// <summary>
/// The load profile that a meter pushes, as the body of a data-notification: a structure of the profile's logical name
/// (1.0.99.1.0.255), the meter's serial (octet-string), the capture period (double-long-unsigned, seconds), the seal of
/// its metrology over the rows (octet-string, see <see cref="Reports.PeriodSeal"/>; left out by meters without), and
/// the buffer, an array of structures of clock (date-time in an octet-string), status (unsigned), import and export
/// registers (double-long-unsigned or long64-unsigned, Wh). A row may leave its clock null: one period behind the row
/// before. Emulator and ingest share this encoding.
/// </summary>
public readonly ref struct LoadProfilePush
{
    /// <summary>Rows of one push; more are refused. Enough for 35 days of half-hours.</summary>
    public const int MaxRows = 1_680;

    public const int MaxSerialBytes = 64;

    /// <summary>A capture period is at most a day, seconds.</summary>
    public const int MaxPeriodSeconds = 86_400;

    /// <summary>Longest seal, bytes.</summary>
    public const int MaxSealBytes = 64;

    private const int Columns = 4, Sealed = 5, Unsealed = 4;

    public string Serial { get; init; }
    public int PeriodSeconds { get; init; }
    public int RowCount { get; init; }

    /// <summary>The seal as it came; empty when there is none.</summary>
    public ReadOnlySpan<byte> Seal { get; init; }

    private ReadOnlySpan<byte> Rows { get; init; }
    private int RowsOffset { get; init; }

    /// <summary>True when a body begins like a load profile.</summary>
    public static bool Matches(ReadOnlySpan<byte> body) => body.Length > 10 && body[0] == (byte)CosemTag.Structure
        && body[1] is Sealed or Unsealed && body[2] == (byte)CosemTag.OctetString && body[3] == Obis.Bytes
        && Obis.TryRead(body[4..10], out var name) && name == Obis.LoadProfile;

    /// <summary>Reads the head; the rows follow with <see cref="GetRows"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out LoadProfilePush push, out WireError error)
    {
        push = default;
        error = new WireError(WireCode.WrongType, 0);
        if (!Matches(body)) return false;
        var reader = new CosemReader(body);
        reader.TryNext(out _);
        reader.TryNext(out _);
        CosemItem seal = default;
        var ok = reader.TryNext(out var serial) & reader.TryNext(out var period)
            & (body[1] == Unsealed || reader.TryNext(out seal)) & reader.TryNext(out var buffer);
        error = reader.Error;
        if (!ok) return false;
        if (serial.Tag != CosemTag.OctetString || serial.Text() is not { } name)
            error = new WireError(WireCode.WrongType, serial.Offset);
        else if (serial.Content.Length is 0 or > MaxSerialBytes)
            error = new WireError(WireCode.BadLength, serial.Offset);
        else if (!period.TryInteger(out var seconds) || seconds is < 1 or > MaxPeriodSeconds)
            error = new WireError(WireCode.BadValue, period.Offset);
        else if (body[1] == Sealed && (seal.Tag != CosemTag.OctetString || seal.Content.Length is 0 or > MaxSealBytes))
            error = new WireError(WireCode.BadValue, seal.Offset);
        else if (buffer.Tag != CosemTag.Array || buffer.Count > MaxRows)
            error = new WireError(buffer.Tag != CosemTag.Array ? WireCode.WrongType : WireCode.TooManyElements,
                buffer.Offset);
        else
        {
            push = new LoadProfilePush
            {
                Serial = name,
                PeriodSeconds = (int)seconds,
                RowCount = buffer.Count,
                Seal = seal.Content,
                Rows = body[buffer.Offset..],
                RowsOffset = buffer.Offset,
            };
        }
        return !error.IsError;
    }

    /// <summary>The rows in their order. Errors count their offset in the body.</summary>
    public RowReader GetRows(int? zoneOffsetMinutes = null) =>
        new(Rows, RowsOffset, PeriodSeconds, zoneOffsetMinutes);

    /// <summary>
    /// Writes a body. Where a row's end is one period behind the row before and nothing else needs saying, its clock is
    /// null. Clocks carry the deviation of the zone. An empty seal is left out.
    /// </summary>
    public static void Write(ByteWriter to, string serial, int periodSeconds, int zoneOffsetMinutes,
        ReadOnlySpan<ProfileRow> rows, ReadOnlySpan<byte> seal = default)
    {
        if (rows.Length > MaxRows || seal.Length > MaxSealBytes || serial.Length is 0 or > MaxSerialBytes
            || periodSeconds is < 1 or > MaxPeriodSeconds)
            throw new ArgumentException($"A push holds at most {MaxRows} rows, a serial of 1 to {MaxSerialBytes} "
                + $"characters and a period of 1 to {MaxPeriodSeconds} s; this one {rows.Length}, {serial.Length} and "
                + $"{periodSeconds}; and a seal of at most {MaxSealBytes} bytes.");
        var w = new CosemWriter(to);
        w.Structure(seal.IsEmpty ? Unsealed : Sealed);
        w.LogicalName(Obis.LoadProfile);
        w.OctetString(Encoding.ASCII.GetBytes(serial));
        w.DoubleLongUnsigned((uint)periodSeconds);
        if (!seal.IsEmpty) w.OctetString(seal);
        w.Array(rows.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            w.Structure(Columns);
            if (i > 0 && row.End.Seconds == rows[i - 1].End.Seconds + periodSeconds) w.Null();
            else w.DateTimeOctets(CosemDateTime.FromUnixTime(row.End, zoneOffsetMinutes));
            w.Unsigned((byte)row.Status);
            WriteRegister(w, row.ImportWattHours);
            WriteRegister(w, row.ExportWattHours);
        }
    }

    private static void WriteRegister(CosemWriter w, long wattHours)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(wattHours);
        if (wattHours <= uint.MaxValue) w.DoubleLongUnsigned((uint)wattHours);
        else w.Long64Unsigned((ulong)wattHours);
    }

    /// <summary>Pulls the rows of a push without allocation.</summary>
    public ref struct RowReader
    {
        private readonly int _offset, _period;
        private readonly int? _zone;
        private CosemReader _reader;
        private UnixTime? _last;
        private WireError _error;

        internal RowReader(ReadOnlySpan<byte> rows, int offset, int periodSeconds, int? zoneOffsetMinutes)
        {
            (_offset, _period, _zone) = (offset, periodSeconds, zoneOffsetMinutes);
            _reader = new CosemReader(rows);
            _reader.TryNext(out _);
        }

        public readonly WireError Error => _error;

        /// <summary>The next row; false at the end and on an error.</summary>
        public bool TryNext(out ProfileRow row)
        {
            row = default;
            if (_error.IsError || !_reader.TryNext(out var head)) return Failed(_reader.Error);
            if (head.Tag != CosemTag.Structure || head.Count != Columns)
                return Failed(new WireError(WireCode.WrongType, head.Offset));
            var whole = _reader.TryNext(out var clock) & _reader.TryNext(out var status)
                & _reader.TryNext(out var import) & _reader.TryNext(out var export);
            if (!whole) return Failed(_reader.Error);
            if (!TryEnd(clock, out var end)) return false;
            if (!status.TryInteger(out var bits) || bits is < 0 or > 255)
                return Failed(new WireError(WireCode.BadValue, status.Offset));
            if (!import.TryInteger(out var importWh) || importWh < 0)
                return Failed(new WireError(WireCode.BadValue, import.Offset));
            if (!export.TryInteger(out var exportWh) || exportWh < 0)
                return Failed(new WireError(WireCode.BadValue, export.Offset));
            _last = end;
            row = new ProfileRow(end, (ProfileStatus)bits, importWh, exportWh);
            return true;
        }

        private bool TryEnd(in CosemItem clock, out UnixTime end)
        {
            end = default;
            if (clock.Tag == CosemTag.Null)
            {
                if (_last is not { } last) return Failed(new WireError(WireCode.UnspecifiedTime, clock.Offset));
                end = new UnixTime(last.Seconds + _period);
                return true;
            }
            if (!clock.TryDateTime(out var time)) return Failed(new WireError(WireCode.WrongType, clock.Offset));
            return time.TryToUnixTime(_zone, out end, out var error)
                || Failed(new WireError(error.Code, clock.Offset));
        }

        private bool Failed(WireError error)
        {
            if (!_error.IsError) _error = error.Within(_offset);
            return false;
        }
    }
}
