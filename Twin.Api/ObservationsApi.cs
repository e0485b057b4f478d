using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;

namespace Twin.Api;

internal static class ObservationsApi
{
    public const string Path = "/api/v1/observations";
    public const string OperationId = "post_observations";
    public const string Ndjson = "application/x-ndjson";
    private const string OtherNdjson = "application/ndjson";
    private const string JsonLines = "application/jsonl";
    private const int GzipBufferBytes = 64 * 1024;
    private const string SourceHeader = "MeterTwin-Source";
    private const string DefaultSource = "http";

    public static void MapObservationsApi(this IEndpointRouteBuilder routes, ApiLimits limits) =>
        routes.MapPost(Path, Post).Needs(Right.Send).WithName(OperationId).WithTags("observations")
            .Accepts<string>(Ndjson, OtherNdjson, JsonLines, MessageIntake.Xml, MessageIntake.OtherXml, CsvIntake.Csv,
                FramesIntake.Types[0], FramesIntake.Types[1])
            .Produces<ObservationsAnswer>(200, "application/json")
            .ProducesProblem(400).ProducesProblem(413).ProducesProblem(415).ProducesProblem(503)
            .WithMetadata(new RequestSizeLimitAttribute(limits.MaxBodyBytes))
            .WithRequestTimeout(TwinApi.IngestPolicy)
            .WithSummary("Observations, a JSON object a line, plain or gzip; each answered when durable: source. "
                + "XML: EndDeviceEvents or MeterReadings of IEC 61968-9, as a whole. CSV by a profile: profile. DLMS "
                + "frames, each in the wrapper of IEC 62056-47");

    private static async Task<IResult> Post(string? source, string? profile, HttpContext http, IFleet fleet,
        ApiOptions options,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request, "source", "profile");
        CheckType(http.Request);
        var isCsv = CsvIntake.Is(http.Request.ContentType);
        if (profile is not null && !isCsv)
            throw Parameters.Bad("bad_profile", "Only CSV is read by a profile.", $"Send it as {CsvIntake.Csv}.");
        if (http.Request.ContentLength > options.Limits.MaxBodyBytes)
            throw new BadHttpRequestException("too large",
                413);
        var body = BodyOf(http.Request);
        if (MessageIntake.Is(http.Request.ContentType))
            return TypedResults.Ok(await new MessageIntake(fleet, options, SourceOf(http.Request, source))
                .Run(body, cancel));
        if (isCsv)
            return TypedResults.Ok(await new CsvIntake(fleet, options, SourceOf(http.Request, source))
                .Run(body, CsvIntake.ProfileOf(Parameters.Text(profile, "profile")), cancel));
        if (FramesIntake.Is(http.Request.ContentType))
            return options.Frames is null || options.NewSink is null
                ? throw new ApiProblem(415, "unsupported_media_type", "This service takes no frames.", "Send NDJSON.")
                : TypedResults.Ok(await new FramesIntake(fleet, options, SourceOf(http.Request, source))
                    .Run(body, cancel));
        var intake = new ObservationIntake(fleet, options, SourceOf(http.Request, source));
        try
        {
            await intake.Run(body, cancel);
        }
        catch (Exception e) when (Translate(e, http) is not null)
        {
            throw WithProgress(Translate(e, http)!, intake);
        }
        finally
        {
            await body.CompleteAsync();
        }
        return new ObservationsResult(intake, WantsObject(http.Request));
    }

    // A type that a form or a script of another site cannot send without being asked for permission first.
    private static void CheckType(HttpRequest request)
    {
        if (string.IsNullOrEmpty(request.ContentType)) throw new BadHttpRequestException("no content type", 415);
    }

    internal static bool IsNdjson(string? type) => type is Ndjson or OtherNdjson or JsonLines;

    internal static PipeReader BodyOf(HttpRequest request) =>
        request.Headers.ContentEncoding.ToString().ToLowerInvariant() switch
        {
            "" or "identity" => request.BodyReader,
            "gzip" or "x-gzip" => PipeReader.Create(new GZipStream(request.Body, CompressionMode.Decompress),
                new StreamPipeReaderOptions(bufferSize: GzipBufferBytes)),
            _ => throw new BadHttpRequestException("unknown content encoding", 415),
        };

    private static string SourceOf(HttpRequest request, string? query)
    {
        var header = request.Headers[SourceHeader].ToString();
        var source = query ?? (header.Length > 0 ? header : DefaultSource);
        if (source.Length is >= 1 and <= Parameters.MaxText
            && source.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or ':' or '/'))
            return source;
        throw Parameters.Bad("bad_source", $"The source is not 1 to {Parameters.MaxText} letters, digits or . _ - : /.",
            "Name the sender in a few letters, the same in each of its requests.");
    }

    private static ApiProblem? Translate(Exception e, HttpContext http) => e switch
    {
        OperationCanceledException => Problems.HasTimedOut(http) ? Problems.TimedOut() : null,
        _ => Problems.TryTranslate(e, out var problem) ? problem : null,
    };

    /// <summary>What is durable stays so when the rest fails: the problem reports each line that is done.</summary>
    private static ApiProblem WithProgress(ApiProblem problem, ObservationIntake intake)
    {
        problem.More["through_line"] = intake.Results is [.., var last] ? last.Line : 0;
        problem.More["position"] = intake.Position;
        problem.More["results"] = intake.Results;
        return problem;
    }

    /// <summary>NDJSON unless the client asks for JSON and not for NDJSON.</summary>
    private static bool WantsObject(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        return accept.Contains("application/json", StringComparison.OrdinalIgnoreCase)
            && !accept.Contains("ndjson", StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>The totals of an answer in one object, and each line.</summary>
internal sealed record ObservationsAnswer(long? Position, int Accepted, int Duplicates, int Rejected,
    IReadOnlyList<LineResult> Results);

/// <summary>One result a line of the request, as NDJSON or as one object.</summary>
internal sealed class ObservationsResult(ObservationIntake intake, bool asObject) : IResult
{
    private const int FlushBytes = 64 * 1024;

    public async Task ExecuteAsync(HttpContext http)
    {
        if (asObject)
        {
            var answer = new ObservationsAnswer(intake.Position, Count(AdmissionStatus.Accepted),
                Count(AdmissionStatus.Duplicate), Count(AdmissionStatus.Rejected), intake.Results);
            await TypedResults.Ok(answer).ExecuteAsync(http);
            return;
        }
        http.Response.ContentType = ObservationsApi.Ndjson;
        var body = http.Response.BodyWriter;
        await using var json = new Utf8JsonWriter(body);
        foreach (var result in intake.Results)
        {
            json.Reset();
            JsonSerializer.Serialize(json, result, ApiJson.Options);
            body.Write("\n"u8);
            if (body.UnflushedBytes > FlushBytes) await body.FlushAsync(http.RequestAborted);
        }
        json.Reset();
        await body.FlushAsync(http.RequestAborted);
    }

    private int Count(AdmissionStatus status) => intake.Results.Count(r => r.Status == status);
}
