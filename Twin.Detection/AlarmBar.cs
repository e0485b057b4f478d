using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// From which score on a meter's day is a finding: learnt from the fleet so that findings stay within a budget, and
/// moved by verdicts within limits. Default: nothing is learnt, and the fixed bar holds.
/// </summary>
/// <remarks>
/// Each meter tells the highest score of each block of 28 days, unless its last block was a finding already. The bar is
/// the quantile of these block maxima that as many meters pass as the budget has room for: with 40 findings per 1,000
/// meter-years, 0.04 · 28 / 365 = 0.31 % of the blocks. Block maxima because one episode lasts many days, and counts
/// once.
/// </remarks>
public readonly struct AlarmBar
{
    /// <summary>The budget: findings of reading models a meter and year.</summary>
    public const double FindingsPerMeterYear = 0.04;

    /// <summary>The bar where nothing is learnt, in units of <see cref="DayVerdict.Score"/>.</summary>
    public const double Fixed = 1.35;

    /// <summary>Days of a block, and the share of blocks that the budget lets pass the bar.</summary>
    public const int BlockDays = 28;
    public const double ShareAbove = FindingsPerMeterYear * BlockDays / 365;

    /// <summary>Blocks below which a quantile of so few is chance: five are expected above it.</summary>
    public const int EnoughBlocks = 1_600;

    /// <summary>
    /// How far what is learnt may be from the fixed bar: a fleet of thieves cannot make it blind, nor a very quiet one
    /// make it speak of everything.
    /// </summary>
    public const double LeastOfFixed = 0.75, MostOfFixed = 2;

    /// <summary>Kinds of finding that verdicts moved; further ones keep the bar.</summary>
    public const int MaxKinds = 32;

    private readonly float _learnt;
    private readonly (FindingKind Kind, float Factor)[]? _factors;

    public AlarmBar(double learnt, IEnumerable<(FindingKind Kind, double Factor)> factors)
    {
        _learnt = (float)learnt;
        (FindingKind, float)[] kept = [.. factors.Take(MaxKinds).Select(f => (f.Kind, (float)f.Factor))];
        _factors = kept.Length == 0 ? null : kept;
    }

    /// <summary>The learnt bar; 0 while there is none.</summary>
    public double Learnt => _learnt;

    /// <summary>What the fleet's block maxima say; 0 while there are not enough of them.</summary>
    public static double From(ScoreSketch blocks) => blocks.Count < EnoughBlocks ? 0 : blocks.Above(ShareAbove);

    /// <summary>The bar of a kind, where without any knowledge it would be <paramref name="fixedBar"/>.</summary>
    public double Of(FindingKind kind, double fixedBar)
    {
        var bar = _learnt > 0 ? Math.Clamp(_learnt, LeastOfFixed * fixedBar, MostOfFixed * fixedBar) : fixedBar;
        foreach (var (k, factor) in _factors ?? [])
            if (k == kind) return bar * Math.Clamp(factor, VerdictBook.LeastFactor, VerdictBook.MostFactor);
        return bar;
    }

    public void Write(ByteWriter to)
    {
        to.Single(_learnt);
        to.VarUInt((ulong)(_factors?.Length ?? 0));
        foreach (var (kind, factor) in _factors ?? [])
        {
            to.Byte((byte)kind);
            to.Single(factor);
        }
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static AlarmBar Read(ref ByteReader r)
    {
        var learnt = r.Single();
        if (!(learnt >= 0)) throw r.Bad("a bar is below zero");
        var factors = new (FindingKind Kind, double Factor)[r.Count(MaxKinds)];
        for (var i = 0; i < factors.Length; i++) factors[i] = ((FindingKind)r.Byte(), r.Single());
        return new AlarmBar(learnt, factors);
    }
}
