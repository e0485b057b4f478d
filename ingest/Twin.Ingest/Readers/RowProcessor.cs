using System.Text;
using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Profiles;
using Twin.Ingest.Text;

namespace Twin.Ingest.Readers;

/// <summary>
/// One row of long CSV or one JSON record, already split: id, time, values, quality, register. Everything of the row
/// before (meter, interval) is kept, because rows of one meter mostly stand together.
/// </summary>
internal sealed class RowProcessor
{
    private readonly RowContext _context;
    private readonly Profile _profile;
    private readonly RowClock _clock;
    private readonly NullTokens _nulls;
    private readonly RegisterRows _registers;
    private readonly int _idColumn = -1;
    private readonly int[] _timeColumns;
    private readonly int _intervalColumn = -1;
    private readonly int _qualityColumn = -1;
    private readonly Value[] _values;
    private readonly byte[] _timeText = new byte[128];
    private readonly byte[] _lastId = new byte[MeterTable.MaxNameBytes];
    private readonly Dictionary<FeedMeter, long> _stamps = [];
    private readonly bool _clockRepeats;
    private int _lastIdLength = -1;
    private FeedMeter? _meter;
    private int _interval;
    private long _lastStamp = long.MinValue;

    private sealed class Value
    {
        public required string Name;
        public required int Column;
        public required Channel Channel;
        public required int Scale;
        public required bool IsCumulative;
        public int Series;
    }

    public RowProcessor(RowContext context, Profile profile, int? intervalMinutes, Func<string, int> column,
        Func<string, int> optional)
    {
        (_context, _profile) = (context, profile);
        _clock = new RowClock(profile);
        _clockRepeats = profile.Zone is not null;
        _nulls = new NullTokens(profile.NullTokens);
        _timeColumns = [.. profile.TimeColumns.Select(column)];
        if (profile.IntervalColumn is { } c) _intervalColumn = column(c);
        else _interval = intervalMinutes ?? throw new FormatError(context.File, "does not tell its interval.",
            "Add \"intervalMinutes\" to the profile.");
        if (profile.Quality is { } q) _qualityColumn = IsOptional(q.Column) ? optional(q.Column) : column(q.Column);
        _values = [.. profile.Values.Select(v => Bind(v, column, optional)).OfType<Value>()];
        if (_values.Length == 0) throw new FormatError(context.File, "has none of the profile's value columns.",
            "Correct \"values\".");
        _registers = new RegisterRows(context, _clock.Zone, profile.Register, column);
        if (profile.Id.Source == IdSource.Column) _idColumn = column(profile.Id.Text);
        else
        {
            var id = profile.Id.Source == IdSource.Constant ? profile.Id.Text : profile.Id.Text + context.Stem;
            UseMeter(Encoding.UTF8.GetBytes(id));
        }
    }

    private bool IsOptional(string column) => _profile.Match.Contains(column + "?");

    private Value? Bind(ValueColumn v, Func<string, int> column, Func<string, int> optional)
    {
        var at = IsOptional(v.Column) ? optional(v.Column) : column(v.Column);
        if (at < 0) return null;
        return new Value
        {
            Name = v.Column,
            Column = at,
            Channel = v.Channel,
            Scale = ProfileNames.Scale(v.Unit),
            IsCumulative = v.IsCumulative,
        };
    }

    private bool UseMeter(ReadOnlySpan<byte> id)
    {
        var meter = _context.Meters.Find(_context.File, id);
        if (meter is null) return false;
        if (_clockRepeats)
        {
            if (_meter is not null) _stamps[_meter] = _lastStamp;
            if (!_stamps.TryGetValue(meter, out _lastStamp)) _lastStamp = long.MinValue;
            meter.Declare(_profile.Zone!, 3, 0);
        }
        _meter = meter;
        id.CopyTo(_lastId);
        _lastIdLength = id.Length;
        if (_interval > 0) UseSeries();
        return true;
    }

    private void UseSeries()
    {
        if (_context.Builder.IsFull) _context.Builder.Flush();
        foreach (var v in _values) v.Series = _context.Builder.Series(_meter!, v.Channel, _interval);
    }

