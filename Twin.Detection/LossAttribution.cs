using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// Which member explains what a feeder misses. A Kalman filter over the missing energy of each block of the day, with
/// two coefficients a member: on what it reports (a meter that counts a fixed share too little misses in proportion),
/// and on how far it reports below its own profile (a meter that leaves out hours misses what the profile still
/// expects). All columns are shares of the feeder's block, so that the observer's noise is the same in each. The
/// median member's first coefficient is the technical loss; strength is what lies above it, less
/// <see cref="Deadband"/>, in standard deviations of the estimate.
/// </summary>
/// <remarks>
/// The coefficients walk (a theft begins and ends), the noise is estimated from the innovations and a wild block
/// counts less (Huber), because one meter that replaces its readings makes hours in which nothing can be learned of
/// the others. State: for n members 2n(2n+1)/2 + 2n floats, 3.6 KiB for 20 members. A feeder of more than
/// <see cref="MaxMembers"/> members keeps its balance and names nobody.
/// </remarks>
internal sealed class LossAttribution
{
    public const int MaxMembers = 32;
    private const float WeakestNamed = 1.5f;

    /// <summary>
    /// Meters differ by their accuracy class and feeders by where the loss falls: so much is nobody's theft.
    /// </summary>
    private const double Deadband = 0.03;

    /// <summary>
    /// Technical loss assumed at first; variances of the coefficients at first and their growth in a day.
    /// </summary>
    private const float LossAtFirst = 0.035f, ShareVariance = 0.16f, BelowVariance = 0.09f, DailyVariance = 0.0003f;

    /// <summary>Noise variance of a block at first and at least: the observer's accuracy, squared.</summary>
    private const float NoiseAtFirst = 0.0004f, LeastNoise = 0.000016f, NoiseRate = 0.5f / DayShape.Blocks;

    /// <summary>An innovation beyond so many standard deviations counts less: Huber's constant.</summary>
    private const float HuberAt = 1.345f;

    /// <summary>Complete days before anybody is named.</summary>
    private const int EnoughDays = 8;

    private ulong[] _ids = [];
    private int[] _seen = [];

