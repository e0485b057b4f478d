using System.Globalization;
using Microsoft.AspNetCore.Http;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>What a list of meters is sorted by; the id decides among equals.</summary>
internal enum MeterSort
{
    Id, Name,
    /// <summary>Highest first.</summary>
    Score,
    /// <summary>Silent for longest first.</summary>
    LastReading,
}

/// <summary>Which meters of a picture, in which order; what is null does not narrow.</summary>
internal sealed class MeterFilter
{
    public static readonly string[] Names = ["name", "role", "feeder", "concentrator", "model", "firmware", "lot",
        "region", "category", "silent_days", "score_min", "finding", "sort"];

    private const int MaxSilentDays = 36_500;

    private string? _name, _feeder, _concentrator, _model, _firmware, _lot, _region;
    private MeterRole? _role;
    private CustomerCategory? _category;
    private int? _silentDays;
    private double? _least;
    private FindingKind? _finding;

    public MeterSort Sort { get; private init; }

    /// <summary>True when it lets every meter pass.</summary>
    public bool IsAll => _name is null && _role is null && _feeder is null && _concentrator is null && _model is null
        && _firmware is null && _lot is null && _region is null && _category is null && _silentDays is null
        && _least is null && _finding is null;

    /// <exception cref="ApiProblem">A parameter is wrong.</exception>
    public static MeterFilter Read(IQueryCollection query)
    {
        string? Text(string name) => Parameters.Text(One(query, name), name);
        return new MeterFilter
        {
            _name = Text("name"), _feeder = Text("feeder"), _concentrator = Text("concentrator"),
            _model = Text("model"), _firmware = Text("firmware"), _lot = Text("lot"), _region = Text("region"),
            _role = Parameters.OneOf<MeterRole>(One(query, "role"), "role"),
            _category = Parameters.OneOf<CustomerCategory>(One(query, "category"), "category"),
            _silentDays = One(query, "silent_days") is { } days
                ? Parameters.Integer(days, "silent_days", 0, MaxSilentDays) : null,
            _least = Score(One(query, "score_min")),
            _finding = Parameters.Kind(One(query, "finding")),
            Sort = Parameters.OneOf<MeterSort>(One(query, "sort"), "sort") ?? MeterSort.Id,
        };
    }

    private static string? One(IQueryCollection query, string name) =>
        query.TryGetValue(name, out var value) ? value.ToString() : null;

    private static double? Score(string? text) => text is null ? null
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var score) ? score
        : throw Parameters.Bad("bad_score_min", "The parameter score_min is not a number from 0.",
            "Give it as in score_min=4.5.");

    /// <summary>Meters that pass, in order.</summary>
    public List<MeterRow> Of(FleetPicture picture, Caller caller, UnixTime? watermark)
    {
        var since = _silentDays is { } days && watermark is { } w ? w.Seconds - days * 86_400L : (long?)null;
        var found = _finding is { } kind
            ? picture.Findings.Where(f => f.Kind == kind && f.Subject.Kind == TwinKind.Meter)
                .Select(f => f.Subject.Id).ToHashSet() : null;
        var rows = new List<MeterRow>();
        foreach (var m in picture.Meters)
        {
            if (!caller.Covers(m.Region) || !Passes(m)) continue;
            if (since is { } s && m.LastReading >= s) continue;
            if (found is null || found.Contains(m.Id.Value)) rows.Add(m);
        }
        if (Sort != MeterSort.Id) rows.Sort(Compare);
        return rows;
    }

    private bool Passes(MeterRow m) => Is(_feeder, m.Feeder) && Is(_concentrator, m.Concentrator)
        && Is(_model, m.Model) && Is(_firmware, m.Firmware) && Is(_lot, m.Lot) && Is(_region, m.Region)
        && (_role is null || _role == m.Role) && (_category is null || _category == m.Category)
        && (_least is not { } least || (m.ScoreDay is not null && m.Score >= least))
        && (_name is null || m.Name.Contains(_name, StringComparison.OrdinalIgnoreCase)
            || m.Id.ToString().Equals(_name, StringComparison.OrdinalIgnoreCase));

    private static bool Is(string? wanted, string value) =>
        wanted is null || value.Equals(wanted, StringComparison.OrdinalIgnoreCase);

    private int Compare(MeterRow a, MeterRow b)
    {
        var order = Sort switch
        {
            MeterSort.Name => string.CompareOrdinal(a.Name, b.Name),
            MeterSort.Score => ScoreOf(b).CompareTo(ScoreOf(a)),
            MeterSort.LastReading => a.LastReading.CompareTo(b.LastReading),
            _ => 0,
        };
        return order != 0 ? order : a.Id.CompareTo(b.Id);
    }

    private static double ScoreOf(MeterRow m) => m.ScoreDay is null ? -1 : m.Score;

    /// <summary>
    /// A place in the list: the key of the last row and its id, so that pages stay apart while scores change. A name is
    /// looked up again: it is too long for a cursor, and hardly changes.
    /// </summary>
    public string PlaceOf(MeterRow row) => Sort switch
    {
        MeterSort.Score => $"s{BitConverter.DoubleToInt64Bits(ScoreOf(row)):x16}{row.Id}",
        MeterSort.LastReading => $"l{row.LastReading:x16}{row.Id}",
        MeterSort.Name => $"n{row.Id}",
        _ => $"i{row.Id}",
    };

    /// <summary>Where in the rows the page behind a place begins.</summary>
    /// <exception cref="ApiProblem">The place is none of this order.</exception>
    public int After(string place, List<MeterRow> rows, FleetPicture picture)
    {
        var last = Parse(place, picture);
        var (low, high) = (0, rows.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Compare(rows[middle], last) <= 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private MeterRow Parse(string place, FleetPicture picture)
    {
        var hasKey = Sort is MeterSort.Score or MeterSort.LastReading;
        if (place.Length != (hasKey ? 33 : 17) || place[0] != "insl"[(int)Sort] || !Hex(place[^16..], out var id))
            throw Cursor.Bad();
        ulong key = 0;
        if (hasKey && !Hex(place[1..17], out key)) throw Cursor.Bad();
        var known = picture.Find(new MeterId(id));
        if (Sort == MeterSort.Name && known is null) throw Cursor.Bad();
        var score = BitConverter.Int64BitsToDouble(unchecked((long)key));
        return new MeterRow
        {
            Id = new MeterId(id), Name = known?.Name ?? "", Feeder = "", Concentrator = "", Region = "", Model = "",
            Firmware = "", Lot = "", UsagePoint = "", Cohort = "", Score = score, ScoreDay = score < 0 ? null : 0,
            LastReading = unchecked((long)key),
        };
    }

    private static bool Hex(string text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
