using System.Numerics;
using System.Runtime.Intrinsics;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// A Kalman filter whose coefficients walk: covariance as a packed lower triangle, coefficients, and the noise variance
/// by part of the day, estimated from the innovations. A wild measurement counts less (Huber), because one meter that
/// replaces its readings makes hours in which nothing can be learned of the others.
/// </summary>
internal sealed class LossFilter(int columns)
{
    /// <summary>Parts of a day with a noise of their own: nights are quieter than evenings.</summary>
    public const int Parts = 8;

    /// <summary>Noise variance at first and at least: the observer's accuracy, squared.</summary>
    private const float NoiseAtFirst = 0.0004f, LeastNoise = 0.000016f;
    private const float NoiseRate = 0.5f * Parts / DayShape.Blocks;

    /// <summary>An innovation beyond so many standard deviations counts less: Huber's constant.</summary>
    private const float HuberAt = 1.345f;

    private readonly float[] _covariance = new float[columns * (columns + 1) / 2];
    private readonly float[] _coefficients = new float[columns];
    private readonly float[] _noise = [.. Enumerable.Repeat(NoiseAtFirst, Parts)];

    public int Columns => _coefficients.Length;
    public ReadOnlySpan<float> Coefficients => _coefficients;

    private static int At(int row, int column) => row * (row + 1) / 2 + column;

    public float Covariance(int i, int j) => _covariance[i >= j ? At(i, j) : At(j, i)];

    public void Begin(int column, float coefficient, float variance)
    {
        _coefficients[column] = coefficient;
        _covariance[At(column, column)] = variance;
    }

    /// <summary>Takes over what another filter learned; <paramref name="from"/> tells its columns, −1 none.</summary>
    public void TakeOver(LossFilter other, ReadOnlySpan<int> from)
    {
        for (var i = 0; i < from.Length; i++)
        {
            if (from[i] < 0) continue;
            _coefficients[i] = other._coefficients[from[i]];
            for (var j = 0; j <= i; j++)
                if (from[j] >= 0) _covariance[At(i, j)] = other.Covariance(from[i], from[j]);
        }
        other._noise.CopyTo(_noise, 0);
    }

    /// <summary>A coefficient may have walked since the last day; it is never less known than at first.</summary>
    public void Widen(int column, float by, float most)
    {
        ref var variance = ref _covariance[At(column, column)];
        variance = Math.Min(variance + by, most);
    }

    /// <summary>One measurement: gain, coefficients, covariance.</summary>
    /// <param name="values">One for each column; <paramref name="product"/> is room of the same length.</param>
    public void Add(ReadOnlySpan<float> values, float measured, int part, Span<float> product)
    {
        product.Clear();
        var innovation = measured;
        ReadOnlySpan<float> triangle = _covariance;
        for (var i = 0; i < values.Length; i++)
        {
            innovation -= _coefficients[i] * values[i];
            var row = triangle.Slice(At(i, 0), i + 1);
            product[i] += Dot(row[..i], values) + row[i] * values[i];
            if (values[i] != 0f) AddScaled(product[..i], row, values[i]);
        }
        var known = 0f;
        for (var i = 0; i < values.Length; i++) known += product[i] * values[i];
        Update(innovation, Math.Max(0f, known), ref _noise[part], product);
    }

    private void Update(float innovation, float known, ref float usual, ReadOnlySpan<float> product)
    {
        var square = innovation * innovation;
        var surplus = square / (HuberAt * HuberAt * (usual + known));
        var noise = surplus > 1f ? usual * MathF.Sqrt(surplus) : usual;
        usual = Math.Max(LeastNoise, usual + NoiseRate * (Math.Clamp(square - known, 0f, 6f * usual) - usual));
        var scale = 1f / (known + noise);
        Span<float> triangle = _covariance;
        for (var i = 0; i < product.Length; i++)
        {
            var gain = product[i] * scale;
            _coefficients[i] += gain * innovation;
            AddScaled(triangle.Slice(At(i, 0), i + 1), product, -gain);
        }
    }

    /// <summary>
    /// Sum of products in one fixed order, whatever the machine: eight partial sums in vectors of a fixed width.
    /// </summary>
    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        const int Width = 4;
        var (even, odd) = (Vector128<float>.Zero, Vector128<float>.Zero);
        b = b[..a.Length];
        var i = 0;
        for (; i <= a.Length - 2 * Width; i += 2 * Width)
        {
            even += Vector128.Create(a[i..]) * Vector128.Create(b[i..]);
            odd += Vector128.Create(a[(i + Width)..]) * Vector128.Create(b[(i + Width)..]);
        }
        var sums = even + odd;
        var sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        for (; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    /// <summary>
    /// Adds a multiple, element by element: no sum, so that the width of the machine's vectors changes nothing.
    /// </summary>
    private static void AddScaled(Span<float> to, ReadOnlySpan<float> what, float by)
    {
        what = what[..to.Length];
        var i = 0;
        for (; i <= to.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(to[i..]) + new Vector<float>(what[i..]) * by).CopyTo(to[i..]);
        for (; i < to.Length; i++) to[i] += what[i] * by;
    }

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_coefficients.Length);
        foreach (var v in _covariance) to.Single(v);
        foreach (var v in _coefficients) to.Single(v);
        foreach (var v in _noise) to.Single(v);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static LossFilter Read(ref ByteReader from, int columns)
    {
        var k = from.Count(int.MaxValue);
        // A feeder without an observer has none.
        if (k != columns && k != 0)
            throw from.Bad($"a feeder's filter has {k} columns, {columns} belong to its members");
        var filter = new LossFilter(k);
        for (var i = 0; i < filter._covariance.Length; i++) filter._covariance[i] = from.Single();
        for (var i = 0; i < k; i++) filter._coefficients[i] = from.Single();
        for (var i = 0; i < Parts; i++) filter._noise[i] = from.Single();
        return filter;
    }
}
