using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// Reads an object of JSON member by member, and refuses what it does not know: a misspelt member would silently do
/// something else. Each error names the member by its path (RFC 6901) and what it takes; what was sent is not repeated.
/// </summary>
internal sealed class StrictBody
{
    private const int MaxDepth = 16;

    /// <summary>Items of a list in a body.</summary>
    private const int MaxItems = 10_000;

    private readonly JsonElement _object;
    private readonly string _path;
    private readonly HashSet<string> _known = [];

    private StrictBody(JsonElement of, string path)
    {
        if (of.ValueKind != JsonValueKind.Object)
            throw Bad(path.Length == 0 ? "/" : path, "is no object", "Write an object: {\"name\": value, ...}.");
        (_object, _path) = (of, path);
    }

    /// <exception cref="ApiProblem">The body is no JSON, has a member twice, or is too large.</exception>
    public static async Task<StrictBody> Read(HttpRequest request, int most, CancellationToken cancel) =>
        Of(await Text(request, most, cancel));

    /// <summary>The bytes of a body of JSON, unpacked.</summary>
    public static async Task<byte[]> Text(HttpRequest request, int most, CancellationToken cancel)
    {
        if (!IsJson(request.ContentType))
            throw new ApiProblem(415, "unsupported_media_type", "This path takes JSON.",
                "Send it with Content-Type: application/json.");
        using var whole = await MessageIntake.Whole(ObservationsApi.BodyOf(request), most, cancel);
        return whole.ToArray();
    }

    private static bool IsJson(string? type) =>
        type?.Split(';')[0].Trim().ToLowerInvariant() is "application/json" or "text/json";

    public static StrictBody Of(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions
            {
                MaxDepth = MaxDepth, AllowDuplicateProperties = false,
            });
            return new StrictBody(document.RootElement.Clone(), "");
        }
        catch (JsonException e)
        {
            throw new ApiProblem(400, "bad_json", "The body is no JSON, or has a member twice (line "
                + $"{(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1} of it).",
                "Send one object in JSON (RFC 8259), in UTF-8, each member once.");
        }
        catch (InvalidOperationException)
        {
            throw new ApiProblem(400, "bad_json", "The body is not UTF-8.", "Send one object in JSON, in UTF-8.");
        }
    }

    private JsonElement? Member(string name)
    {
        _known.Add(name);
        return _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public bool Has(string name) => Member(name) is not null;

    /// <summary>A text; null when it is not given.</summary>
    public string? Text(string name, int most)
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.String && Decoded(value) is { } text && text.Length <= most) return text;
        throw Bad(At(name), "is no text, or too long", $"Write a text of at most {most} characters.");
    }

    /// <summary>Half a surrogate pair is no text.</summary>
    private static string? Decoded(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public string RequiredText(string name, int most) => Text(name, most) ?? throw Missing(name);

    /// <summary>A word of an enumeration; null when it is not given.</summary>
    public T? Word<T>(string name) where T : struct, Enum
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.String && Decoded(value) is { } text)
            foreach (var word in Enum.GetValues<T>())
                if (SnakeCase.Of(word) == text) return word;
        throw Bad(At(name), "is none of its words",
            $"Use one of: {string.Join(", ", Enum.GetValues<T>().Select(SnakeCase.Of))}.");
    }

    public T RequiredWord<T>(string name) where T : struct, Enum => Word<T>(name) ?? throw Missing(name);

    public bool Flag(string name) => Member(name)?.ValueKind switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw Bad(At(name), "is neither true nor false", "Write true or false, without quotes."),
    };

    /// <summary>A whole number; null when it is not given.</summary>
    public int? Number(string name, int least, int most)
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least
            && number <= most) return number;
        throw Bad(At(name), $"is no whole number from {least} to {most}",
            "Write it without quotes and without a point.");
    }

    public bool RequiredFlag(string name) => Has(name) ? Flag(name) : throw Missing(name);

    /// <summary>RFC 3339, or a bare date; null when it is not given.</summary>
    public UnixTime? Time(string name) => Text(name, 64) is not { } text ? null
        : Parameters.TryTime(text, out var time) ? time
        : throw Bad(At(name), "is no RFC 3339 time between 1900 and 2200", "Write it as 2026-11-22T00:00:00Z.");

    public IReadOnlyList<string> Texts(string name, int most)
    {
        if (Member(name) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MaxItems)
            throw Bad(At(name), "is no list, or too long", $"Write a list of at most {MaxItems} texts.");
        var all = new List<string>();
        foreach (var item in value.EnumerateArray())
            all.Add(item.ValueKind == JsonValueKind.String && Decoded(item) is { } text && text.Length <= most ? text
                : throw Bad($"{At(name)}/{all.Count}", "is no text, or too long",
                    $"Write a text of at most {most} characters."));
        return all;
    }

    /// <summary>An object in the object; null when it is not given.</summary>
    public StrictBody? Part(string name) => Member(name) is { } value ? new StrictBody(value, At(name)) : null;

    public StrictBody RequiredPart(string name) => Part(name) ?? throw Missing(name);

    /// <summary>To be called when all was read: what is left is not known here.</summary>
    public void End()
    {
        foreach (var member in _object.EnumerateObject())
            if (!_known.Contains(member.Name))
                throw new ApiProblem(400, "unknown_member",
                    $"The object {(_path.Length == 0 ? "of the body" : _path)} has a member that this path does not "
                    + "take.",
                    $"It takes: {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
    }

    private string At(string name) => $"{_path}/{name}";

    private ApiProblem Missing(string name) => Bad(At(name), "is missing", "Give it.");

    private static ApiProblem Bad(string path, string what, string hint) =>
        new(400, "bad_member", $"The member {path} {what}.", hint);
}
