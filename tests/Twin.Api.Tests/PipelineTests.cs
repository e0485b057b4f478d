using System.Net;
using System.Text;
using Twin.Grains;

namespace Twin.Api.Tests;

public class PipelineTests
{
    [Theory]
    [InlineData("GET", "/nowhere", 404, "not_found")]
    [InlineData("GET", "/api/v1", 404, "not_found")]
    [InlineData("DELETE", "/api/v1/meters", 405, "method_not_allowed")]
    [InlineData("GET", "/api/v1/observations", 405, "method_not_allowed")]
    [InlineData("GET", "/openapi/v2.json", 404, "not_found")]
    public async Task EveryErrorIsAProblem(string method, string path, int status, string code)
    {
        await using var service = await Service.Start();
        using var response = await service.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        await Service.AssertProblem(response, status, code);
        if (status == 405) Assert.NotEmpty(response.Content.Headers.Allow);
    }

    [Fact]
    public async Task AFailureInsideIsA500WithoutItsInnards()
    {
        var fleet = new FakeFleet { BeforeState = () => throw new InvalidCastException("secret innards") };
        await using var service = await Service.Start(fleet);
        var problem = await service.AssertProblem("/api/v1/meters/m1", 500, "internal_error");
        Assert.DoesNotContain("innards", problem.ToJsonString());
    }

    [Fact]
    public async Task AReadOverItsTimeIsA503()
    {
        var fleet = new FakeFleet { BeforeState = () => new TaskCompletionSource().Task };
        await using var service =
            await Service.Start(fleet, new ApiLimits { ReadTime = TimeSpan.FromMilliseconds(100) });
        using var response = await service.Client.GetAsync("/api/v1/meters/m1");
        await Service.AssertProblem(response, 503, "timed_out");
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task TooManyReadsAtOnceAreA429AndProbesStillAnswer()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var fleet = new FakeFleet { BeforeState = () => gate.Task };
        await using var service = await Service.Start(fleet, new ApiLimits { ConcurrentReads = 1 });
        // One runs, one waits; whichever of three comes third is refused, and only it can answer while the gate is
        // shut.
        var asked = Enumerable.Range(0, 3).Select(_ => service.Client.GetAsync("/api/v1/meters/m1")).ToList();
        var refused = await Task.WhenAny(asked);
        using var response = await refused;
        await Service.AssertProblem(response, 429, "too_many_requests");
        Assert.NotNull(response.Headers.RetryAfter);
        await service.Get("/health/live");
        gate.SetResult();
        foreach (var other in asked.Where(a => a != refused))
            await Service.AssertProblem(await other, 404, "meter_not_found");
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("localhost:8080", true)]
    [InlineData("LOCALHOST", true)]
    [InlineData("127.0.0.1:80", true)]
    [InlineData("[::1]:5000", true)]
    [InlineData("twins.example", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example:80", false)]
    [InlineData("192.168.1.5", false)]
    public async Task OnlyKnownHostNamesAreAnswered(string host, bool allowed)
    {
        await using var service = await Service.Start(hosts: ["twins.example"]);
        foreach (var path in (string[])["/", "/api/v1/meters", "/health/live", "/nowhere"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = host;
            using var response = await service.Client.SendAsync(request);
            if (allowed)
            {
                Assert.Equal(path == "/nowhere" ? HttpStatusCode.NotFound : HttpStatusCode.OK, response.StatusCode);
                continue;
            }
            var problem = await Service.AssertProblem(response, 421, "host_not_allowed");
            Assert.DoesNotContain("evil", problem.ToJsonString());
        }
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Origin", "http://evil.example", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("Origin", "http://localhost", true)]
    public async Task APageOfAnotherSiteCannotSendObservations(string header, string value, bool allowed)
    {
        await using var service = await Service.Start();
        service.Client.DefaultRequestHeaders.Add(header, value);
        using var response = await service.Post(Service.Line("m1", "2020-01-01T00:00:00Z", 1));
        if (allowed) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        else await Service.AssertProblem(response, 403, "cross_site_refused");
        Assert.Equal(allowed ? 1 : 0, service.Fleet.Appended.Count);
    }

    [Theory]
    [InlineData("/plain")]
    [InlineData("/api/v1/meters")]
    [InlineData("/nowhere")]
    [InlineData("/metrics")]
    [InlineData("/openapi/v1.json")]
    public async Task EveryAnswerCarriesTheSecurityHeaders(string path)
    {
        await using var service = await Service.Start();
        using var response = await service.Client.GetAsync(path);
        string Header(string name) => string.Join(',', response.Headers.GetValues(name));
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.StartsWith("default-src 'none'; frame-ancestors 'none'", Header("Content-Security-Policy"));
        Assert.DoesNotContain("unsafe", Header("Content-Security-Policy"));
        Assert.Equal("no-store", Header("Cache-Control"));
    }

    [Fact]
    public async Task HealthFollowsTheFleet()
    {
        await using var service = await Service.Start(mode: ServiceMode.Demo);
        var ready = await service.Get("/health/ready");
        Assert.Equal(("ready", "demo", "standalone", "fake"),
            ((string?)ready["status"], (string?)ready["mode"], (string?)ready["edition"], (string?)ready["engine"]));
        service.Fleet.Status = service.Fleet.Status with { IsReady = false };
        await service.AssertProblem("/health/ready", 503, "not_ready");
        Assert.Equal("live", (string?)(await service.Get("/health/live"))["status"]);
        service.Fleet.Status = service.Fleet.Status with { StorageError = "The disk is full." };
        Assert.Equal("The disk is full.",
            (string?)(await service.AssertProblem("/health/ready", 503, "storage_unavailable"))["detail"]);
    }

    [Fact]
    public async Task AStorageFailureOfAReadIsA503()
    {
        var fleet = new FakeFleet { BeforeState = () => throw new StorageUnavailableException("No disk.", null) };
        await using var service = await Service.Start(fleet);
        await service.AssertProblem("/api/v1/meters/m1", 503, "storage_unavailable");
    }

    /// <summary>Bounds that only the real server enforces.</summary>
    [Fact]
    public async Task TheRealServerBoundsBodiesToo()
    {
        await using var service =
            await Service.Start(limits: new ApiLimits { MaxBodyBytes = 20_000, BatchItems = 2 }, realServer: true);
        var line = Service.Line("m1", "2020-01-01T00:00:00Z", 1);
        using var fine = await service.Post(line);
        Assert.Equal(["1 accepted"], Service.Fates(await Service.Lines(fine)));
        Assert.False(fine.Headers.Contains("Server"));

        // Without a declared length, so that the bound is met while reading.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/observations");
        request.Headers.TransferEncodingChunked = true;
        request.Content = new StringContent(string.Concat(Enumerable.Repeat(line, 400)), Encoding.UTF8,
            "application/x-ndjson");
        using var tooLarge = await service.Client.SendAsync(request);
        var problem = await Service.AssertProblem(tooLarge, 413, "body_too_large");
        Assert.Equal((int)problem["through_line"]!, problem["results"]!.AsArray().Count);
    }
}
