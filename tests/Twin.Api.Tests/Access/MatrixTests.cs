using System.Text;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Twin.Grains.Access;
using Twin.Hardware;
using Xunit.Abstractions;

namespace Twin.Api.Tests;

/// <summary>
/// Every route against every kind of caller, made from what is mapped: nobody gets past the door who may not, and
/// nobody is kept out who may. What the endpoint then says is not looked at.
/// </summary>
public sealed class MatrixTests(ITestOutputHelper output)
{
    private const long Day = 86_400;

    /// <summary>A caller of the matrix: how the request is made, and what the door must say; null: it lets
    /// in.</summary>
    private sealed record Asking(string Name, string? Token, Func<Right, (int Status, string Code)?> Refusal);

    private static (int, string)? Refused(Role role, Right right, bool isOld, bool isService)
    {
        if (right == Right.Public) return null;
        if (right == Right.Approve && isService) return (403, "service_may_not_approve");
        if (right == Right.Approve && role == Role.Approver && !isOld) return (403, "role_too_new");
        return Table[role].Contains(right) ? null : (403, "role_not_sufficient");
    }

    /// <summary>The table of the documents, written here a second time on purpose.</summary>
    private static readonly Dictionary<Role, Right[]> Table = new()
    {
        [Role.Viewer] = [Right.Read],
        [Role.Analyst] = [Right.Read, Right.LoadCurve, Right.Analyse],
        [Role.Operator] = [Right.Read, Right.LoadCurve, Right.Analyse, Right.Operate],
        [Role.Approver] = [Right.Read, Right.LoadCurve, Right.Analyse, Right.Operate, Right.Approve],
        [Role.Admin] = [Right.Read, Right.Administer],
        [Role.Sender] = [Right.Send],
    };

    private static async Task<List<Asking>> Callers(Service service)
    {
        var (all, later) = (new List<Asking>(), new List<Input>());
        async Task<string> Key(string name, Role role, bool isService, long ago, long? until = null,
            bool revoked = false,
            bool disabled = false)
        {
            var at = new UnixTime(Service.Now.Seconds - ago);
            var (text, made) = ApiKey.Make(at, new Actor("root", "test"), name,
                until is { } u ? new UnixTime(Service.Now.Seconds + u) : null, "");
            var set = new HolderSet(at, new Actor("root", "test"), name, isService, role, [], false, false, "");
            await service.Fleet.Access([set, made]);
            // Nothing is done in the past: what ends now comes last.
            if (revoked) later.Add(new KeyRevoked(Service.Now, new Actor("root", "test"), made.Id, ""));
            if (disabled) later.Add(set with { At = Service.Now, IsDisabled = true });
            return text;
        }
        foreach (var role in Enum.GetValues<Role>())
        {
            if (role != Role.Sender)
                all.Add(new($"person {role}", await Key($"p {role}", role, false, 2 * Day),
                    r => Refused(role, r, true, false)));
            if (role is not (Role.Approver or Role.Admin))
                all.Add(new($"service {role}", await Key($"s {role}", role, true, 2 * Day),
                    r => Refused(role, r, true, true)));
        }
        Asking Not(string name, string token, string code) => new(name, token,
            r => r == Right.Public ? null : (401, code));
        all.Add(Not("expired", await Key("late", Role.Approver, false, 2 * Day, until: 0), "key_expired"));
        all.Add(Not("revoked", await Key("gone", Role.Approver, false, 2 * Day, revoked: true), "key_revoked"));
        all.Add(Not("disabled", await Key("out", Role.Approver, false, 2 * Day, disabled: true), "person_disabled"));
        all.Add(new("new approver", await Key("newcomer", Role.Approver, false, Day - 60),
            r => Refused(Role.Approver, r, false, false)));
        await service.Fleet.Access(later);
        all.Add(new("nobody", null, r => r == Right.Public ? null : (401, "credential_required")));
        return all;
    }

    private static IEnumerable<(string Method, string Path, string Type, Right Right)> Routes(Service service) =>
        from e in service.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from m in e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        select (m, "/" + string.Join('/', e.RoutePattern.PathSegments.Select(s => string.Concat(s.Parts.Select(p =>
            p is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart l ? l.Content : "1")))),
            e.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes[0] ?? "application/json",
            e.Metadata.GetMetadata<NeededRight>()?.Right
                ?? throw new InvalidOperationException($"{e.RoutePattern.RawText} needs no right"));

    [Fact]
    public async Task Every_route_lets_in_whom_it_may_and_nobody_else()
    {
        await using var service = await Service.Start(keys: true);
        var callers = await Callers(service);
        var (routes, asked) = (Routes(service).ToArray(), 0);
        Assert.True(routes.Length > 60, $"{routes.Length} routes");
        Assert.Equal(Enum.GetValues<Right>(), routes.Select(r => r.Right).Distinct().Order());
        foreach (var (method, path, type, right) in routes)
        {
            foreach (var caller in callers)
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                if (caller.Token is not null) request.Headers.Authorization = new("Bearer", caller.Token);
                if (method != "GET") request.Content = new StringContent("{", Encoding.UTF8, type);
                using var response = await service.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)
                    .WaitAsync(TimeSpan.FromSeconds(30));
                asked++;
                var at = $"{method} {path} by {caller.Name}";
                if (caller.Refusal(right) is { } refusal)
                {
                    await Service.AssertProblem(response, refusal.Status, refusal.Code);
                    continue;
                }
                if ((int)response.StatusCode is not (401 or 403)) continue;
                var text = await response.Content.ReadAsStringAsync();
                // An act within a route may need more than the route; no other refusal is right.
                Assert.True(right == Right.Public && path.Contains("session"), $"{at} was refused: {text}");
            }
        }
        output.WriteLine($"{routes.Length} routes, {callers.Count} callers, {asked} requests");
    }

    [Fact]
    public async Task Without_a_key_whoever_is_here_looks_and_sends_and_does_not_act()
    {
        await using var service = await Service.Start(keys: true);
        foreach (var (method, path, type, right) in Routes(service))
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (method != "GET") request.Content = new StringContent("{", Encoding.UTF8, type);
            using var response = await service.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)
                .WaitAsync(TimeSpan.FromSeconds(30));
            if (right is Right.Analyse or Right.Operate or Right.Approve or Right.Administer)
                await Service.AssertProblem(response, 401, "person_required");
            else Assert.True((int)response.StatusCode is not (401 or 403) || path.Contains("session"),
                $"{method} {path}: {(int)response.StatusCode}");
        }
    }
}
