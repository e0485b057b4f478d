using Microsoft.AspNetCore.Http;

namespace Twin.Api;

/// <summary>
/// Refuses what a web page of somebody else could make a browser send here. The service listens on loopback without a
/// login, so the name it is called by (DNS rebinding) and the site a change comes from (request forgery) are its gate.
/// </summary>
internal sealed class Guards(RequestDelegate next, ApiOptions options)
{
    /// <summary>Of every answer; the page sets its own policy because it has a style sheet.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    private readonly HashSet<string> _hosts =
        new(["localhost", "127.0.0.1", "[::1]", .. options.AllowedHosts], StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext http)
    {
        if (!_hosts.Contains(http.Request.Host.Host))
        {
            throw new ApiProblem(421, "host_not_allowed",
                "The Host header names a host that this service does not answer for.",
                "Use http://localhost or http://127.0.0.1, or add the name to the allowed hosts of the configuration.");
        }
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method)
            && IsCrossSite(http.Request))
        {
            throw CrossSite();
        }
        return next(http);
    }

    public static ApiProblem CrossSite() => new(403, "cross_site_refused",
        "A page of another site asked a browser to send this.",
        "Send it from a program, or from a page of this service.");

    public static bool IsCrossSite(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0) return site is not ("same-origin" or "none");
        var origin = request.Headers.Origin.ToString();
        return origin.Length > 0
            && !origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Sets the security headers when the answer starts, whoever writes it.</summary>
    public static Task SetHeaders(HttpContext http, RequestDelegate next)
    {
        http.Response.OnStarting(static state =>
        {
            var headers = ((HttpContext)state).Response.Headers;
            if (headers.ContentSecurityPolicy.Count == 0) headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            if (((HttpContext)state).Request.IsHttps) headers.StrictTransportSecurity = "max-age=31536000";
            if (headers.CacheControl.Count == 0) headers.CacheControl = "no-store";
            return Task.CompletedTask;
        }, http);
        return next(http);
    }
}
