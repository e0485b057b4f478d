using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>
/// The sum check of VEE: what a cumulative register advances between two of its readings against the intervals
/// between them. Snapshots wait until
/// their day folds, so that arrival order leaves no trace.
/// </summary>
internal sealed class RegisterCheck
{
    /// <summary>Snapshots of days that have not closed; at the bound the oldest goes unchecked.</summary>
    private const int MaxPending = 64;

    private (long At, long Value)[] _pending = [];
    private long _lastAt = long.MinValue, _lastValue, _sum;
    private bool _broken = true;

    /// <summary>Compares the register's advance with the interval sum, both Wh, over a span of event time.</summary>
    public delegate void Comparison(UnixTime from, UnixTime to, WattHours intervals, WattHours register);

    /// <summary>Keeps a snapshot; of two at one instant the higher counts.</summary>
    public void Add(long at, long value)
    {
        if (at <= _lastAt) return;
        var i = Array.FindIndex(_pending, p => p.At >= at);
        if (i >= 0 && _pending[i].At == at)
        {
            _pending[i].Value = Math.Max(_pending[i].Value, value);
            return;
        }
        if (i < 0) i = _pending.Length;
        (long, long)[] pending = [.. _pending[..i], (at, value), .. _pending[i..]];
        _pending = pending.Length > MaxPending ? pending[^MaxPending..] : pending;
    }

    /// <summary>Goes through a day that folds. Gaps make what spans them incomparable.</summary>
    public void Fold(in LocalDay day, int intervalMinutes, ReadOnlySpan<int> slots, Comparison compare)
    {
        for (var i = 0; i < slots.Length; i++)
        {
            Reach((day.StartMinute + (long)i * intervalMinutes) * 60, compare);
            if (slots[i] == ReadingBlock.Missing) _broken = true;
            else _sum += slots[i];
        }
        Reach(day.EndMinute * 60, compare);
    }

    /// <summary>
    /// Takes the snapshots up to a border between two intervals; one inside an interval cannot be compared.
    /// </summary>
    private void Reach(long border, Comparison compare)
    {
        var taken = 0;
        for (; taken < _pending.Length && _pending[taken].At <= border; taken++)
        {
            var (at, value) = _pending[taken];
            var onBorder = at == border;
            // A register that went back has rolled over or belongs to another meter.
            if (!_broken && onBorder && _lastAt != long.MinValue && value >= _lastValue)
                compare(new UnixTime(_lastAt), new UnixTime(at), new WattHours(_sum),
                    new WattHours(value - _lastValue));
            (_lastAt, _lastValue, _sum, _broken) = (at, value, 0, !onBorder);
        }
        if (taken > 0) _pending = _pending[taken..];
    }

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_pending.Length);
        foreach (var (at, value) in _pending)
        {
            to.VarInt(at);
            to.VarInt(value);
        }
        to.VarInt(_lastAt);
        to.VarInt(_lastValue);
        to.VarInt(_sum);
        to.Bool(_broken);
    }

    public static RegisterCheck Read(ref ByteReader from)
    {
        var pending = new (long, long)[from.Count(MaxPending)];
        for (var i = 0; i < pending.Length; i++) pending[i] = (from.VarInt(), from.VarInt());
        return new RegisterCheck
        {
            _pending = pending, _lastAt = from.VarInt(), _lastValue = from.VarInt(), _sum = from.VarInt(),
            _broken = from.Bool(),
        };
    }
}
