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

    /// <summary>Takes over what another filter learned; <paramref name="from"/> tells its column, −1 for none.</summary>
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
        var at = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var c = values[i];
            innovation -= _coefficients[i] * c;
            var own = 0f;
            for (var j = 0; j < i; j++)
            {
                var v = _covariance[at++];
                own += v * values[j];
                product[j] += v * c;
            }
            product[i] += own + _covariance[at++] * c;
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
        var at = 0;
        for (var i = 0; i < product.Length; i++)
        {
            var gain = product[i] * scale;
            _coefficients[i] += gain * innovation;
            for (var j = 0; j <= i; j++) _covariance[at++] -= gain * product[j];
        }
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
        if (k != columns) throw from.Bad($"a feeder's filter has {k} columns, {columns} belong to its members");
        var filter = new LossFilter(k);
        for (var i = 0; i < filter._covariance.Length; i++) filter._covariance[i] = from.Single();
        for (var i = 0; i < k; i++) filter._coefficients[i] = from.Single();
        for (var i = 0; i < Parts; i++) filter._noise[i] = from.Single();
        return filter;
    }
}
