using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Twin.Api;

/// <summary>Pages of lists that are made anew for each answer; the cursor counts the items before the page.</summary>
internal static class ListPage
{
    private const int DefaultLimit = 100, MaxLimit = 1_000;

    public static (List<T> Page, string? Next) Of<T>(List<T> all, string? limit, string? cursor, string version,
        HttpRequest request)
    {
        var count = Parameters.Integer(limit, "limit", DefaultLimit, MaxLimit);
        var from = 0;
        if (Cursor.Read(cursor, version) is { } place
            && !int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out from)) throw Cursor.Bad();
        from = Math.Min(from, all.Count);
        var page = all.GetRange(from, Math.Min(count, all.Count - from));
        var end = from + page.Count;
        return (page, end < all.Count ? Cursor.Next(request, Cursor.Write(version, $"{end}")) : null);
    }
}
