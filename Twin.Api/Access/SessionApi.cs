using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// Who asks and what they may. <paramref name="Name"/> is null when nobody has signed in;
/// <paramref name="ApprovesFrom"/>: from when on an approval counts.
/// </summary>
internal sealed record SessionView(string? Name, string? Credential, bool IsPerson, Role? Role,
    IReadOnlyList<Right> Rights, IReadOnlyList<string> Regions, bool MayApprove, UnixTime? ApprovesFrom, bool IsLocal,
    ServiceMode Mode, bool NeedsKey);

/// <summary>Signing in and out, and links that do it once.</summary>
internal static class SessionApi
{
    public const string Path = "/api/v1/session";
    private const string LinkPath = "/api/v1/link/{token}";
    private const int MaxBody = 1_024;

    public static void MapSessionApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, Get).Needs(Right.Public).WithName("get_session").WithTags("access")
            .WithSummary("Who you are and what you may");
        routes.MapPost(Path, SignIn).Needs(Right.Public).WithName("sign_in").WithTags("access")
            .Accepts<string>("application/json").Produces<SessionView>().ProducesProblem(400).ProducesProblem(401)
            .ProducesProblem(415).ProducesProblem(429).WithRequestTimeout(TwinApi.SignInPolicy)
            .WithSummary("Signs a browser in: key. The answer sets a cookie that scripts cannot read");
        routes.MapDelete(Path, SignOut).Needs(Right.Public).WithName("sign_out").WithTags("access")
            .WithSummary("Ends the session");
        routes.MapGet(LinkPath, Follow).Needs(Right.Public).WithName("follow_link").WithTags("access")
            .ProducesProblem(404).WithSummary("A link that signs in, once");
    }

    private static Ok<SessionView> Get(HttpContext http, AccessBook book, ApiOptions options) =>
        TypedResults.Ok(View(http.Features.Get<Caller>(), book, options));

    private static SessionView View(Caller? caller, AccessBook book, ApiOptions options) => new(
        caller is null or { IsLocal: true } ? null : caller.Name, caller?.Credential, caller?.IsPerson ?? false,
        caller is null or { IsLocal: true } ? null : caller.Role,
        [.. Enum.GetValues<Right>().Where(r => r == Right.Public || caller?.May(r) == true)], caller?.Regions ?? [],
        caller?.May(Right.Approve) ?? false, caller?.ApprovesFrom,
        caller?.IsLocal ?? false, options.Mode, !book.IsOpen);

    private static async Task<Ok<SessionView>> SignIn(HttpContext http, AccessBook book, Sessions sessions,
        Doorkeeper door, ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        if (http.Request.Headers.ContentEncoding.Count > 0)
            throw new ApiProblem(415, "unsupported_media_type", "A sign-in is a few bytes, and is not packed.",
                "Send it without Content-Encoding.");
        var body = await StrictBody.Read(http.Request, MaxBody, cancel);
        var text = body.RequiredText("key", 128);
        body.End();
        var key = await door.Open(http, text.Trim(), cancel);
        var caller = await book.CallerOf(key.Holder, ApiKey.NameOf(key.Id), cancel);
        SetCookie(http, sessions.Begin(caller.Name, caller.Credential), options);
        return TypedResults.Ok(View(caller, book, options));
    }

    private static NoContent SignOut(HttpContext http, Sessions sessions, ApiOptions options)
    {
        Parameters.Only(http.Request);
        if (http.Request.Cookies[Sessions.Cookie] is { } cookie) sessions.End(cookie);
        http.Response.Cookies.Delete(Sessions.Cookie, CookieOf(options));
        return TypedResults.NoContent();
    }

    private static async Task<RedirectHttpResult> Follow(string token, HttpContext http, AccessBook book,
        Sessions sessions, ApiOptions options, CancellationToken cancel)
    {
        if (token.Length > 128 || sessions.Take(token) is not var (holder, credential))
            throw new ApiProblem(404, "link_used", "The link was used already, or is too old.",
                "Sign in with a key, or start the demo again.");
        await book.Refresh(cancel);
        var caller = await book.CallerOf(holder, credential, cancel);
        SetCookie(http, sessions.Begin(caller.Name, caller.Credential), options);
        return TypedResults.Redirect("/");
    }

    private static void SetCookie(HttpContext http, string text, ApiOptions options) =>
        http.Response.Cookies.Append(Sessions.Cookie, text, CookieOf(options));


    /// <summary>Of this site alone, and out of reach of scripts.</summary>
    private static CookieOptions CookieOf(ApiOptions options) => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = options.IsTls, Path = "/", IsEssential = true,
    };
}
