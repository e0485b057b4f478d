using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// Which member explains what a feeder misses. A <see cref="LossFilter"/> over the missing energy of each half-hour,
/// with the <see cref="LossColumns"/> of each member, and besides them one column for each part of the day, for what
/// nobody's days explain: without it a member would be blamed for having the same evening as a thief. All columns are
/// shares of the feeder's half-hour, so that the observer's noise is the same in each.
/// </summary>
/// <remarks>
/// The median member's first coefficient is the technical loss. Strength is the Mahalanobis length of a member's
/// coefficients beyond it, where <see cref="Deadband"/> adds to the uncertainty. State: for n members and k = 4n + 8
/// columns k(k+1)/2 + k floats, 16 KiB for 20 members. A feeder of more than <see cref="MaxMembers"/> members keeps
/// its balance and names nobody.
/// </remarks>
internal sealed class LossAttribution
{
    public const int MaxMembers = 32;
    private const int Each = LossColumns.Each;
    private const int MaxColumns = Each * MaxMembers + LossFilter.Parts;
    private const float WeakestNamed = 1.5f;

    /// <summary>
    /// Meters differ by their accuracy class and feeders by where the loss falls: so much is nobody's theft.
    /// </summary>
    private const double Deadband = 0.05;

    /// <summary>
    /// Technical loss assumed at first; variances of the coefficients at first and their growth in a day.
    /// </summary>
    private const float LossAtFirst = 0.035f, ShareVariance = 0.16f, BelowVariance = 0.09f, PartVariance = 0.25f;
    private const float DailyVariance = 0.0003f, DailyPartVariance = 0.0003f;

    /// <summary>
    /// Energy below this share of what a member reports accuses nobody; a first coefficient below the other number
    /// says that the readings have nothing to do with what was used.
    /// </summary>
    private const float LeastShare = 0.02f, Unrelated = -0.6f;

    /// <summary>Where less than this share of what is missing at some hours stays missing over the day, it was moved.
    /// </summary>
    private const float StaysMissing = 0.5f;

    /// <summary>Complete days before anybody is named.</summary>
    private const int EnoughDays = 8;

    private ulong[] _ids = [];
    private int[] _seen = [];

