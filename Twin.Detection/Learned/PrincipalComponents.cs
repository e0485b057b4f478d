using Twin.Hardware.Coding;

namespace Twin.Detection.Learned;

/// <summary>
/// How much of a row lies outside of the plane in which honest rows lie: what the first principal components leave of
/// the squared distance from the mean, as a share of it, its root (0: in the plane, 1: at right angles to it).
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
        var (whole, within) = (0.0, 0.0);
        for (var i = 0; i < _mean.Length; i++) whole += ((double)row[i] - _mean[i]) * ((double)row[i] - _mean[i]);
        if (whole <= 0) return 0;
        foreach (var axis in _axes)
        {
            var along = 0.0;
            for (var i = 0; i < axis.Length; i++) along += axis[i] * ((double)row[i] - _mean[i]);
            within += along * along;
        }
        return Math.Sqrt(Math.Max(0, whole - within) / whole);
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
