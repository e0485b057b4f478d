using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains.Access;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>A key for people: never its secret. <paramref name="LastUse"/>: since this process began.</summary>
internal sealed record KeyItem(string Id, string Holder, UnixTime CreatedAt, string CreatedBy, UnixTime? ExpiresAt,
    UnixTime? RevokedAt, UnixTime? LastUse);

/// <summary>Keys in order of making.</summary>
internal sealed record KeyList(IReadOnlyList<KeyItem> Keys, string? Next, int Total);

/// <summary>A key that was made; <paramref name="Key"/> is shown here and nowhere else.</summary>
internal sealed record MadeKey(string Id, string Holder, UnixTime? ExpiresAt, string Key);

/// <summary>Keys: made, listed, revoked.</summary>
internal static class KeysApi
{
    private const string Path = "/api/v1/keys";
    public const int DefaultLimit = 100, MaxLimit = 1_000;
    private const string Version = "k1";
    private const int MaxBody = 16 * 1024, MaxDays = 3_660;
    private const long DaySeconds = 86_400;

    public static void MapKeysApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Administer).WithName("list_keys").WithTags("access")
            .Produces<KeyList>().ProducesProblem(400)
            .WithSummary("Keys in order of making, without their secrets: limit, cursor, fields");
        routes.MapPost(Path, Make).Needs(Right.Administer).WithName("make_key").WithTags("access")
            .Accepts<string>("application/json").Produces<MadeKey>(201).ProducesProblem(400).ProducesProblem(422)
            .WithSummary("Makes a key for a person or service: holder, days (until it expires), why. It is shown once");
        routes.MapDelete(Path + "/{id}", Revoke).Needs(Right.Administer).WithName("revoke_key").WithTags("access")
            .ProducesProblem(404).ProducesProblem(422).WithSummary("Revokes a key, at once: why");
    }

    private static IResult List(string? limit, string? cursor, string? fields, HttpContext http, AccessBook book)
    {
        Parameters.Only(http.Request, "limit", "cursor", "fields");
        var most = Parameters.Integer(limit, "limit", DefaultLimit, MaxLimit);
        var (since, after) = Place(cursor);
        var found = book.Keys.Where(k => (k.CreatedAt.Seconds, k.Id).CompareTo((since, after)) > 0).Take(most + 1)
            .ToArray();
        var next = found.Length <= most ? null : Cursor.Next(http.Request, Cursor.Write(Version,
            string.Create(CultureInfo.InvariantCulture,
            $"{found[most - 1].CreatedAt.Seconds}.{found[most - 1].Id:x16}")));
        return Fields.Of(new KeyList([.. found.Take(most).Select(k => Item(k, book))], next, book.Keys.Count()), fields,
            "keys");
    }

    private static (long Since, ulong After) Place(string? cursor) =>
        Cursor.Read(cursor, Version) is not { } place ? (long.MinValue, 0)
            : place.Split('.') is [var time, var id]
                && long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var since)
                && ulong.TryParse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var after)
            ? (since, after) : throw Cursor.Bad();

    private static KeyItem Item(KeyRecord k, AccessBook book) => new(IdOf(k.Id), k.Holder, k.CreatedAt, k.CreatedBy,
        k.ExpiresAt, k.RevokedAt, book.LastUse(ApiKey.NameOf(k.Id)));

    private static string IdOf(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    private static async Task<IResult> Make(HttpContext http, AccessBook book, ApiOptions options,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var body = await StrictBody.Read(http.Request, MaxBody, cancel);
        var (holder, days, why) = (body.RequiredText("holder", Actor.MaxText), body.Number("days", 1, MaxDays),
            body.Text("why", CaseAct.MaxText) ?? "");
        body.End();
        var now = options.Now();
        UnixTime? expires = days is { } d ? new UnixTime(now.Seconds + d * DaySeconds) : null;
        var (text, input) = ApiKey.Make(now, Caller.Of(http).Actor, book.HolderOf(holder)?.Name ?? holder, expires,
            why);
        await book.Change(input, cancel);
        return TypedResults.Json(new MadeKey(IdOf(input.Id), input.Holder, expires, text), ApiJson.Options,
            statusCode: 201);
    }

    private static async Task<NoContent> Revoke(string id, string? why, HttpContext http, AccessBook book,
        ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "why");
        if (id.Length != 16 || !ulong.TryParse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
            out var key) || book.Key(key) is not { } known)
            throw new ApiProblem(404, "key_not_found", "There is no key of this id.", "GET /api/v1/keys lists them.");
        // Asked for again, it is done already.
        if (known.RevokedAt is null)
            await book.Change(new KeyRevoked(options.Now(), Caller.Of(http).Actor, key,
                Parameters.Text(why, "why") ?? ""), cancel);
        return TypedResults.NoContent();
    }
}
