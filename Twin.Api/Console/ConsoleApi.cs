using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Twin.Api;

/// <summary>
/// The console: the same shell under every path that a screen has, so that each is a link that can be kept and sent.
/// What is served here is the same for everybody; what it shows it asks of the API, which says who may.
/// </summary>
internal static class ConsoleApi
{
    private const string ForEver = "public, max-age=31536000, immutable";

    /// <summary>No inline script or style, nothing from elsewhere, no form that the browser itself would
    /// send.</summary>
    public const string ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; "
        + "connect-src 'self'; img-src 'self' data:; font-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
        + "form-action 'none'";

    /// <summary>Paths of the screens; each answers with the shell.</summary>
    public static readonly string[] Screens =
        ["/triage", "/cases/{id}", "/meters", "/meters/{id}", "/fleet", "/policies", "/sign-in"];

    public static void MapConsoleApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(ConsoleFiles.Path + "/{file}", File).Needs(Right.Public).WithName("console_file")
            .ExcludeFromDescription();
        foreach (var path in Screens)
            routes.MapGet(path, (HttpContext http, ConsoleFiles files) => Shell(http, files) ?? ToPlainPage())
                .Needs(Right.Public).ExcludeFromDescription();
    }

    /// <summary>The shell; null when this build has no console.</summary>
    public static IResult? Shell(HttpContext http, ConsoleFiles files)
    {
        if (files.Shell is not { } shell) return null;
        http.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        http.Response.Headers.CacheControl = "no-cache";
        return Answer(shell);
    }

    private static IResult ToPlainPage() => TypedResults.Redirect("/");

    private static IResult File(string file, HttpContext http, ConsoleFiles files)
    {
        if (files.Find(file) is not { } found)
            throw new ApiProblem(404, "console_file_not_found", "The console has no file of this name.",
                "Load the page again: it names the files of the version that runs now.");
        http.Response.Headers.CacheControl = ForEver;
        return Answer(found);
    }

    private static IResult Answer(ConsoleFile file) => TypedResults.Bytes(file.Bytes, file.MediaType,
        entityTag: new EntityTagHeaderValue($"\"{file.Tag}\""));
}
