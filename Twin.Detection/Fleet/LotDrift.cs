using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// Batch surveillance by what devices tell of themselves: clock drift, metrology noise, and the register against the
/// sum of the intervals. Each of a sample of a lot's meters is held against its own first weeks, the lot's median
/// change against that of the model's other lots. A lot that ages by itself is one finding, on the lot.
/// </summary>
/// <remarks>
/// The task is that of Nakutis and Kaškonas (Energies 13, 5245, 2020), who grade meters in service remotely. The test
/// is ours: a change beyond a floor and five standard errors, the error of a median taken as 1.25 · 1.4826 · MAD / √n.
/// </remarks>
public sealed class LotDrift
{
    /// <summary>Lots of a model, and meters of a lot that are followed; of others nothing is said.</summary>
    public const int MaxLots = 64, MaxMeters = 32;

    /// <summary>Days of a meter's anchor, and weight of a day in what is recent.</summary>
    private const int AnchorDays = 14;
    private const float RecentRate = 1f / 10;
    private const int FewestMeters = 5;
    private const double StandardErrors = 5;
    private const int Features = 3;
    private const byte EncodingVersion = 1;

    private static readonly (string Name, string Words, string Unit, double Floor)[] Names =
    [
        ("clock_drift", "clocks", "ppm", 3), ("metrology_noise", "metrology noise", "permille", 0.3),
        ("register_vs_intervals", "registers against the sum of intervals", "permille", 2),
    ];

    private sealed class Row
    {
        public required ulong Meter { get; init; }
        public ulong Image;
        public readonly ushort[] Days = new ushort[Features];
        public readonly float[] Anchor = new float[Features], Recent = new float[Features];
    }

    private sealed class Lot
    {
        public required string Name { get; init; }
        public readonly List<Row> Rows = [];
        public long First;
        public int Judged;
        public byte Stated;
    }

    private readonly SortedDictionary<string, Lot> _lots = new(StringComparer.Ordinal);

    public int Count => _lots.Count;

    /// <summary>
    /// A day of a meter: drift of its clock (ppm), noise (permille), register over interval sum minus 1 (permille); NaN
    /// where not known.
    /// </summary>
    public void Note(string lot, ulong meter, ulong image, UnixTime at, float clock, float noise, float register)
    {
        if (lot.Length == 0) return;
        if (!_lots.TryGetValue(lot, out var kept))
        {
            if (_lots.Count == MaxLots) return;
            _lots[lot] = kept = new Lot { Name = lot, First = at.Seconds };
        }
        var row = kept.Rows.Find(r => r.Meter == meter);
        if (row is null)
        {
            if (kept.Rows.Count == MaxMeters) return;
            kept.Rows.Add(row = new Row { Meter = meter });
        }
        // What new firmware changes is the firmware's, not the lot's: the anchor is laid anew.
        if (image != 0 && image != row.Image)
        {
            if (row.Image != 0) (row.Days[0], row.Days[1]) = (0, 0);
            row.Image = image;
        }
        Follow(row, 0, clock);
        Follow(row, 1, noise);
        Follow(row, 2, register);
    }

    private static void Follow(Row row, int j, float value)
    {
        if (!float.IsFinite(value)) return;
        var days = ++row.Days[j] < ushort.MaxValue ? row.Days[j] : row.Days[j]--;
        if (days == 1) row.Anchor[j] = 0;
        if (days <= AnchorDays)
        {
            row.Anchor[j] += (value - row.Anchor[j]) / days;
            row.Recent[j] = row.Anchor[j];
            return;
        }
        // A wild day moves what is recent by ten floors at most.
        var bound = (float)(10 * Names[j].Floor);
        row.Recent[j] += RecentRate * Math.Clamp(value - row.Recent[j], -bound, bound);
    }

    /// <summary>Judges one lot, the one whose meter just spoke, once a day: what it weighs moves in weeks.</summary>
    public void Judge(string lot, string model, UnixTime now, IFindingSink findings)
    {
        var day = (int)(now.Seconds / 86_400);
        if (!_lots.TryGetValue(lot, out var kept) || day == kept.Judged) return;
        kept.Judged = day;
        for (var j = 0; j < Features; j++)
        {
            if ((kept.Stated & 1 << j) != 0) continue;
            var own = Changes([kept], j);
            if (own.Length < FewestMeters) continue;
            // A lot that stays as it was is not the one that drifts, whatever others do: the common case ends here.
            Array.Sort(own);
            if (IsStill(own, Names[j].Floor)) continue;
            var others = Changes(_lots.Values.Where(l => l != kept), j);
            if (Farthest(own, others.Length >= FewestMeters ? others : [0], Names[j].Floor) is not { } drift) continue;
            kept.Stated |= (byte)(1 << j);
            findings.Add(Statement(kept, model, j, drift, own.Length, others.Length >= FewestMeters, now));
        }
    }

