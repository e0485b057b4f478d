using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Twin.Hardware;

namespace Twin.Api.Tests;

/// <summary>The page, the metrics and the OpenAPI document.</summary>
public partial class DocumentsTests
{
    private const string Evil = "<script>alert(1)</script>\"'&";

    /// <summary>All but the console's own files and screens, which are for no program.</summary>
    private static (string Method, string Path)[] Routes(Service service) =>
        [.. service.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>()?.ExcludeFromDescription != true
                || e.RoutePattern.RawText == "/openapi/v1.json")
            .SelectMany(e => (e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
                .Select(m => (m, e.RoutePattern.RawText!)))];

    [Fact]
    public async Task OpenApiListsEveryRoute()
    {
        await using var service = await Service.Start();
        var document = await service.Get("/openapi/v1.json");
        var listed = document["paths"]!.AsObject()
            .SelectMany(p => p.Value!.AsObject().Select(o => (o.Key.ToUpperInvariant(), p.Key))).Order().ToArray();
        var mapped = Routes(service).Where(r => r.Path != "/openapi/v1.json").Order().ToArray();
        Assert.Equal(31, mapped.Length);
        Assert.Equal(mapped, listed);
    }

    [Fact]
    public async Task OpenApiDescribesEveryParameterAndWritesSnakeCase()
    {
        await using var service = await Service.Start();
        var document = await service.Get("/openapi/v1.json");
        foreach (var operation in document["paths"]!.AsObject()
            .SelectMany(p => p.Value!.AsObject().Select(o => o.Value!)))
        {
            Assert.False(string.IsNullOrEmpty((string?)operation["summary"]));
            foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
                Assert.False(string.IsNullOrEmpty((string?)parameter!["description"]),
                    $"parameter {parameter["name"]} has no description");
        }
        var columns = document["paths"]!["/api/v1/meters/{id}/series"]!["get"]!["parameters"]!.AsArray()
            .Single(p => (string?)p!["name"] == "columns")!;
        Assert.Equal("integer", (string?)columns["schema"]!["type"]);
        var finding = document["components"]!["schemas"]!["FindingView"]!["properties"]!;
        Assert.Equal("#/components/schemas/UnixTime", (string?)finding["detected_at"]!["$ref"]);
        var schemas = document["components"]!["schemas"]!;
        Assert.Equal("date-time", (string?)schemas["UnixTime"]!["format"]);
        Assert.Equal("double", (string?)finding["score"]!["format"]);
        Assert.Equal("string", (string?)schemas["Severity"]!["type"]);
        foreach (var member in (string[])["code", "hint", "detail"])
            Assert.NotNull(schemas["ProblemDetails"]!["properties"]![member]);
        var answers = document["paths"]!["/api/v1/observations"]!["post"]!["responses"]!["200"]!["content"]!.AsObject();
        Assert.Equal(["application/json", "application/x-ndjson"], answers.Select(a => a.Key).Order());
    }

    [Fact]
    public async Task PageEscapesAndHasNoScript()
    {
        await using var service = await Service.Start();
        var meter = service.Fleet.AddMeter(Evil);
        service.Fleet.Add(FindingsTests.Make(meter.Twin, Evil, FindingKind.LevelShift, 0, 1, "Less than <b>half</b>."));
        service.Fleet.Status = service.Fleet.Status with { StorageError = Evil };
        var page = await service.Client.GetStringAsync("/plain");
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("<b>", page);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;", page);
        Assert.Contains("Less than &lt;b&gt;half&lt;/b&gt;.", page);
    }

