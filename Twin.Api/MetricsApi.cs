using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;

namespace Twin.Api;

/// <summary>One figure; <paramref name="Kind"/> is <c>gauge</c> or <c>counter</c>.</summary>
public sealed record Metric(string Name, string Kind, string Help, long Value);

/// <summary>Prometheus text exposition format 0.0.4; units in base units, counters end in <c>_total</c>.</summary>
internal static class MetricsApi
{
    public const string Path = "/metrics";
    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static void MapMetricsApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, Get).Needs(Right.Public).WithName("metrics").WithTags("operation")
            .Produces<string>(200, "text/plain")
            .WithSummary("Counters in the Prometheus text format");

    private static ContentHttpResult Get(IFleet fleet, ApiOptions options) =>
        TypedResults.Text(Write(fleet.Status, options, Environment.WorkingSet), ContentType);

    public static string Write(FleetStatus s, ApiOptions options, long workingSet)
    {
        var to = new StringBuilder(4096);
        var mode = options.Mode.ToString().ToLowerInvariant();
        var labels = $"edition=\"{Escape(options.Edition)}\",engine=\"{Escape(s.Engine)}\",mode=\"{mode}\""
            + $",version=\"{Escape(TwinApi.Version)}\"";
        Add(to, "info", "gauge", "Which MeterTwin this is; always 1.", 1, labels);
        Add(to, "ready", "gauge", "1 when recovered and taking observations.", s.IsReady ? 1 : 0);
        Add(to, "storage_up", "gauge", "1 while the journal commits.", s.StorageError is null ? 1 : 0);
        Add(to, "journal_position", "gauge", "Position of the last committed input.", s.Position);
        if (s.Watermark is { } w)
            Add(to, "watermark_timestamp_seconds", "gauge",
                "Event time that every source has passed.", w.Seconds);
        if (s.ClosedThroughDay is { } day)
            Add(to, "closed_through_day", "gauge",
                "Last closed local day, days since 1970-01-01.", day);
        Add(to, "meters", "gauge", "Meters known.", s.Meters);
        Add(to, "twins", "gauge", "Twins of all kinds.", s.Twins);
        Add(to, "shards", "gauge", "Compute partitions of the engine.", s.Shards);
        Add(to, "readings_total", "counter", "Interval readings accepted.", s.Readings);
        Add(to, "duplicates_total", "counter", "Readings that were stored already.", s.Duplicates);
        Add(to, "revisions_total", "counter", "Readings that replaced another value.", s.Revisions);
        Add(to, "late_total", "counter", "Readings of days already closed.", s.Late);
        Add(to, "rejected_total", "counter", "Inputs rejected at the door.", s.Rejected);
        Add(to, "findings_total", "counter", "Findings stated.", s.Findings);
        Add(to, "resident_memory_bytes", "gauge", "Resident memory of the process.", workingSet);
        foreach (var m in options.MoreMetrics()) Add(to, m.Name, m.Kind, m.Help, m.Value);
        return to.ToString();
    }

    private static void Add(StringBuilder to, string name, string type, string help, long value, string labels = "")
    {
        var braces = labels.Length > 0 ? $"{{{labels}}}" : "";
        to.Append(CultureInfo.InvariantCulture,
            $"# HELP metertwin_{name} {help}\n# TYPE metertwin_{name} {type}\nmetertwin_{name}{braces} {value}\n");
    }

    private static string Escape(string label) =>
        label.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
