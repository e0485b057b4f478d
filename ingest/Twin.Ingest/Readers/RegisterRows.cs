using Twin.Ingest.Feed;
using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Profiles;
using Twin.Ingest.Text;

namespace Twin.Ingest.Readers;

/// <summary>
/// Cumulative registers: a column beside the interval energy becomes one snapshot a local day (its earliest, whatever
/// the order of rows); a cumulative value column becomes interval energy by difference, and snapshots likewise.
/// </summary>
internal sealed class RegisterRows
{
    /// <summary>Days that wait for an earlier read; at the bound all are given out, so that a late earlier one makes a
    /// second.</summary>
    private const int MaxOpenDays = 1_000_000;

    private readonly RowContext _context;
    private readonly ZoneRules _zone;
    private readonly RegisterColumn? _column;
    private readonly int _index = -1;
    private readonly Dictionary<(FeedMeter Meter, Channel Channel, int Day), (long Minute, long Value)> _open = [];
    private readonly Dictionary<(FeedMeter Meter, Channel Channel), (long Minute, long Value)> _last = [];
    private LocalDay _day;

    public RegisterRows(RowContext context, ZoneRules zone, RegisterColumn? register, Func<string, int> column)
    {
        (_context, _zone, _column) = (context, zone, register);
        if (register is not null) _index = column(register.Column);
    }

    /// <summary>Takes the register beside a row; it was read when the interval ended.</summary>
    public void Row(long line, ReadOnlySpan<byte> text, ReadOnlySpan<Range> fields, FeedMeter meter, long endMinute)
    {
        if (_column is null) return;
        var cell = text[fields[_index]];
        if (cell.IsEmpty) return;
        var status = Decimals.ParseLong(cell, ProfileNames.Scale(_column.Unit), out var value);
        if (status <= NumberStatus.Rounded)
        {
            Keep(meter, _column.Channel, endMinute, value);
            return;
        }
        var column = Rejects.ColumnOf(text, fields[_index].Start.Value);
        _context.Rejects.Cell(_context.File, line, column, _column.Column, ValueFaults.Explain(status), cell);
    }

    private void Keep(FeedMeter meter, Channel channel, long minute, long value)
    {
        if (minute < _day.StartMinute || minute >= _day.EndMinute) _day = _zone.DayOf(minute);
        var key = (meter, channel, _day.Number);
        if (_open.TryGetValue(key, out var known) && known.Minute <= minute) return;
        if (_open.Count >= MaxOpenDays) Flush();
        _open[key] = (minute, value);
    }

    /// <summary>Energy since the read before: "" when it is one interval, null when there is nothing to tell, else the
    /// fault.</summary>
    public string? Difference(FeedMeter meter, Channel channel, long minute, long register, int interval, out int value)
    {
        value = 0;
        var known = _last.TryGetValue((meter, channel), out var last);
        if (known && minute <= last.Minute) return "a cumulative register must come in time order";
        _last[(meter, channel)] = (minute, register);
        Keep(meter, channel, minute, register);
        if (!known) return null;
        var energy = register - last.Value;
        if (energy < 0) return $"the register went back from {last.Value} to {register}: exchange or roll-over";
        if (minute - last.Minute != interval) return null;
        if (energy > int.MaxValue) return "the difference to the register before is out of range";
        value = (int)energy;
        return "";
    }

    public void Flush()
    {
        foreach (var ((meter, channel, _), (minute, value)) in _open)
        {
            var at = UnixTime.FromMinutes(minute);
            _context.Builder.Add(meter, new RegisterSnapshot(meter.Id, channel, at, value), at);
        }
        _open.Clear();
    }
}
