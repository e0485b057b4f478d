using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Fleet;

/// <summary>
/// What groups tell the fleet's partitions at closings besides letters: a message of its own first byte, so that
/// letters stay as they are.
/// </summary>
internal static class FleetNews
{
    /// <summary>First byte of a message that is no letter; letters begin with their version, 1.</summary>
    private const byte Mark = 0x80;

    /// <summary>Kinds; part of the encoding.</summary>
    private const byte Scores = 1, Bar = 2, Lots = 3;

    public static bool Is(ReadOnlySpan<byte> body) => body.Length > 1 && body[0] == Mark;

    /// <summary>Block maxima of a cohort, or of a partition, on the way to the whole.</summary>
    public static void WriteScores(ByteWriter to, int day, ScoreSketch sketch)
    {
        Head(to, Scores, day);
        sketch.Write(to);
    }

    /// <summary>The bar that the whole fleet has learnt.</summary>
    public static void WriteBar(ByteWriter to, int day, double bar)
    {
        Head(to, Bar, day);
        to.Double(bar);
    }

    /// <summary>A feeder's word on the lots behind it.</summary>
    public static void WriteLots(ByteWriter to, int day, FeederLots lots)
    {
        Head(to, Lots, day);
        to.Single(lots.Change);
        LotShare[] shares = [.. lots.Shares];
        to.VarUInt((ulong)shares.Length);
        foreach (var (lot, share) in shares)
        {
            to.Text(lot);
            to.Single(share);
        }
    }

    private static void Head(ByteWriter to, byte kind, int day)
    {
        to.Clear();
        to.Byte(Mark);
        to.Byte(kind);
        to.VarInt(day);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static Content Read(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        _ = r.Byte();
        var (kind, day) = (r.Byte(Scores, Lots), MessageHead.ReadDay(ref r));
        var content = kind switch
        {
            Scores => new Content(day, ScoreSketch.Read(ref r), null, 0, null),
            Bar => new Content(day, null, r.Double(), 0, null),
            _ => ReadLots(day, ref r),
        };
        return r.AtEnd ? content : throw r.Bad("bytes follow a message to the fleet");
    }

    private static Content ReadLots(int day, ref ByteReader r)
    {
        var change = r.Single();
        var shares = new LotShare[r.Count(FeederLots.MaxLots)];
        for (var i = 0; i < shares.Length; i++) shares[i] = new LotShare(r.Text(), r.Single());
        return new Content(day, null, null, change, shares);
    }

    /// <summary>One of scores, bar and lots.</summary>
    internal sealed record Content(int Day, ScoreSketch? Scores, double? Bar, float Change, LotShare[]? Lots);
}

/// <summary>
/// What a meter has to say to its cohort besides the day itself: the highest score of a block of 28 days that ended,
/// and verdicts of people on its findings.
/// </summary>
internal readonly record struct MeterNews(ushort BlockMax, (FindingKind Kind, Outcome Outcome)[] Verdicts)
{
    /// <summary>Verdicts that wait for a closing; at the bound the oldest teaches nobody.</summary>
    public const int MaxVerdicts = 16;

    public bool IsNone => BlockMax == 0 && Verdicts.Length == 0;

    public void Write(ByteWriter to)
    {
        to.UInt16(BlockMax);
        WriteVerdicts(to, Verdicts);
    }

    public static void WriteVerdicts(ByteWriter to, (FindingKind Kind, Outcome Outcome)[] verdicts)
    {
        to.VarUInt((ulong)verdicts.Length);
        foreach (var (kind, outcome) in verdicts)
        {
            to.Byte((byte)kind);
            to.Byte((byte)outcome);
        }
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static MeterNews Read(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty) return new MeterNews(0, []);
        var r = new ByteReader(body);
        return new MeterNews(r.UInt16(), ReadVerdicts(ref r));
    }

    public static (FindingKind Kind, Outcome Outcome)[] ReadVerdicts(ref ByteReader r)
    {
        var verdicts = new (FindingKind Kind, Outcome Outcome)[r.Count(MaxVerdicts)];
        for (var i = 0; i < verdicts.Length; i++)
            verdicts[i] = ((FindingKind)r.Byte(), (Outcome)r.Byte((int)Outcome.True, (int)Outcome.False));
        return verdicts;
    }
}
