using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>One meter of a list.</summary>
internal sealed record MeterItem(MeterId Id, string Name, string Role, string Feeder, string Link);

/// <summary>
/// A page of meters in id order; <paramref name="Next"/> is the link of the next one, null on the last.
/// </summary>
internal sealed record MeterPage(IReadOnlyList<MeterItem> Meters, string? Next);

/// <summary>A meter and its twin, now (<paramref name="At"/> null) or as of an event time.</summary>
internal sealed record MeterDetail(MeterId Id, string Name, UnixTime? At, object Twin, string Series, string Findings);

internal static class MetersApi
{
    public const string Path = "/api/v1/meters";
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;
    private const int KeysAtOnce = 500;

    /// <summary>
    /// Names are in the twins, so a filtered page reads them one by one; at this bound the page ends, perhaps short or
    /// empty, with a link that goes on behind it.
    /// </summary>
    private const int MaxScanned = 10_000;

    public static void MapMetersApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_meters").WithTags("meters").ProducesProblem(400)
            .WithSummary("Meters in id order, a page at a time: name (part of the utility's id), limit, cursor");
        routes.MapGet(Path + "/{id}", Get).Needs(Right.Read).WithName("get_meter").WithTags("meters").ProducesProblem(400)
            .ProducesProblem(404)
            .WithSummary("A meter's twin, now or as of an event time: at");
    }

    private static async Task<Ok<MeterPage>> List(string? name, string? limit, string? cursor, HttpRequest request,
        IFleet fleet, ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(request, "name", "limit", "cursor");
        var count = Parameters.Integer(limit, "limit", DefaultLimit, MaxLimit);
        var part = Parameters.Text(name, "name");
        var (meters, last) = await Scan(fleet, options, part, count, ReadCursor(cursor), cancel);
        return TypedResults.Ok(new MeterPage(meters, last is { } id
            ? Cursor.Next(request, Cursor.Write(CursorVersion, id.ToString("x16", CultureInfo.InvariantCulture))) : null));
    }

    /// <summary>Meters after an id, and the last id looked at when there are more behind it.</summary>
    public static async Task<(List<MeterItem> Meters, ulong? Last)> Scan(IFleet fleet, ApiOptions options,
        string? part, int limit, ulong after, CancellationToken cancel)
    {
        var found = new List<MeterItem>();
        for (var scanned = 0; scanned < MaxScanned;)
        {
            // One more than is wanted tells whether anything follows.
            var wanted = part is null ? limit - found.Count + 1 : KeysAtOnce;
            var keys = await fleet.Keys(TwinKind.Meter, after, wanted, cancel);
            foreach (var key in keys)
            {
                if (found.Count == limit || scanned == MaxScanned) return (found, after);
                if (await Item(fleet, options, key, cancel) is { } item
                    && (part is null || Holds(item.Name, part))) found.Add(item);
                after = key.Id;
                scanned++;
            }
            if (keys.Count < wanted) return (found, null);
        }
        return (found, after);
    }

    private static bool Holds(string name, string part) => name.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static async ValueTask<MeterItem?> Item(IFleet fleet, ApiOptions options, TwinKey key,
        CancellationToken cancel)
    {
        if (await fleet.State(key, null, cancel) is not { } state) return null;
        var d = options.Describe(key, state);
        var id = new MeterId(key.Id);
        return new MeterItem(id, d.Name, d.Role, d.Feeder, $"{Path}/{id}");
    }

    private static async Task<Ok<MeterDetail>> Get(string id, string? at, HttpRequest request, IFleet fleet,
        ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(request, "at");
        var time = Parameters.Time(at, "at");
        var (meter, state) = await Find(fleet, id, time, cancel);
        var d = options.Describe(meter.Twin, state);
        var findings = $"{FindingsApi.Path}?subject={meter}";
        return TypedResults.Ok(new MeterDetail(meter, d.Name, time, d.View, $"{Path}/{meter}/series", findings));
    }

    /// <summary>
    /// A meter by 16 hexadecimal digits or by the utility's id. Some utilities number their meters with 16 digits:
    /// what is no known meter id is tried as a utility id, too.
    /// </summary>
    /// <exception cref="ApiProblem">400 for an id that cannot be one, 404 when there is no such twin at that
    /// time.</exception>
    public static async ValueTask<(MeterId Meter, byte[] State)> Find(IFleet fleet, string id, UnixTime? at,
        CancellationToken cancel)
    {
        var text = Parameters.Text(id, "id")!;
        foreach (var meter in (MeterId[])[MeterId.ParseOrMap(text), MeterId.FromUtilityId(text)])
            if (await fleet.State(meter.Twin, at, cancel) is { } state) return (meter, state);
        throw at is null
            ? new ApiProblem(404, "meter_not_found", "There is no meter with this id.",
                "GET /api/v1/meters lists all; an id is 16 hexadecimal digits or the utility's own id.")
            : new ApiProblem(404, "meter_not_found", $"There is no twin of this meter as of {at}.",
                "Ask for a later time, or leave out at for the present state.");
    }

    private static ulong ReadCursor(string? cursor) => Cursor.Read(cursor, CursorVersion) is not { } place ? 0
        : ulong.TryParse(place, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id) ? id
        : throw Cursor.Bad();

    private const string CursorVersion = "m1";
}
