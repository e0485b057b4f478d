using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Twin.Api;

/// <summary>
/// What the signatures of the handlers do not say: parameters come as text so that an error can name them.
/// </summary>
internal static class OpenApiDocs
{
    public const string Document = "v1";
    public const string Route = "/openapi/v1.json";

    private sealed record Parameter(JsonSchemaType Type, string? Format, string Text);

    /// <summary>What is a word or a text.</summary>
    private static readonly Dictionary<string, string> s_words = new()
    {
        ["id"] = "16 hexadecimal digits, or the utility's own id",
        ["name"] = "name; of meters: a part of the utility's id, in any case, or the whole id",
        ["cursor"] = "from the link next of the page before; opaque",
        ["fields"] = "members to keep of each item, with commas between",
        ["role"] = "customer or observer",
        ["feeder"] = "name of a feeder",
        ["concentrator"] = "name of a concentrator",
        ["model"] = "model of the meter",
        ["firmware"] = "name of a firmware version",
        ["lot"] = "production lot",
        ["region"] = "region",
        ["category"] = "dependence of the customer on supply, such as medical",
        ["finding"] = "has a finding of this kind in the last 400 days",
        ["sort"] = "id (default), name, score (highest first) or last_reading (longest silent first)",
        ["severity"] = "this severe or more: info, low, medium, high, critical",
        ["by"] = "feeder (default) or cohort",
        ["format"] = "ndjson (default) or csv",
        ["meter"] = "a meter, by 16 hexadecimal digits or the utility's own id",
        ["desk"] = "security, revenue_protection, metering_faults or grid",
        ["condition"] = "of the case: ongoing, ended, no_data",
        ["handling"] = "of the case: new, acknowledged, in_progress, resolved",
        ["disposition"] = "of the case: none, true, benign, false, duplicate, maintenance",
        ["assignee"] = "who works on it",
        ["text"] = "a part of the sentence or of the name of the subject, in any case",
        ["all"] = "true: also cases that are part of a group, covered or logged only",
        ["case"] = "id of a case",
        ["after"] = "number of an entry: those behind it",
        ["state"] = "state of a response",
        ["waiting"] = "true: only what waits for people",
        ["profile"] = "name of the profile by which a file is read; empty: the one that fits",
        ["type"] = "which events, with commas between",
        ["note"] = "a remark",
        ["number"] = "number within the case",
        ["n"] = "number within the case",
        ["image"] = "first 32 hexadecimal digits of a SHA-256, or all 64",
        ["channel"] = "import (default), export, voltage, heat, gas or water",
        ["subject"] = "a meter's id, or feeder:NAME, cohort:NAME, KIND:16 digits",
        ["kind"] = "kind of finding, such as level_shift",
        ["token"] = "from the link, as it was printed",
        ["why"] = "in your own words, for the ledger",
        ["purpose"] = "why a customer's readings are looked at; or the header MeterTwin-Purpose",
        ["source"] = "who sends, default http; or the header MeterTwin-Source",
    };

    private static readonly Dictionary<string, Parameter> s_typed = new()
    {
        ["limit"] = new(JsonSchemaType.Integer, "int32", "1 to 1000, default 100"),
        ["at"] = new(JsonSchemaType.String, "date-time",
            "event time, RFC 3339: what happened up to then, on what is known now"),
        ["known_at"] = new(JsonSchemaType.String, "date-time",
            "RFC 3339: as it was known then, which is all that came in before the first journalled word of time "
            + "(tick, sweep, closing of a day) that lies after it"),
        ["hash"] = new(JsonSchemaType.Boolean, null, "true adds the state hash, which looks at every twin"),
        ["silent_days"] = new(JsonSchemaType.Integer, "int32", "without readings for so many days, 1 to 36500"),
        ["score_min"] = new(JsonSchemaType.Number, "double", "score of the last day is this or more"),
        ["days"] = new(JsonSchemaType.Integer, "int32", "how many days"),
        ["band"] = new(JsonSchemaType.Boolean, null, "true adds what was to be expected in each column"),
        ["from"] = new(JsonSchemaType.String, "date-time", "begin, RFC 3339; a series: default 7 days before to"),
        ["to"] = new(JsonSchemaType.String, "date-time", "end, exclusive, RFC 3339; a series: default the watermark"),
        ["columns"] = new(JsonSchemaType.Integer, "int32", "1 to 5000, default 600"),
    };

    private static Parameter? Known(string name) => s_typed.TryGetValue(name, out var typed) ? typed
        : s_words.TryGetValue(name, out var words) ? new Parameter(JsonSchemaType.String, null, words) : null;

    public static void Add(IServiceCollection services) => services.AddOpenApi(Document, options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "MeterTwin",
                Version = TwinApi.Version,
                Description = "Twins of smart meters. Errors are RFC 9457 problems with a stable code and a hint.",
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, _, _) =>
        {
            AddExample(operation);
            foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
            {
                if (parameter.Name is null || Known(parameter.Name) is not { } known) continue;
                parameter.Description = known.Text;
                parameter.Schema = new OpenApiSchema { Type = known.Type, Format = known.Format };
            }
            // One status with two shapes cannot be said in the metadata of an endpoint.
            if (operation.OperationId == ObservationsApi.OperationId
                && operation.Responses?["200"].Content is { } content)
            {
                content[ObservationsApi.Ndjson] = new OpenApiMediaType
                { Schema = Text("one object a line: line, status (accepted, duplicate or rejected) and reason") };
            }
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
            if (type == typeof(Hardware.UnixTime)) (schema.Type, schema.Format) = (JsonSchemaType.String, "date-time");
            if (type == typeof(Hardware.MeterId)) (schema.Type, schema.Pattern) =
                (JsonSchemaType.String, "^[0-9a-f]{16}$");
            if (type == typeof(double))
                (schema.Type, schema.Format) = (JsonSchemaType.Number | JsonSchemaType.Null, "double");
            if (type.IsEnum) schema.Type = JsonSchemaType.String;
            if (type == typeof(ProblemDetails))
            {
                schema.Properties!["code"] = Text("what went wrong; stable, may be compared");
                schema.Properties["hint"] = Text("what to do");
            }
            return Task.CompletedTask;
        });
    });

    /// <summary>An answer of each operation, by its name: shortened answers of a service with a few meters.</summary>
    private static readonly Lazy<JsonObject> s_examples = new(() =>
    {
        using var stream = typeof(OpenApiDocs).Assembly.GetManifestResourceStream(ExamplesResource)
            ?? throw new InvalidOperationException($"Resource {ExamplesResource} is not in the assembly.");
        return JsonNode.Parse(stream)!.AsObject();
    });

    internal const string ExamplesResource = "Twin.Api.examples.json";

    private static void AddExample(OpenApiOperation operation)
    {
        if (operation.OperationId is not { } name || s_examples.Value[name] is not { } example) return;
        foreach (var (status, answer) in operation.Responses ?? [])
            if (status.StartsWith('2') && answer.Content is { } contents
                && contents.TryGetValue("application/json", out var content) && content is OpenApiMediaType media)
                media.Example = example.DeepClone();
    }

    private static OpenApiSchema Text(string description) =>
        new() { Type = JsonSchemaType.String, Description = description };
}
