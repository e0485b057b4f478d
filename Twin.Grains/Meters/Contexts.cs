using Twin.Detection;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>
/// Dated context as a twin keeps it; the note stays in the journal. Seconds since 1970, end exclusive.
/// </summary>
public readonly record struct ContextSpan(ContextKind Kind, long From, long To) : IComparable<ContextSpan>
{
    public int CompareTo(ContextSpan other)
    {
        var byEnd = To.CompareTo(other.To);
        if (byEnd != 0) return byEnd;
        var byBegin = From.CompareTo(other.From);
        return byBegin != 0 ? byBegin : Kind.CompareTo(other.Kind);
    }
}

/// <summary>The context of one twin, sorted by end; null while there is none.</summary>
internal struct Contexts
{
    /// <summary>
    /// Most periods kept. At the bound the one that ends first is dropped: the days it explains are the oldest.
    /// </summary>
    public const int MaxPeriods = 16;

    private ContextSpan[]? _spans;

    /// <summary>About 950 years, like the readings.</summary>
    private const long MaxSeconds = 30_000_000_000;

    public readonly ReadOnlySpan<ContextSpan> Spans => _spans;

    public static bool IsPossible(UnixTime at) => at.Seconds is >= -MaxSeconds and <= MaxSeconds;

    /// <summary>Why a period is refused; null when it is not.</summary>
    public static string? Check(ContextPeriod period)
    {
        if (!IsPossible(period.From)
            || !IsPossible(period.To)) return "a context period lies over 950 years from 1970; correct its dates";
        if (period.To.Seconds <= period.From.Seconds)
            return $"a context period ends at {period.To}, before it begins; correct its dates";
        return FlagOf(period.Context) == ContextFlags.None
            ? $"context kind {(byte)period.Context} is not known to this version" : null;
    }

    public void Add(ContextPeriod period)
    {
        var span = new ContextSpan(period.Context, period.From.Seconds, period.To.Seconds);
        var spans = _spans ?? [];
        if (spans.Contains(span)) return;
        spans = [.. spans, span];
        Array.Sort(spans);
        _spans = spans.Length > MaxPeriods ? spans[^MaxPeriods..] : spans;
    }

    /// <summary>Forgets what ended by that second: no day that is still to be judged reaches back there.</summary>
    public void DropEndedBy(long seconds)
    {
        if (_spans is null || _spans[0].To > seconds) return;
        var left = Array.FindAll(_spans, s => s.To > seconds);
        _spans = left.Length == 0 ? null : left;
    }

    public readonly ContextFlags On(in LocalDay day)
    {
        var flags = ContextFlags.None;
        foreach (var s in Spans)
            if (s.From < day.EndMinute * 60 && EndOf(s) > day.StartMinute * 60) flags |= FlagOf(s.Kind);
        return flags;
    }

    /// <summary>
    /// Seconds for which a move or an exchange holds. They make a meter's models begin anew, each day; a record of a
    /// move that lasts a year must not keep them from ever judging.
    /// </summary>
    private const long LongestMove = 3 * 86_400;

    private static long EndOf(in ContextSpan s) => s.Kind is ContextKind.MoveIn or ContextKind.Exchange
        ? Math.Min(s.To, s.From + LongestMove) : s.To;

    public readonly void Write(ByteWriter to)
    {
        to.VarUInt((ulong)Spans.Length);
        foreach (var s in Spans)
        {
            to.Byte((byte)s.Kind);
            to.VarInt(s.From);
            to.VarInt(s.To);
        }
    }

    public static Contexts Read(ref ByteReader from)
    {
        var n = from.Count(MaxPeriods);
        if (n == 0) return default;
        var spans = new ContextSpan[n];
        for (var i = 0; i < n; i++)
        {
            spans[i] = new ContextSpan((ContextKind)from.Byte(), from.VarInt(), from.VarInt());
            if (i > 0 && spans[i].CompareTo(spans[i - 1]) <= 0) throw from.Bad("context periods are out of order");
        }
        return new Contexts { _spans = spans };
    }

    private static ContextFlags FlagOf(ContextKind kind) => kind switch
    {
        ContextKind.Outage => ContextFlags.Outage,
        ContextKind.TariffChange => ContextFlags.TariffChange,
        ContextKind.MoveIn => ContextFlags.MoveIn,
        ContextKind.Exchange => ContextFlags.Exchange,
        ContextKind.PlannedWork => ContextFlags.PlannedWork,
        _ => ContextFlags.None,
    };
}
