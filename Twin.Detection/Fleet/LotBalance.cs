using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// Batch surveillance by energy: which lot's meters count too much or too little, from how the losses of many feeders
/// moved and how much of each lot hangs behind them. One finding on the lot, none on its meters.
/// </summary>
/// <remarks>
/// Change of loss share = −Σ gain of lot · share of lot + noise, solved over feeders by least trimmed squares with a
/// weak prior (Rousseeuw 1984), so that thieves and panels on a few feeders do not become a bad lot. A lot is stated
/// when its gain differs from that of all others by five standard errors and by two percent. Remote error estimates
/// from balances: Nakutis and Kaškonas, Energies 13, 5245, 2020.
/// </remarks>
public sealed class LotBalance
{
    /// <summary>Feeders followed (of more, the first that spoke), and lots told apart.</summary>
    public const int MaxFeeders = 2_048, MaxLots = 64;

    /// <summary>Least change of gain that is stated, and standard errors that it takes.</summary>
    public const double LeastGain = 0.02, StandardErrors = 5;

    private const int FreshDays = 21, FewestFeeders = 4;

    /// <summary>
    /// Feeders beyond the lots that a fit needs, and how much more it takes where they are few: standard errors times
    /// 1 + this / (feeders − lots). A trimmed fit to few feeders takes its own noise for less than it is.
    /// </summary>
    private const int FewestSpare = 6;
    private const double SpareWeight = 10;

    /// <summary>
    /// A balance is no better than its meters; what a lot's gain may be before anything is known; a share that counts.
    /// </summary>
    private const double FloorSigma = 0.004, PriorSigma = 0.1, FewShare = 0.1;

    /// <summary>
    /// Share of the feeders that the fit is made of, its random starts and steps; the factor that makes the trimmed sum
    /// of squares that of a normal sample (0.75 kept); and residuals, in standard deviations, that agree with it.
    /// </summary>
    private const double Trimmed = 0.75, Consistency = 2.7, Agrees = 3;
    private const int Starts = 100, Steps = 3;
    private const ulong Seed = 0x4C6F_7442_616C_616E;
    private const byte EncodingVersion = 1;

    private sealed class Row
    {
        public int Day;
        public float Change;
        public LotShare[] Lots = [];
    }

    private readonly SortedDictionary<ulong, Row> _feeders = [];
    /// <summary>Lots that were stated; at the bound no further one is.</summary>
    private const int MaxStated = 1_024;
    private readonly SortedSet<string> _stated = new(StringComparer.Ordinal);
    private int _judged = int.MinValue;

    public int Feeders => _feeders.Count;

    public void Note(ulong feeder, int day, float change, LotShare[] lots)
    {
        if (!_feeders.TryGetValue(feeder, out var row))
        {
            if (_feeders.Count == MaxFeeders) return;
            _feeders[feeder] = row = new Row();
        }
        (row.Day, row.Change, row.Lots) = (day, change, lots);
    }

    /// <summary>Judges once in <see cref="FeederLots.TellDays"/>, on what feeders said of late.</summary>
    public void Judge(int day, IFindingSink findings)
    {
        if (_judged != int.MinValue && (long)day - _judged < FeederLots.TellDays) return;
        Row[] rows = [.. _feeders.Values.Where(r => day - r.Day <= FreshDays)];
        string[] lots = [.. rows.SelectMany(r => r.Lots).Select(l => l.Lot).Distinct()
            .Order(StringComparer.Ordinal).Take(MaxLots)];
        if (lots.Length < 2 || rows.Length < lots.Length + FewestSpare) return;
        _judged = day;
        var shares = SharesOf(rows, lots);
        var needed = StandardErrors * (1 + SpareWeight / (rows.Length - lots.Length));
        var (gains, covariance) = Solve(rows, shares, lots.Length);
        for (var l = 0; l < lots.Length; l++)
        {
            if (_stated.Contains(lots[l]) || _stated.Count == MaxStated) continue;
            var (own, others, error) = Contrast(l, gains, covariance, shares, rows.Length);
            var feeders = Enumerable.Range(0, rows.Length).Count(i => shares[i * lots.Length + l] >= FewShare);
            var off = Math.Abs(own - others);
            if (feeders < FewestFeeders - 1 || off < LeastGain || off < needed * error
                || Math.Abs(own) < Math.Abs(others)) continue;
            _stated.Add(lots[l]);
            findings.Add(Statement(lots[l], own - others, error, feeders, day));
        }
    }

