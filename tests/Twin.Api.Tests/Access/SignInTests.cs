using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Twin.Hardware;

namespace Twin.Api.Tests;

/// <summary>Keys, sessions, links, and why a load curve is read.</summary>
public sealed class SignInTests
{
    private static readonly Actor s_root = new("root", "test");

    private static UnixTime Ago(long seconds) => new(Service.Now.Seconds - seconds);

    private static async Task<string> Add(Service service, string name, Role role, bool isService = false,
        bool emergency = false, string[]? regions = null)
    {
        var (text, made) = ApiKey.Make(Ago(200_000), s_root, name, null, "");
        await service.Fleet.Access([new HolderSet(Ago(200_000), s_root, name, isService, role, regions ?? [], false,
            emergency, ""), made]);
        return text;
    }

    private static HttpRequestMessage As(string key, HttpMethod method, string path, string? body = null)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new("Bearer", key);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return request;
    }

    private static async Task<HttpResponseMessage> SignIn(Service service, string key) =>
        await service.Client.PostAsync(
        "/api/v1/session", new StringContent($$"""{"key":"{{key}}"}""", Encoding.UTF8, "application/json"));

    [Fact]
    public async Task A_browser_signs_in_and_out_by_a_cookie_that_scripts_cannot_read()
    {
        await using var service = await Service.Start(keys: true);
        var key = await Add(service, "Anna", Role.Operator);
        using var signed = await SignIn(service, key);
        Assert.Equal(HttpStatusCode.OK, signed.StatusCode);
        var cookie = Assert.Single(signed.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
        Assert.DoesNotContain(key, cookie);
        using var ask = new HttpRequestMessage(HttpMethod.Get, "/api/v1/meters");
        ask.Headers.Add("Cookie", cookie.Split(';')[0]);
        using (var answer = await service.Client.SendAsync(ask)) Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var leave = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/session");
        leave.Headers.Add("Cookie", cookie.Split(';')[0]);
        using (await service.Client.SendAsync(leave))
        using (var again = new HttpRequestMessage(HttpMethod.Get, "/api/v1/meters"))
        {
            again.Headers.Add("Cookie", cookie.Split(';')[0]);
            using var answer = await service.Client.SendAsync(again);
            await Service.AssertProblem(answer, 401, "credential_required");
        }
    }

    [Fact]
    public async Task A_session_ends_with_the_key_that_opened_it()
    {
        await using var service = await Service.Start(keys: true);
        var (key, admin) = (await Add(service, "Anna", Role.Operator), await Add(service, "Root", Role.Admin));
        using var signed = await SignIn(service, key);
        var cookie = signed.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using (var gone = await service.Client.SendAsync(As(admin, HttpMethod.Delete, $"/api/v1/keys/{key[3..19]}")))
            Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        using var ask = new HttpRequestMessage(HttpMethod.Get, "/api/v1/meters");
        ask.Headers.Add("Cookie", cookie);
        using var answer = await service.Client.SendAsync(ask);
        await Service.AssertProblem(answer, 401, "key_revoked");
    }

    [Fact]
    public async Task A_link_signs_in_once()
    {
        await using var service = await Service.Start(keys: true);
        await Add(service, "Anna", Role.Operator);
        var link = service.App.Services.GetRequiredService<Sessions>().MakeLink("Anna");
        using (var first = await service.Client.GetAsync($"/api/v1/link/{link}"))
        {
            Assert.Equal(HttpStatusCode.Redirect, first.StatusCode);
            Assert.Equal("/", first.Headers.Location!.ToString());
            Assert.Single(first.Headers.GetValues("Set-Cookie"));
        }
        await service.AssertProblem($"/api/v1/link/{link}", 404, "link_used");
        await service.AssertProblem($"/api/v1/link/{new string('a', 43)}", 404, "link_used");
    }

    [Fact]
    public async Task Keys_that_are_none_are_refused_counted_and_told()
    {
        await using var service = await Service.Start(keys: true);
        var good = await Add(service, "Anna", Role.Viewer);
        string[] bad = ["x", good[..^1] + (good[^1] == 'A' ? 'B' : 'A'), "mt_0000000000000000_" + new string('A', 43)];
        for (var i = 0; i < 20; i++)
        {
            using var refused = await service.Client.SendAsync(As(bad[i % 3], HttpMethod.Get, "/api/v1/meters"));
            await Service.AssertProblem(refused, 401, "key_unknown");
            Assert.Contains("Bearer", refused.Headers.WwwAuthenticate.ToString());
        }
        using (var fine = await service.Client.SendAsync(As(good, HttpMethod.Get, "/api/v1/meters")))
            Assert.Equal(HttpStatusCode.OK, fine.StatusCode);
        using var waits = await service.Client.SendAsync(As(bad[0], HttpMethod.Get, "/api/v1/meters"));
        await Service.AssertProblem(waits, 429, "too_many_tries");
        Assert.True(waits.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Contains(service.Fleet.AccessFindings, f => f.Kind == FindingKind.SignInsFailed);
    }

    [Fact]
    public async Task A_load_curve_needs_a_purpose_that_is_kept_before_the_answer()
    {
        await using var service = await Service.Start(keys: true);
        var key = await Add(service, "Anna", Role.Analyst);
        var meter = service.Fleet.AddMeter("M1");
        var path = $"/api/v1/meters/{meter}/series?from=2026-01-01&to=2026-01-02";
        using (var without = await service.Client.SendAsync(As(key, HttpMethod.Get, path)))
            await Service.AssertProblem(without, 400, "purpose_required");
        Assert.Empty(service.Fleet.Noted);
        using var request = As(key, HttpMethod.Get, path);
        request.Headers.Add("MeterTwin-Purpose", "theft on feeder 3");
        using (var read = await service.Client.SendAsync(request)) Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        var noted = Assert.Single(service.Fleet.Noted);
        Assert.Equal(("Anna", AccessKind.LoadCurveRead, meter.Twin, "theft on feeder 3", "2026-01-01T00:00:00Z"),
            (noted.By.Person, noted.What, noted.Subject, noted.Purpose, noted.From.ToString()));
        using (var again = await service.Client.SendAsync(As(key, HttpMethod.Get, path
            + "&purpose=theft%20on%20feeder%203")))
            Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Single(service.Fleet.Noted);
    }

    [Fact]
    public async Task Whoever_reads_very_many_load_curves_is_a_finding()
    {
        await using var service = await Service.Start(keys: true);
        var key = await Add(service, "Anna", Role.Analyst);
        for (var m = 0; m < Grains.Access.ReadBook.BulkMeters; m++)
        {
            Assert.DoesNotContain(service.Fleet.AccessFindings, f => f.Kind == FindingKind.BulkRead);
            using var request = As(key, HttpMethod.Get,
                $"/api/v1/meters/{service.Fleet.AddMeter($"M{m}")}/series?from=2026-01-01&to=2026-01-02&purpose=look");
            using var read = await service.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        }
        var finding = Assert.Single(service.Fleet.AccessFindings, f => f.Kind == FindingKind.BulkRead);
        Assert.Contains("Anna read the load curves of 100 customers", finding.Sentence);
    }

    [Fact]
    public async Task An_account_for_emergencies_is_told_before_anything_is_answered()
    {
        await using var service = await Service.Start(keys: true);
        var key = await Add(service, "Emergency", Role.Approver, emergency: true);
        for (var i = 0; i < 3; i++)
            using (var read = await service.Client.SendAsync(As(key, HttpMethod.Get, "/api/v1/meters")))
                Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Single(service.Fleet.AccessFindings, f => f.Kind == FindingKind.BreakGlassUsed);
    }

    [Fact]
    public async Task An_admin_adds_a_person_makes_a_key_and_takes_both_away()
    {
        await using var service = await Service.Start(keys: true);
        var admin = await Add(service, "Root", Role.Admin);
        using (var put = await service.Client.SendAsync(As(admin, HttpMethod.Put, "/api/v1/persons/Ben",
            """{"role":"approver","regions":["north"],"why":"new"}""")))
        {
            var text = await put.Content.ReadAsStringAsync();
            Assert.Contains("\"approves_from\":\"2026-09-22T", text);
        }
        string key;
        using (var made = await service.Client.SendAsync(As(admin, HttpMethod.Post, "/api/v1/keys",
            """{"holder":"ben","days":30}""")))
        {
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
            key = (string)System.Text.Json.Nodes.JsonNode.Parse(await made.Content.ReadAsStringAsync())!["key"]!;
        }
        using (var own = await service.Client.SendAsync(As(key, HttpMethod.Get, "/api/v1/session")))
        {
            var text = await own.Content.ReadAsStringAsync();
            Assert.Contains("\"name\":\"Ben\"", text);
            Assert.Contains("\"may_approve\":false", text);
        }
        using (var list = await service.Client.SendAsync(As(admin, HttpMethod.Get, "/api/v1/keys")))
            Assert.DoesNotContain(key[20..], await list.Content.ReadAsStringAsync());
        using (var self = await service.Client.SendAsync(As(admin, HttpMethod.Put, "/api/v1/persons/Root",
            """{"role":"approver"}""")))
            await Service.AssertProblem(self, 422, "access_refused");
        using (var off = await service.Client.SendAsync(As(admin, HttpMethod.Put, "/api/v1/persons/Ben",
            """{"disabled":true}"""))) Assert.Equal(HttpStatusCode.OK, off.StatusCode);
        using var refused = await service.Client.SendAsync(As(key, HttpMethod.Get, "/api/v1/meters"));
        await Service.AssertProblem(refused, 401, "person_disabled");
        Assert.Contains(service.Fleet.AccessFindings, f => f.Kind == FindingKind.RoleChanged && f.SubjectName == "Ben");
    }
}
