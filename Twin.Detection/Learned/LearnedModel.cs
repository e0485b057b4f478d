using System.Security.Cryptography;
using Twin.Detection.Evaluation.References;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Learned;

/// <summary>What a model is.</summary>
public enum LearnedKind : byte { Trees = 1, Components = 2 }

/// <summary>What a model was made of. Days are local day numbers.</summary>
/// <param name="Trainer">Library, version, algorithm.</param>
/// <param name="FirstDay">First day of the window.</param>
/// <param name="Days">Length of the window.</param>
/// <param name="Homes">Homes it was trained on.</param>
/// <param name="Rows">Rows it was trained on.</param>
/// <param name="Seed">Of all chance.</param>
public sealed record Training(string Trainer, int FirstDay, int Days, int Homes, int Rows, ulong Seed);

/// <summary>
/// A model that was trained on a utility's own homes. It scores a meter's week against those before
/// (<see cref="Features"/>), as any edition can: what trained it is not needed any more.
/// </summary>
public sealed class LearnedModel
{
    private const byte Version = 1;

    /// <summary>Bytes of the largest model.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    private const int MaxMetrics = 64;

    /// <summary>What a row holds, in order; a model of other features is another format.</summary>
    public static IReadOnlyList<string> Features { get; } =
    [
        "energy_change", "energy_change_to_cohort", "largest_change", "roughness_change", "zero_share_change",
        "stuck_or_repeated", "night_base_change", "evening_share_change", "shape_distance",
    ];

    private readonly TreeEnsemble? _trees;
    private readonly PrincipalComponents? _components;
    private readonly float[] _centre, _spread;

    /// <param name="trees">Of kind trees, else null.</param>
    /// <param name="components">Of kind components, else null.</param>
    /// <param name="centre">Centre of each feature.</param>
    /// <param name="spread">Spread of each, above 0: a row is scaled by both and held within ±10.</param>
    /// <param name="bar">Raw scores that half of the honest homes, and one in a hundred, reach within 92 days.</param>
    /// <param name="training">Where it comes from.</param>
    /// <param name="metrics">Measured on homes that took no part in the training.</param>
    /// <exception cref="InvalidDataException">Something of it cannot be.</exception>
    public LearnedModel(TreeEnsemble? trees, PrincipalComponents? components, float[] centre, float[] spread,
        (double Median, double Hundredth) bar, Training training, IReadOnlyList<(string Name, double Value)> metrics)
    {
        (_trees, _components, _centre, _spread) = (trees, components, centre, spread);
        (Bar, Training, Metrics) = (bar, training, metrics);
        if ((trees is null) == (components is null)) throw new InvalidDataException("a model is of one kind");
        if (centre.Length != Features.Count || spread.Length != Features.Count
            || !Array.TrueForAll(centre, float.IsFinite) || !Array.TrueForAll(spread, s => s > 0 && float.IsFinite(s)))
            throw new InvalidDataException("a scale that is none");
        if (!(bar.Hundredth > bar.Median) || !double.IsFinite(bar.Hundredth) || !double.IsFinite(bar.Median))
            throw new InvalidDataException("a bar below the median");
        if (metrics.Count > MaxMetrics) throw new InvalidDataException("too many metrics");
        Digest = SHA256.HashData(ToBytes());
    }

    public LearnedKind Kind => _trees is null ? LearnedKind.Components : LearnedKind.Trees;
    public (double Median, double Hundredth) Bar { get; }
    public Training Training { get; }
    public IReadOnlyList<(string Name, double Value)> Metrics { get; }

    /// <summary>SHA-256 of the encoding: its name.</summary>
    public byte[] Digest { get; }

    public string Name => Convert.ToHexStringLower(Digest.AsSpan(0, 8));

    /// <summary>As the model tells it, in its own unit.</summary>
    public double Raw(ReadOnlySpan<double> row)
    {
        Span<float> scaled = stackalloc float[Features.Count];
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = Math.Clamp(((float)row[i] - _centre[i]) / _spread[i], -10f, 10f);
        return _trees?.Score(scaled) ?? _components!.Score(scaled);
    }

    /// <summary>
    /// 0: as half of the honest homes reach within 92 days; 1: as one in a hundred does; at most 3. The unit of the
    /// built-in score.
    /// </summary>
    public double Score(ReadOnlySpan<double> row) =>
        Math.Clamp((Raw(row) - Bar.Median) / (Bar.Hundredth - Bar.Median), 0, 3);

    /// <summary>Scores of every meter and day of a set, 0 before the first judged day.</summary>
    public static double[][] Of(EvaluationRows rows, Func<double[], double> score)
    {
        var scores = new double[rows.Meters][];
        for (var h = 0; h < rows.Meters; h++)
        {
            scores[h] = new double[rows.Days];
            for (var d = Evaluation.Protocol.FirstJudgedDay; d < rows.Days; d++) scores[h][d] = score(rows[h, d]);
        }
        return scores;
    }

    public byte[] ToBytes()
    {
        var to = new ByteWriter(4096);
        to.Byte(Version);
        to.Byte((byte)Kind);
        to.VarUInt((ulong)Features.Count);
        foreach (var v in _centre) to.Single(v);
        foreach (var v in _spread) to.Single(v);
        to.Double(Bar.Median);
        to.Double(Bar.Hundredth);
        to.Text(Training.Trainer);
        to.VarInt(Training.FirstDay);
        to.VarInt(Training.Days);
        to.VarInt(Training.Homes);
        to.VarInt(Training.Rows);
        to.UInt64(Training.Seed);
        to.VarUInt((ulong)Metrics.Count);
        foreach (var (name, value) in Metrics)
        {
            to.Text(name);
            to.Double(value);
        }
        _trees?.Write(to);
        _components?.Write(to);
        return to.ToArray();
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static LearnedModel Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        if (r.Byte() is var version && version != Version)
            throw r.Bad($"a model has encoding version {version}, this MeterTwin knows {Version}");
        var kind = (LearnedKind)r.Byte((byte)LearnedKind.Trees, (byte)LearnedKind.Components);
        if (r.Count(1_000) is var count && count != Features.Count)
            throw r.Bad($"a model of {count} features, this MeterTwin makes {Features.Count}");
        var (centre, spread) = (Floats(ref r), Floats(ref r));
        var bar = (r.Double(), r.Double());
        var training = new Training(r.Text(), r.Int(), r.Int(), r.Int(), r.Int(), r.UInt64());
        var metrics = new (string, double)[r.Count(MaxMetrics)];
        for (var i = 0; i < metrics.Length; i++) metrics[i] = (r.Text(), r.Double());
        var trees = kind == LearnedKind.Trees ? TreeEnsemble.Read(ref r, Features.Count) : null;
        var components = kind == LearnedKind.Components ? PrincipalComponents.Read(ref r, Features.Count) : null;
        if (!r.AtEnd) throw r.Bad("there is more behind the model");
        return new LearnedModel(trees, components, centre, spread, bar, training, metrics);
    }

    private static float[] Floats(ref ByteReader r)
    {
        var all = new float[Features.Count];
        for (var i = 0; i < all.Length; i++) all[i] = r.Single();
        return all;
    }
}