    private static double[] SharesOf(Row[] rows, string[] lots)
    {
        var shares = new double[rows.Length * lots.Length];
        for (var i = 0; i < rows.Length; i++)
            foreach (var (lot, share) in rows[i].Lots)
                if (Array.BinarySearch(lots, lot, StringComparer.Ordinal) is >= 0 and var l)
                    shares[i * lots.Length + l] = share;
        return shares;
    }

    /// <summary>Gains by lot and their covariance: least trimmed squares, then what agrees with it.</summary>
    private static (double[] Gains, double[] Covariance) Solve(Row[] rows, double[] shares, int n)
    {
        var h = Math.Min(rows.Length, Math.Max(n + 2, (int)Math.Ceiling(Trimmed * rows.Length)));
        var (best, least) = (new double[rows.Length], double.MaxValue);
        var draw = new SplitMix64(Seed);
        for (var start = 0; start < Starts; start++)
        {
            var weights = new double[rows.Length];
            for (var k = 0; k <= n; k++) weights[draw.Next(rows.Length)] = 1;
            var sum = 0.0;
            for (var step = 0; step < Steps; step++)
                sum = Concentrate(weights, Residuals(rows, shares, Fit(rows, shares, weights, n, FloorSigma).Gains), h);
            if (sum < least) (best, least) = (weights, sum);
        }
        var sigma = Math.Max(FloorSigma, Math.Sqrt(Consistency * least / Math.Max(1, h - n)));
        var fit = Fit(rows, shares, best, n, sigma);
        var residuals = Residuals(rows, shares, fit.Gains);
        for (var i = 0; i < rows.Length; i++) best[i] = Math.Abs(residuals[i]) <= Agrees * sigma ? 1 : 0;
        fit = Fit(rows, shares, best, n, sigma);
        for (var k = 0; k < fit.Inverse.Length; k++) fit.Inverse[k] *= sigma * sigma;
        return fit;
    }

    /// <summary>Weight 1 for the h least residuals, the earlier one first among equals; their sum of squares.</summary>
    private static double Concentrate(double[] weights, double[] residuals, int h)
    {
        var order = Enumerable.Range(0, residuals.Length).OrderBy(i => Math.Abs(residuals[i])).ThenBy(i => i).ToArray();
        Array.Clear(weights);
        var sum = 0.0;
        for (var k = 0; k < h; k++)
        {
            weights[order[k]] = 1;
            sum += residuals[order[k]] * residuals[order[k]];
        }
        return sum;
    }

    private static double[] Residuals(Row[] rows, double[] shares, double[] gains)
    {
        var residuals = new double[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            residuals[i] = rows[i].Change;
            for (var a = 0; a < gains.Length; a++) residuals[i] += shares[i * gains.Length + a] * gains[a];
        }
        return residuals;
    }

    private static (double[] Gains, double[] Inverse) Fit(Row[] rows, double[] shares, double[] weights, int n,
        double sigma)
    {
        var (normal, right) = (new double[n * n], new double[n]);
        for (var i = 0; i < rows.Length; i++)
        {
            if (weights[i] <= 0) continue;
            for (var a = 0; a < n; a++)
            {
                right[a] -= weights[i] * shares[i * n + a] * rows[i].Change;
                for (var b = 0; b < n; b++)
                    normal[a * n + b] += weights[i] * shares[i * n + a] * shares[i * n + b];
            }
        }
        for (var a = 0; a < n; a++) normal[a * n + a] += sigma * sigma / (PriorSigma * PriorSigma);
        var inverse = Inverse(normal, n);
        var gains = new double[n];
        for (var a = 0; a < n; a++)
            for (var b = 0; b < n; b++) gains[a] += inverse[a * n + b] * right[b];
        return (gains, inverse);
    }

