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

    private static readonly Dictionary<string, Parameter> Known = new()
    {
        ["id"] = new(JsonSchemaType.String, null, "16 hexadecimal digits, or the utility's own id"),
        ["name"] = new(JsonSchemaType.String, null, "part of the utility's id, in any case"),
        ["limit"] = new(JsonSchemaType.Integer, "int32", "1 to 1000, default 100"),
        ["cursor"] = new(JsonSchemaType.String, null, "from the link next of the page before; opaque"),
        ["at"] = new(JsonSchemaType.String, "date-time", "event time, RFC 3339"),
        ["from"] = new(JsonSchemaType.String, "date-time", "begin, RFC 3339; a series: default 7 days before to"),
        ["to"] = new(JsonSchemaType.String, "date-time", "end, exclusive, RFC 3339; a series: default the watermark"),
        ["columns"] = new(JsonSchemaType.Integer, "int32", "1 to 5000, default 600"),
        ["channel"] = new(JsonSchemaType.String, null, "import (default), export, voltage, heat, gas or water"),
        ["subject"] = new(JsonSchemaType.String, null, "a meter's id, or feeder:NAME, cohort:NAME, KIND:16 digits"),
        ["kind"] = new(JsonSchemaType.String, null, "kind of finding, such as level_shift"),
        ["source"] = new(JsonSchemaType.String, null, "who sends, default http; or the header MeterTwin-Source"),
    };

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
            foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
            {
                if (parameter.Name is null || !Known.TryGetValue(parameter.Name, out var known)) continue;
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

    private static OpenApiSchema Text(string description) =>
        new() { Type = JsonSchemaType.String, Description = description };
}
