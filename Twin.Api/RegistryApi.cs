using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest;
using Twin.Ingest.Blocks;
using Twin.Ingest.Feed;
using Twin.Ingest.Records;

namespace Twin.Api;

/// <summary>Which columns a file of the registry has.</summary>
internal enum RegistryKind { Registry, Fleet, Context, Events, Security }

/// <summary>
/// What became of a file of the registry. <paramref name="Rejected"/>: rows, cells and records that were not taken,
/// <paramref name="Reasons"/> of the first.
/// </summary>
internal sealed record RegistryAnswer(RegistryKind Kind, int Records, int Changed, int Unchanged, long Rejected,
    IReadOnlyList<string> Reasons, long? Position);

internal static class RegistryApi
{
    public const string Path = "/api/v1/registry/imports";
    private const string Source = "registry";
    private const int MaxReasons = 20, BatchItems = 8_192;

    public static void MapRegistryApi(this IEndpointRouteBuilder routes, ApiLimits limits) =>
        routes.MapPost(Path, Post).Needs(Right.Operate).WithName("import_registry").WithTags("registry")
            .Accepts<string>(CsvIntake.Csv, ObservationsApi.Ndjson).ProducesProblem(400).ProducesProblem(403)
            .ProducesProblem(413).ProducesProblem(415).ProducesProblem(503)
            .WithMetadata(new RequestSizeLimitAttribute(limits.MaxBodyBytes))
            .WithRequestTimeout(TwinApi.IngestPolicy)
            .WithSummary("Takes a file of the registry, CSV or NDJSON, as 'metertwin registry' does: kind (registry, "
                + "fleet, context, events, security), why. Sent again it changes nothing");

    private static async Task<Ok<RegistryAnswer>> Post(string? kind, string? why, HttpContext http, IFleet fleet,
        ApiOptions options, AccessBook book, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "kind", "why");
        var what = CaseFilter.Word<RegistryKind>(kind, "kind") ?? RegistryKind.Registry;
        var (reason, caller) = (Parameters.Text(why, "why") ?? "", Caller.Of(http));
        CaseSight.RequireEverywhere(caller);
        if (!CsvIntake.Is(http.Request.ContentType)
            && !ObservationsApi.IsNdjson(http.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant()))
            throw new ApiProblem(415, "unsupported_media_type", "A file of the registry is CSV or NDJSON.",
                $"Send it as {CsvIntake.Csv} or {ObservationsApi.Ndjson}.");
        using var spool = await Spool.Of(options, ".csv", ObservationsApi.BodyOf(http.Request), cancel);
        using var rejects = new Rejects(null);
        var feed = new RecordFeed(new MeterTable(), rejects);
        try
        {
            await Task.Run(() => Read(feed, what, spool.Path), cancel);
        }
        catch (FormatError e)
        {
            throw new ApiProblem(400, "bad_registry_file", $"The body cannot be read: {spool.Said(e.Problem)}",
                e.Remedy);
        }
        var answer = await Append(fleet, feed.InOrder, what, cancel);
        var now = options.Now();
        await book.Note(new AccessNoted(now, caller.Actor, AccessKind.Imported, default, now, now, answer.Records,
            reason.Length > 0 ? reason : $"registry file of kind {SnakeCase.Of(what)}"), cancel);
        return TypedResults.Ok(answer with
        {
            Rejected = answer.Rejected + rejects.Rows + rejects.Cells,
            Reasons = [.. rejects.First.Select(spool.Said).Concat(answer.Reasons).Take(MaxReasons)],
        });
    }

    private static void Read(RecordFeed feed, RegistryKind kind, string file)
    {
        switch (kind)
        {
            case RegistryKind.Fleet: feed.ReadFleet(file); break;
            case RegistryKind.Context: feed.ReadContext(file); break;
            case RegistryKind.Events: feed.ReadEvents(file); break;
            // Certificates are held against anchors that the service's own files name: over HTTP there are none.
            case RegistryKind.Security: feed.ReadSecurity(file, null); break;
            default: feed.ReadRegistry(file); break;
        }
    }

    private static async Task<RegistryAnswer> Append(IFleet fleet, IReadOnlyList<Input> inputs, RegistryKind kind,
        CancellationToken cancel)
    {
        var (changed, unchanged, refused, reasons, position) = (0, 0, 0L, new List<string>(), (long?)null);
        for (var i = 0; i < inputs.Count;)
        {
            var batch = new InputBatch(Source);
            for (; i < inputs.Count && batch.Count < BatchItems && !batch.IsFull; i++) batch.Add(inputs[i]);
            var receipt = await fleet.Append(batch, cancel);
            position = receipt.Position;
            foreach (var item in receipt.Items)
            {
                if (item.Status == AdmissionStatus.Duplicate) unchanged++;
                else if (item.Status != AdmissionStatus.Rejected) changed++;
                else if (++refused <= MaxReasons) reasons.Add(item.Reason);
            }
        }
        return new RegistryAnswer(kind, inputs.Count, changed, unchanged, refused, reasons, position);
    }
}
