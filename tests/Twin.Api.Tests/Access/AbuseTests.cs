using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Twin.Hardware;

namespace Twin.Api.Tests;

/// <summary>Attempts to get more out of keys, sessions and links than they are for.</summary>
public sealed class AbuseTests
{
    private const long Day = 86_400;
    private static readonly Actor s_root = new("root", "test");

    private static UnixTime Ago(long seconds) => new(Service.Now.Seconds - seconds);

    private static async Task<string> Add(Service service, string name, Role role, long ago = 3 * Day)
    {
        var (text, made) = ApiKey.Make(Ago(ago), s_root, name, null, "");
        await service.Fleet.Access([new HolderSet(Ago(ago), s_root, name, false, role, [], false, false, ""), made]);
        return text;
    }

    private static HttpRequestMessage As(string key, HttpMethod method, string path, string? body = null)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new("Bearer", key);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return request;
    }

    private static async Task<string> SignIn(Service service, string key)
    {
        using var answer = await service.Client.PostAsync("/api/v1/session",
            new StringContent($$"""{"key":"{{key}}"}""", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    [Fact]
    public async Task An_admin_who_makes_an_approvers_key_cannot_approve_with_it()
    {
        await using var service = await Service.Start(keys: true);
        var old = await Add(service, "Ben", Role.Approver);
        var (young, made) = ApiKey.Make(Ago(3_600), s_root, "Ben", null, "");
        await service.Fleet.Access([made]);
        const string path = "/api/v1/policies/activate";
        using (var refused = await service.Client.SendAsync(As(young, HttpMethod.Post, path, "{}")))
            await Service.AssertProblem(refused, 403, "role_too_new");
        using (var session = await service.Client.SendAsync(As(young, HttpMethod.Get, "/api/v1/session")))
        {
            var text = await session.Content.ReadAsStringAsync();
            Assert.Contains($"\"approves_from\":\"{new UnixTime(Service.Now.Seconds - 3_600 + Day)}\"", text);
            Assert.Contains("\"may_approve\":false", text);
        }
        // The session of a young key is as young.
        using (var request = new HttpRequestMessage(HttpMethod.Post, path))
        {
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
            request.Headers.Add("Cookie", await SignIn(service, young));
            using var refused = await service.Client.SendAsync(request);
            await Service.AssertProblem(refused, 403, "role_too_new");
        }
        using var fine = await service.Client.SendAsync(As(old, HttpMethod.Post, path, "{}"));
        Assert.NotEqual(HttpStatusCode.Forbidden, fine.StatusCode);
        Assert.Contains(service.Fleet.AccessFindings, f => f.Kind == FindingKind.RoleChanged
            && f.Sentence.Contains("made key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_admins_do_not_undo_each_other_and_long_lists_come_in_pages()
    {
        await using var service = await Service.Start(keys: true);
        var admin = await Add(service, "Root", Role.Admin);
        for (var i = 0; i < 5; i++) await Add(service, $"P{i}", Role.Viewer);
        async Task<(int Status, string? Tag)> Put(string name, string? match)
        {
            using var request = As(admin, HttpMethod.Put, $"/api/v1/persons/{name}", """{"role":"analyst"}""");
            if (match is not null) request.Headers.TryAddWithoutValidation("If-Match", match);
            using var answer = await service.Client.SendAsync(request);
            return ((int)answer.StatusCode, answer.Headers.ETag?.Tag);
        }
        Assert.Equal(412, (await Put("P1", "\"0\"")).Status);
        Assert.Equal(412, (await Put("Nobody", "\"0\"")).Status);
        var first = await Put("P1", "*");
        Assert.Equal(200, first.Status);
        Assert.Equal(200, (await Put("P1", first.Tag)).Status);
        foreach (var noun in (string[])["persons", "keys"])
        {
            var (seen, path) = (new List<string>(), $"/api/v1/{noun}?limit=2&fields="
                + (noun == "keys" ? "holder" : "name"));
            while (path is not null)
            {
                using var answer = await service.Client.SendAsync(As(admin, HttpMethod.Get, path));
                var page = System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
                Assert.Equal(6, (int)page["total"]!);
                seen.AddRange(page[noun]!.AsArray().Select(p => (string)p!.AsObject().Single().Value!));
                path = (string?)page["next"]!;
            }
            Assert.Equal(["P0", "P1", "P2", "P3", "P4", "Root"], seen.Order(StringComparer.Ordinal));
        }
        using var bad = await service.Client.SendAsync(As(admin, HttpMethod.Get, "/api/v1/keys?cursor=x"));
        await Service.AssertProblem(bad, 400, "bad_cursor");
    }

    [Fact]
    public async Task A_refused_key_tells_nothing_of_which_keys_there_are()
    {
        await using var service = await Service.Start(keys: true);
        var key = await Add(service, "Anna", Role.Viewer);
        var answers = new HashSet<string>();
        foreach (var bad in (string[])
        [
            key[..20] + new string('A', 43), "mt_" + new string('0', 16) + key[19..], "mt_", "x",
            key.ToUpperInvariant(), key + "A", key[..^1],
        ])
        {
            using var answer = await service.Client.SendAsync(As(bad, HttpMethod.Get, "/api/v1/meters"));
            var problem = await Service.AssertProblem(answer, 401, "key_unknown");
            answers.Add($"{problem["title"]} {problem["detail"]} {problem["hint"]}");
        }
        Assert.Single(answers);
    }

    [Theory]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("Bearer")]
    [InlineData("mt_0000000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Another_scheme_is_no_credential(string header)
    {
        await using var service = await Service.Start(keys: true);
        await Add(service, "Anna", Role.Viewer);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/meters");
        request.Headers.TryAddWithoutValidation("Authorization", header);
        using var answer = await service.Client.SendAsync(request);
        await Service.AssertProblem(answer, 401, "credential_malformed");
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task Another_site_does_not_act_with_a_session(string header, string value)
    {
        await using var service = await Service.Start(keys: true);
        var cookie = await SignIn(service, await Add(service, "Root", Role.Admin));
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/v1/persons/Eve");
        request.Content = new StringContent("""{"role":"approver"}""", Encoding.UTF8, "application/json");
        request.Headers.Add("Cookie", cookie);
        request.Headers.Add(header, value);
        using var refused = await service.Client.SendAsync(request);
        await Service.AssertProblem(refused, 403, "cross_site_refused");
        Assert.DoesNotContain(service.Fleet.AccessFindings, f => f.SubjectName == "Eve");
    }

    [Fact]
    public async Task No_log_of_any_level_has_a_key_a_cookie_or_a_purpose()
    {
        var log = new Heard();
        var fleet = new FakeFleet();
        await using var service = await Service.Start(fleet, keys: true, log: log);
        var key = await Add(service, "Anna", Role.Analyst);
        var cookie = await SignIn(service, key);
        var path = $"/api/v1/meters/{fleet.AddMeter("M1")}/series?from=2026-01-01&to=2026-01-02";
        using (var read = As(key, HttpMethod.Get, path))
        {
            read.Headers.Add("MeterTwin-Purpose", "a sensitive purpose");
            using var answer = await service.Client.SendAsync(read);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        using (var wrong = await service.Client.SendAsync(As(key + "x", HttpMethod.Get, "/api/v1/meters")))
            await Service.AssertProblem(wrong, 401, "key_unknown");
        fleet.BeforeState = () => throw new InvalidOperationException("inside");
        using (var fails = As(key, HttpMethod.Get, "/api/v1/meters/M1"))
        {
            fails.Headers.Add("Cookie", cookie);
            using var answer = await service.Client.SendAsync(fails);
            Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        }
        var text = string.Join('\n', log.Lines);
        Assert.Contains("inside", text);
        foreach (var secret in (string[])[key[20..], cookie.Split('=')[1], "a sensitive purpose"])
            Assert.DoesNotContain(secret, text);
    }

    [Fact]
    public void Sessions_and_links_end_by_age_idleness_use_and_number()
    {
        var clock = new Clock();
        var sessions = new Sessions(clock);
        var (first, link) = (sessions.Begin("Anna", "key:1"), sessions.MakeLink("Anna"));
        clock.Minutes = 31;
        Assert.Null(sessions.Take(link));
        for (; clock.Minutes <= 12 * 60; clock.Minutes += 59) Assert.Equal(("Anna", "key:1"), sessions.Find(first));
        clock.Minutes = 12 * 60 + 1;
        Assert.Null(sessions.Find(first));
        var idle = sessions.Begin("Anna", "key:1");
        clock.Minutes += 61;
        Assert.Null(sessions.Find(idle));
        var oldest = sessions.Begin("Anna", "key:1");
        clock.Minutes++;
        var used = sessions.Begin("Ben", "key:2");
        for (var i = 0; i < Sessions.MaxSessions - 1; i++) sessions.Begin($"P{i}", "key:3");
        Assert.Null(sessions.Find(oldest));
        Assert.NotNull(sessions.Find(used));
        // Whoever opens very many ends the own ones.
        var (hers, kept) = (sessions.Begin("Dora", "key:4"), sessions.Begin("Ben", "key:2"));
        clock.Minutes++;
        for (var i = 0; i < 500; i++) sessions.Begin("Dora", "key:4");
        Assert.Null(sessions.Find(hers));
        Assert.NotNull(sessions.Find(kept));
        var once = sessions.MakeLink("Anna");
        Assert.Equal("Anna", sessions.Take(once)?.Holder);
        Assert.Null(sessions.Take(once));
    }

    private sealed class Clock : TimeProvider
    {
        public long Minutes { get; set; }
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => Minutes * TimeSpan.TicksPerMinute;
    }

    /// <summary>All that is logged, with what stands behind it.</summary>
    private sealed class Heard : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];
        public ILogger CreateLogger(string categoryName) => this;
        public bool IsEnabled(LogLevel logLevel) => true;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull
        {
            Lines.Enqueue($"{state}");
            return null;
        }
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Enqueue($"{formatter(state, exception)} {exception}");
        public void Dispose() { }
    }
}
