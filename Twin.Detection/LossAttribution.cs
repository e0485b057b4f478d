using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// Which member explains what a feeder misses. A ridge regression, forgetting over about four weeks, of the missing energy of each
/// three-hour block on two columns a member: what it reports (a meter that counts a fixed share too little misses in proportion),
/// and how far it reports below its own profile (a meter that leaves out hours misses what the profile still expects). All columns
/// are shares of the feeder's block, so that the observer's noise is the same in each. The median member's coefficient is the
/// technical loss; strength is a coefficient above that in its standard errors.
/// </summary>
/// <remarks>
/// State: for n members 2n(2n+1)/2 + 2n floats, 3.6 KiB for 20 members. A feeder of more than <see cref="MaxMembers"/> members
/// keeps its balance and names nobody.
/// </remarks>
internal sealed class LossAttribution
{
    public const int MaxMembers = 32;
    private const float KeepPerDay = 1f - 1f / 28;
    private const float Ridge = 1e-3f;
    private const float WeakestNamed = 1.5f;

    /// <summary>Weight (in blocks) before anybody is named: about nine complete days.</summary>
    private const float EnoughWeight = 64f;

    private ulong[] _ids = [];
    private int[] _seen = [];

    /// <summary>Packed lower triangle of the columns' products, their products with the missing share, and its square.</summary>
    private float[] _products = [], _cross = [];
    private float _square, _weight;

