using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Ingest.Readers;

namespace Twin.Api.Tests;

/// <summary>The API over a fake fleet, in memory, or over the real server on a free loopback port.</summary>
internal sealed class Service : IAsyncDisposable
{
    /// <summary>The time that acts bear here.</summary>
    public static readonly UnixTime Now = new(1_790_000_000);

    private readonly WebApplication _app;

    public FakeFleet Fleet { get; }
    public HttpClient Client { get; }
    public WebApplication App => _app;

    private Service(FakeFleet fleet, WebApplication app, HttpClient client) =>
        (Fleet, _app, Client) = (fleet, app, client);

    public static Task<Service> Start(FakeFleet? fleet = null, ApiLimits? limits = null,
        ServiceMode mode = ServiceMode.Live, string[]? hosts = null, bool realServer = false,
        ReplyReader? replies = null, Identify? identify = null, ConsoleFiles? console = null, bool keys = false,
        ILoggerProvider? log = null)
    {
        fleet ??= new FakeFleet();
        return Start(fleet, new ApiOptions
        {
            NewReader = batch => new ObservationReader(
                (ReadOnlySpan<byte> line, out string error) => Parse(line, batch, out error),
                () => fleet.Committed++),
            NewSink = batch => new ObservationBatch(batch, new AnnouncedMeters()),
            ReadReply = replies,
            Now = () => Now,
            Identify = keys ? null : identify ?? (static _ => new(Caller.Local)),
            Edition = "standalone",
            Mode = mode,
            AllowedHosts = hosts ?? [],
            Limits = (limits ?? new ApiLimits()) with { IndexAge = TimeSpan.Zero },
        }, realServer, console, log);
    }

    private static async Task<Service> Start(FakeFleet fleet, ApiOptions options, bool realServer,
        ConsoleFiles? console, ILoggerProvider? log)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (log is not null) builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        if (realServer) builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        else builder.WebHost.UseTestServer();
        builder.Services.AddSingleton<IFleet>(fleet);
        builder.Services.AddTwinApi(options);
        if (console is not null) builder.Services.AddSingleton(console);
        var app = builder.Build();
        app.MapTwinApi();
        await app.StartAsync();
        var client = realServer ? new HttpClient { BaseAddress = new Uri(app.Urls.Single()) } : app.GetTestClient();
        return new Service(fleet, app, client);
    }

    /// <summary>
    /// A stand-in with the shape of the real one: a line tells the meter's name and then its readings.
    /// </summary>
    private static bool Parse(ReadOnlySpan<byte> line, InputBatch into, out string error)
    {
        try
        {
            var json = JsonNode.Parse(line)!;
            var name = (string)json["meter"]!;
            var meter = MeterId.FromUtilityId(name);
            if (!UnixTime.TryParse((string)json["start"]!, out var start))
                throw new FormatException("start is no time");
            int[] values = [.. json["values"]!.AsArray().Select(v => (int)v!)];
            var bytes = new ByteWriter();
            ReadingBlock.WriteRaw(bytes, meter, Channel.Import, (int)json["interval_minutes"]!, start.Minutes, values,
                [], 0);
            into.Add(new MeterSeen(meter, name, "", 0));
            into.Add(bytes.Written);
            error = "";
            return true;
        }
        catch (Exception e)
            when (e is JsonException or FormatException or InvalidOperationException or NullReferenceException)
        {
            error = "the line is no observation";
            return false;
        }
    }

    /// <summary>A line of observations.</summary>
    public static string Line(string meter, string start, params int[] values) => Line(meter, start, 30, values);

    public static string Line(string meter, string start, int interval, int[] values) =>
        $$"""{"meter":"{{meter}}","start":"{{start}}","interval_minutes":{{interval}},"values":[ """
        + string.Join(',', values) + "]}\n";

    public Task<HttpResponseMessage> Post(string body, string? accept = null, string query = "") =>
        Post(new ByteArrayContent(Encoding.UTF8.GetBytes(body)), accept, query);

    public async Task<HttpResponseMessage> Post(HttpContent content, string? accept = null, string query = "")
    {
        content.Headers.ContentType ??= new MediaTypeHeaderValue("application/x-ndjson");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/observations" + query);
        request.Content = content;
        if (accept is not null) request.Headers.Accept.ParseAdd(accept);
        return await Client.SendAsync(request);
    }

    public async Task<JsonNode> Get(string path)
    {
        using var response = await Client.GetAsync(path);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>
    /// Asserts the whole form of an error: status, media type, code, and a detail and a hint that say something.
    /// </summary>
    public static async Task<JsonNode> AssertProblem(HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"expected {status}, got {(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var json = JsonNode.Parse(text)!;
        Assert.Equal(code, (string?)json["code"]);
        Assert.Equal(status, (int?)json["status"]);
        Assert.False(string.IsNullOrEmpty((string?)json["title"]));
        Assert.False(string.IsNullOrEmpty((string?)json["detail"]));
        Assert.False(string.IsNullOrEmpty((string?)json["hint"]));
        return json;
    }

    public async Task<JsonNode> AssertProblem(string path, int status, string code)
    {
        using var response = await Client.GetAsync(path);
        return await AssertProblem(response, status, code);
    }

    public static async Task<JsonNode[]> Lines(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!)];
    }

    /// <summary>Line, status: what a client of observations looks at.</summary>
    public static string[] Fates(IEnumerable<JsonNode?> results) =>
        [.. results.Select(r => $"{r!["line"]} {r["status"]}")];

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
