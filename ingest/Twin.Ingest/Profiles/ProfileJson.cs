using System.Text;
using System.Text.Json;
using Twin.Hardware;
using Twin.Ingest.Text;

namespace Twin.Ingest.Profiles;

/// <summary>Reads a profile document. Every error names the property, what it holds, and what it may hold.</summary>
public static class ProfileJson
{
    /// <summary>Reads a profile.</summary>
    /// <exception cref="FormatError">Not JSON, an unknown or missing property, or a value that makes no
    /// sense.</exception>
    public static Profile Read(string file, ReadOnlySpan<byte> json)
    {
        var options = new JsonDocumentOptions
        {
            CommentHandling = JsonCommentHandling.Skip,
            AllowTrailingCommas = true,
        };
        try
        {
            if (json.StartsWith(Encoding.UTF8.Preamble)) json = json[3..];
            using var document = JsonDocument.Parse(json.ToArray(), options);
            return Build(new Node(file, "", document.RootElement));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatError(file, $"is no JSON document: {e.Message}", "See the profiles under ingest/profiles.");
        }
    }

    private static Profile Build(Node root)
    {
        root.Only("name", "comment", "format", "delimiter", "match", "id", "time", "values", "columns", "ignore",
            "register",
            "quality", "nullTokens", "files");
        var time = root.Object("time");
        time.Only("columns", "formats", "zone", "stamps", "intervalMinutes", "intervalColumn");
        var shape = root.Choice("format", ("csv-long", FileShape.CsvLong), ("csv-wide", FileShape.CsvWide),
            ("json", FileShape.Json));
        var delimiter = root.OptionalText("delimiter") ?? ",";
        if (delimiter.Length != 1) throw root.At("delimiter")
            .Bad($"is '{delimiter}'", "Give one character, such as \",\" or \"\\t\".");
        var defaults = new Profile
        {
            Name = root.Text("name"),
            Comment = root.OptionalText("comment") ?? "",
            Shape = shape,
            Delimiter = delimiter[0],
            Match = root.Texts("match") ?? [],
            Id = ReadId(root),
            TimeColumns = time.Texts("columns") ?? throw time.Missing("columns"),
            Zone = ReadZone(time),
            StampsEnd = time.Has("stamps") && time.Choice("stamps", ("start", false), ("end", true)),
            IntervalMinutes = ReadInterval(time),
            IntervalColumn = time.OptionalText("intervalColumn"),
            Values = [.. root.Items("values").Select(ReadValue)],
            Columns = ReadOverrides(root, "columns"),
            Files = ReadOverrides(root, "files"),
            Ignore = root.Texts("ignore") ?? [],
            Register = root.Has("register") ? ReadRegister(root.Object("register")) : null,
            Quality = root.Has("quality") ? ReadQuality(root.Object("quality")) : null,
        };
        defaults = defaults with
        {
            TimeFormats = time.Texts("formats") ?? defaults.TimeFormats,
            NullTokens = root.Texts("nullTokens") ?? defaults.NullTokens,
        };
        Check(root, time, defaults);
        return defaults;
    }

    private static void Check(Node root, Node time, Profile p)
    {
        if (p.TimeColumns.Count is 0 or > 3) throw time.At("columns").Bad("must name 1 to 3 columns", "");
        if (p.Values.Count is 0 or > 16) throw root.At("values").Bad("must hold 1 to 16 entries", "");
        foreach (var format in p.TimeFormats)
        {
            try
            {
                if (TimePattern.Compile(format) is { HasDate: true, HasHour: _ }) continue;
            }
            catch (FormatException e)
            {
                throw time.At("formats").Bad(e.Message, "Use yyyy MM M dd d HH H mm m ss f z, or iso.");
            }
            throw time.At("formats").Bad($"'{format}' has no year", "Use yyyy MM dd HH mm, or iso.");
        }
        foreach (var v in p.Values)
            if (!ProfileNames.Fits(v.Unit, v.Channel))
                throw root.At("values").Bad($"measures {ProfileNames.Of(v.Channel)} in {ProfileNames.Of(v.Unit)}", "");
        if ((p.Id.Source == IdSource.Header) != (p.Shape == FileShape.CsvWide))
            throw root.At("id").Bad("is \"header\"", "A wide file, and only a wide file, has its ids in the header.");
        if (p.Shape == FileShape.CsvWide && (p.Values.Count != 1 || p.Values[0].Column != "*"))
            throw root.At("values").Bad("of a wide file must be one entry with column \"*\"", "");
        if (p.Shape == FileShape.CsvWide && (p.Values[0].IsCumulative || p.Register is not null
            || p.Quality is not null))
            throw root.At("values").Bad("of a wide file are interval energies without register and quality",
                "Use a long file for the rest.");
    }

