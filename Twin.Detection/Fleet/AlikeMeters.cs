using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>How a fingerprint stands among those of meters that are alike.</summary>
/// <param name="Strangeness">Distance over what a fortieth of honest ones reach, weighted by isolation.</param>
/// <param name="OwnShare">Share of the distance that only the device makes: see <see cref="DeviceTraits"/>.</param>
public readonly record struct Standing(double Strangeness, double OwnShare);

/// <summary>
/// Meters that claim one image and are of one age: a bounded sample of their fingerprints, and the two models of it.
/// The models are fitted to the first part of the sample and to nothing else, so that they need not be stored.
/// </summary>
/// <remarks>
/// Distance and trees are combined as strangeness = d / limit · (3/4 + isolation / 2): a distance alone counts three
/// quarters, and half as much again as that where the trees isolate the point too. The limit is the 0.975 quantile of
/// the root of χ²₈, 4.19, or where the sample is wider, the same quantile judged from its third quartile, which a
/// quarter of compromised members cannot move.
/// </remarks>
public sealed class AlikeMeters
{
    private const int N = DeviceTraits.Count;

    /// <summary>Fingerprints behind the models, and new ones after which they are fitted anew; the oldest go first.
    /// </summary>
    public const int MaxFitted = 192, MaxNew = 96;

    /// <summary>Fewer members say more about themselves than about their firmware.</summary>
    public const int FewestMembers = 4;

    /// <summary>Strangeness from which a fingerprint is strange.</summary>
    public const double Strange = 2;

    /// <summary>The first days with an image are those of its roll-out, and say little about it (s).</summary>
    private const long SettleSeconds = 2 * 86_400;

    private const double NormalLimit = 4.19, QuartileToLimit = 1.31;

    /// <summary>
    /// Share of strange ones among those judged on the day before from which the group has moved as a whole, and is
    /// learnt anew; and fewest that a share is made of. Whole days, because meters of one place speak together.
    /// </summary>
    private const double Crowd = 0.3;
    private const int FewestOfADay = 4;
    private const byte EncodingVersion = 1;

    private readonly List<float> _prints = [];
    private readonly List<ulong> _meters = [];
    private int _fitted;
    private int _day, _judged, _strange, _judgedBefore, _strangeBefore;
    private RobustCloud? _cloud;
    private IsolationForest? _forest;
    private double _limit;

    /// <summary>The first fingerprint, seconds since 1970; 0 before there is one.</summary>
    public long First { get; private set; }

    /// <summary>The last fingerprint, seconds since 1970.</summary>
    public long Last { get; private set; }

    /// <summary>True when the image as a whole was already said to behave otherwise than its elders.</summary>
    public bool IsStated { get; set; }

    /// <summary>True when it was already said that the image has two ways.</summary>
    public bool IsSplitStated { get; set; }

    /// <summary>Two ways of behaving among what the models were fitted to; null when there is one.</summary>
    public Split? Split { get; private set; }

    /// <summary>
    /// True when so many are strange that nobody can say from here who is the odd one: the group as a whole has moved,
    /// or has two ways.
    /// </summary>
    public bool IsCrowded => _judgedBefore >= FewestOfADay && _strangeBefore > Crowd * _judgedBefore;

    /// <summary>Null until there are enough fingerprints of enough meters.</summary>
    public RobustCloud? Cloud => _cloud;

    /// <summary>Different meters in the sample.</summary>
    public int Members => _meters.Distinct().Count();

    /// <summary>The standing of a fingerprint; null while there is no model. Shares as the cloud gives them.</summary>
    public Standing? Judge(ReadOnlySpan<float> print, Span<double> shares)
    {
        if (_cloud is null || _forest is null) return null;
        var distance = _cloud.Distance(print, shares);
        Span<double> z = stackalloc double[N];
        _cloud.Standardise(print, z);
        var own = 0.0;
        for (var j = 0; j < N; j++) own += DeviceTraits.Own[j] ? shares[j] : 0;
        return new Standing(distance / _limit * (0.75 + 0.5 * _forest.Isolation(z)), own);
    }

    /// <summary>
    /// Takes a fingerprint into the sample, unless it is a strange one among ordinary ones. True when the models were
    /// fitted anew.
    /// </summary>
    public bool Learn(ulong meter, long at, ReadOnlySpan<float> print, bool strange)
    {
        if (First == 0) First = at;
        Last = Math.Max(Last, at);
        if (at - First < SettleSeconds) return false;
        if (_cloud is not null) Count((int)(at / 86_400), strange);
        if (strange && !IsCrowded) return false;
        foreach (var v in print) _prints.Add(v);
        _meters.Add(meter);
        var ready = _cloud is null
            ? _meters.Count % RobustCloud.FewestPrints == 0 && Members >= FewestMembers
            : _meters.Count - _fitted >= MaxNew;
        var gone = _meters.Count - MaxFitted;
        if (gone > 0 && (ready || _meters.Count == MaxFitted + MaxNew))
        {
            _prints.RemoveRange(0, gone * N);
            _meters.RemoveRange(0, gone);
        }
        if (ready) Fit(_meters.Count);
        return ready;
    }

    /// <summary>A fingerprint that comes late counts for no day.</summary>
    private void Count(int day, bool strange)
    {
        if (day < _day) return;
        if (day > _day) (_judgedBefore, _strangeBefore, _judged, _strange, _day) = (_judged, _strange, 0, 0, day);
        (_judged, _strange) = (_judged + 1, _strange + (strange ? 1 : 0));
    }

    private void Fit(int count)
    {
        _fitted = count;
        var prints = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_prints)[..(count * N)];
        _cloud = RobustCloud.Fit(prints);
        Split = Fleet.Split.Of(prints);
        var z = new double[count * N];
        var distances = new double[count];
        Span<double> shares = stackalloc double[N];
        for (var i = 0; i < count; i++)
        {
            _cloud.Standardise(prints.Slice(i * N, N), z.AsSpan(i * N, N));
            distances[i] = _cloud.Distance(prints.Slice(i * N, N), shares);
        }
        _forest = new IsolationForest(z);
        Array.Sort(distances);
        _limit = Math.Max(NormalLimit, QuartileToLimit * distances[(int)(0.75 * (count - 1))]);
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarInt(First);
        to.VarInt(Last);
        to.Bool(IsStated);
        to.Bool(IsSplitStated);
        foreach (var n in (ReadOnlySpan<int>)[_day, _judged, _strange, _judgedBefore, _strangeBefore]) to.VarInt(n);
        to.VarUInt((ulong)_fitted);
        to.VarUInt((ulong)_meters.Count);
        foreach (var m in _meters) to.UInt64(m);
        foreach (var v in _prints) to.Single(v);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static AlikeMeters Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a sample of fingerprints");
        var alike = new AlikeMeters
        {
            First = Codes.ReadSeconds(ref r), Last = Codes.ReadSeconds(ref r), IsStated = r.Bool(),
            IsSplitStated = r.Bool(), _day = r.Int(), _judged = r.Int(), _strange = r.Int(), _judgedBefore = r.Int(),
            _strangeBefore = r.Int(),
        };
        var (fitted, count) = (r.Count(MaxFitted), r.Count(MaxFitted + MaxNew));
        if (fitted > count) throw r.Bad("a sample of fingerprints is shorter than what was fitted");
        for (var i = 0; i < count; i++) alike._meters.Add(r.UInt64());
        for (var i = 0; i < count * N; i++) alike._prints.Add(r.Single());
        if (fitted > 0) alike.Fit(fitted);
        return alike;
    }
}
