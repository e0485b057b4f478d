using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains.Access;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Api;

/// <summary>A person or service. <paramref name="LastUse"/>: since this process began.</summary>
internal sealed record HolderItem(string Name, bool IsService, Role Role, UnixTime RoleSince, UnixTime? ApprovesFrom,
    IReadOnlyList<string> Regions, bool IsDisabled, bool IsBreakGlass, UnixTime? LastUse, string Etag);

/// <summary>Persons and services in order of name.</summary>
internal sealed record HolderList(IReadOnlyList<HolderItem> Persons, string? Next, int Total);

/// <summary>Persons and services: listed, added, given roles, disabled.</summary>
internal static class HoldersApi
{
    private const string Path = "/api/v1/persons";
    private const int MaxBody = 16 * 1024;
    private const string Version = "h1";

    public static void MapHoldersApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Administer).WithName("list_persons").WithTags("access")
            .Produces<HolderList>().ProducesProblem(400)
            .WithSummary("Persons and services by name, with their roles and last use: limit, cursor, fields");
        routes.MapPut(Path + "/{name}", Put).Needs(Right.Administer).WithName("put_person").WithTags("access")
            .Accepts<string>("application/json").Produces<HolderItem>().ProducesProblem(400).ProducesProblem(412)
            .ProducesProblem(422)
            .WithSummary("Adds or changes a person or service: role, regions, service, disabled, break_glass, why. A "
                + "new role may approve after 24 hours, and is a finding. If-Match");
    }

    private static IResult List(string? limit, string? cursor, string? fields, HttpContext http, AccessBook book)
    {
        Parameters.Only(http.Request, "limit", "cursor", "fields");
        var most = Parameters.Integer(limit, "limit", KeysApi.DefaultLimit, KeysApi.MaxLimit);
        var after = Cursor.Read(cursor, Version) is not { } place ? ""
            : ulong.TryParse(place, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var name)
                && book.Holders.FirstOrDefault(h => StableHash.Of(h.Key) == name) is { } known ? known.Key
            : throw Cursor.Bad();
        var found = book.Holders.Where(h => string.CompareOrdinal(h.Key, after) > 0).Take(most + 1).ToArray();
        // Nobody is ever removed, so that whoever ended a page is there when the next is asked for.
        var next = found.Length <= most ? null : Cursor.Next(http.Request, Cursor.Write(Version,
            StableHash.Of(found[most - 1].Key).ToString("x16", CultureInfo.InvariantCulture)));
        return Fields.Of(new HolderList([.. found.Take(most).Select(h => Item(h, book))], next, book.Holders.Count()),
            fields, "persons");
    }

    private static HolderItem Item(Holder h, AccessBook book) => new(h.Name, h.IsService, h.Role, h.RoleSince,
        h.ApprovesFrom, h.Regions, h.IsDisabled, h.IsBreakGlass, book.LastUse(h.Key), EtagOf(h));

    private static string EtagOf(Holder? h)
    {
        var to = new ByteWriter(128);
        foreach (var text in (ReadOnlySpan<string>)[h?.Name ?? "", .. h?.Regions ?? []]) to.Text(text);
        to.VarInt(h?.RoleSince.Seconds ?? 0);
        foreach (var flag in (ReadOnlySpan<bool>)[h?.IsDisabled ?? false, h?.IsBreakGlass ?? false]) to.Bool(flag);
        to.Byte((byte)(h?.Role ?? 0));
        return CaseTag.Of(to.Written);
    }

    private static async Task<Ok<HolderItem>> Put(string name, HttpContext http, AccessBook book, ApiOptions options,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var body = await StrictBody.Read(http.Request, MaxBody, cancel);
        return await ActDoor.Alone(HolderSet.Access, () => Change(name, body, http, book, options, cancel), cancel);
    }

    private static async Task<Ok<HolderItem>> Change(string name, StrictBody body, HttpContext http, AccessBook book,
        ApiOptions options, CancellationToken cancel)
    {
        await book.Refresh(cancel, force: true);
        var known = book.HolderOf(name);
        ActDoor.RequireMatch(http.Request, EtagOf(known));
        var change = new HolderSet(options.Now(), Caller.Of(http).Actor, known?.Name ?? Parameters.Text(name, "name")!,
            body.Has("service") ? body.Flag("service") : known?.IsService ?? false,
            body.Word<Role>("role") ?? known?.Role ?? body.RequiredWord<Role>("role"),
            body.Has("regions") ? [.. body.Texts("regions", Actor.MaxText)] : known?.Regions ?? [],
            body.Has("disabled") ? body.Flag("disabled") : known?.IsDisabled ?? false,
            body.Has("break_glass") ? body.Flag("break_glass") : known?.IsBreakGlass ?? false,
            body.Text("why", CaseAct.MaxText) ?? "");
        body.End();
        await book.Change(change, cancel);
        var item = Item(book.HolderOf(change.Name)!, book);
        http.Response.Headers.ETag = $"\"{item.Etag}\"";
        return TypedResults.Ok(item);
    }
}
