using System.Globalization;
using System.Text;
using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Feed;
using Twin.Ingest.Text;

namespace Twin.Ingest.Records;

/// <summary>
/// What the utility's other systems know: fleet files, the registry, recorded events, dated context. CSV or NDJSON. The
/// order of
/// <see cref="Inputs"/> is that of files and rows.
/// </summary>
public sealed class RecordFeed(MeterTable meters, Rejects rejects)
{
    /// <summary>Records of one feed; beyond it the feed stops with a clear error.</summary>
    public const int MaxRecords = 16_000_000;

    private readonly List<Input> _inputs = [];
    private readonly List<SecurityRecord> _security = [];

    public IReadOnlyList<Input> Inputs => _inputs;

    /// <summary>Security records, in the order of files and rows; a feed puts them into event-time order.</summary>
    internal IReadOnlyList<SecurityRecord> Security => _security;

    /// <summary>All inputs for an import: <see cref="Inputs"/>, then the security records by event time.</summary>
    public IReadOnlyList<Input> InOrder => [.. _inputs, .. _security.OrderBy(static r => r.At).Select(static r =>
        r.Input)];

    private static readonly string[] FleetColumns = ["meter", "role", "feeder", "model", "firmware", "lot",
        "installed"];
    private static readonly string[] FleetOptions =
        ["usage_point", "phase", "zone", "concentrator", "region", "category", "valid_from", "valid_to"];
    private static readonly string[] EventColumns = ["meter", "at", "code"];
    private static readonly string[] ContextOptions = ["meter", "feeder", "to", "note"];
    private static readonly string[] RegistryOptions =
        ["manufacturer", "plant", "lot", "supplier", "calibration_digest", "installer", "contractor", "shipped"];

    /// <summary>Rows of a fleet file; of these columns only meter must hold something. A later file is a dated
    /// change.</summary>
    public void ReadFleet(string path) => Read(path, ["meter"], [.. FleetColumns, .. FleetOptions], FleetColumns, row =>
    {
        var meter = Meter(path, row, "meter");
        Add(path, new MeterRelation(meter.Id, meter.Name, Role(row), row["feeder"], row["model"], row["firmware"],
            row["lot"], Date(row, "installed"), row["usage_point"], row["phase"], Zone(row), row["concentrator"],
            row["region"], Category(row),
            Day(row, "valid_from", int.MinValue), Day(row, "valid_to", int.MaxValue)));
        if (Day(row, "valid_from", int.MinValue) >= Day(row, "valid_to", int.MaxValue))
        {
            _inputs.RemoveAt(_inputs.Count - 1);
            throw new RowFault("valid_to", "is not after valid_from (it is exclusive)");
        }
    });

    /// <summary>Registry rows: what is known of a meter from shipment on.</summary>
    public void ReadRegistry(string path) => Read(path, ["meter"], RegistryOptions, ["meter"], row =>
    {
        var meter = Meter(path, row, "meter");
        Add(path, new SupplyRecord(meter.Id, meter.Name, row["manufacturer"], row["plant"], row["lot"], row["supplier"],
            row["calibration_digest"], row["installer"], row["contractor"], Date(row, "shipped")));
    });

    /// <summary>Recorded events of meters: <c>meter,at,profile,code[,detail]</c>.</summary>
    public void ReadEvents(string path) => Read(path, EventColumns, ["profile", "detail"], EventColumns, row =>
    {
        var at = Time(row, "at");
        var meter = Meter(path, row, "meter");
        meter.FirstDay = int.MinValue;
        Add(path, new DeviceEvent(meter.Id, at, row["profile"], row["code"], row["detail"]));
    });

    /// <summary>
    /// Dated context: <c>meter or feeder,kind,from[,to][,note]</c>. A bare date is midnight UTC; <c>to</c> is
    /// exclusive, and a day after <c>from</c> when it is not given.
    /// </summary>
    public void ReadContext(string path) => Read(path, ["kind", "from"], ContextOptions, ["kind", "from"], row =>
    {
        if (row.Has("meter") == row.Has("feeder")) throw new RowFault("meter", "give either meter or feeder");
        var from = Time(row, "from");
        var to = row.Has("to") ? Time(row, "to") : new UnixTime(from.Seconds + 86_400);
        if (to.CompareTo(from) <= 0) throw new RowFault("to", "is not after from");
        var kind = Kind(row);
        TwinKey subject;
        if (row.Has("feeder")) subject = TwinKey.Named(TwinKind.Feeder, row["feeder"]);
        else
        {
            var meter = Meter(path, row, "meter");
            meter.FirstDay = int.MinValue;
            subject = meter.Id.Twin;
        }
        Add(path, new ContextPeriod(subject, kind, from, to, row["note"]));
    });