    private static IdRule ReadId(Node root)
    {
        var text = root.Text("id");
        var colon = text.IndexOf(':');
        var (head, rest) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        return head switch
        {
            "column" when rest.Length > 0 => new IdRule(IdSource.Column, rest),
            "constant" when rest.Length > 0 => new IdRule(IdSource.Constant, rest),
            "file" => new IdRule(IdSource.File, rest),
            "header" => new IdRule(IdSource.Header, rest),
            _ => throw root.At("id").Bad($"is '{text}'",
                "Use column:NAME, constant:ID, file or file:PREFIX (the file's stem), header or header:PREFIX."),
        };
    }

    private static string? ReadZone(Node time)
    {
        var zone = time.OptionalText("zone");
        if (zone is not null && !ZoneRules.TryGet(zone, out _))
            throw time.At("zone")
                .Bad($"is '{zone}'", "Use an IANA name such as Europe/London, or an offset such as +10:00.");
        return zone;
    }

    private static int? ReadInterval(Node time)
    {
        var minutes = time.OptionalInt("intervalMinutes");
        if (minutes is < 1 or > 1440 || (minutes is { } m && 1440 % m != 0))
            throw time.At("intervalMinutes").Bad($"is {minutes}",
                "Use a number of minutes that divides a day, 1 to 1440.");
        return minutes;
    }

    private static ValueColumn ReadValue(Node n)
    {
        n.Only("column", "channel", "unit", "kind");
        var cumulative = n.Has("kind") && n.Choice("kind", ("interval", false), ("cumulative", true));
        return new ValueColumn(n.Text("column"), ReadChannel(n) ?? throw n.Missing("channel"),
            ReadUnit(n) ?? throw n.Missing("unit"), cumulative);
    }

    private static RegisterColumn ReadRegister(Node n)
    {
        n.Only("column", "channel", "unit");
        return new RegisterColumn(n.Text("column"), ReadChannel(n) ?? throw n.Missing("channel"),
            ReadUnit(n) ?? throw n.Missing("unit"));
    }

    private static QualityColumn ReadQuality(Node n)
    {
        n.Only("column", "map");
        var map = new Dictionary<string, Quality>(StringComparer.OrdinalIgnoreCase);
        if (n.Has("map"))
        {
            foreach (var entry in n.Object("map").Members())
            {
                if (!ProfileNames.TryQuality(entry.AsText(), out var quality))
                    throw entry.Bad($"is '{entry.AsText()}'", "Use actual, edited, estimated, suspect or missing.");
                map[entry.Name] = quality;
            }
        }
        return new QualityColumn(n.Text("column"), map);
    }

    private static Dictionary<string, Override> ReadOverrides(Node root, string name)
    {
        var map = new Dictionary<string, Override>(StringComparer.Ordinal);
        if (!root.Has(name)) return map;
        foreach (var n in root.Object(name).Members())
        {
            n.Only("id", "channel", "unit");
            map[n.Name] = new Override(n.OptionalText("id"), ReadChannel(n), ReadUnit(n));
        }
        return map;
    }

    private static Channel? ReadChannel(Node n)
    {
        if (n.OptionalText("channel") is not { } text) return null;
        return ProfileNames.TryChannel(text, out var channel) ? channel
            : throw n.At("channel").Bad($"is '{text}'", "Use import, export, voltage, heat, gas or water.");
    }

    private static ValueUnit? ReadUnit(Node n)
    {
        if (n.OptionalText("unit") is not { } text) return null;
        return ProfileNames.TryUnit(text, out var unit) ? unit
            : throw n.At("unit").Bad($"is '{text}'", "Use Wh, kWh, MWh, litre, m3 or V.");
    }
}
