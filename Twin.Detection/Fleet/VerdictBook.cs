using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// What people found out about findings, by kind, in one cohort; and what follows for the bar of that kind there.
/// </summary>
/// <remarks>
/// The share of wrong findings is estimated as the mean of a Beta distribution that begins with four right and four
/// wrong ones: w = (false + benign / 2 + 4) / (all + 8). The bar is the fleet's times 0.8 + 0.4 w below one half and
/// 0.5 + w above: from 0.8 where all were right to 1.5 where all were wrong. So no number of verdicts blinds a
/// detector, and a handful moves it by a few hundredths each. At <see cref="MaxOfAKind"/> all counts of the kind are
/// halved: what was said long ago counts less.
/// </remarks>
public sealed class VerdictBook
{
    /// <summary>Counted verdicts of one kind; bounds of what they do to a bar.</summary>
    public const int MaxOfAKind = 64;
    public const double LeastFactor = 0.8, MostFactor = 1.5;

    private const int Prior = 4;
    private const byte EncodingVersion = 1;

    private readonly SortedDictionary<FindingKind, (byte True, byte Benign, byte False)> _kinds = [];

    public bool IsEmpty => _kinds.Count == 0;

    public void Note(FindingKind kind, Outcome outcome)
    {
        var (t, b, f) = _kinds.GetValueOrDefault(kind);
        if (t + b + f == MaxOfAKind) (t, b, f) = ((byte)(t / 2), (byte)(b / 2), (byte)(f / 2));
        _kinds[kind] = outcome switch
        {
            Outcome.True => ((byte)(t + 1), b, f),
            Outcome.Benign => (t, (byte)(b + 1), f),
            _ => (t, b, (byte)(f + 1)),
        };
    }

    /// <summary>What the bar of a kind is multiplied by; 1 without verdicts.</summary>
    public double FactorOf(FindingKind kind)
    {
        var (t, b, f) = _kinds.GetValueOrDefault(kind);
        var wrong = (f + 0.5 * b + Prior) / (t + b + f + 2.0 * Prior);
        return wrong < 0.5 ? LeastFactor + 0.4 * wrong : 0.5 + wrong;
    }

    /// <summary>Kinds with verdicts and their factors, in the order of the kinds.</summary>
    public IEnumerable<(FindingKind Kind, double Factor)> Factors => _kinds.Keys.Select(k => (k, FactorOf(k)));

    /// <summary>Verdicts remembered of each kind; counts are halved whenever they reach the bound.</summary>
    public IEnumerable<(FindingKind Kind, int True, int Benign, int False)> Counts =>
        _kinds.Select(k => (k.Key, (int)k.Value.True, (int)k.Value.Benign, (int)k.Value.False));

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_kinds.Count);
        foreach (var (kind, (t, b, f)) in _kinds)
        {
            to.Byte((byte)kind);
            to.Byte(t);
            to.Byte(b);
            to.Byte(f);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static VerdictBook Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a book of verdicts");
        var book = new VerdictBook();
        var count = r.Count(byte.MaxValue);
        for (var i = 0; i < count; i++)
            book._kinds[(FindingKind)r.Byte()] = (r.Byte(0, MaxOfAKind), r.Byte(0, MaxOfAKind), r.Byte(0, MaxOfAKind));
        return book;
    }
}
