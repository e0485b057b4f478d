using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// What a column of a series holds; a column in which no interval begins is a gap: all null, count 0.
/// </summary>
internal readonly record struct SeriesColumn(UnixTime Start, int? Min, int? Max, double? Mean, int Count, long? Sum);

/// <summary>
/// Folds days of readings into columns of equal spans of time: column i of n covers [from + i·span/n, from +
/// (i+1)·span/n). A reading belongs to the column in which its interval begins. Memory is n columns, however many
/// years pass by.
/// </summary>
internal sealed class SeriesColumns
{
    private struct Fold
    {
        public int Min, Max, Count;
        public long Sum;
    }

    private readonly long _from;
    private readonly long _span;
    private readonly Fold[] _columns;

    public SeriesColumns(UnixTime from, UnixTime to, int columns)
    {
        _from = from.Seconds;
        _span = to.Seconds - from.Seconds;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(columns, _span);
        _columns = new Fold[columns];
    }

    /// <summary>Shortest interval seen, minutes; null before the first reading.</summary>
    public int? IntervalMinutes { get; private set; }

    public int Count => _columns.Length;

    /// <summary>First whole second of a column.</summary>
    public UnixTime Start(int column) => new(StartOf(column));

    /// <summary>The column of a second within the range.</summary>
    public int Of(long second) => (int)((second - _from) * _columns.Length / _span);

    /// <summary>First whole second of a column.</summary>
    private long StartOf(int column) => _from + (column * _span + _columns.Length - 1) / _columns.Length;

    /// <summary>A <see cref="Grains.DayVisitor"/>.</summary>
    public void Add(LocalDay day, int intervalMinutes, ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities)
    {
        var begin = day.StartMinute * 60;
        var step = intervalMinutes * 60L;
        var slot = SlotAtOrAfter(_from, begin, step, slots.Length);
        var end = SlotAtOrAfter(_from + _span, begin, step, slots.Length);
        if (slot >= end) return;
        IntervalMinutes = Math.Min(IntervalMinutes ?? int.MaxValue, intervalMinutes);
        while (slot < end)
        {
            var column = Of(begin + slot * step);
            var next = Math.Min(end, SlotAtOrAfter(StartOf(column + 1), begin, step, slots.Length));
            AddTo(ref _columns[column], slots[slot..next]);
            slot = next;
        }
    }

    /// <summary>First slot that begins at the time or later, 0 to <paramref name="count"/>.</summary>
    private static int SlotAtOrAfter(long time, long begin, long step, int count) =>
        time <= begin ? 0 : (int)Math.Min(count, (time - begin + step - 1) / step);

    private static void AddTo(ref Fold fold, ReadOnlySpan<int> values)
    {
        var (min, max, count, sum) = fold.Count > 0 ? (fold.Min, fold.Max, fold.Count, fold.Sum)
            : (int.MaxValue, int.MinValue, 0, 0L);
        foreach (var v in values)
        {
            if (v == ReadingBlock.Missing) continue;
            if (v < min) min = v;
            if (v > max) max = v;
            sum += v;
            count++;
        }
        (fold.Min, fold.Max, fold.Count, fold.Sum) = (min, max, count, sum);
    }

    public SeriesColumn[] ToArray()
    {
        var all = new SeriesColumn[_columns.Length];
        for (var i = 0; i < all.Length; i++)
        {
            var start = new UnixTime(StartOf(i));
            ref readonly var f = ref _columns[i];
            all[i] = f.Count == 0
                ? new SeriesColumn(start, null, null, null, 0, null)
                : new SeriesColumn(start, f.Min, f.Max, (double)f.Sum / f.Count, f.Count, f.Sum);
        }
        return all;
    }
}
