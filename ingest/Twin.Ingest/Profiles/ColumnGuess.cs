using System.Text;
using Twin.Hardware;
using Twin.Ingest.Readers;
using Twin.Ingest.Text;

namespace Twin.Ingest.Profiles;

/// <summary>Guesses what columns hold, from their names and the first rows. Never guesses a zone.</summary>
internal static class ColumnGuess
{
    private static readonly string[] Patterns =
    [
        TimePattern.Iso, "d/M/yyyy H:mm", "M/d/yyyy H:mm", "d/M/yyyy H:mm:ss", "M/d/yyyy H:mm:ss", "yyyy/M/d H:mm",
        "yyyy/M/d H:mm:ss", "d.M.yyyy H:mm", "d.M.yyyy H:mm:ss", "d-M-yyyy H:mm", "d-M-yyyy H:mm:ss", "yyyyMMddHHmm",
        "yyyyMMddHHmmss", "yyyyMMdd HH:mm",
        "d/M/yyyy", "M/d/yyyy", "d.M.yyyy", "d-M-yyyy",
    ];

    private static readonly string[] IdNames = ["meter", "id", "nmi", "mpan", "serial", "customer", "household",
        "site"];
    private static readonly string[] StatisticNames = ["mean", "median", "max", "min", "std", "sum", "count", "avg"];

    /// <summary>The candidate that stands most often in the header line.</summary>
    public static char DelimiterOf(ReadOnlySpan<byte> header)
    {
        var best = ',';
        foreach (var c in ";\t|")
            if (header.Count((byte)c) > header.Count((byte)best)) best = c;
        return best;
    }

    /// <exception cref="FormatError">The first line is a row already, or no table at all.</exception>
    public static void RequireHeader(string file, string[] header)
    {
        if (header.Length < 2)
            throw new FormatError(file, "is no table: its first line has one column.",
                "Give CSV with a header line, JSON or NDJSON.");
        var values = header.Count(static h => IsNumber(h) || IsTime(h));
        if (values * 2 >= header.Length) throw new FormatError(file, "has no header line.",
            "Put the column names on the first line.");
    }

    private static bool IsNumber(string text) =>
        Decimals.ParseLong(Encoding.UTF8.GetBytes(text), 3, out _) != NumberStatus.NotANumber;

    private static bool IsTime(string text) => Array.Exists(Patterns, p => TimePattern.Compile(p)
        .TryParse(Encoding.UTF8.GetBytes(text), out _));

    private static bool IsNull(string cell) => Nulls.Matches(Encoding.UTF8.GetBytes(cell));

    private static readonly NullTokens Nulls = new(Profile.DefaultNullTokens);

    /// <exception cref="FormatError">No interval readings, or more than one way to read them.</exception>
    public static Profile Guess(string file, bool json, char delimiter, string[] header, List<string[]> rows)
    {
        var cells = rows.Where(r => r.Length == header.Length).ToList();
        var (timeColumns, format) = FindTime(file, header, cells);
        var rest = header.Where(h => !timeColumns.Contains(h) && h.Length > 0).ToList();
        var id = rest.FirstOrDefault(IsIdName);
        if (id is not null) rest.Remove(id);
        var numbers = rest.Where(h => IsNumeric(cells, Array.IndexOf(header, h))).ToList();
        if (numbers.Count == 0)
            throw new FormatError(file,
                $"holds no interval readings: no column of numbers among {LongReader.Shown(header)}.",
                "Leave it out, or give --profile.");
        if (numbers.Count(static n => StatisticNames.Any(s => n.Contains(s, StringComparison.OrdinalIgnoreCase))) > 1)
            throw new FormatError(file, $"holds no interval readings but statistics ({string.Join(", ", numbers)}).",
                "Leave it out, or name one column with --profile.");
        var wide = !json && id is null && numbers.Count > 1 && numbers.Count == rest.Count
            && !numbers.Exists(static n => ChannelOf(n) is not null);
        var profile = new Profile
        {
            Name = "sniffed",
            Shape = json ? FileShape.Json : wide ? FileShape.CsvWide : FileShape.CsvLong,
            Delimiter = delimiter,
            Id = wide ? new IdRule(IdSource.Header, "") : id is null ? new IdRule(IdSource.File, "")
            : new IdRule(IdSource.Column, id),
            TimeColumns = timeColumns,
            TimeFormats = [format],
            Values = wide ? [new ValueColumn("*", Channel.Import, UnitOf("", numbers, header, cells), false)] : [],
        };
        return wide ? profile : profile with { Values = LongValues(file, numbers, header, cells) };
    }

    // Half of what is there being numbers is enough: the others are rejects later, not a reason to miss the column.
    private static bool IsNumeric(List<string[]> cells, int column)
    {
        var numbers = cells.Count(r => IsNumber(r[column]));
        return numbers > 0 && numbers * 2 >= cells.Count(r => !IsNull(r[column]));
    }