    private LossColumns.Memory[] _memories = [];
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
        var memories = new LossColumns.Memory[n];
        var from = new int[filter.Columns];
        for (var i = 0; i < filter.Columns; i++)
        {
            filter.Begin(i, i < n ? LossAtFirst : 0f, VarianceOf(i, n));
            var old = i < Each * n ? Array.BinarySearch(_ids, ids[i % n]) : -1;
            from[i] = _filter.Columns == 0 || old < 0 ? -1 : old + i / n * _ids.Length;
            if (i < n && old >= 0) memories[i] = _memories[old];
        }
        filter.TakeOver(_filter, from);
        (_ids, _seen, _memories, _filter) = (ids, [.. seen.Values], memories, filter);
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
        Span<LossColumns.Day> days = stackalloc LossColumns.Day[MaxMembers];
        var at = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            _memories[at] = _memories[at].After(member.Features, factor);
            days[at] = LossColumns.Day.Of(member.Features, _memories[at], factor);
            at++;
        }
        Span<float> columns = stackalloc float[MaxColumns];
        Span<float> room = stackalloc float[MaxColumns];
        columns = columns[.._filter.Columns];
        for (var block = 0; block < DayShape.Blocks; block++)
        {
            var (missing, part) = Fill(members, block, days, columns);
            if (part >= 0) _filter.Add(columns, missing, part, room[..columns.Length]);
        }
        if (_days >= EnoughDays) NameSuspects(members, days, ref today);
    }

    /// <summary>
    /// The columns of a half-hour; its missing share and part of the day, −1 where nothing flowed. Shares are of what
    /// was metered: at noon panels may leave next to nothing for the observer, and its error is not the only one.
    /// </summary>
    private (float Missing, int Part) Fill(ReadOnlySpan<Member> members, int block, ReadOnlySpan<LossColumns.Day> days,
        Span<float> columns)
    {
        var n = _ids.Length;
        float observed = 0, net = 0, metered = 0, total = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role == MeterRole.Observer)
            {
                observed += member.Features.NetWhOf(block);
                continue;
            }
            net += member.Features.NetWhOf(block);
            metered += member.Features.Blocks.Wh(block);
            total += member.Features.TotalWh;
        }
        metered = Math.Max(metered, Math.Abs(observed));
        if (metered <= 0) return (0f, -1);
        var scale = 1f / metered;
        var at = 0;
        Span<float> values = stackalloc float[Each];
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            days[at].Fill(member.Features, block, values);
            for (var j = 0; j < Each; j++) columns[j * n + at] = values[j] * scale;
            at++;
        }
        var part = block * LossFilter.Parts / DayShape.Blocks;
        columns[(Each * n)..].Clear();
        // In units of an average member's average half-hour.
        columns[Each * n + part] = total / (n * DayShape.Blocks) * scale;
        return ((observed - net) * scale, part);
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

    private void NameSuspects(ReadOnlySpan<Member> members, ReadOnlySpan<LossColumns.Day> days, ref FeederDay today)
    {
        var n = _ids.Length;
        today.IsAttributed = true;
        Span<float> sorted = stackalloc float[MaxMembers];
        sorted = sorted[..n];
        _filter.Coefficients[..n].CopyTo(sorted);
        sorted.Sort();
        var loss = sorted[n / 2];
        Span<float> own = stackalloc float[Each];
        var at = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            for (var j = 0; j < Each; j++) own[j] = _filter.Coefficients[j * n + at];
            own[LossColumns.Reported] -= loss;
            var strength = (float)Strength(at, n, own);
            if (strength >= WeakestNamed)
            {
                var (missing, over) = Energies(member.Features, days[at], own);
                // A meter that counts too much is wrong, but nobody's theft.
                if (missing >= LeastShare * member.Features.TotalWh || own[LossColumns.Below] > 0
                    || own[LossColumns.Reported] < Unrelated)
                    today.Name(Energy(member.Meter, strength, missing, over));
            }
            at++;
        }
    }

    private static Attribution Energy(MeterId meter, float strength, float missing, float over)
    {
        var isMoved = missing - over < StaysMissing * missing;
        return new Attribution(meter, strength, isMoved ? missing : missing - over, isMoved);
    }

    /// <summary>
    /// What the coefficients say of a day, Wh: missing in some half-hours, counted too much in others.
    /// </summary>
    private static (float Missing, float Over) Energies(in DayFeatures features, in LossColumns.Day day,
        ReadOnlySpan<float> coefficients)
    {
        Span<float> values = stackalloc float[Each];
        float missing = 0, over = 0;
        for (var block = 0; block < DayShape.Blocks; block++)
        {
            day.Fill(features, block, values);
            var wh = 0f;
            for (var j = 0; j < Each; j++) wh += coefficients[j] * values[j];
            if (wh > 0) missing += wh;
            else over -= wh;
        }
        return (missing, over);
    }

    /// <summary>
    /// Mahalanobis length of a member's coefficients: Cholesky's factor of their covariance, and what they are in its
    /// terms. Both signs speak: where readings are replaced, what is missing is the less the more the meter reports.
    /// </summary>
    private double Strength(int at, int n, ReadOnlySpan<float> coefficients)
    {
        const double Least = 1e-6;
        Span<double> root = stackalloc double[Each * Each];
        Span<double> length = stackalloc double[Each];
        var sum = 0.0;
        for (var i = 0; i < Each; i++)
        {
            double left = coefficients[i];
            for (var j = 0; j <= i; j++)
            {
                double v = _filter.Covariance(i * n + at, j * n + at);
                if (i == j) v += Deadband * Deadband;
                for (var l = 0; l < j; l++) v -= root[i * Each + l] * root[j * Each + l];
                root[i * Each + j] = i == j ? Math.Sqrt(Math.Max(Least, v)) : v / root[j * Each + j];
                if (j < i) left -= root[i * Each + j] * length[j];
            }
            length[i] = left / root[i * Each + i];
            sum += length[i] * length[i];
        }
        return Math.Sqrt(sum);
    }

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_ids.Length);
        for (var i = 0; i < _ids.Length; i++)
        {
            to.UInt64(_ids[i]);
            to.VarInt(_seen[i]);
            to.Single(_memories[i].Lasting);
            to.Single(_memories[i].Top);
        }
        _filter.Write(to);
        to.VarInt(_days);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static LossAttribution Read(ref ByteReader from)
    {
        var n = from.Count(from.Left);
        var a = new LossAttribution { _ids = new ulong[n], _seen = new int[n], _memories = new LossColumns.Memory[n] };
        for (var i = 0; i < n; i++)
            (a._ids[i], a._seen[i], a._memories[i]) = (from.UInt64(), checked((int)from.VarInt()),
                new LossColumns.Memory(from.Single(), from.Single()));
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
