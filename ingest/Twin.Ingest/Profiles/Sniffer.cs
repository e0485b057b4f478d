using System.Text;
using System.Text.Json;
using Twin.Ingest.Feed;
using Twin.Ingest.Readers;
using Twin.Ingest.Text;

namespace Twin.Ingest.Profiles;

/// <summary>What a file was found to be.</summary>
/// <param name="IsRecognised">True when a profile of the library or the caller's own fits; false when the columns were
/// guessed.</param>
/// <param name="Header">Column names, or the names in a JSON record.</param>
/// <param name="IntervalMinutes">From the profile, else from the first rows; null when each row tells it.</param>
public sealed record Sniff(string File, Profile Profile, bool IsRecognised, string[] Header, int? IntervalMinutes)
{
    /// <summary>One paragraph for a person.</summary>
    public string Describe()
    {
        var p = Profile;
        var text = new StringBuilder();
        text.Append(File).Append(": ").Append(IsRecognised ? $"profile {p.Name}" : "no profile; sniffed").Append(", ")
            .Append(ProfileNames.Of(p.Shape));
        if (p.Shape != FileShape.Json) text.Append(" with ").Append(p.Delimiter == '\t' ? "tabs" : $"'{p.Delimiter}'");
        text.Append(", id from ").Append(p.Id.Source switch
        {
            IdSource.Column => $"column '{p.Id.Text}'",
            IdSource.File => "the file's name",
            IdSource.Header => "the header",
            _ => $"the constant '{p.Id.Text}'",
        });
        text.Append(", time from ").AppendJoin(" and ", p.TimeColumns.Select(static c => $"'{c}'"))
            .Append(" as ").AppendJoin(" or ", p.TimeFormats)
            .Append(p.Zone is null ? ", zone not declared" : $", zone {p.Zone}")
            .Append(p.StampsEnd ? ", stamps end" : ", stamps begin").Append(" the interval of ")
            .Append(IntervalMinutes is { } m ? $"{m} minutes" : $"column '{p.IntervalColumn}'");
        foreach (var v in p.Values)
        {
            text.Append(v.Column == "*" ? ", every column " : $", '{v.Column}' ").Append(ProfileNames.Of(v.Channel))
                .Append(" in ")
                .Append(ProfileNames.Of(v.Unit)).Append(v.IsCumulative ? " cumulative" : "");
        }
        return text.Append('.').ToString();
    }
}

/// <summary>Finds out how to read a file: a given profile, one of the library that fits the header, or a guess from the
/// first rows.</summary>
public static class Sniffer
{
    private const int MaxSampleRows = 400;
    private const int MaxSampleBytes = 1 << 20;

    /// <exception cref="FormatError">The file is empty, binary, has no header, or holds no interval
    /// readings.</exception>
    public static Sniff Inspect(SourceFile file, Profile? given)
    {
        using var stream = file.Open();
        var head = ReadHead(file.Path, stream);
        var text = head.AsSpan();
        if (text.StartsWith(Encoding.UTF8.Preamble)) text = text[3..];
        text = text.TrimStart(" \t\r\n"u8);
        if (text.IsEmpty) throw new FormatError(file.Path, "is empty.", "");
        if (text[0] == '{')
            throw new FormatError(file.Path, "is a JSON object, not a list of records.",
                "Name a file of NDJSON observations *.ndjson.");
        var json = text[0] == '[';
        var (header, rows, delimiter) = Sample(file.Path, json, head, given, MaxSampleRows);
        var profile = given ?? ProfileLibrary.Match(json, header, file.Stem);
        var recognised = profile is not null;
        if (given is not null && (given.Shape == FileShape.Json) != json)
            throw new FormatError(file.Path,
                $"is {(json ? "JSON" : "no JSON")}, profile '{given.Name}' says {ProfileNames.Of(given.Shape)}.",
                "Give another profile.");
        if (rows.Count == 0 && profile is null) throw new FormatError(file.Path, "has a header and no rows.", "");
        if (profile is not null) profile = ForFile(profile, file.Stem);
        profile ??= ColumnGuess.Guess(file.Path, json, delimiter, header, rows);
        if (profile.IntervalColumn is not null) return new Sniff(file.Path, profile, recognised, header, null);
        // Many meters at one time stand before the second time: then the whole sample is looked at.
        var interval = profile.IntervalMinutes ?? ColumnGuess.Interval(file.Path, profile, header, rows)
            ?? ColumnGuess.Interval(file.Path, profile, header, Sample(file.Path, json, head, given, int.MaxValue).Rows)
            ?? throw new FormatError(file.Path, "does not tell its interval in its first rows.",
                "Give \"intervalMinutes\" with --profile.");
        return new Sniff(file.Path, profile, recognised, header, interval);
    }

