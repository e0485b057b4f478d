using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>A lot's share of the energy behind a feeder.</summary>
public readonly record struct LotShare(string Lot, float Share);

/// <summary>
/// What a feeder can say of the lots behind it: how its loss has moved since its first weeks, and whose energy that
/// was. A lot that counts too much shows as energy that members report and the observer did not deliver.
/// </summary>
public sealed class FeederLots
{
    /// <summary>Lots told apart; energy of further ones counts, and is nobody's.</summary>
    public const int MaxLots = 8;

    /// <summary>Days with a balance that make the anchor, and days until the recent share follows.</summary>
    public const int AnchorDays = 21;
    private const float RecentRate = 1f / 10;

    /// <summary>Days between two words to the fleet.</summary>
    public const int TellDays = 7;

    /// <summary>A day moves the recent share by this at most.</summary>
    private const float MaxStep = 0.1f;
    private const byte EncodingVersion = 1;

    private readonly SortedDictionary<string, float> _shares = new(StringComparer.Ordinal);
    private int _days;
    private double _anchor;
    private float _recent;

    /// <summary>Change of the loss share against the anchor; 0 until there is one.</summary>
    public float Change => _days > AnchorDays ? (float)(_recent - _anchor) : 0;

    /// <summary>True when there is something to say.</summary>
    public bool IsReady => _days >= AnchorDays + 14;

    public IEnumerable<LotShare> Shares => _shares.Select(s => new LotShare(s.Key, s.Value));

    /// <summary>A day with a balance: loss share and energies by lot, Wh.</summary>
    public void Take(float lossShare, IReadOnlyDictionary<string, float> energies)
    {
        var total = 0f;
        foreach (var (_, wh) in energies.OrderBy(e => e.Key, StringComparer.Ordinal)) total += wh;
        if (total <= 0 || !float.IsFinite(lossShare)) return;
        _days = Math.Min(_days + 1, 1_000_000);
        if (_days <= AnchorDays)
        {
            _anchor += (lossShare - _anchor) / _days;
            _recent = (float)_anchor;
        }
        else
        {
            _recent += RecentRate * Math.Clamp(lossShare - _recent, -MaxStep, MaxStep);
        }
        var rate = Math.Max(RecentRate, 1f / _days);
        foreach (var lot in _shares.Keys.ToArray())
            _shares[lot] += rate * (energies.GetValueOrDefault(lot) / total - _shares[lot]);
        foreach (var (lot, wh) in energies.OrderBy(e => e.Key, StringComparer.Ordinal))
            if (!_shares.ContainsKey(lot) && _shares.Count < MaxLots) _shares[lot] = rate * wh / total;
        foreach (var gone in _shares.Where(s => s.Value < 0.005f).Select(s => s.Key).ToArray()) _shares.Remove(gone);
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarInt(_days);
        to.Double(_anchor);
        to.Single(_recent);
        to.VarUInt((ulong)_shares.Count);
        foreach (var (lot, share) in _shares)
        {
            to.Text(lot);
            to.Single(share);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static FeederLots Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "the lots of a feeder");
        var lots = new FeederLots { _days = r.Int(), _anchor = r.Double(), _recent = r.Single() };
        var count = r.Count(MaxLots);
        for (var i = 0; i < count; i++) lots._shares[r.Text()] = r.Single();
        return lots;
    }
}