    /// <summary>Gauss-Jordan without pivoting: the prior made the matrix positive definite.</summary>
    private static double[] Inverse(double[] matrix, int n)
    {
        var (a, inverse) = ((double[])matrix.Clone(), new double[n * n]);
        for (var i = 0; i < n; i++) inverse[i * n + i] = 1;
        for (var p = 0; p < n; p++)
        {
            var pivot = a[p * n + p];
            for (var j = 0; j < n; j++) (a[p * n + j], inverse[p * n + j]) =
                (a[p * n + j] / pivot, inverse[p * n + j] / pivot);
            for (var i = 0; i < n; i++)
            {
                if (i == p) continue;
                var factor = a[i * n + p];
                for (var j = 0; j < n; j++)
                {
                    a[i * n + j] -= factor * a[p * n + j];
                    inverse[i * n + j] -= factor * inverse[p * n + j];
                }
            }
        }
        return inverse;
    }

    /// <summary>A lot's gain, that of the others by their energy, and the standard error of the difference.</summary>
    private static (double Own, double Others, double Error) Contrast(int lot, double[] gains, double[] covariance,
        double[] shares, int rows)
    {
        var n = gains.Length;
        var weights = new double[n];
        var rest = 0.0;
        for (var l = 0; l < n; l++)
        {
            for (var i = 0; i < rows; i++) weights[l] += shares[i * n + l];
            if (l != lot) rest += weights[l];
        }
        var others = 0.0;
        for (var l = 0; l < n; l++)
        {
            weights[l] = l == lot ? 1 : -weights[l] / Math.Max(rest, 1e-12);
            if (l != lot) others -= weights[l] * gains[l];
        }
        var variance = 0.0;
        for (var a = 0; a < n; a++)
            for (var b = 0; b < n; b++) variance += weights[a] * weights[b] * covariance[a * n + b];
        return (gains[lot], others, Math.Sqrt(Math.Max(variance, 0)));
    }

    private static Finding Statement(string lot, double gain, double error, int feeders, int day)
    {
        var (model, name) = lot.Split('|') is [var m, var l] ? (m, l) : ("", lot);
        var to = new UnixTime((day + 1L) * 86_400);
        return FleetStatements.Make(LotDrift.KeyOf(model, name), FindingKind.MetrologySuspect,
            new UnixTime((day - FreshDays) * 86_400L), to, to, 3, Severity.Medium, 0.8, FleetStatements.Lots, "",
            $"The meters of lot {name} of {model} have come to count {Statements.Percent(gain)} too "
                + $"{(gain > 0 ? "much" : "little")} since the first weeks of their feeders: the balances of {feeders} "
                + "feeders moved as much as they have of this lot.",
            [
                new Evidence("lot_gain", gain, 0, 0.8, ""), new Evidence("standard_errors", gain / error, 0, 0.2, ""),
                new Evidence("feeders", feeders, 0, 0, ""),
            ]) with
        { Cause = SharedCauses.Lot(model, name) };
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarInt(_judged);
        to.VarUInt((ulong)_stated.Count);
        foreach (var lot in _stated) to.Text(lot);
        to.VarUInt((ulong)_feeders.Count);
        foreach (var (feeder, row) in _feeders)
        {
            to.UInt64(feeder);
            to.VarInt(row.Day);
            to.Single(row.Change);
            to.VarUInt((ulong)row.Lots.Length);
            foreach (var (lot, share) in row.Lots)
            {
                to.Text(lot);
                to.Single(share);
            }
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static LotBalance Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a balance of lots");
        var balance = new LotBalance { _judged = r.Int() };
        var stated = r.Count(MaxStated);
        for (var i = 0; i < stated; i++) balance._stated.Add(r.Text());
        var feeders = r.Count(MaxFeeders);
        for (var i = 0; i < feeders; i++)
        {
            var feeder = r.UInt64();
            var row = new Row { Day = r.Int(), Change = r.Single(), Lots = new LotShare[r.Count(FeederLots.MaxLots)] };
            for (var l = 0; l < row.Lots.Length; l++) row.Lots[l] = new LotShare(r.Text(), r.Single());
            balance._feeders[feeder] = row;
        }
        return balance;
    }
}
