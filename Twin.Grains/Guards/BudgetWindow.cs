using System.Globalization;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Guards;

/// <summary>
/// What was granted within the last five minutes, hour and day: commands, and watts moved. Each span is cut in buckets
/// of which one more is kept than the span has, so that the sum covers the whole span at every instant: what is granted
/// within any span of that length, wherever it begins, is never more than the budget. The price is that room comes
/// back up to one bucket late (30 s, 5 min, 1 h). Time is the owner's and never goes back.
/// </summary>
public sealed class BudgetWindow
{
    private const byte EncodingVersion = 1;

    /// <summary>Most load that one reservation may name, W; more is refused. Far over any grid's.</summary>
    public const long MaxWatts = 1_000_000_000_000;

    /// <summary>Most commands within a day where no budget bounds them; sums stay far from overflow.</summary>
    public const int MaxCommands = 1_000_000;

    /// <summary>Buckets of a span; one more is kept.</summary>
    private const int FiveMinutes = 10, Hour = 12, Day = 24;

    /// <summary>Longest span and its bucket, s: what is older than both has no influence.</summary>
    public const int LongestSeconds = 86_400, LongestBucket = LongestSeconds / Day;

    private readonly Span _five = new(300 / FiveMinutes, FiveMinutes), _hour = new(3_600 / Hour, Hour),
        _day = new(LongestBucket, Day);

    public bool IsEmpty => _day.Count == 0;
    public int CommandsDay => _day.Count;
    public int CommandsHour => _hour.Count;
    public int Commands5 => _five.Count;
    public long WattsDay => _day.Watts;
    public long WattsHour => _hour.Watts;
    public long Watts5 => _five.Watts;

    /// <summary>Forgets what is over at this second; a second before the newest one changes nothing.</summary>
    public void Advance(long second)
    {
        _five.Advance(second);
        _hour.Advance(second);
        _day.Advance(second);
    }

    /// <summary>Why one more command of so many watts has no room; null when it has.</summary>
    /// <param name="budget">What may be granted; −1 for a part that is not bounded.</param>
    /// <param name="watts">Load, 0 or more.</param>
    public string? Refusal(in Budget budget, long watts)
    {
        if (watts is < 0 or > MaxWatts) return $"{watts} W is no load of a meter";
        if (_day.Count >= MaxCommands) return $"{MaxCommands} commands within a day are the most of all";
        return Refusal(_five, budget.Commands5, budget.Watts5, watts, "5 minutes")
            ?? Refusal(_hour, budget.CommandsHour, budget.WattsHour, watts, "an hour")
            ?? Refusal(_day, budget.CommandsDay, budget.WattsDay, watts, "a day");
    }

    private static string? Refusal(Span span, int commands, long most, long watts, string word) =>
        commands >= 0 && span.Count >= commands
            ? string.Create(CultureInfo.InvariantCulture, $"{span.Count} of {commands} commands within {word} are used")
        : most >= 0 && watts > most - span.Watts
            ? string.Create(CultureInfo.InvariantCulture,
                $"{span.Watts} of {most} W within {word} are used, and this one moves {watts} W")
        : null;

    /// <summary>Counts one command; ask <see cref="Refusal(in Budget, long)"/> first.</summary>
    public void Add(long second, long watts)
    {
        Advance(second);
        _five.Change(second, 1, watts);
        _hour.Change(second, 1, watts);
        _day.Change(second, 1, watts);
    }

    /// <summary>Gives back what was counted at that second; what is over by now is gone anyway.</summary>
    public void GiveBack(long second, long watts)
    {
        _five.Change(second, -1, -watts);
        _hour.Change(second, -1, -watts);
        _day.Change(second, -1, -watts);
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        _five.Write(to);
        _hour.Write(to);
        _day.Write(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static BudgetWindow Read(ref ByteReader r)
    {
        if (r.Byte() is not EncodingVersion and var version)
            throw r.Bad($"a budget's window has version {version}, this MeterTwin knows {EncodingVersion}");
        var window = new BudgetWindow();
        window._five.Read(ref r);
        window._hour.Read(ref r);
        window._day.Read(ref r);
        return window;
    }

    /// <summary>One span as a ring of buckets, with its sums.</summary>
    private sealed class Span(int width, int buckets)
    {
        private readonly int[] _counts = new int[buckets + 1];
        private readonly long[] _watts = new long[buckets + 1];
        private long _newest;

        public int Count { get; private set; }
        public long Watts { get; private set; }

        private int Slot(long bucket) => (int)((bucket % _counts.Length + _counts.Length) % _counts.Length);

        private long BucketOf(long second) => Math.DivRem(second, width, out var rest) - (rest < 0 ? 1 : 0);

        public void Advance(long second)
        {
            var now = BucketOf(second);
            if (now <= _newest && Count > 0) return;
            // Over a whole turn of the ring every slot is cleared once.
            for (var n = Math.Max(_newest + 1, now - _counts.Length + 1); n <= now && Count > 0; n++)
            {
                var slot = Slot(n);
                (Count, Watts) = (Count - _counts[slot], Watts - _watts[slot]);
                (_counts[slot], _watts[slot]) = (0, 0);
            }
            _newest = now;
        }

        public void Change(long second, int count, long watts)
        {
            var bucket = BucketOf(second);
            if (bucket <= _newest - _counts.Length || bucket > _newest) return;
            var slot = Slot(bucket);
            if (_counts[slot] + count < 0 || _watts[slot] + watts < 0) return;
            (_counts[slot], _watts[slot]) = (_counts[slot] + count, _watts[slot] + watts);
            (Count, Watts) = (Count + count, Watts + watts);
        }

        public void Write(ByteWriter to)
        {
            var used = _counts.Count(c => c > 0);
            to.VarInt(used == 0 ? 0 : _newest);
            to.Byte((byte)used);
            for (var age = 0; age < _counts.Length; age++)
            {
                var slot = Slot(_newest - age);
                if (_counts[slot] == 0) continue;
                to.Byte((byte)age);
                to.VarUInt((ulong)_counts[slot]);
                to.VarUInt((ulong)_watts[slot]);
            }
        }

        public void Read(ref ByteReader r)
        {
            _newest = r.VarInt();
            if (_newest is < UnixTime.MinSeconds or > UnixTime.MaxSeconds) throw r.Bad("a bucket lies beyond all time");
            var used = r.Byte(0, (byte)_counts.Length);
            for (var i = 0; i < used; i++)
            {
                var slot = Slot(_newest - r.Byte(0, (byte)(_counts.Length - 1)));
                if (_counts[slot] > 0) throw r.Bad("a bucket is there twice");
                (_counts[slot], _watts[slot]) = (r.Count(MaxCommands), checked((long)r.VarUInt()));
                if (_counts[slot] == 0 || _watts[slot] > MaxWatts * _counts[slot])
                    throw r.Bad("a bucket is impossible");
                (Count, Watts) = (Count + _counts[slot], checked(Watts + _watts[slot]));
            }
        }
    }
}
