namespace Twin.Detection.Evaluation.References;

/// <summary>
/// Robust z-scores by hour of the day: the last week's mean of the hour's log energy against its median and spread in
/// the days before, less the z of the median home that day.
/// </summary>
internal sealed class HourScores
{
    private const double Floor = 30, FloorOfSpread = 0.1, Most = 6;
    private readonly double[][][] _z;

    public HourScores(HomeDays x)
    {
        _z = [.. Enumerable.Range(0, x.Meters).Select(_ =>
            Enumerable.Range(0, x.Days).Select(_ => new double[HomeDays.Hours]).ToArray())];
        var log = new double[x.Days];
        for (var h = 0; h < x.Meters; h++)
        {
            for (var i = 0; i < HomeDays.Hours; i++)
            {
                for (var d = 0; d < x.Days; d++) log[d] = Math.Log(x.Hour[h][d][i] + Floor);
                var usual = new Baseline(log);
                for (var d = HomeDays.Week; d < x.Days; d++)
                {
                    var z = (HomeDays.WeekMean(log, d) - usual.Median[d]) / (usual.Spread[d] + FloorOfSpread);
                    // 0 when it cannot be told.
                    _z[h][d][i] = double.IsNaN(z) ? 0 : z;
                }
            }
        }
        for (var d = 0; d < x.Days; d++)
        {
            for (var i = 0; i < HomeDays.Hours; i++)
            {
                var median = HomeDays.MedianOf(_z.Select(r => r[d][i]).ToArray());
                foreach (var home in _z) home[d][i] = Math.Clamp(home[d][i] - median, -Most, Most);
            }
        }
    }

    public double[] this[int meter, int day] => _z[meter][day];
}
