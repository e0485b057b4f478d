using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Twin.Api;

/// <summary>Where a list goes on. Opaque: what is inside has a version of its own and may change.</summary>
internal static class Cursor
{
    private const int MaxLength = 256;

    /// <param name="version">Which list, and the version of what is inside: <c>m1</c>.</param>
    /// <param name="place">Where to go on, in ASCII.</param>
    public static string Write(string version, string place) =>
        Base64Url.EncodeToString(Encoding.ASCII.GetBytes($"{version}.{place}"));

    /// <summary>The place; null when no cursor was given.</summary>
    /// <exception cref="ApiProblem">It is none that this list gave.</exception>
    public static string? Read(string? cursor, string version)
    {
        if (cursor is null) return null;
        Span<byte> bytes = stackalloc byte[MaxLength];
        if (cursor.Length <= MaxLength
            && Base64Url.DecodeFromChars(cursor, bytes, out _, out var n) == OperationStatus.Done
            && Encoding.ASCII.GetString(bytes[..n]) is var text
            && text.StartsWith(version + ".", StringComparison.Ordinal)) return text[(version.Length + 1)..];
        throw Bad();
    }

    public static ApiProblem Bad() => Parameters.Bad("bad_cursor",
        "The parameter cursor is none that this list gave.",
        "Follow the link next of the page before, or start without cursor.");

    /// <summary>The link of the next page: the same question with that cursor.</summary>
    public static string Next(HttpRequest request, string cursor)
    {
        var query = request.Query.Where(q => q.Key != "cursor")
            .Select(q => $"{q.Key}={Uri.EscapeDataString(q.Value.ToString())}");
        return $"{request.Path}?{string.Join('&', query.Append($"cursor={cursor}"))}";
    }
}

/// <summary>Leaves in an answer only what was asked for: <c>fields=id,name</c>.</summary>
internal static class Fields
{
    private const int MaxText = 500;

    /// <param name="answer">Serialised as ever when <paramref name="fields"/> is null.</param>
    /// <param name="fields">Members to keep, with commas between.</param>
    /// <param name="list">Member of the answer that holds the items; null when the answer is the item.</param>
    /// <exception cref="ApiProblem">An item has no such member.</exception>
    public static IResult Of<T>(T answer, string? fields, string? list = null)
    {
        if (fields is null) return TypedResults.Json(answer, ApiJson.Options);
        if (fields.Length > MaxText) throw Unknown("at most 500 characters");
        var wanted = fields.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (wanted.Length == 0) throw Unknown("at least one name");
        var node = JsonSerializer.SerializeToNode(answer, ApiJson.Options)!.AsObject();
        if (list is null) Keep(node, wanted);
        else
            foreach (var item in node[list]!.AsArray()) Keep(item!.AsObject(), wanted);
        return TypedResults.Json(node, ApiJson.Options);
    }

    private static void Keep(JsonObject item, string[] wanted)
    {
        var names = item.Select(m => m.Key).ToArray();
        if (Array.Exists(wanted, w => !names.Contains(w))) throw Unknown(string.Join(", ", names));
        foreach (var name in names)
            if (!wanted.Contains(name)) item.Remove(name);
    }

    private static ApiProblem Unknown(string known) => Parameters.Bad("bad_fields",
        "The parameter fields names a member that there is not.", $"It takes names with commas between: {known}.");
}
