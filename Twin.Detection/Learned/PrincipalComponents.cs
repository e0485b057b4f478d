using Twin.Hardware.Coding;

namespace Twin.Detection.Learned;

/// <summary>
/// How far a row lies outside of the plane in which honest rows lie: what the first principal components leave of the
/// distance from the mean (squared prediction error, Jackson and Mudholkar, Technometrics 21, 1979, its root).
/// </summary>
public sealed class PrincipalComponents
{
    public const int MaxRank = 64;

    private readonly float[] _mean;
    private readonly float[][] _axes;

    /// <exception cref="InvalidDataException">An axis has another length than the mean, or a number is not finite.
    /// </exception>
    public PrincipalComponents(float[] mean, float[][] axes)
    {
        (_mean, _axes) = (mean, axes);
        if (axes.Length is 0 or > MaxRank) throw new InvalidDataException("no axis, or too many");
        foreach (var axis in (IEnumerable<float[]>)[mean, .. axes])
            if (axis.Length != mean.Length || !Array.TrueForAll(axis, float.IsFinite))
                throw new InvalidDataException("an axis that is none");
    }

    public double Score(ReadOnlySpan<float> row)
    {
        var (whole, within) = Parts(row);
        return Math.Sqrt(Math.Max(0, whole - within));
    }

    /// <summary>The same as a share of the distance, 0 to 1: as ML.NET tells it.</summary>
    internal double Share(ReadOnlySpan<float> row)
    {
        var (whole, within) = Parts(row);
        return whole <= 0 ? 0 : Math.Sqrt(Math.Max(0, whole - within) / whole);
    }

    /// <summary>Squared distance from the mean, and how much of it lies in the plane.</summary>
    private (double Whole, double Within) Parts(ReadOnlySpan<float> row)
    {
        var (whole, within) = (0.0, 0.0);
        for (var i = 0; i < _mean.Length; i++) whole += ((double)row[i] - _mean[i]) * ((double)row[i] - _mean[i]);
        foreach (var axis in _axes)
        {
            var along = 0.0;
            for (var i = 0; i < axis.Length; i++) along += axis[i] * ((double)row[i] - _mean[i]);
            within += along * along;
        }
        return (whole, within);
    }

    internal void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_axes.Length);
        foreach (var axis in (IEnumerable<float[]>)[_mean, .. _axes])
            foreach (var v in axis) to.Single(v);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    internal static PrincipalComponents Read(ref ByteReader r, int features)
    {
        var all = new float[r.Count(MaxRank) + 1][];
        for (var a = 0; a < all.Length; a++)
        {
            all[a] = new float[features];
            for (var i = 0; i < features; i++) all[a][i] = r.Single();
        }
        return new PrincipalComponents(all[0], all[1..]);
    }
}