    /// <summary>Notes who is on the feeder; members come in id order. Returns how many customers are known.</summary>
    public int Note(int day, ReadOnlySpan<Member> members, int forgetAfterDays)
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
        if (!same) Regroup(day, members, forgetAfterDays);
        return _ids.Length;
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
        var columns = n <= MaxMembers ? 2 * n : 0;
        var products = new float[columns * (columns + 1) / 2];
        var cross = new float[columns];
        if (columns > 0 && _cross.Length > 0)
        {
            for (var i = 0; i < columns; i++)
            {
                var oldI = OldColumn(ids, i);
                if (oldI < 0) continue;
                cross[i] = _cross[oldI];
                for (var j = 0; j <= i; j++)
                {
                    var oldJ = OldColumn(ids, j);
                    if (oldJ >= 0) products[At(i, j)] = _products[At(Math.Max(oldI, oldJ), Math.Min(oldI, oldJ))];
                }
            }
        }
        else
        {
            (_square, _weight) = (0, 0);
        }
        (_ids, _seen, _products, _cross) = (ids, [.. seen.Values], products, cross);
    }

    private int OldColumn(ulong[] ids, int column)
    {
        var n = ids.Length;
        var old = Array.BinarySearch(_ids, ids[column % n]);
        return old < 0 ? -1 : column < n ? old : old + _ids.Length;
    }

    private static int At(int row, int column) => row * (row + 1) / 2 + column;

    /// <summary>Learns a complete day and names suspects in it.</summary>
    public void Learn(ReadOnlySpan<Member> members, ref FeederDay today)
    {
        var n = _ids.Length;
        if (_cross.Length == 0) return;
        for (var i = 0; i < _products.Length; i++) _products[i] *= KeepPerDay;
        for (var i = 0; i < _cross.Length; i++) _cross[i] *= KeepPerDay;
        _square *= KeepPerDay;
        _weight *= KeepPerDay;
        var factor = CommonFactor(members);
        Span<float> columns = stackalloc float[2 * MaxMembers];
        columns = columns[..(2 * n)];
        for (var block = 0; block < DayShape.Blocks; block++)
        {
            float observed = 0, reported = 0;
            foreach (ref readonly var member in members)
            {
                var wh = member.Features.Blocks.Wh(block);
                if (member.Role == MeterRole.Observer) observed += wh;
                else reported += wh;
            }
            if (reported <= 0) continue;
            var at = 0;
            foreach (ref readonly var member in members)
            {
                if (member.Role == MeterRole.Observer) continue;
                var wh = member.Features.Blocks.Wh(block);
                var below = member.Features.ExpectedWh > 0 ? factor * member.Features.ExpectedBlocks.Wh(block) - wh : 0f;
                columns[at] = wh / reported;
                columns[n + at++] = below / reported;
            }
            Add(columns, (observed - reported) / reported);
        }
        if (_weight >= EnoughWeight) NameSuspects(members, factor, ref today);
    }

    private void Add(ReadOnlySpan<float> columns, float missing)
    {
        var at = 0;
        for (var i = 0; i < columns.Length; i++)
        {
            var c = columns[i];
            for (var j = 0; j <= i; j++) _products[at++] += c * columns[j];
            _cross[i] += c * missing;
        }
        _square += missing * missing;
        _weight += 1f;
    }

    /// <summary>Median over members of energy over profile: the day's weather on this feeder.</summary>
    private static float CommonFactor(ReadOnlySpan<Member> members)
    {
        Span<float> ratios = stackalloc float[MaxMembers];
        var n = 0;
        foreach (ref readonly var member in members)
            if (member.Role == MeterRole.Customer && member.Features.ExpectedWh > 0)
                ratios[n++] = member.Features.TotalWh / member.Features.ExpectedWh;
        if (n == 0) return 1f;
        ratios[..n].Sort();
        return ratios[n / 2];
    }

    private void NameSuspects(ReadOnlySpan<Member> members, float factor, ref FeederDay today)
    {
        var k = _cross.Length;
        var n = k / 2;
        Span<double> coefficients = stackalloc double[2 * MaxMembers];
        Span<double> variances = stackalloc double[2 * MaxMembers];
        Solve(coefficients, variances);
        var explained = 0.0;
        for (var i = 0; i < k; i++) explained += coefficients[i] * _cross[i];
        var noise = Math.Max(1e-6, (_square - explained) / Math.Max(8.0, _weight - k));
        Span<double> sorted = stackalloc double[MaxMembers];
        sorted = sorted[..n];
        coefficients[..n].CopyTo(sorted);
        sorted.Sort();
        var loss = sorted[n / 2];
        var at = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            var share = Math.Max(0, coefficients[at] - loss);
            var below = Math.Max(0, coefficients[n + at]);
            var strength = Math.Sqrt((share * share / variances[at] + below * below / variances[n + at]) / noise);
            var f = member.Features;
            var wh = share * f.TotalWh + below * Math.Max(0, factor * f.ExpectedWh - f.TotalWh);
            if (strength >= WeakestNamed) today.Name(new Attribution(member.Meter, (float)strength, (float)wh));
            at++;
        }
    }

    /// <summary>
    /// Cholesky: L·Lᵀ = products + ridge; coefficients by two substitutions; the variances' diagonal is the squared columns of L⁻¹.
    /// </summary>
    private void Solve(Span<double> coefficients, Span<double> variances)
    {
        var k = _cross.Length;
        Span<double> l = stackalloc double[MaxMembers * (2 * MaxMembers + 1)];
        for (var i = 0; i < k; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var sum = (double)_products[At(i, j)] + (i == j ? Ridge : 0);
                for (var m = 0; m < j; m++) sum -= l[At(i, m)] * l[At(j, m)];
                l[At(i, j)] = i == j ? Math.Sqrt(Math.Max(sum, 1e-9)) : sum / l[At(j, j)];
            }
        }
        // L⁻¹ in place, column by column; then coefficients = L⁻ᵀ (L⁻¹ cross).
        for (var j = 0; j < k; j++)
        {
            l[At(j, j)] = 1 / l[At(j, j)];
            for (var i = j + 1; i < k; i++)
            {
                var sum = 0.0;
                for (var m = j; m < i; m++) sum -= l[At(i, m)] * l[At(m, j)];
                l[At(i, j)] = sum / l[At(i, i)];
            }
        }
        Span<double> half = stackalloc double[2 * MaxMembers];
        for (var i = 0; i < k; i++)
        {
            half[i] = 0;
            for (var j = 0; j <= i; j++) half[i] += l[At(i, j)] * _cross[j];
        }
        for (var j = 0; j < k; j++)
        {
            coefficients[j] = variances[j] = 0;
            for (var i = j; i < k; i++)
            {
                coefficients[j] += l[At(i, j)] * half[i];
                variances[j] += l[At(i, j)] * l[At(i, j)];
            }
        }
    }

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_ids.Length);
        for (var i = 0; i < _ids.Length; i++)
        {
            to.UInt64(_ids[i]);
            to.VarInt(_seen[i]);
        }
        to.VarUInt((ulong)_cross.Length);
        foreach (var v in _products) to.Single(v);
        foreach (var v in _cross) to.Single(v);
        to.Single(_square);
        to.Single(_weight);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static LossAttribution Read(ref ByteReader from)
    {
        var n = from.Count(from.Left);
        var a = new LossAttribution { _ids = new ulong[n], _seen = new int[n] };
        for (var i = 0; i < n; i++) (a._ids[i], a._seen[i]) = (from.UInt64(), checked((int)from.VarInt()));
        var k = from.Count(2 * MaxMembers);
        if (k != (n <= MaxMembers ? 2 * n : 0)) throw from.Bad($"a feeder of {n} members has {k} columns");
        a._products = new float[k * (k + 1) / 2];
        a._cross = new float[k];
        for (var i = 0; i < a._products.Length; i++) a._products[i] = from.Single();
        for (var i = 0; i < k; i++) a._cross[i] = from.Single();
        (a._square, a._weight) = (from.Single(), from.Single());
        return a;
    }
}
