using System.CommandLine;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Twin.Api;
using Twin.Ingest.Text;

namespace Twin.Silo.Commands;

/// <summary>A running service, asked over HTTP with an admin's key to say and change who may.</summary>
internal sealed class AccessService : IDisposable
{
    /// <summary>Longest file of a key that is read; a larger one is none.</summary>
    private const int MaxKeyFile = 1_024;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;

    private AccessService(Uri address, string key)
    {
        _http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false })
        {
            BaseAddress = address, Timeout = s_patience,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>The flags by which a verb reaches a running service.</summary>
    public sealed class Flags
    {
        private readonly Option<string?> _url = new("--url")
        {
            Description = "a running service, as https://twins.example:8443 (default: the data directory)",
        };

        private readonly Option<string?> _key = new("--with") { Description = "with --url: file with an admin's key" };

        public void AddTo(Command command)
        {
            command.Add(_url);
            command.Add(_key);
        }

        /// <summary>The service that is meant; null: the data directory.</summary>
        /// <exception cref="ArgumentException">The address is none, or the key would go in the clear.</exception>
        public AccessService? Of(ParseResult p)
        {
            if (p.GetValue(_url) is not { } text)
                return p.GetValue(_key) is null ? null : throw new ArgumentException("--with goes with --url.");
            if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
                throw new ArgumentException($"--url is '{text}', which is no address such as https://twins.example.");
            if (address.Scheme == "http" && !address.IsLoopback)
                throw new ArgumentException("--url is http, and the key would go over the network in the clear. "
                    + "Use https, or the address of this machine.");
            if (p.GetValue(_key) is not { } file)
                throw new ArgumentException("--url needs --with FILE: a file with the key of an admin.");
            return new AccessService(address, BoundedFile.ReadText(file, MaxKeyFile).Trim());
        }
    }

    public Task<JsonNode> MakeKey(string holder, int days, string why, CancellationToken cancel) => Ask(HttpMethod.Post,
        "/api/v1/keys", new JsonObject { ["holder"] = holder, ["days"] = days, ["why"] = why }, cancel);

    public Task<JsonNode> Revoke(string id, string why, CancellationToken cancel) => Ask(HttpMethod.Delete,
        $"/api/v1/keys/{Uri.EscapeDataString(id)}" + (why.Length > 0 ? "?why=" + Uri.EscapeDataString(why) : ""), null,
        cancel);

    /// <summary>Adds or changes somebody; members that are left out stay as they are.</summary>
    public Task<JsonNode> Put(string name, JsonObject change, CancellationToken cancel) =>
        Ask(HttpMethod.Put, $"/api/v1/persons/{Uri.EscapeDataString(name)}", change, cancel);

    /// <summary>All keys or persons, page by page.</summary>
    public async Task<List<JsonNode>> All(string noun, CancellationToken cancel)
    {
        var all = new List<JsonNode>();
        for (var path = $"/api/v1/{noun}?limit=1000"; path is not null;)
        {
            var page = await Ask(HttpMethod.Get, path, null, cancel);
            all.AddRange(page[noun]!.AsArray().Select(i => i!));
            path = (string?)page["next"];
        }
        return all;
    }

    /// <exception cref="ArgumentException">The service refuses, does not answer, or is none.</exception>
    private async Task<JsonNode> Ask(HttpMethod method, string path, JsonObject? body, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null) request.Content = JsonContent.Create(body);
            using var answer = await _http.SendAsync(request, cancel);
            var text = await answer.Content.ReadAsStringAsync(cancel);
            var json = text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
            return answer.IsSuccessStatusCode ? json : throw new ArgumentException(
                $"The service refuses ({(int)answer.StatusCode} {json["code"]}): {json["detail"]} {json["hint"]}");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException
            || e is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            throw new ArgumentException($"{_http.BaseAddress} gives no answer of MeterTwin: {e.Message}", e);
        }
    }

    public void Dispose() => _http.Dispose();
}
