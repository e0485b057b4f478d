using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Twin.Api;

/// <summary>
/// Items as CSV (RFC 4180) with a heading: a column for each member, lists and objects as JSON in their cell. A text
/// that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection).
/// </summary>
internal static class CsvLines
{
    public static string Heading(JsonObject item) => string.Join(',', item.Select(m => Cell(m.Key))) + "\r\n";

    public static string Of(JsonObject item) => string.Join(',', item.Select(m => Cell(m.Value))) + "\r\n";

    private static string Cell(JsonNode? value) => value switch
    {
        null => "",
        JsonValue v when v.GetValueKind() == JsonValueKind.String => Cell(v.GetValue<string>()),
        JsonValue v => v.ToJsonString(),
        _ => Quoted(value.ToJsonString(ApiJson.Options)),
    };

    private static string Cell(string text)
    {
        var safe = text.Length > 0 && "=+-@\t\r".Contains(text[0], StringComparison.Ordinal) ? "'" + text : text;
        // Some spreadsheets part cells at semicolons or tabs, whatever the file does: what is in quotes stays one.
        return safe.AsSpan().IndexOfAny(",;\t\"\r\n") >= 0 ? Quoted(safe) : safe;
    }

    private static string Quoted(string text) =>
        new StringBuilder(text.Length + 8).Append('"').Append(text.Replace("\"", "\"\"")).Append('"').ToString();
}
