using System.Text.Json;
using System.Text.Json.Nodes;

namespace Twin.Api.Tests.Twins;

/// <summary>The committed document is the one that the service answers with.</summary>
public class OpenApiPageTests
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n" };

    private static string PagePath
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "MeterTwin.sln"))) folder = Path.GetDirectoryName(folder)!;
            return Path.Combine(folder, "docs", "reference", "openapi.json");
        }
    }

    /// <summary>METERTWIN_WRITE_SAMPLES=1 writes the page anew, after a meant change of the API.</summary>
    [Fact]
    public async Task TheCommittedDocumentIsTheOneThatIsAnswered()
    {
        await using var service = await Service.Start();
        var document = (await service.Get("/openapi/v1.json")).AsObject();
        Assert.StartsWith("3.1", (string?)document["openapi"]);
        // Where it is served is no part of it.
        document.Remove("servers");
        var text = document.ToJsonString(s_indented) + "\n";
        if (Environment.GetEnvironmentVariable("METERTWIN_WRITE_SAMPLES") == "1") File.WriteAllText(PagePath, text);
        Assert.Equal(File.ReadAllText(PagePath), text);
    }

    /// <summary>A reader learns most from an answer: whatever is read as JSON has one.</summary>
    [Fact]
    public async Task EveryReadHasAnExample()
    {
        await using var service = await Service.Start();
        var document = await service.Get("/openapi/v1.json");
        var without = document["paths"]!.AsObject()
            .Select(p => p.Value!["get"]).OfType<JsonObject>()
            .Where(o => o["responses"]!["200"]?["content"]?["application/json"] is JsonObject content
                && content["example"] is null)
            .Select(o => (string)o["operationId"]!).ToArray();
        // A job is told where it is begun.
        Assert.Equal(["get_job"], without);
    }
}
