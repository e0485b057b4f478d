using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// How high the scores of meters get: a histogram over bins that grow by a 64th of an octave, which can be added to
/// another and gives quantiles within 1.6 % (the idea of DDSketch, Masson, Rim and Lee 2019). Counts are integers: sums
/// do not depend on their order.
/// </summary>
public sealed class ScoreSketch
{
    /// <summary>Bins: scores of 2⁻⁵ to 2⁶; what lies beyond is in the first or last.</summary>
    public const int Bins = 11 * PerOctave;
    private const int PerOctave = 64;

    /// <summary>Bits of a <see cref="LogFloat"/> code below a 64th of an octave; the code of 2⁻⁵.</summary>
    private const int DroppedBits = 4, FirstCode = (20 - 5) << 6;

    /// <summary>Days after which all counts are halved: fleets change.</summary>
    private const int HalvingDays = 365;
    private const byte EncodingVersion = 1;

    private readonly uint[] _counts = new uint[Bins];
    private int _since = int.MinValue;

    public long Count
    {
        get
        {
            var sum = 0L;
            foreach (var n in _counts) sum += n;
            return sum;
        }
    }

    public void Add(ushort score) => Add(BinOf(score), 1);

    public void Add(ScoreSketch other)
    {
        for (var i = 0; i < Bins; i++) Add(i, other._counts[i]);
    }

    /// <summary>A count at its end stays there.</summary>
    private void Add(int bin, uint n) => _counts[bin] = (uint)Math.Min(uint.MaxValue, (ulong)_counts[bin] + n);

    private static int BinOf(ushort code) => Math.Clamp((code >> DroppedBits) - FirstCode, 0, Bins - 1);

    /// <summary>Time passes: days come in ascending order.</summary>
    public void Pass(int day)
    {
        if (_since == int.MinValue) _since = day;
        if ((long)day - _since < HalvingDays) return;
        _since = day;
        for (var i = 0; i < Bins; i++) _counts[i] /= 2;
    }

    /// <summary>The least bin border that at most this share of the scores lie above.</summary>
    public double Above(double share)
    {
        var (allowed, above) = (share * Count, 0.0);
        var bin = Bins;
        while (bin > 0 && above + _counts[bin - 1] <= allowed) above += _counts[--bin];
        return LogFloat.Decode((ushort)(FirstCode + bin << DroppedBits));
    }

    /// <summary>Bins with a count, as pairs of distance from the last one and count.</summary>
    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.Bool(_since != int.MinValue);
        if (_since != int.MinValue) to.VarInt(_since);
        to.VarUInt((ulong)_counts.Count(n => n > 0));
        for (int i = 0, last = 0; i < Bins; i++)
        {
            if (_counts[i] == 0) continue;
            to.VarUInt((ulong)(i - last));
            to.VarUInt(_counts[i]);
            last = i;
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ScoreSketch Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a sketch of scores");
        var sketch = new ScoreSketch();
        if (r.Bool()) sketch._since = r.Int();
        var (used, bin) = (r.Count(Bins), 0);
        for (var i = 0; i < used; i++)
        {
            bin += r.Count(Bins);
            if (bin >= Bins) throw r.Bad("a sketch of scores has a bin beyond its end");
            sketch._counts[bin] = Codes.ReadUInt32(ref r);
        }
        return sketch;
    }
}
