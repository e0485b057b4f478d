using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Twin.EndToEnd.Tests;

/// <summary>One recorded demo and one browser for all tests of the console.</summary>
public sealed class DemoFixture : IAsyncLifetime
{
    private const int Meters = 100;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("metertwin-e2e-");
    private DemoService? _demo;

    public ConsoleDriver Browser { get; } = new();
    public DemoService Demo => _demo!;

    public async Task InitializeAsync()
    {
        if (new BrowserFactAttribute().Skip is not null) return;
        await Browser.InitializeAsync();
        _demo = DemoService.Demo(Path.Combine(_directory.FullName, "data"), Meters);
    }

    /// <summary>The key of somebody who works in the demo, by the name of its file.</summary>
    public string Key(string person) => File.ReadAllText(Path.Combine(Demo.Data, "keys", person + ".key"));

    /// <summary>Asks the API as a person.</summary>
    public async Task<JsonNode> Ask(string person, string path, object? body = null)
    {
        using var client = new HttpClient { BaseAddress = Demo.Address, Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key(person));
        using var response = body is null ? await client.GetAsync(path) : await client.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    public async Task DisposeAsync()
    {
        await Browser.DisposeAsync();
        _demo?.Dispose();
        _directory.Delete(recursive: true);
    }
}

[CollectionDefinition(nameof(DemoFixture))]
public sealed class DemoCollection : ICollectionFixture<DemoFixture>;
