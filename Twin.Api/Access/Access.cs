using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// Finds who asks; null when the request bears no credential and needs one. An invalid credential is a problem.
/// </summary>
/// <exception cref="ApiProblem">401: the credential is unknown, expired or revoked.</exception>
public delegate ValueTask<Caller?> Identify(HttpContext http);

/// <summary>Refuses a request whose caller lacks the right that its endpoint needs.</summary>
internal sealed class Access(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext http)
    {
        // What routing itself answers (405, 415) is no route, and tells nothing.
        if (http.GetEndpoint() is not RouteEndpoint endpoint)
        {
            await next(http);
            return;
        }
        var right = endpoint.Metadata.GetMetadata<NeededRight>()?.Right
            ?? throw new InvalidOperationException($"{endpoint.DisplayName} does not say which right it needs.");
        var caller = right == Right.Public ? await Maybe(http) : await Identify(http);
        if (right != Right.Public) Require(caller, right);
        http.Features.Set(caller);
        if (right == Right.LoadCurve) LoadCurveGate.Begin(http, caller!);
        await next(http);
    }

    /// <summary>Finds who asks, as every request is judged.</summary>
    public static ValueTask<Caller?> Identify(HttpContext http)
    {
        var options = http.RequestServices.GetRequiredService<ApiOptions>();
        return options.Identify is { } identify ? identify(http)
            : http.RequestServices.GetRequiredService<Doorkeeper>().Identify(http);
    }

    /// <summary>What is for everybody is for those with an old key or session, too.</summary>
    private static async ValueTask<Caller?> Maybe(HttpContext http)
    {
        try
        {
            return await Identify(http);
        }
        catch (ApiProblem e) when (e.Status is 401 or 429)
        {
            return null;
        }
    }

    /// <exception cref="ApiProblem">The caller lacks the right.</exception>
    public static void Require(Caller? caller, Right right)
    {
        if (caller is null)
            throw new ApiProblem(401, "credential_required", "This request needs a key or a session.",
                "Send Authorization: Bearer KEY, or sign in. 'metertwin key create' makes a key.");
        if (caller.May(right)) return;
        if (caller.IsLocal)
            throw new ApiProblem(401, "person_required", "Nobody has signed in, and this needs a person.",
                "Make a key with 'metertwin key create', then send Authorization: Bearer KEY.");
        throw Refused(caller, right);
    }

    private static ApiProblem Refused(Caller caller, Right right) => (right == Right.Approve) switch
    {
        true when !caller.IsPerson => new ApiProblem(403, "service_may_not_approve",
            "A service's key never approves.", "A person with the role approver has to."),
        true when caller.Role == Role.Approver => new ApiProblem(403, "role_too_new",
            "The role approver, or the key, is less than 24 hours old.",
            "Another approver has to, or wait: GET /api/v1/session tells from when on."),
        _ => new ApiProblem(403, "role_not_sufficient",
            $"The role {SnakeCase.Of(caller.Role)} may not do this; it needs the right {SnakeCase.Of(right)}.",
            "GET /api/v1/session tells your rights. An admin gives roles: 'metertwin key' and 'metertwin person'."),
    };
}