    private static (string[] Header, List<string[]> Rows, char Delimiter) Sample(string path, bool json, byte[] head,
        Profile? given, int maxRows) => json ? SampleJson(head, maxRows) : SampleCsv(path, head, given, maxRows);

    private static Profile ForFile(Profile profile, string stem)
    {
        if (!profile.Files.TryGetValue(stem, out var special)) return profile;
        return profile with
        {
            Id = special.Id is null ? profile.Id : new IdRule(IdSource.Constant, special.Id),
            Values = [.. profile.Values.Select(v =>
                v with { Channel = special.Channel ?? v.Channel, Unit = special.Unit ?? v.Unit })],
        };
    }

    private static byte[] ReadHead(string path, Stream stream)
    {
        var buffer = new byte[MaxSampleBytes];
        var n = 0;
        try
        {
            for (int read; n < buffer.Length && (read = stream.Read(buffer, n, buffer.Length - n)) > 0;) n += read;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // A broken gzip: what came before the break is still worth a look; reading it says where it breaks.
            if (n == 0) throw new FormatError(path, $"is a damaged gzip file: {e.Message}", "Fetch it again.");
        }
        return buffer[..n];
    }

    private static (string[], List<string[]>, char) SampleCsv(string path, byte[] head, Profile? given, int maxRows)
    {
        using var lines = new ByteLines(path, new MemoryStream(head), MaxSampleBytes + 1);
        var rows = new List<string[]>();
        string[]? header = null;
        var delimiter = given?.Delimiter ?? ',';
        while (rows.Count < maxRows && lines.Next(out var line))
        {
            if (line.Trim(" \t"u8).IsEmpty) continue;
            if (header is null)
            {
                if (given is null) delimiter = ColumnGuess.DelimiterOf(line);
                header = CsvLine.Header(line, delimiter);
                ColumnGuess.RequireHeader(path, header);
            }
            else rows.Add(CsvLine.Header(line, delimiter));
        }
        // The sample may end in the middle of a row.
        if (head.Length == MaxSampleBytes && rows.Count > 1 && rows.Count < maxRows) rows.RemoveAt(rows.Count - 1);
        return (header ?? throw new FormatError(path, "has only blank lines.", ""), rows, delimiter);
    }

    private static (string[], List<string[]>, char) SampleJson(byte[] head, int maxRows)
    {
        var names = new List<string>();
        var records = new List<Dictionary<string, string>>();
        var text = head.AsSpan();
        if (text.StartsWith(Encoding.UTF8.Preamble)) text = text[3..];
        var reader = new Utf8JsonReader(text, isFinalBlock: false, default);
        Dictionary<string, string>? record = null;
        string? name = null;
        try
        {
            while (records.Count < maxRows && reader.Read())
            {
                if (reader.TokenType == JsonTokenType.StartObject && reader.CurrentDepth <= 1) record = [];
                else if (reader.TokenType == JsonTokenType.EndObject && record is not null)
                {
                    records.Add(record);
                    record = null;
                }
                else if (reader.TokenType == JsonTokenType.PropertyName) name = reader.GetString();
                else if (record is not null && name is not null)
                {
                    if (!names.Contains(name)) names.Add(name);
                    record[name] = Encoding.UTF8.GetString(reader.ValueSpan);
                    name = null;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What was read so far is the sample; reading the file says where it breaks.
        }
        var rows = records.Select(r => names.Select(n => r.GetValueOrDefault(n, "")).ToArray()).ToList();
        return ([.. names], rows, ',');
    }
}
