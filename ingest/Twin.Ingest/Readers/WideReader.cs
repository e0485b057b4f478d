using System.Runtime.CompilerServices;
using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Profiles;
using Twin.Ingest.Text;

namespace Twin.Ingest.Readers;

/// <summary>
/// Wide CSV: a row an interval, a column a meter. The hot path of recorded fleets: one pass over the bytes, a number
/// parsed where it stands; whatever is unusual about a cell goes to the slow path.
/// </summary>
internal sealed class WideReader
{
    private readonly RowContext _context;
    private readonly Profile _profile;
    private readonly RowClock _clock;
    private readonly NullTokens _nulls;
    private readonly int _interval;
    private readonly byte _delimiter;
    private readonly CsvLine _csv;
    private readonly string[] _header;
    private readonly int[] _timeColumns;

    /// <summary>Series of each column; -1 for columns that hold none.</summary>
    private readonly int[] _series;
    private readonly int[] _scales;
    private readonly byte[] _timeText = new byte[128];
    private readonly HashSet<FeedMeter> _meters = [];
    private long _lastStamp = long.MinValue;
    private (long Start, int Minutes) _firstOffset = (long.MaxValue, 0);

    public WideReader(RowContext context, Profile profile, string[] header, int intervalMinutes)
    {
        (_context, _profile, _header, _interval) = (context, profile, header, intervalMinutes);
        _delimiter = (byte)profile.Delimiter;
        _clock = new RowClock(profile);
        _nulls = new NullTokens(profile.NullTokens);
        _csv = new CsvLine(_delimiter);
        _timeColumns = [.. profile.TimeColumns.Select(c => LongReader.IndexOf(context.File, header, c))];
        _series = new int[header.Length];
        _scales = new int[header.Length];
        for (var i = 0; i < header.Length; i++) _series[i] = Bind(i);
    }

    private int Bind(int column)
    {
        var name = _header[column];
        if (Array.IndexOf(_timeColumns, column) >= 0 || _profile.Ignore.Contains(name)) return -1;
        _profile.Columns.TryGetValue(name, out var special);
        var all = _profile.Values[0];
        var channel = special?.Channel ?? all.Channel;
        _scales[column] = ProfileNames.Scale(special?.Unit ?? all.Unit);
        var meter = _context.Meters.Find(_context.File, special?.Id ?? _profile.Id.Text + name)
            ?? throw new FormatError(_context.File, $"column {column + 1} has no meter id in the header.",
            "Name it, or list it under \"ignore\".");
        if (Array.IndexOf(_header, name) < column)
            throw new FormatError(_context.File, $"column '{name}' stands twice in the header.", "Rename one of them.");
        if (_profile.Zone is { } zone) meter.Declare(zone, 3, 0);
        _meters.Add(meter);
        return _context.Builder.Series(meter, channel, _interval);
    }

    public void Read(ByteLines lines)
    {
        while (lines.Next(out var line))
        {
            if (line.Trim(" \t"u8).IsEmpty) continue;
            _context.CountRow(_header.Length);
            Row(lines.LineNumber, line);
        }
        _context.Builder.Flush();
        if (_profile.Zone is not null || _firstOffset.Minutes == 0) return;
        foreach (var meter in _meters) meter.Declare(RowClock.OffsetName(_firstOffset.Minutes), 1, _firstOffset.Start);
    }

    private void Row(long number, ReadOnlySpan<byte> line)
    {
        var quoted = line.Contains((byte)'"');
        var columns = quoted ? -1 : line.Count(_delimiter) + 1;
        var text = line;
        if (quoted)
        {
            if (!_csv.Split(line, out text))
            {
                _context.Rejects.Row(_context.File, number, 1, "", "a quote has no end on this line", line);
                return;
            }
            columns = _csv.Fields.Length;
        }
        if (columns != _header.Length)
        {
            var reason = $"the row has {columns} columns, the header {_header.Length}";
            _context.Rejects.Row(_context.File, number, 1, "", reason, line);
            return;
        }
        if (!Time(number, line, text, quoted)) return;
        if (quoted)
        {
            for (var i = 0; i < columns; i++)
                if (_series[i] >= 0) Cell(number, i, text[_csv.Fields[i]], default);
        }
        else Cells(number, line);
    }

    private bool Time(long number, ReadOnlySpan<byte> line, ReadOnlySpan<byte> text, bool quoted)
    {
        var single = _timeColumns is [0] && !quoted;
        if (!single && !quoted) _csv.Split(line, out text);
        var time = single ? line[..line.IndexOf(_delimiter)].Trim(" \t"u8)
            : LongReader.Join(text, _csv.Fields, _timeColumns, _timeText);
        var fault = _clock.Read(time, _interval, _lastStamp, out var start, out var stamp, out var offset);
        if (fault != TimeFault.None)
        {
            var name = _header[_timeColumns[0]];
            _context.Rejects.Row(_context.File, number, 1, name, _clock.Explain(fault, _interval), time);
            return false;
        }
        _lastStamp = stamp;
        if (start < _firstOffset.Start) _firstOffset = (start, offset);
        _context.Builder.Seek(start, _interval);
        return true;
    }

    // Compiled well from the first row on: a file may be read before tiering would have noticed it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Cells(long number, ReadOnlySpan<byte> line)
    {
        var builder = _context.Builder;
        ReadOnlySpan<int> columns = _series, scales = _scales, tens = Tens;
        var column = 0;
        var from = 0;
        while (true)
        {
            // 1 to 9 digits with at most one point: anything else is left to the slow path.
            var i = from;
            int mantissa = 0, digits = 0, point = -1;
            for (; i < line.Length; i++)
            {
                var d = unchecked((uint)(line[i] - '0'));
                if (d <= 9)
                {
                    if (digits == 9) break;
                    digits++;
                    mantissa = unchecked(mantissa * 10 + (int)d);
                }
                else if (line[i] == '.' && point < 0) point = digits;
                else break;
            }
            var done = i == line.Length || line[i] == _delimiter;
            var series = columns[column];
            var places = scales[column] - (point < 0 ? 0 : digits - point);
            if (done && digits > 0 && places is >= 0 and <= 6 && series >= 0
                && (long)mantissa * tens[places] <= int.MaxValue)
                builder.AddAtCursor(series, mantissa * tens[places]);
            else
            {
                if (!done)
                {
                    var next = line[i..].IndexOf(_delimiter);
                    i = next < 0 ? line.Length : i + next;
                }
                if (series >= 0) Cell(number, column, line[from..i].Trim(" \t"u8), line[..from]);
            }
            if (i == line.Length) return;
            from = i + 1;
            column++;
        }
    }

    private static readonly int[] Tens = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

    private void Cell(long number, int column, ReadOnlySpan<byte> cell, ReadOnlySpan<byte> before)
    {
        if (_nulls.Matches(cell))
        {
            _context.MissingTokens++;
            return;
        }
        var status = Decimals.Parse(cell, _scales[column], out var value);
        if (status > NumberStatus.Rounded)
        {
            var position = Feed.Rejects.ColumnOf(before, before.Length);
            _context.Rejects.Cell(_context.File, number, position, _header[column], ValueFaults.Explain(status), cell);
            return;
        }
        if (status == NumberStatus.Rounded) _context.Rounded++;
        _context.Builder.AddAtCursor(_series[column], value, Quality.Actual, 0);
    }
}
