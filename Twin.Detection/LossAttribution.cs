using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// Which member explains what a feeder misses. A <see cref="LossFilter"/> over the missing energy of each half-hour,
/// with three coefficients a member: on what it reports (a meter that counts a fixed share too little misses in
/// proportion), on how far it reports below its own profile at that moment (a meter that leaves out hours misses what
/// the profile still expects), and on how far it has been below it these days (what is subtracted evenly shows only
/// so). Besides them one for each part of the day, for what nobody's days explain: without it a member would be blamed
/// for having the same evening as a thief. All columns are shares of the feeder's half-hour, so that the observer's
/// noise is the same in each.
/// </summary>
/// <remarks>
/// The median member's first coefficient is the technical loss. Strength is the Mahalanobis length of a member's
/// coefficients beyond it, where <see cref="Deadband"/> adds to the uncertainty. State: for n members and k = 3n + 8
/// columns k(k+1)/2 + k floats, 9.5 KiB for 20 members. A feeder of more than <see cref="MaxMembers"/> members keeps
/// its balance and names nobody.
/// </remarks>
internal sealed class LossAttribution
{
    public const int MaxMembers = 32;
    private const int Each = 3;
    private const int MaxColumns = Each * MaxMembers + LossFilter.Parts;
    private const float WeakestNamed = 1.5f;

    /// <summary>
    /// Meters differ by their accuracy class and feeders by where the loss falls: so much is nobody's theft.
    /// </summary>
    private const double Deadband = 0.03;

    /// <summary>
    /// Technical loss assumed at first; variances of the coefficients at first and their growth in a day.
    /// </summary>
    private const float LossAtFirst = 0.035f, ShareVariance = 0.16f, BelowVariance = 0.09f, PartVariance = 0.25f;
    private const float DailyVariance = 0.0003f, DailyPartVariance = 0.0003f;

    /// <summary>How fast the lasting shortfall follows: about ten days.</summary>
    private const float LastingRate = 0.1f;

    /// <summary>Complete days before anybody is named.</summary>
    private const int EnoughDays = 8;

    private ulong[] _ids = [];
    private int[] _seen = [];

    /// <summary>By member: how far below its profile it has been, as a share of it, −1 to 1.</summary>
    private float[] _lasting = [];
    private LossFilter _filter = new(0);
    private int _days;

    public ReadOnlySpan<ulong> Ids => _ids;

