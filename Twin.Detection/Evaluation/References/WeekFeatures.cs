namespace Twin.Detection.Evaluation.References;

/// <summary>
/// One row a meter and day for the references that learn from the other meters: how the last week differs from those
/// before. Columns are put on one scale with median and spread of the rows they are trained on.
/// </summary>
internal sealed class WeekFeatures
{
    public const int Count = 9;

    /// <summary>Days between two trainings, and days of rows that a training takes.</summary>
    public const int Refit = 7, TrainingDays = 14;

    private readonly double[][][] _rows;

    public WeekFeatures(HomeDays x)
    {
        _rows = [.. Enumerable.Range(0, x.Meters).Select(_ => new double[x.Days][])];
        var hour = new double[x.Days];
        for (var h = 0; h < x.Meters; h++)
        {
            Rows(x, h);
            Profile(x, h, hour);
        }
        for (var d = 0; d < x.Days; d++) AddCohort(d);
    }

    /// <summary>The row; NaN nowhere: what cannot be told is 0, which is "as before".</summary>
    public double[] this[int meter, int day] => _rows[meter][day];

    private void Rows(HomeDays x, int h)
    {
        var (total, largest, rough, zeros) = (new Baseline(x.Total[h]), new Baseline(x.Largest[h]),
            new Baseline(x.Roughness[h]), new Baseline(x.ZeroShare[h]));
        for (var d = 0; d < x.Days; d++)
        {
            var row = _rows[h][d] = new double[Count];
            row[0] = LogRatio(HomeDays.WeekMean(x.Total[h], d), total.Median[d], 100);
            row[2] = LogRatio(HomeDays.WeekMean(x.Largest[h], d), largest.Median[d], 10);
            row[3] = LogRatio(HomeDays.WeekMean(x.Roughness[h], d), rough.Median[d], 0.02);
            row[4] = Difference(HomeDays.WeekMean(x.ZeroShare[h], d), zeros.Median[d]);
            var run = Math.Max(x.ZeroRun[h][d], x.StuckRun[h][d]);
            row[5] = Math.Min(1, run / HomeDays.Hours) + (x.Repeats[h][d] ? 1 : 0);
        }
    }

    /// <summary>Night base, evening share and distance of the shape of the day, from hourly means.</summary>
    private void Profile(HomeDays x, int h, double[] hour)
    {
        var (week, usual) = (new double[x.Days][], new double[x.Days][]);
        for (var d = 0; d < x.Days; d++) (week[d], usual[d]) = (new double[HomeDays.Hours], new double[HomeDays.Hours]);
        for (var i = 0; i < HomeDays.Hours; i++)
        {
            for (var d = 0; d < x.Days; d++) hour[d] = x.Hour[h][d][i];
            var before = new Baseline(hour);
            for (var d = 0; d < x.Days; d++)
            {
                week[d][i] = HomeDays.WeekMean(hour, d);
                usual[d][i] = before.Median[d];
            }
        }
        for (var d = 0; d < x.Days; d++)
        {
            var (a, b) = (week[d].Sum(), usual[d].Sum());
            if (!(a > 0) || !(b > 0)) continue;
            var row = _rows[h][d];
            row[6] = LogRatio(week[d][1..5].Sum(), usual[d][1..5].Sum(), 20);
            row[7] = week[d][17..21].Sum() / a - usual[d][17..21].Sum() / b;
            for (var i = 0; i < HomeDays.Hours; i++) row[8] += Math.Abs(week[d][i] / a - usual[d][i] / b) / 2;
        }
    }

    /// <summary>The change of the energy beyond that of the median home.</summary>
    private void AddCohort(int d)
    {
        var all = _rows.Select(r => r[d][0]).ToArray();
        var median = HomeDays.MedianOf(all);
        foreach (var rows in _rows) rows[d][1] = rows[d][0] - median;
    }

    private static double LogRatio(double now, double before, double floor)
    {
        var ratio = Math.Log((now + floor) / (before + floor));
        return double.IsNaN(ratio) ? 0 : Math.Clamp(ratio, -5, 5);
    }

    private static double Difference(double now, double before) => double.IsNaN(now - before) ? 0 : now - before;

    /// <summary>The rows of all meters of the last <see cref="TrainingDays"/> days up to a day.</summary>
    public List<double[]> Training(int day)
    {
        var rows = new List<double[]>();
        for (var d = Math.Max(0, day - TrainingDays + 1); d <= day; d++)
            foreach (var home in _rows) rows.Add(home[d]);
        return rows;
    }
}

/// <summary>Median and robust spread of each column, to put rows on one scale.</summary>
internal sealed class Scale
{
    private readonly double[] _centre, _spread;

    public Scale(List<double[]> rows)
    {
        var columns = rows[0].Length;
        (_centre, _spread) = (new double[columns], new double[columns]);
        for (var c = 0; c < columns; c++)
        {
            var values = rows.Select(r => r[c]).ToArray();
            _centre[c] = HomeDays.MedianOf(values);
            var away = values.Select(v => Math.Abs(v - _centre[c])).ToArray();
            _spread[c] = 1.4826 * HomeDays.MedianOf(away) + 0.02;
        }
    }

    /// <summary>Scaled, and held within ±10.</summary>
    public double[] Of(double[] row)
    {
        var scaled = new double[row.Length];
        for (var c = 0; c < row.Length; c++) scaled[c] = Math.Clamp((row[c] - _centre[c]) / _spread[c], -10, 10);
        return scaled;
    }
}
