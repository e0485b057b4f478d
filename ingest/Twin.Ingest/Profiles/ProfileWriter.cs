using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Twin.Hardware;

namespace Twin.Ingest.Profiles;

/// <summary>A profile as the document that <see cref="ProfileJson"/> reads: a sniff saved, corrected and given back
/// with --profile.</summary>
public static class ProfileWriter
{
    public static string ToJson(Profile p)
    {
        using var stream = new MemoryStream();
        var options = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var w = new Utf8JsonWriter(stream, options))
        {
            w.WriteStartObject();
            w.WriteString("name", p.Name);
            if (p.Comment.Length > 0) w.WriteString("comment", p.Comment);
            w.WriteString("format", ProfileNames.Of(p.Shape));
            w.WriteString("delimiter", p.Delimiter.ToString());
            if (p.Match.Count > 0) Texts(w, "match", p.Match);
            w.WriteString("id", p.Id.Source.ToString().ToLowerInvariant()
                + (p.Id.Text.Length > 0 ? ":" + p.Id.Text : ""));
            Time(w, p);
            w.WriteStartArray("values");
            foreach (var v in p.Values)
            {
                w.WriteStartObject();
                Column(w, v.Column, v.Channel, v.Unit);
                w.WriteString("kind", v.IsCumulative ? "cumulative" : "interval");
                w.WriteEndObject();
            }
            w.WriteEndArray();
            Rest(w, p);
            w.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Time(Utf8JsonWriter w, Profile p)
    {
        w.WriteStartObject("time");
        Texts(w, "columns", p.TimeColumns);
        Texts(w, "formats", p.TimeFormats);
        if (p.Zone is not null) w.WriteString("zone", p.Zone);
        w.WriteString("stamps", p.StampsEnd ? "end" : "start");
        if (p.IntervalMinutes is { } m) w.WriteNumber("intervalMinutes", m);
        if (p.IntervalColumn is not null) w.WriteString("intervalColumn", p.IntervalColumn);
        w.WriteEndObject();
    }

    private static void Rest(Utf8JsonWriter w, Profile p)
    {
        Overrides(w, "columns", p.Columns);
        if (p.Ignore.Count > 0) Texts(w, "ignore", p.Ignore);
        if (p.Register is { } r)
        {
            w.WriteStartObject("register");
            Column(w, r.Column, r.Channel, r.Unit);
            w.WriteEndObject();
        }
        if (p.Quality is { } q)
        {
            w.WriteStartObject("quality");
            w.WriteString("column", q.Column);
            w.WriteStartObject("map");
            foreach (var (text, quality) in q.Map) w.WriteString(text, quality.ToString().ToLowerInvariant());
            w.WriteEndObject();
            w.WriteEndObject();
        }
        Texts(w, "nullTokens", p.NullTokens);
        Overrides(w, "files", p.Files);
    }

    private static void Texts(Utf8JsonWriter w, string name, IReadOnlyList<string> texts)
    {
        w.WriteStartArray(name);
        foreach (var t in texts) w.WriteStringValue(t);
        w.WriteEndArray();
    }

    private static void Column(Utf8JsonWriter w, string column, Channel channel, ValueUnit unit)
    {
        w.WriteString("column", column);
        w.WriteString("channel", ProfileNames.Of(channel));
        w.WriteString("unit", ProfileNames.Of(unit));
    }

    private static void Overrides(Utf8JsonWriter w, string name, IReadOnlyDictionary<string, Override> map)
    {
        if (map.Count == 0) return;
        w.WriteStartObject(name);
        foreach (var (key, o) in map)
        {
            w.WriteStartObject(key);
            if (o.Id is not null) w.WriteString("id", o.Id);
            if (o.Channel is { } c) w.WriteString("channel", ProfileNames.Of(c));
            if (o.Unit is { } u) w.WriteString("unit", ProfileNames.Of(u));
            w.WriteEndObject();
        }
        w.WriteEndObject();
    }
}