    /// <summary>
    /// Notes who is on the feeder; members come in id order. True when it is another set of members than before.
    /// </summary>
    public bool Note(int day, ReadOnlySpan<Member> members, int forgetAfterDays)
    {
        var at = 0;
        var same = true;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            while (at < _ids.Length && _ids[at] < member.Meter.Value)
            {
                same &= day - _seen[at] <= forgetAfterDays;
                at++;
            }
            same &= at < _ids.Length && _ids[at] == member.Meter.Value;
            if (!same) break;
            _seen[at++] = day;
        }
        for (; same && at < _ids.Length; at++) same = day - _seen[at] <= forgetAfterDays;
        if (_filter.Columns == 0) same &= ColumnsOf(_ids.Length) == 0 || !IsObserved(members);
        if (!same) Regroup(day, members, forgetAfterDays);
        return !same;
    }

    /// <summary>Takes the new set of members over; what was learned of those who stay is kept.</summary>
    private void Regroup(int day, ReadOnlySpan<Member> members, int forgetAfterDays)
    {
        var seen = new SortedDictionary<ulong, int>();
        for (var i = 0; i < _ids.Length; i++)
            if (day - _seen[i] <= forgetAfterDays) seen[_ids[i]] = _seen[i];
        foreach (ref readonly var member in members)
            if (member.Role == MeterRole.Customer) seen[member.Meter.Value] = day;
        ulong[] ids = [.. seen.Keys];
        var n = ids.Length;
        var filter = new LossFilter(_filter.Columns > 0 || IsObserved(members) ? ColumnsOf(n) : 0);
        var lasting = new float[n];
        var from = new int[filter.Columns];
        for (var i = 0; i < filter.Columns; i++)
        {
            filter.Begin(i, i < n ? LossAtFirst : 0f, VarianceOf(i, n));
            var old = i < Each * n ? Array.BinarySearch(_ids, ids[i % n]) : -1;
            from[i] = _filter.Columns == 0 || old < 0 ? -1 : old + i / n * _ids.Length;
            if (i < n && old >= 0) lasting[i] = _lasting[old];
        }
        filter.TakeOver(_filter, from);
        (_ids, _seen, _lasting, _filter) = (ids, [.. seen.Values], lasting, filter);
    }

    /// <summary>Without an observer there is nothing to weigh, and the filter is most of a feeder's memory.</summary>
    private static bool IsObserved(ReadOnlySpan<Member> members)
    {
        foreach (ref readonly var member in members)
            if (member.Role == MeterRole.Observer) return true;
        return false;
    }

    private static int ColumnsOf(int members) =>
        members is > 0 and <= MaxMembers ? Each * members + LossFilter.Parts : 0;

    private static float VarianceOf(int column, int n) =>
        column < n ? ShareVariance : column < Each * n ? BelowVariance : PartVariance;

    /// <summary>Learns a complete day and names suspects in it.</summary>
    public void Learn(ReadOnlySpan<Member> members, ref FeederDay today)
    {
        var n = _ids.Length;
        if (_filter.Columns == 0) return;
        for (var i = 0; i < _filter.Columns; i++)
            _filter.Widen(i, i < Each * n ? DailyVariance : DailyPartVariance, VarianceOf(i, n));
        _days = Math.Min(_days + 1, 1_000_000);
        var factor = CommonFactor(members);
        FollowShortfalls(members, factor);
        Span<float> columns = stackalloc float[MaxColumns];
        Span<float> room = stackalloc float[MaxColumns];
        columns = columns[.._filter.Columns];
        for (var block = 0; block < DayShape.Blocks; block++)
        {
            var (missing, part) = Fill(members, block, factor, columns);
            if (part >= 0) _filter.Add(columns, missing, part, room[..columns.Length]);
        }
        if (_days >= EnoughDays) NameSuspects(members, factor, ref today);
    }

    private void FollowShortfalls(ReadOnlySpan<Member> members, float factor)
    {
        var at = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            var usual = factor * member.Features.ExpectedWh;
            if (usual > 0)
                _lasting[at] += LastingRate * (Math.Clamp(1f - member.Features.TotalWh / usual, -1f, 1f)
                    - _lasting[at]);
            at++;
        }
    }

    /// <summary>The columns of a half-hour; its missing share and part of the day, −1 where nothing flowed.</summary>
    private (float Missing, int Part) Fill(ReadOnlySpan<Member> members, int block, float factor, Span<float> columns)
    {
        var n = _ids.Length;
        float observed = 0, reported = 0, total = 0;
        foreach (ref readonly var member in members)
        {
            var wh = member.Features.Blocks.Wh(block);
            if (member.Role == MeterRole.Observer)
            {
                observed += wh;
                continue;
            }
            reported += wh;
            total += member.Features.TotalWh;
        }
        if (observed <= 0) return (0f, -1);
        var scale = 1f / observed;
        var at = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            var wh = member.Features.Blocks.Wh(block);
            var isKnown = member.Features.ExpectedWh > 0;
            var usual = isKnown ? factor * member.Features.ExpectedBlocks.Wh(block) : 0f;
            columns[at] = wh * scale;
            columns[n + at] = isKnown ? (usual - wh) * scale : 0f;
            columns[2 * n + at] = _lasting[at] * usual * scale;
            at++;
        }
        var part = block * LossFilter.Parts / DayShape.Blocks;
        columns[(Each * n)..].Clear();
        // In units of an average member's average half-hour.
        columns[Each * n + part] = total / (n * DayShape.Blocks) * scale;
        return ((observed - reported) * scale, part);
    }

    /// <summary>Median over members of energy over profile: the day's weather on this feeder.</summary>
    public static float CommonFactor(ReadOnlySpan<Member> members)
    {
        Span<float> ratios = stackalloc float[MaxMembers];
        var n = 0;
        foreach (ref readonly var member in members)
            if (member.Role == MeterRole.Customer && member.Features.ExpectedWh > 0 && n < MaxMembers)
                ratios[n++] = member.Features.TotalWh / member.Features.ExpectedWh;
        if (n == 0) return 1f;
        ratios[..n].Sort();
        return ratios[n / 2];
    }

    private void NameSuspects(ReadOnlySpan<Member> members, float factor, ref FeederDay today)
    {
        var n = _ids.Length;
        today.IsAttributed = true;
        Span<float> sorted = stackalloc float[MaxMembers];
        sorted = sorted[..n];
        _filter.Coefficients[..n].CopyTo(sorted);
        sorted.Sort();
        var loss = sorted[n / 2];
        var at = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            double share = _filter.Coefficients[at] - loss, below = _filter.Coefficients[n + at],
                lasting = _filter.Coefficients[2 * n + at];
            var usual = factor * member.Features.ExpectedWh;
            var byNow = below * (usual - member.Features.TotalWh);
            var byDays = lasting * _lasting[at] * usual;
            var net = share * member.Features.TotalWh + byNow + byDays;
            // A meter that counts too much is wrong, but nobody's theft.
            var counts = share >= 0 || below >= 0 || lasting >= 0 && net >= 0;
            var strength = counts ? Strength(at, n, share, below, lasting) : 0;
            var wh = Math.Max(0, share) * member.Features.TotalWh + Math.Max(0, byNow) + Math.Max(0, byDays);
            if (strength >= WeakestNamed) today.Name(new Attribution(member.Meter, (float)strength, (float)wh));
            at++;
        }
    }

    /// <summary>
    /// Mahalanobis length of a member's coefficients, by elimination. Both signs speak: where readings are replaced,
    /// what is missing is the less the more the meter reports.
    /// </summary>
    private double Strength(int at, int n, double a, double b, double c)
    {
        const double Least = 1e-6, Dead = Deadband * Deadband;
        double aa = _filter.Covariance(at, at) + Dead, bb = _filter.Covariance(n + at, n + at) + Dead,
            cc = _filter.Covariance(2 * n + at, 2 * n + at) + Dead;
        double ba = _filter.Covariance(n + at, at), ca = _filter.Covariance(2 * n + at, at),
            cb = _filter.Covariance(2 * n + at, n + at);
        b -= ba / aa * a;
        c -= ca / aa * a;
        var cb1 = cb - ca / aa * ba;
        bb = Math.Max(Least, bb - ba / aa * ba);
        c -= cb1 / bb * b;
        cc = Math.Max(Least, cc - ca / aa * ca - cb1 / bb * cb1);
        return Math.Sqrt(a * a / aa + b * b / bb + c * c / cc);
    }

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_ids.Length);
        for (var i = 0; i < _ids.Length; i++)
        {
            to.UInt64(_ids[i]);
            to.VarInt(_seen[i]);
            to.Single(_lasting[i]);
        }
        _filter.Write(to);
        to.VarInt(_days);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static LossAttribution Read(ref ByteReader from)
    {
        var n = from.Count(from.Left);
        var a = new LossAttribution { _ids = new ulong[n], _seen = new int[n], _lasting = new float[n] };
        for (var i = 0; i < n; i++)
            (a._ids[i], a._seen[i], a._lasting[i]) = (from.UInt64(), checked((int)from.VarInt()), from.Single());
        a._filter = LossFilter.Read(ref from, ColumnsOf(n));
        a._days = checked((int)from.VarInt());
        return a;
    }

    /// <summary>
    /// Reads the first version, which weighed members by other columns: passes over it, and all begin anew.
    /// </summary>
    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static LossAttribution ReadFirst(ref ByteReader from)
    {
        var n = from.Count(from.Left);
        for (var i = 0; i < n; i++) (_, _) = (from.UInt64(), from.VarInt());
        var k = from.Count(2 * MaxMembers);
        for (var i = 0; i < k * (k + 1) / 2 + k + 1; i++) _ = from.Single();
        _ = from.VarInt();
        return new LossAttribution();
    }
}