    private static List<ValueColumn> LongValues(string file, List<string> numbers, string[] header,
        List<string[]> cells)
    {
        var known = numbers.Count == 1 ? numbers : numbers.Where(static n => ChannelOf(n) is not null).ToList();
        var values = known.ConvertAll(n =>
        {
            var channel = ChannelOf(n) ?? Channel.Import;
            var cumulative = n.Contains("register", StringComparison.OrdinalIgnoreCase)
                || n.Contains("cumul", StringComparison.OrdinalIgnoreCase);
            return new ValueColumn(n, channel, channel == Channel.Voltage ? ValueUnit.Volt
                : UnitOf(n, [n], header, cells), cumulative);
        });
        if (values.Count == 0 || values.Select(static v => v.Channel).Distinct().Count() < values.Count)
            throw new FormatError(file, $"has several columns that may be the energy ({string.Join(", ", numbers)}).",
                "Name the right one with --profile.");
        return values;
    }

    private static bool IsIdName(string header)
    {
        var name = header.ToLowerInvariant();
        return IdNames.Any(n => name == n || name.EndsWith(n, StringComparison.Ordinal)
            || name.StartsWith(n + "_", StringComparison.Ordinal));
    }

    private static Channel? ChannelOf(string header)
    {
        var name = header.ToLowerInvariant();
        if (name.Contains("volt")) return Channel.Voltage;
        if (name.Contains("export") || name.Contains("generation") || name.Contains("feed")) return Channel.Export;
        var energy = name.Contains("wh") || name.Contains("import") || name.Contains("consumption")
            || name.Contains("energy")
            || name.Contains("usage") || name == "value" || name.Contains("reading");
        return energy ? Channel.Import : null;
    }

    private static ValueUnit UnitOf(string name, List<string> columns, string[] header, List<string[]> cells)
    {
        var text = name.ToLowerInvariant();
        if (text.Contains("mwh")) return ValueUnit.MWh;
        if (text.Contains("kwh")) return ValueUnit.KWh;
        if (text.Contains("wh")) return ValueUnit.Wh;
        // No unit in the name: energies with a fraction are kWh, whole ones Wh.
        return columns.Exists(c => cells.Exists(r => r[Array.IndexOf(header, c)].Contains('.'))) ? ValueUnit.KWh
            : ValueUnit.Wh;
    }

    private static (string[] Columns, string Format) FindTime(string file, string[] header, List<string[]> cells)
    {
        for (var c = 0; c < header.Length; c++)
        {
            var pattern = Array.Find(Patterns, p => All(cells, c, TimePattern.Compile(p)));
            if (pattern is null) continue;
            var hour = Array.FindIndex(header, h => h.Equals("hour", StringComparison.OrdinalIgnoreCase)
                || h.Equals("time", StringComparison.OrdinalIgnoreCase));
            if (hour < 0 || hour == c || cells.Exists(r => r[c].Contains(':'))) return ([header[c]], pattern);
            var both = (pattern == TimePattern.Iso ? "yyyy-MM-dd" : pattern) + " H:mm";
            if (cells.Exists(r => r[hour].Count(':') > 1)) both += ":ss";
            return ([header[c], header[hour]], both);
        }
        throw new FormatError(file, $"has no column of times among {LongReader.Shown(header)}.",
            "Leave it out, or name column and format with --profile.");
    }

    private static bool All(List<string[]> cells, int column, TimePattern pattern)
    {
        // One odd stamp in a hundred does not hide what a column holds: it is a reject later.
        var fits = cells.Count(r => pattern.TryParse(Encoding.UTF8.GetBytes(r[column]), out _));
        return fits > 0 && fits * 100 >= cells.Count * 99;
    }

    /// <summary>The commonest step between rows of one meter that divides a day; null when the rows do not
    /// tell.</summary>
    /// <exception cref="FormatError">A column of the profile is not there.</exception>
    public static int? Interval(string file, Profile profile, string[] header, List<string[]> rows)
    {
        var columns = profile.TimeColumns.Select(c => LongReader.IndexOf(file, header, c)).ToArray();
        var id = profile.Id.Source == IdSource.Column ? LongReader.IndexOf(file, header, profile.Id.Text) : -1;
        var patterns = profile.TimeFormats.Select(TimePattern.Compile).ToArray();
        var last = new Dictionary<string, long>();
        var steps = new Dictionary<long, int>();
        foreach (var row in rows.Where(r => r.Length == header.Length))
        {
            var text = Encoding.UTF8.GetBytes(string.Join(' ', columns.Select(c => row[c])));
            var stamp = default(Stamp);
            if (!Array.Exists(patterns, p => p.TryParse(text, out stamp))) continue;
            var meter = id < 0 ? "" : row[id];
            var minute = stamp.WallMinute - stamp.OffsetMinutes;
            if (last.TryGetValue(meter, out var before) && minute != before)
            {
                var step = Math.Abs(minute - before);
                steps[step] = steps.GetValueOrDefault(step) + 1;
            }
            last[meter] = minute;
        }
        var best = steps.Where(static s => s.Key is >= 1 and <= 1440 && 1440 % s.Key == 0)
            .OrderByDescending(static s => s.Value)
            .ThenBy(static s => s.Key).FirstOrDefault();
        return best.Value > 0 ? (int)best.Key : null;
    }
}
