using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Twin.Api;

/// <summary>
/// A step of the guided tour. <paramref name="Text"/>: paragraphs, a line each. <paramref name="Link"/>: the screen
/// that it is about, as <c>/cases/ID</c> or <c>/policies?part=what-if</c>; null to stay. <paramref name="Commands"/>:
/// what to type in a terminal. <paramref name="ShowsHash"/>: the step compares the digest of all state before and
/// after.
/// </summary>
public sealed record TourStep(string Id, string Title, string Text, string? Link)
{
    public IReadOnlyList<string> Commands { get; init; } = [];
    public bool ShowsHash { get; init; }
}

/// <summary>The tour of what runs here; empty where there is none.</summary>
internal sealed record TourAnswer(IReadOnlyList<TourStep> Steps);

internal static class TourApi
{
    public const string Path = "/api/v1/tour";

    public static void MapTourApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, Get).Needs(Right.Read).WithName("get_tour").WithTags("operation")
            .WithSummary("Steps of the guided tour; the demo has one, other services none");

    private static async Task<Ok<TourAnswer>> Get(ApiOptions options, CancellationToken cancel) =>
        TypedResults.Ok(new TourAnswer(options.Tour is { } tour ? await tour(cancel) : []));
}