    public void Row(long line, ReadOnlySpan<byte> text, ReadOnlySpan<Range> fields)
    {
        if (_idColumn >= 0)
        {
            var id = text[fields[_idColumn]];
            if ((id.Length != _lastIdLength || !id.SequenceEqual(_lastId.AsSpan(0, _lastIdLength))) && !UseMeter(id))
            {
                RejectRow(line, text, fields[_idColumn], _profile.Id.Text,
                    id.IsEmpty ? "the meter id is empty"
                    : $"the meter id is no UTF-8 text of at most {MeterTable.MaxNameBytes} bytes");
                return;
            }
        }
        if (_intervalColumn >= 0 && !Interval(line, text, fields)) return;
        var time = LongReader.Join(text, fields, _timeColumns, _timeText);
        var fault = _clock.Read(time, _interval, _lastStamp, out var start, out var stamp, out var offset);
        if (fault != TimeFault.None)
        {
            var column = Rejects(text, fields[_timeColumns[0]]);
            _context.Rejects.Row(_context.File, line, column, _profile.TimeColumns[0], _clock.Explain(fault, _interval),
                time);
            return;
        }
        _lastStamp = stamp;
        if (offset != 0 && _profile.Zone is null) _meter!.Declare(RowClock.OffsetName(offset), 1, start);
        var quality = Quality.Actual;
        if (_qualityColumn >= 0 && !QualityOf(line, text, fields, out quality)) return;
        foreach (var v in _values) Cell(line, text, fields[v.Column], v, start, stamp, quality);
        _registers.Row(line, text, fields, _meter!, start + _interval);
    }

    private bool Interval(long line, ReadOnlySpan<byte> text, ReadOnlySpan<Range> fields)
    {
        var cell = text[fields[_intervalColumn]];
        if (Decimals.Parse(cell, 0, out var minutes) != NumberStatus.Ok || minutes is < 1 or > 1440
            || 1440 % minutes != 0)
        {
            RejectRow(line, text, fields[_intervalColumn], _profile.IntervalColumn!,
                "the interval is no number of minutes that divides a day");
            return false;
        }
        if (minutes == _interval) return true;
        _interval = minutes;
        UseSeries();
        return true;
    }

    private bool QualityOf(long line, ReadOnlySpan<byte> text, ReadOnlySpan<Range> fields, out Quality quality)
    {
        var cell = text[fields[_qualityColumn]];
        quality = Quality.Actual;
        if (cell.IsEmpty || cell.SequenceEqual("actual"u8)) return true;
        if (cell.SequenceEqual(_lastQuality.AsSpan(0, _lastQualityLength)))
        {
            quality = _quality;
            return true;
        }
        var name = Encoding.UTF8.GetString(cell);
        if (!_profile.Quality!.Map.TryGetValue(name, out quality) && !ProfileNames.TryQuality(name, out quality))
        {
            RejectRow(line, text, fields[_qualityColumn], _profile.Quality.Column,
                "this quality is not in the profile's map");
            return false;
        }
        if (cell.Length <= _lastQuality.Length)
        {
            cell.CopyTo(_lastQuality);
            (_lastQualityLength, _quality) = (cell.Length, quality);
        }
        return true;
    }

    private readonly byte[] _lastQuality = new byte[32];
    private int _lastQualityLength;
    private Quality _quality;

    private void Cell(long line, ReadOnlySpan<byte> text, Range field, Value v, long start, long stamp, Quality quality)
    {
        var cell = text[field];
        if (quality == Quality.Missing || _nulls.Matches(cell))
        {
            _context.MissingTokens++;
            return;
        }
        NumberStatus status;
        int value;
        if (v.IsCumulative)
        {
            status = Decimals.ParseLong(cell, v.Scale, out var register);
            if (status <= NumberStatus.Rounded)
            {
                var fault = _registers.Difference(_meter!, v.Channel, stamp, register, _interval, out value);
                if (fault == "") start = stamp - _interval;
                else
                {
                    if (fault is not null)
                        _context.Rejects.Cell(_context.File, line, Rejects(text, field), v.Name, fault, cell);
                    return;
                }
            }
            else value = 0;
        }
        else status = Decimals.Parse(cell, v.Scale, out value);
        if (status > NumberStatus.Rounded)
        {
            _context.Rejects.Cell(_context.File, line, Rejects(text, field), v.Name, ValueFaults.Explain(status), cell);
            return;
        }
        if (status == NumberStatus.Rounded) _context.Rounded++;
        _context.Builder.Add(v.Series, start, value, quality, 0);
    }

    /// <summary>Characters before the row in its line: a JSON record may begin anywhere.</summary>
    public int ColumnBase { get; set; }

    private int Rejects(ReadOnlySpan<byte> text, Range field) =>
        ColumnBase + Feed.Rejects.ColumnOf(text, field.Start.Value);

    private void RejectRow(long line, ReadOnlySpan<byte> text, Range field, string name, string reason) =>
        _context.Rejects.Row(_context.File, line, Rejects(text, field), name, reason, text[field]);

    /// <summary>Closes what is open.</summary>
    public void Finish()
    {
        _registers.Flush();
        _context.Builder.Flush();
    }
}
