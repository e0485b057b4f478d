namespace Twin.Detection.Evaluation.References;

/// <summary>The first principal axes of some rows, by power iteration with deflation.</summary>
internal static class PrincipalAxes
{
    private const int Iterations = 60;

    public static double[][] Of(double[][] rows, int count)
    {
        var n = rows[0].Length;
        var covariance = new double[n, n];
        foreach (var row in rows)
            for (var i = 0; i < n; i++)
                for (var j = 0; j < n; j++) covariance[i, j] += row[i] * row[j] / rows.Length;
        var axes = new double[count][];
        for (var a = 0; a < count; a++)
        {
            var axis = new double[n];
            for (var i = 0; i < n; i++) axis[i] = 1.0 / (1 + i + a);
            var length = 0.0;
            for (var t = 0; t < Iterations; t++) (axis, length) = Step(covariance, axis);
            axes[a] = axis;
            for (var i = 0; i < n; i++)
                for (var j = 0; j < n; j++) covariance[i, j] -= length * axis[i] * axis[j];
        }
        return axes;
    }

    private static (double[] Axis, double Length) Step(double[,] covariance, double[] axis)
    {
        var n = axis.Length;
        var next = new double[n];
        var square = 0.0;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++) next[i] += covariance[i, j] * axis[j];
            square += next[i] * next[i];
        }
        var length = Math.Sqrt(square);
        if (length > 0)
            for (var i = 0; i < n; i++) next[i] /= length;
        return (next, length);
    }

    /// <summary>Squared length of what the axes leave of a row.</summary>
    public static double Residual(double[] row, double[][] axes)
    {
        var left = (double[])row.Clone();
        foreach (var axis in axes)
        {
            var along = 0.0;
            for (var i = 0; i < row.Length; i++) along += row[i] * axis[i];
            for (var i = 0; i < row.Length; i++) left[i] -= along * axis[i];
        }
        var sum = 0.0;
        foreach (var v in left) sum += v * v;
        return sum;
    }
}