    /// <summary>How a lot changed, how others did, and of how many of its meters that is said.</summary>
    private readonly record struct Drift(double Change, double Usual, double Share);

    /// <summary>
    /// The middle of the lot (its changes sorted), or where only a part of it drifts its lower or upper quartile, each
    /// against the same of the others; null when none is far. The error is that of the meters' spread about their own
    /// quantile: those below it for the lower one, above it for the upper, all for the middle.
    /// </summary>
    private static Drift? Farthest(double[] own, double[] others, double floor)
    {
        Array.Sort(others);
        foreach (var (share, places) in (ReadOnlySpan<(double, double)>)[(1, 0.5), (0.5, 0.25), (0.5, 0.75)])
        {
            var (change, usual) = (Quantiles.Of(own, places), Quantiles.Of(others, places));
            double[] near = [.. own.Where(v => share == 1 || (places < 0.5 ? v <= change : v >= change))
                .Select(v => Math.Abs(v - change))];
            Array.Sort(near);
            var error = 1.25 * 1.4826 * Quantiles.Of(near, 0.5) / Math.Sqrt(near.Length);
            var off = Math.Abs(change - usual);
            // A lot that stays as it was while others drift is not the one that drifts; a few odd meters are no lot.
            if (near.Length >= FewestMeters && Math.Abs(change) >= floor && off >= floor
                && off >= StandardErrors * error) return new Drift(change, usual, share);
        }
        return null;
    }

    private static bool IsStill(double[] sorted, double floor) => Math.Abs(Quantiles.Of(sorted, 0.5)) < floor
        && Math.Abs(Quantiles.Of(sorted, 0.25)) < floor && Math.Abs(Quantiles.Of(sorted, 0.75)) < floor;

    private static double[] Changes(IEnumerable<Lot> lots, int j) =>
        [.. lots.SelectMany(l => l.Rows).Where(r => r.Days[j] > 2 * AnchorDays)
            .Select(r => (double)r.Recent[j] - r.Anchor[j])];

    private static Finding Statement(Lot lot, string model, int j, in Drift drift, int meters,
        bool hasOthers, UnixTime now)
    {
        var (change, usual, share) = drift;
        var (name, words, unit, _) = Names[j];
        var from = new UnixTime(lot.First + AnchorDays * 86_400L);
        string[] counter = hasOthers ? []
            : ["there is no other lot of this model to compare with: season moves all crystals alike"];
        var (who, where) = share < 1 ? ("many of the meters", "a quarter or more") : ("the meters", "the middle");
        return FleetStatements.Make(KeyOf(model, lot.Name), FindingKind.MetrologySuspect, from, now, now, 2.5,
            hasOthers ? Severity.Medium : Severity.Low, 0.8, FleetStatements.Lots, "",
            $"Since {LocalDay.FormatDate((int)(from.Seconds / 86_400))} {who} of lot {lot.Name} drift "
                + $"together: {words} by {FleetStatements.Number(change)} {unit} in {where} of {meters} meters, "
                + (hasOthers ? $"{FleetStatements.Number(usual)} {unit} in the model's other lots."
                    : "each against its own first weeks."),
            [new Evidence("lot_" + name, change, usual, 1, unit), new Evidence("meters", meters, 0, 0, "")], counter);
    }

    /// <summary>The party that findings of a lot are about.</summary>
    public static Party KeyOf(string model, string lot) =>
        new(TwinKey.Named(TwinKind.Cohort, $"lot|{model}|{lot}"), $"lot {lot} of {model}");

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_lots.Count);
        foreach (var lot in _lots.Values)
        {
            to.Text(lot.Name);
            to.VarInt(lot.First);
            to.VarInt(lot.Judged);
            to.Byte(lot.Stated);
            to.VarUInt((ulong)lot.Rows.Count);
            foreach (var row in lot.Rows)
            {
                to.UInt64(row.Meter);
                to.UInt64(row.Image);
                for (var j = 0; j < Features; j++)
                {
                    to.UInt16(row.Days[j]);
                    to.Single(row.Anchor[j]);
                    to.Single(row.Recent[j]);
                }
            }
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static LotDrift Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a watch over lots");
        var drift = new LotDrift();
        var lots = r.Count(MaxLots);
        for (var i = 0; i < lots; i++)
        {
            var lot = new Lot
            {
                Name = r.Text(), First = Codes.ReadSeconds(ref r), Judged = r.Int(), Stated = r.Byte(),
            };
            var rows = r.Count(MaxMeters);
            for (var n = 0; n < rows; n++)
            {
                var row = new Row { Meter = r.UInt64(), Image = r.UInt64() };
                for (var j = 0; j < Features; j++)
                    (row.Days[j], row.Anchor[j], row.Recent[j]) = (r.UInt16(), r.Single(), r.Single());
                lot.Rows.Add(row);
            }
            if (!drift._lots.TryAdd(lot.Name, lot)) throw r.Bad("a lot is there twice");
        }
        return drift;
    }
}
