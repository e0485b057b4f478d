using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains.Access;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>A person or service. <paramref name="LastUse"/>: since this process began.</summary>
internal sealed record HolderItem(string Name, bool IsService, Role Role, UnixTime RoleSince, UnixTime? ApprovesFrom,
    IReadOnlyList<string> Regions, bool IsDisabled, bool IsBreakGlass, UnixTime? LastUse);

/// <summary>Persons and services in order of name.</summary>
internal sealed record HolderList(IReadOnlyList<HolderItem> Persons);

/// <summary>Persons and services: listed, added, given roles, disabled.</summary>
internal static class HoldersApi
{
    private const string Path = "/api/v1/persons";
    private const int MaxBody = 16 * 1024;

    public static void MapHoldersApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Administer).WithName("list_persons").WithTags("access")
            .WithSummary("Persons and services with their roles and last use");
        routes.MapPut(Path + "/{name}", Put).Needs(Right.Administer).WithName("put_person").WithTags("access")
            .Accepts<string>("application/json").Produces<HolderItem>().ProducesProblem(400).ProducesProblem(422)
            .WithSummary("Adds or changes a person or service: role, regions, service, disabled, break_glass, why. A "
                + "new role may approve after 24 hours, and is a finding");
    }

    private static Ok<HolderList> List(HttpContext http, AccessBook book)
    {
        Parameters.Only(http.Request);
        return TypedResults.Ok(new HolderList([.. book.Holders.Select(h => Item(h, book))]));
    }

    private static HolderItem Item(Holder h, AccessBook book) => new(h.Name, h.IsService, h.Role, h.RoleSince,
        h.ApprovesFrom, h.Regions, h.IsDisabled, h.IsBreakGlass, book.LastUse(h.Key));

    private static async Task<Ok<HolderItem>> Put(string name, HttpContext http, AccessBook book, ApiOptions options,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var body = await StrictBody.Read(http.Request, MaxBody, cancel);
        var known = book.HolderOf(name);
        var change = new HolderSet(options.Now(), Caller.Of(http).Actor, known?.Name ?? Parameters.Text(name, "name")!,
            body.Has("service") ? body.Flag("service") : known?.IsService ?? false,
            body.Word<Role>("role") ?? known?.Role ?? body.RequiredWord<Role>("role"),
            body.Has("regions") ? [.. body.Texts("regions", Actor.MaxText)] : known?.Regions ?? [],
            body.Has("disabled") ? body.Flag("disabled") : known?.IsDisabled ?? false,
            body.Has("break_glass") ? body.Flag("break_glass") : known?.IsBreakGlass ?? false,
            body.Text("why", CaseAct.MaxText) ?? "");
        body.End();
        await book.Change(change, cancel);
        return TypedResults.Ok(Item(book.HolderOf(change.Name)!, book));
    }
}
