using System.Text.Json;
using System.Text.Json.Nodes;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Api;

/// <summary>
/// The examples of the OpenAPI document are answers of a service with a few meters, shortened, and have the shape of
/// what it answers now.
/// </summary>
public class ExampleTests
{
    /// <summary>Items kept of a list, and characters of a text.</summary>
    private const int MaxItems = 2, MaxText = 400;

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n" };

    private static string FilePath => Path.Combine(Repository.Root, "Twin.Api", "examples.json");

    /// <summary>
    /// METERTWIN_WRITE_SAMPLES=1 writes them anew; build again before the OpenAPI document is written.
    /// </summary>
    [Fact]
    public async Task Every_read_is_answered_in_the_shape_of_its_example()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        await AddFirmware(service);
        var document = await service.Get("/openapi/v1.json");
        var answers = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            if (operations!["get"] is not JsonObject get
                || get["responses"]!["200"]?["content"]?["application/json"] is null) continue;
            if (await UrlOf(service, path) is not { } url) continue;
            answers[(string)get["operationId"]!] = Shorten(await service.Get(url, WhoFor(path)))!;
        }
        if (Environment.GetEnvironmentVariable("METERTWIN_WRITE_SAMPLES") == "1")
            File.WriteAllText(FilePath, JsonSerializer.Serialize(answers, s_indented) + "\n");
        var examples = JsonNode.Parse(File.ReadAllText(FilePath))!.AsObject();
        Assert.Equal(answers.Keys, examples.Select(e => e.Key).Order(StringComparer.Ordinal));
        Assert.All(answers, a => AssertSameShape(a.Key, examples[a.Key], a.Value));
    }

    /// <summary>A release on its way to a meter behind a concentrator.</summary>
    private static async Task AddFirmware(ActService service)
    {
        var (at, meter) = (new UnixTime(AnswerScene.Monday), AnswerScene.Meter(1));
        var (image, day) = (Digest.Of([1, 2, 3]), (int)(AnswerScene.Monday / 86_400));
        Input[] inputs =
        [
            new Release(image, at, FirmwarePart.Application, "ZX", "1.1", 11, 1, default, ""),
            new CampaignMember(meter, at, "spring", FirmwarePart.Application, image, 11, at,
                new UnixTime(at.Seconds + 86_400), false, CampaignState.Verified),
            new MeterRelation(meter, "MT-1", MeterRole.Customer, "F-1", "ZX", "1.0", "L7", "", "UP1", "L1", "", "DC-1",
                "R-1", CustomerCategory.Ordinary, day, int.MaxValue),
        ];
        foreach (var input in inputs) await AnswerScene.Do(service.Fleet, input);
        await service.Sweep();
    }

    private static string WhoFor(string path) =>
        path is "/api/v1/keys" or "/api/v1/persons" ? "admin" : "approver";

    /// <summary>A question that has an answer; null where nothing of the kind is there.</summary>
    private static async Task<string?> UrlOf(ActService service, string path)
    {
        if (path.EndsWith("/series", StringComparison.Ordinal))
            return $"/api/v1/meters/{AnswerScene.Meter(1)}/series?from=2026-01-01&to=2026-01-03&columns=2&band=true"
                + "&purpose=example";
        if (!path.Contains('{')) return path;
        if (path.StartsWith("/api/v1/meters/{id}", StringComparison.Ordinal))
            return path.Replace("{id}", AnswerScene.Meter(1).ToString());
        if (path.StartsWith("/api/v1/cases/{id}", StringComparison.Ordinal))
            return path.Replace("{id}", AnsweredDirectory.Case(1));
        var (list, member, key) = path switch
        {
            "/api/v1/findings/{id}" => ("/api/v1/findings", "findings", "id"),
            "/api/v1/feeders/{name}" or "/api/v1/feeders/{name}/days" => ("/api/v1/feeders", "feeders", "name"),
            "/api/v1/cohorts/{name}" => ("/api/v1/cohorts", "cohorts", "name"),
            "/api/v1/concentrators/{name}" => ("/api/v1/concentrators", "concentrators", "name"),
            "/api/v1/releases/{image}" => ("/api/v1/releases", "releases", "image"),
            "/api/v1/campaigns/{name}" => ("/api/v1/campaigns", "campaigns", "name"),
            _ => ("", "", ""),
        };
        if (list.Length == 0) return null;
        var found = (await service.Get(list))[member]!.AsArray();
        return found.Count == 0 ? null
            : path[..path.IndexOf('{')] + Uri.EscapeDataString((string)found[0]![key]!)
            + path[(path.IndexOf('}') + 1)..];
    }

    private static JsonNode? Shorten(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject o:
                foreach (var (name, value) in o.ToArray()) o[name] = Shorten(value?.DeepClone());
                return o;
            case JsonArray a: return new JsonArray([.. a.Take(MaxItems).Select(i => Shorten(i?.DeepClone()))]);
            case JsonValue v when v.GetValueKind() == JsonValueKind.String && (string)v! is { Length: > MaxText } text:
                return JsonValue.Create(text[..MaxText] + "…");
            default: return node;
        }
    }

    private static void AssertSameShape(string place, JsonNode? expected, JsonNode? found)
    {
        if (expected is null || found is null) return;
        Assert.True(expected.GetValueKind() == found.GetValueKind() || IsFlag(expected) && IsFlag(found),
            $"{place}: the example has {expected.GetValueKind()}, the answer {found.GetValueKind()}");
        if (expected is JsonArray list && found is JsonArray other)
        {
            if (list.Count > 0 && other.Count > 0) AssertSameShape($"{place}[0]", list[0], other[0]);
        }
        else if (expected is JsonObject o && found is JsonObject f && !IsTable(o))
        {
            Assert.True(o.Select(m => m.Key).SequenceEqual(f.Select(m => m.Key)), $"{place}: the example has "
                + $"{string.Join(", ", o.Select(m => m.Key))}, the answer {string.Join(", ", f.Select(m => m.Key))}");
            foreach (var (name, value) in o) AssertSameShape($"{place}.{name}", value, f[name]);
        }
    }

    private static bool IsFlag(JsonNode node) => node.GetValueKind() is JsonValueKind.True or JsonValueKind.False;

    /// <summary>Members named by data, such as counts by state.</summary>
    private static bool IsTable(JsonObject o) => o.Count > 0
        && o.All(m => m.Value is JsonValue v && v.GetValueKind() == JsonValueKind.Number);
}