    [Fact]
    public async Task PageListsMetersFindingsStateAndEveryRoute()
    {
        await using var service = await Service.Start();
        var meter = service.Fleet.AddMeter("m1");
        service.Fleet.Add(FindingsTests.Make(meter.Twin, "m1", FindingKind.ZeroRun, 0, 1, "Nothing for a day."));
        service.Fleet.Status = service.Fleet.Status with { Position = 1234, Meters = 1 };
        service.Fleet.Status = service.Fleet.Status with { Watermark = new UnixTime(86_400), ClosedThroughDay = 0 };
        using var response = await service.Client.GetAsync("/plain");
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        var page = WebUtilityDecode(await response.Content.ReadAsStringAsync());
        foreach (var text in (string[])[$"href=\"/api/v1/meters/{meter}\"", "Nothing for a day.", "zero_run", "1,234",
            "1970-01-02T00:00:00Z",
            "<td>1970-01-01</td>", "standalone, fake, "]) Assert.Contains(text, page);
        foreach (var (method, path) in Routes(service)) Assert.Contains($"<code>{method} {path}</code>", page);
        Assert.Equal(page.Split("<table>").Length, page.Split("<caption>").Length);
        Assert.Contains("color-scheme:light dark", page);
        Assert.DoesNotContain("class=\"banner\"", page);
    }

    [Theory]
    [InlineData(ServiceMode.Replay, "Replay: recorded data, not live.")]
    [InlineData(ServiceMode.Demo, "Demo: generated homes, not live.")]
    public async Task AReplayNeverLooksLikeLive(ServiceMode mode, string text)
    {
        await using var service = await Service.Start(mode: mode);
        Assert.Contains(text, await service.Client.GetStringAsync("/plain"));
    }

    [Fact]
    public async Task PolicyNamesTheStyleSheetByItsDigest()
    {
        await using var service = await Service.Start();
        using var response = await service.Client.GetAsync("/plain");
        var style = StyleSheet().Match(await response.Content.ReadAsStringAsync()).Groups[1].Value;
        var digest = Convert.ToBase64String(
            System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(style)));
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.EndsWith($"; style-src 'sha256-{digest}'", policy);
    }

    [Fact]
    public async Task MetricsFollowTheTextFormatAndTheStatus()
    {
        await using var service = await Service.Start(mode: ServiceMode.Replay);
        service.Fleet.Status =
            new(true, "em\"bed\\ded", 77, new UnixTime(86_400), 5, 4, 9, 1000, 20, 3, 2, 1, 6, 8, null);
        using var response = await service.Client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var text = await response.Content.ReadAsStringAsync();
        Assert.EndsWith("\n", text);
        var samples = new Dictionary<string, double>();
        var declared = new HashSet<string>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (TypeLine().Match(line) is { Success: true } type) Assert.True(declared.Add(type.Groups[1].Value));
            if (line.StartsWith('#')) continue;
            var sample = Sample().Match(line);
            Assert.True(sample.Success, $"no sample of the text format: {line}");
            Assert.Contains(sample.Groups[1].Value, declared);
            samples.Add(sample.Groups[1].Value, double.Parse(sample.Groups[3].Value, CultureInfo.InvariantCulture));
        }
        Assert.Contains("""engine="em\"bed\\ded",mode="replay",""", text);
        Assert.All(samples.Keys, name => Assert.StartsWith("metertwin_", name));
        Assert.Equal((1000, 77, 86_400, 20, 6),
            (samples["metertwin_readings_total"], samples["metertwin_journal_position"],
            samples["metertwin_watermark_timestamp_seconds"], samples["metertwin_duplicates_total"],
            samples["metertwin_findings_total"]));
        Assert.True(samples["metertwin_resident_memory_bytes"] > 1_000_000);
    }

    private static string WebUtilityDecode(string html) => System.Net.WebUtility.HtmlDecode(html);

    [GeneratedRegex("<style>(.*?)</style>", RegexOptions.Singleline)]
    private static partial Regex StyleSheet();

    [GeneratedRegex("^# TYPE ([a-z_]+) (?:gauge|counter)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^([a-z_][a-z0-9_]*)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.]+)$""")]
    private static partial Regex Sample();
}