    /// <summary>
    /// Packed lower triangle of the coefficients' covariance, the coefficients, and the noise variance of a block.
    /// </summary>
    private float[] _covariance = [], _coefficients = [];
    private float _noise = NoiseAtFirst;
    private int _days;

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
        var covariance = new float[columns * (columns + 1) / 2];
        var coefficients = new float[columns];
        for (var i = 0; i < columns; i++)
        {
            var oldI = _coefficients.Length == 0 ? -1 : OldColumn(ids, i);
            coefficients[i] = oldI >= 0 ? _coefficients[oldI] : i < n ? LossAtFirst : 0f;
            if (oldI < 0) covariance[At(i, i)] = i < n ? ShareVariance : BelowVariance;
            for (var j = 0; oldI >= 0 && j <= i; j++)
            {
                var oldJ = OldColumn(ids, j);
                if (oldJ >= 0) covariance[At(i, j)] = _covariance[At(Math.Max(oldI, oldJ), Math.Min(oldI, oldJ))];
            }
        }
        (_ids, _seen, _covariance, _coefficients) = (ids, [.. seen.Values], covariance, coefficients);
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
        if (_coefficients.Length == 0) return;
        for (var i = 0; i < 2 * n; i++)
        {
            ref var variance = ref _covariance[At(i, i)];
            variance = Math.Min(variance + DailyVariance, i < n ? ShareVariance : BelowVariance);
        }
        _days = Math.Min(_days + 1, 1_000_000);
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
                var below = member.Features.ExpectedWh > 0
                    ? factor * member.Features.ExpectedBlocks.Wh(block) - wh : 0f;
                columns[at] = wh / reported;
                columns[n + at++] = below / reported;
            }
            Add(columns, (observed - reported) / reported);
        }
        if (_days >= EnoughDays) NameSuspects(members, factor, ref today);
    }

    /// <summary>One measurement: gain, coefficients, covariance, in packed form.</summary>
    private void Add(ReadOnlySpan<float> columns, float missing)
    {
        Span<float> product = stackalloc float[2 * MaxMembers];
        product = product[..columns.Length];
        product.Clear();
        var innovation = missing;
        var at = 0;
        for (var i = 0; i < columns.Length; i++)
        {
            var c = columns[i];
            innovation -= _coefficients[i] * c;
            var own = 0f;
            for (var j = 0; j < i; j++)
            {
                var v = _covariance[at++];
                own += v * columns[j];
                product[j] += v * c;
            }
            product[i] += own + _covariance[at++] * c;
        }
        var known = 0f;
        for (var i = 0; i < columns.Length; i++) known += product[i] * columns[i];
        known = Math.Max(0f, known);
        var square = innovation * innovation;
        var surplus = square / (HuberAt * HuberAt * (_noise + known));
        var noise = surplus > 1f ? _noise * MathF.Sqrt(surplus) : _noise;
        _noise = Math.Max(LeastNoise, _noise + NoiseRate * (Math.Clamp(square - known, 0f, 6f * _noise) - _noise));
        var scale = 1f / (known + noise);
        at = 0;
        for (var i = 0; i < columns.Length; i++)
        {
            var gain = product[i] * scale;
            _coefficients[i] += gain * innovation;
            for (var j = 0; j <= i; j++) _covariance[at++] -= gain * product[j];
        }
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
        var n = _ids.Length;
        today.IsAttributed = true;
        Span<float> sorted = stackalloc float[MaxMembers];
        sorted = sorted[..n];
        _coefficients.AsSpan(0, n).CopyTo(sorted);
        sorted.Sort();
        var loss = sorted[n / 2];
        var at = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            var share = Beyond(_coefficients[at] - loss);
            var below = Beyond(_coefficients[n + at]);
            var strength = Strength(share, below, _covariance[At(at, at)], _covariance[At(n + at, at)],
                _covariance[At(n + at, n + at)]);
            var f = member.Features;
            var wh = Math.Max(0, share) * f.TotalWh
                + Math.Max(0, below) * Math.Max(0, factor * f.ExpectedWh - f.TotalWh);
            if (strength >= WeakestNamed) today.Name(new Attribution(member.Meter, (float)strength, (float)wh));
            at++;
        }
    }

    /// <summary>What lies outside the deadband.</summary>
    private static double Beyond(double value) =>
        value > Deadband ? value - Deadband : value < -Deadband ? value + Deadband : 0;

    /// <summary>
    /// Mahalanobis length of a member's two coefficients. Both signs speak: where readings are replaced, what is
    /// missing is the less the more the meter reports.
    /// </summary>
    private static double Strength(double a, double b, double va, double vab, double vb)
    {
        va = Math.Max(1e-6, va);
        vb = Math.Max(1e-6, vb);
        var determinant = va * vb - vab * vab;
        return determinant < 1e-3 * va * vb
            ? Math.Sqrt(Math.Max(a * a / va, b * b / vb))
            : Math.Sqrt(Math.Max(0, (a * a * vb - 2 * a * b * vab + b * b * va) / determinant));
    }

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_ids.Length);
        for (var i = 0; i < _ids.Length; i++)
        {
            to.UInt64(_ids[i]);
            to.VarInt(_seen[i]);
        }
        to.VarUInt((ulong)_coefficients.Length);
        foreach (var v in _covariance) to.Single(v);
        foreach (var v in _coefficients) to.Single(v);
        to.Single(_noise);
        to.VarInt(_days);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static LossAttribution Read(ref ByteReader from)
    {
        var n = from.Count(from.Left);
        var a = new LossAttribution { _ids = new ulong[n], _seen = new int[n] };
        for (var i = 0; i < n; i++) (a._ids[i], a._seen[i]) = (from.UInt64(), checked((int)from.VarInt()));
        var k = from.Count(2 * MaxMembers);
        if (k != (n <= MaxMembers ? 2 * n : 0)) throw from.Bad($"a feeder of {n} members has {k} columns");
        a._covariance = new float[k * (k + 1) / 2];
        a._coefficients = new float[k];
        for (var i = 0; i < a._covariance.Length; i++) a._covariance[i] = from.Single();
        for (var i = 0; i < k; i++) a._coefficients[i] = from.Single();
        (a._noise, a._days) = (from.Single(), checked((int)from.VarInt()));
        return a;
    }
}
