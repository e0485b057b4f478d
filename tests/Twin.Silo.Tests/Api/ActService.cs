using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Twin.Api;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Api;

/// <summary>
/// The real service over a real directory with cases. Who asks is the text behind Bearer: a role, or a role, a colon
/// and a region; the person is named by it. Acts bear a time that goes on by a second each.
/// </summary>
internal sealed class ActService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private long _now;

    private ActService(EmbeddedFleet fleet, string path, long now)
    {
        (Fleet, Path, _now) = (fleet, path, now);
        _app = ApiHost.Start(fleet, 0, ServiceMode.Live, CancellationToken.None, null, null,
            () => new UnixTime(Interlocked.Increment(ref _now)), Identify).GetAwaiter().GetResult();
        Client = new HttpClient { BaseAddress = new Uri(ApiHost.Address(_app)), Timeout = TimeSpan.FromSeconds(30) };
    }

    public EmbeddedFleet Fleet { get; }
    public string Path { get; }
    public HttpClient Client { get; }

    public static ActService Over(AnsweredDirectory directory) => new(AnswerScene.Open(directory.Path), directory.Path,
        AnsweredDirectory.End);

    private static ValueTask<Caller?> Identify(HttpContext http)
    {
        var text = http.Request.Headers.Authorization.ToString();
        if (!text.StartsWith("Bearer ", StringComparison.Ordinal)) return new(Caller.Local);
        var parts = text[7..].Split(':');
        var role = Enum.Parse<Role>(parts[0].TrimEnd('1', '2', '3', '4'), ignoreCase: true);
        return new(new Caller(parts[0], $"key of {parts[0]}", role != Role.Sender, role,
            parts.Length > 1 ? [parts[1]] : [], true));
    }

    public Task Sweep() => AnswerScene.Sweep(Fleet, Interlocked.Add(ref _now, 60));

    public async Task<HttpResponseMessage> Send(HttpMethod method, string path, string who, string? json,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", who);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return await Client.SendAsync(request);
    }

    public Task<HttpResponseMessage> Post(string path, string who, string json,
        params (string Name, string Value)[] headers) => Send(HttpMethod.Post, path, who, json, headers);

    public async Task<JsonNode> Do(string path, string who, string json, params (string Name, string Value)[] headers)
    {
        using var response = await Post(path, who, json, headers);
        return await Good(response);
    }

    public async Task<JsonNode> Get(string path, string who = "analyst")
    {
        using var response = await Send(HttpMethod.Get, path, who, null);
        return await Good(response);
    }

    public static async Task<JsonNode> Good(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>A problem of that status and code; its document.</summary>
    public static async Task<JsonNode> Bad(HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((HttpStatusCode)status == response.StatusCode, $"{(int)response.StatusCode}: {text}");
        var json = JsonNode.Parse(text)!;
        Assert.Equal(code, (string?)json["code"]);
        Assert.NotEqual("", (string?)json["hint"]);
        return json;
    }

    public async Task<JsonNode> Bad(string path, string who, string json, int status, string code,
        params (string Name, string Value)[] headers)
    {
        using var response = await Post(path, who, json, headers);
        return await Bad(response, status, code);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        await Fleet.DisposeAsync();
    }
}
