using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Twin.Grains;
using Twin.Grains.Ledger;

namespace Twin.Api;

internal static class EventsApi
{
    public const string Path = "/api/v1/events";

    /// <summary>Entries that one look takes: what a slow client has waiting for it.</summary>
    private const int Page = 200;

    /// <summary>How often the ledger is looked at, and how often a client hears how the service stands.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);
    private const int LooksPerStatus = 12;

    private const string LastEvent = "Last-Event-ID";

    public static void MapEventsApi(this IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, Get).Needs(Right.Read).WithName("get_events").WithTags("events")
            .Produces(200, contentType: "text/event-stream").ProducesProblem(400).ProducesProblem(503)
            .WithSummary("What is found, decided and done, as it is recorded (server-sent events): case, response, "
                + "finding, act, policy, with the ledger's number as id, and status. Goes on behind Last-Event-ID or "
                + "after; else from now on")
            .DisableRequestTimeout();

    private static IResult Get(string? after, HttpContext http, IFleet fleet, ApiOptions options,
        Listeners listeners, IHostApplicationLifetime life)
    {
        Parameters.Only(http.Request, "after");
        var last = http.Request.Headers[LastEvent].ToString();
        var from = Number(last.Length > 0 ? last : after);
        var end = fleet.Ledger.End.Number;
        if (from > end)
            throw Parameters.Bad("bad_after", "The ledger does not reach so far.",
                "Connect without Last-Event-ID and read everything anew: this is another ledger, or an older one.");
        var who = Caller.Of(http).Name;
        listeners.Enter(who, options.Limits.EventClients);
        http.Response.OnCompleted(() =>
        {
            listeners.Leave(who);
            return Task.CompletedTask;
        });
        http.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(Watch(from ?? end, http, fleet, options, life.ApplicationStopping));
    }

    private static long? Number(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw Parameters.Bad("bad_after", $"The parameter after, or the header {LastEvent}, is no number.",
                "Give the id of the last event that was received, or leave it out.");
    }

    private static async IAsyncEnumerable<SseItem<string>> Watch(long after, HttpContext http, IFleet fleet,
        ApiOptions options, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, http.RequestAborted, stopping);
        var view = new EventView(fleet.Ledger, Caller.Of(http));
        for (var look = 0; !either.IsCancellationRequested; look++)
        {
            if (look % LooksPerStatus == 0)
            {
                if (!await IsStillWelcome(http)) yield break;
                yield return new SseItem<string>(Json(await StatusApi.Of(fleet, options, either.Token)), "status");
            }
            for (IReadOnlyList<StoredEntry> page = [default!]; page.Count > 0 && !either.IsCancellationRequested;)
            {
                page = fleet.Ledger.Entries(after, Page);
                foreach (var entry in page)
                {
                    after = entry.Number;
                    if (view.Of(entry) is var (kind, data))
                        yield return new SseItem<string>(Json(data), kind)
                        {
                            EventId = entry.Number.ToString(CultureInfo.InvariantCulture),
                        };
                }
            }
            if (!await Waited(either.Token)) yield break;
        }
    }

    /// <summary>False when the client went or the service stops.</summary>
    private static async Task<bool> Waited(CancellationToken cancel)
    {
        try
        {
            await Task.Delay(LookEvery, TimeProvider.System, cancel);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>A key that was revoked, or a session that ended, hears no more.</summary>
    private static async Task<bool> IsStillWelcome(HttpContext http)
    {
        try
        {
            return await Access.Identify(http) is { } caller && caller.May(Right.Read)
                && caller.Regions.SequenceEqual(Caller.Of(http).Regions);
        }
        catch (ApiProblem)
        {
            return false;
        }
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, ApiJson.Options);
}

/// <summary>Counts who listens: nobody takes the room of all.</summary>
internal sealed class Listeners
{
    /// <summary>Of one caller: a window each, on some machines.</summary>
    private const int MostOfOne = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _of = new(StringComparer.Ordinal);
    private int _all;

    /// <exception cref="ApiProblem">503: as many listen as may.</exception>
    public void Enter(string who, int most)
    {
        lock (_gate)
        {
            var own = _of.GetValueOrDefault(who);
            if (_all >= most || own >= MostOfOne)
                throw new ApiProblem(503, "too_many_listeners", own >= MostOfOne
                    ? $"You listen to events {MostOfOne} times already." : $"{most} clients listen to events already.",
                    "Close another one, or ask the lists from time to time.")
                { RetryAfterSeconds = 30 };
            _of[who] = own + 1;
            _all++;
        }
    }

    public void Leave(string who)
    {
        lock (_gate)
        {
            _all--;
            if (--_of[who] == 0) _of.Remove(who);
        }
    }
}
