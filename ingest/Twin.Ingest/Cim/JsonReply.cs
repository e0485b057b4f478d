using System.Text.Json;
using Twin.Hardware;

namespace Twin.Ingest.Cim;

/// <summary>
/// A reply in MeterTwin's own variant:
/// <c>{"header":{"correlationId":"…"},"reply":{"result":"OK","code":"0.0","details":"…"}}</c>. What else is in it is
/// passed over.
/// </summary>
public static class JsonReply
{
    /// <exception cref="CimError">It is none.</exception>
    public static CimReply Read(Stream message)
    {
        try
        {
            using var json = JsonDocument.Parse(message, new JsonDocumentOptions { MaxDepth = CimReader.MaxDepth });
            var (header, reply) = (Part(json.RootElement, "header"), Part(json.RootElement, "reply"));
            var result = CimReader.ResultOf(Text(reply, "result"));
            var correlation = Text(header, "correlationId");
            if (correlation.Length == 0) throw new CimError(0, 0, "a reply has a correlationId");
            UnixTime.TryParse(Text(header, "timestamp"), out var at);
            return new CimReply(new CimHeader(Text(header, "verb"), Text(header, "noun"), at, correlation, ""), result,
                Text(reply, "code"), Text(reply, "details"));
        }
        catch (JsonException e)
        {
            throw new CimError((int)(e.LineNumber + 1 ?? 0), (int)(e.BytePositionInLine + 1 ?? 0), "it is no JSON");
        }
    }

    private static JsonElement Part(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object
        && of.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Object ? part
            : throw new CimError(0, 0, $"a reply has an object '{name}'");

    private static string Text(JsonElement of, string name)
    {
        if (!of.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return "";
        if (value.ValueKind != JsonValueKind.String) throw new CimError(0, 0, $"'{name}' is a text");
        try
        {
            return value.GetString() is { Length: <= CimHeader.MaxText } text ? text
                : throw new CimError(0, 0, $"'{name}' has over {CimHeader.MaxText} characters");
        }
        catch (InvalidOperationException)
        {
            throw new CimError(0, 0, $"'{name}' is no UTF-8");
        }
    }
}