    /// <summary>
    /// Security records: releases, campaigns, keys, orders, sessions and the rest, told by column <c>kind</c>.
    /// </summary>
    /// <param name="anchors">What certificates are held against; null: a record with a certificate is rejected.</param>
    public void ReadSecurity(string path, TrustAnchors? anchors)
    {
        var import = new SecurityImport(anchors, Path.GetDirectoryName(Path.GetFullPath(path)));
        Read(path, ["kind", "at"], SecurityRecords.Columns, ["kind", "at"], row =>
        {
            var record = SecurityRecords.Read(row, import, live: false);
            if (record.Meter.Length > 0) Meter(path, row, "meter");
            if (_inputs.Count + _security.Count >= MaxRecords)
                throw new FormatError(path, $"brings the feed over {MaxRecords} records.", "Split the feed.");
            _security.Add(record);
        });
    }

    private void Read(string path, string[] needed, string[] optional, string[] header, Action<Row> take)
    {
        var known = needed.Union(optional).ToArray();
        RecordFile.Read(path, rejects, needed, known, header, take);
    }

    private void Add(string path, Input input)
    {
        if (_inputs.Count >= MaxRecords) throw new FormatError(path, $"brings the feed over {MaxRecords} records.",
            "Split the feed.");
        _inputs.Add(input);
    }

    private FeedMeter Meter(string path, Row row, string column) => meters.Find(path, row[column])
        ?? throw new RowFault(column, $"is empty or longer than {MeterTable.MaxNameBytes} bytes");

    private static MeterRole Role(Row row) => row["role"].ToLowerInvariant() switch
    {
        "" or "customer" => MeterRole.Customer,
        "observer" => MeterRole.Observer,
        _ => throw new RowFault("role", "is neither customer nor observer"),
    };

    private static CustomerCategory Category(Row row)
    {
        var text = row["category"];
        if (text.Length == 0) return CustomerCategory.Unknown;
        return Enum.TryParse<CustomerCategory>(text, ignoreCase: true, out var c) && Enum.IsDefined(c)
            && !char.IsAsciiDigit(text[0]) ? c
            : throw new RowFault("category", "is none of unknown, ordinary, critical, medical");
    }

    private static ContextKind Kind(Row row) => row["kind"].ToLowerInvariant().Replace('-', '_') switch
    {
        "outage" => ContextKind.Outage,
        "tariff_change" => ContextKind.TariffChange,
        "move_in" => ContextKind.MoveIn,
        "exchange" => ContextKind.Exchange,
        "planned_work" => ContextKind.PlannedWork,
        _ => throw new RowFault("kind", "is none of outage, tariff_change, move_in, exchange, planned_work"),
    };

    private static string Zone(Row row)
    {
        var zone = row["zone"];
        return zone.Length == 0 || ZoneRules.TryGet(zone, out _) ? zone
            : throw new RowFault("zone", "is neither an IANA name such as Europe/London nor an offset such as +10:00");
    }

    private static string Date(Row row, string column)
    {
        if (row.Has(column)) Day(row, column, 0);
        return row[column];
    }

    private static int Day(Row row, string column, int otherwise)
    {
        if (!row.Has(column)) return otherwise;
        return DateOnly.TryParseExact(row[column], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None,
            out var date)
            ? date.DayNumber - new DateOnly(1970, 1, 1).DayNumber
            : throw new RowFault(column, "is no date of the form 2026-01-31");
    }

    private static readonly TimePattern Rfc3339 = TimePattern.Compile(TimePattern.Iso);

    private static UnixTime Time(Row row, string column)
    {
        var text = row[column];
        return Rfc3339.TryParse(Encoding.UTF8.GetBytes(text), out var stamp) && (stamp.HasOffset || text.Length == 10)
            ? stamp.ToUnixTime()
            : throw new RowFault(column, "is no RFC 3339 time with Z or an offset, and no date");
    }
}
