using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Api;

/// <summary>
/// A suppression or planned work. <paramref name="Kinds"/>: of findings; none: all. <paramref name="Subject"/>: null
/// where a place is meant.
/// </summary>
internal sealed record CoverItem(string Id, IReadOnlyList<string> Kinds, string? Subject, string Place, UnixTime From,
    UnixTime To, string Owner, string Etag)
{
    public static CoverItem Of(CoverView c) => new(c.Id, [.. c.Kinds.Select(Finding.NameOf)], c.Subject?.ToString(),
        c.Place, c.From, c.To, c.Owner, EtagOf(c));

    public static string EtagOf(CoverView c)
    {
        var to = new ByteWriter(128);
        foreach (var text in (ReadOnlySpan<string>)[c.Id, c.Place, c.Owner, c.Subject?.ToString() ?? "",
            string.Join(',', c.Kinds)]) to.Text(text);
        to.VarInt(c.From.Seconds);
        to.VarInt(c.To.Seconds);
        return CaseTag.Of(to.Written);
    }
}

internal sealed record SuppressionList(IReadOnlyList<CoverItem> Suppressions, string? Next);

internal sealed record PlannedWorkList(IReadOnlyList<CoverItem> PlannedWork, string? Next);

/// <summary>A finding that would have been covered.</summary>
internal sealed record CoveredFinding(string Id, string SubjectName, string Kind, string Sentence);

/// <summary>
/// What a cover would have taken in as long a time before now. <paramref name="Complete"/>: false when only the newest
/// findings were looked at.
/// </summary>
internal sealed record CoverPreview(UnixTime From, UnixTime To, int Findings, bool Complete, int Subjects,
    IReadOnlyDictionary<string, int> Kinds, IReadOnlyList<CoveredFinding> First);

/// <summary>Suppressions and planned work: one file, since they are one thing to the policy's twin.</summary>
internal static class CoversApi
{
    public const string Suppressions = "/api/v1/suppressions", Works = "/api/v1/planned-work";

    /// <summary>Findings read for a preview, and those that are named in it.</summary>
    private const int MaxPreview = 10_000, MaxNamed = 20;

    private const int MaxId = 64, MaxPlace = 200, DefaultDays = 7;

    public static void MapCoversApi(this IEndpointRouteBuilder routes)
    {
        foreach (var (path, isWork, noun, words) in ((string, bool, string, string)[])[
            (Suppressions, false, "suppression", "kind"), (Works, true, "planned_work", "expect, owner")])
        {
            routes.MapGet(path, (HttpContext http, IFleet fleet, CancellationToken cancel) =>
                    List(isWork, http, fleet, cancel)).Needs(Right.Read).WithName($"list_{noun}").WithTags(noun)
                .WithSummary("What holds over all cases until it ends");
            routes.MapPut(path + "/{id}", (string id, HttpContext http, IFleet fleet, ApiOptions options,
                    Onces onces, CancellationToken cancel) => Put(isWork, id, http, fleet, options, onces, cancel))
                .IsAct(Right.Operate).WithName($"put_{noun}").WithTags(noun).Produces<CoverItem>()
                .WithSummary($"Announces or changes it: subject or place, from, to, why, {words}. "
                    + "If-Match, Idempotency-Key");
            routes.MapDelete(path + "/{id}", (string id, HttpContext http, IFleet fleet, ApiOptions options,
                    Onces onces, CancellationToken cancel) => Delete(isWork, id, http, fleet, options, onces, cancel))
                .IsAct(Right.Operate).WithName($"delete_{noun}").WithTags(noun).Produces<CoverItem>()
                .WithSummary("Ends it now. If-Match, Idempotency-Key");
            routes.MapPost(path + "/preview", (HttpContext http, IFleet fleet, ApiOptions options,
                    CancellationToken cancel) => Preview(isWork, http, fleet, options, cancel))
                .IsAct(Right.Analyse).WithName($"preview_{noun}").WithTags(noun).Produces<CoverPreview>()
                .WithSummary("What it would have covered in as long a time before now; changes nothing");
        }
    }

    private static async Task<IResult> List(bool isWork, HttpContext http, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var covers = (await PoliciesApi.View(fleet, cancel)).Covers.Where(c => c.IsWork == isWork);
        var items = new List<CoverItem>();
        foreach (var c in covers)
            if (await Covers(fleet, Caller.Of(http), c.Subject, c.Place, cancel)) items.Add(CoverItem.Of(c));
        return isWork ? TypedResults.Ok(new PlannedWorkList(items, null))
            : TypedResults.Ok(new SuppressionList(items, null));
    }

    /// <summary>
    /// A place is a caller's own when it is one of the caller's regions, a subject when its last case lies there.
    /// </summary>
    private static async Task<bool> Covers(IFleet fleet, Caller caller, TwinKey? subject, string place,
        CancellationToken cancel)
    {
        if (caller.Regions.Count == 0) return true;
        if (place.StartsWith("region:", StringComparison.Ordinal)) return caller.Covers(place["region:".Length..]);
        return subject is { } key && caller.Covers(await Places.RegionOf(fleet, key, cancel));
    }

    /// <summary>What a body says of a cover.</summary>
    private sealed record Wanted(FindingKind[] Kinds, TwinKey? Subject, string Place, UnixTime From, UnixTime To,
        string Owner, string Why)
    {
        public Input On(bool isWork, string id, UnixTime at, Actor by)
        {
            Suppression Quiet() => new(at, by, id, Kinds is [var one] ? one : null, Subject, Place, From, To, Why);
            PlannedWork Work() => new(at, by, id, Kinds, Subject, Place, From, To, Owner, Why);
            ActDoor.Check(isWork ? Work().Refusal() : Quiet().Refusal());
            return isWork ? Work() : Quiet();
        }
    }

    private static async Task<Wanted> Read(bool isWork, byte[] bytes, IFleet fleet, Caller caller, UnixTime now,
        CancellationToken cancel)
    {
        var body = StrictBody.Of(bytes);
        var subject = body.Text("subject", Parameters.MaxText) is { } name ? await Subject(fleet, name, cancel) : null;
        var (place, from) = (body.Text("place", MaxPlace) ?? "", body.Time("from") ?? now);
        var to = body.Time("to") ?? new UnixTime(from.Seconds + DefaultDays * 86_400L);
        var why = body.Text("why", CaseAct.MaxText) ?? "";
        FindingKind[] kinds = isWork ? [.. body.Texts("expect", Parameters.MaxText)
            .Select(k => Parameters.Kind(k)!.Value)]
            : Parameters.Kind(body.Text("kind", Parameters.MaxText)) is { } kind ? [kind] : [];
        var owner = isWork ? body.Text("owner", Actor.MaxText) ?? "" : "";
        body.End();
        if (!await Covers(fleet, caller, subject, place, cancel)) throw CaseSight.Elsewhere();
        return new Wanted(kinds, subject, place, from, to, owner, why);
    }

    private static async Task<TwinKey?> Subject(IFleet fleet, string name, CancellationToken cancel)
    {
        var key = Parameters.Subject(name)!.Value;
        if (key.Kind == TwinKind.Meter) return (await MetersApi.Find(fleet, name, null, cancel)).Meter.Twin;
        return await fleet.State(key, null, cancel) is not null ? key : throw new ApiProblem(404, "subject_not_found",
            "There is no twin of this kind and name.", "Give a meter's id, or feeder:NAME.");
    }

    private static async Task<IResult> Put(bool isWork, string id, HttpContext http, IFleet fleet, ApiOptions options,
        Onces onces, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var (caller, now) = (Caller.Of(http), options.Now());
        var wanted = await Read(isWork, bytes, fleet, caller, now, cancel);
        return await onces.Run(http, bytes, tag => ActDoor.Alone(PolicyActivation.Twin, async () =>
        {
            var isRepeat = tag.WasDone(fleet.Ledger, default);
            if (!isRepeat)
            {
                var there = await Find(fleet, isWork, id, cancel);
                if (there is not null && !await Covers(fleet, caller, there.Subject, there.Place, cancel))
                    throw CaseSight.Elsewhere();
                ActDoor.RequireMatch(http.Request, there is null ? "" : CoverItem.EtagOf(there));
                await ActDoor.Append(fleet, wanted.On(isWork, id, now, tag.On(caller.Actor)), cancel);
            }
            return await Answer(fleet, isWork, id, isRepeat, cancel);
        }, cancel));
    }

    private static async Task<IResult> Delete(bool isWork, string id, HttpContext http, IFleet fleet,
        ApiOptions options, Onces onces, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var caller = Caller.Of(http);
        return await onces.Run(http, ReadOnlyMemory<byte>.Empty, tag => ActDoor.Alone(PolicyActivation.Twin, async () =>
        {
            var isRepeat = tag.WasDone(fleet.Ledger, default);
            var c = await Find(fleet, isWork, id, cancel);
            if (!isRepeat)
            {
                if (c is null) throw new ApiProblem(404, "cover_not_found", "Nothing of this name holds.",
                    $"GET {(isWork ? Works : Suppressions)} lists what does.");
                if (!await Covers(fleet, caller, c.Subject, c.Place, cancel)) throw CaseSight.Elsewhere();
                ActDoor.RequireMatch(http.Request, CoverItem.EtagOf(c));
                // It ends a second after it began at the earliest: what ends before it begins is none.
                var now = options.Now();
                var (from, to) = c.From.Seconds < now.Seconds ? (c.From, now)
                    : (new UnixTime(now.Seconds - 1), now);
                var ended = new Wanted(c.Kinds, c.Subject, c.Place, from, to, c.Owner, "ended");
                await ActDoor.Append(fleet, ended.On(isWork, id, now, tag.On(caller.Actor)), cancel);
            }
            return await Answer(fleet, isWork, id, isRepeat, cancel);
        }, cancel));
    }

    private static async Task<CoverView?> Find(IFleet fleet, bool isWork, string id, CancellationToken cancel) =>
        Array.Find((await PoliciesApi.View(fleet, cancel)).Covers, c => c.Id == id && c.IsWork == isWork);

    private static async Task<ActAnswer> Answer(IFleet fleet, bool isWork, string id, bool isRepeat,
        CancellationToken cancel)
    {
        // After a sweep what has ended is gone.
        if (await Find(fleet, isWork, id, cancel) is not { } c) return ActAnswer.Of(new { id }, isRepeat: isRepeat);
        return ActAnswer.Of(CoverItem.Of(c), etag: CoverItem.EtagOf(c), isRepeat: isRepeat);
    }

    private static async Task<Ok<CoverPreview>> Preview(bool isWork, HttpContext http, IFleet fleet,
        ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        var bytes = await StrictBody.Text(http.Request, ActDoor.MaxBodyBytes, cancel);
        var (caller, now) = (Caller.Of(http), options.Now());
        var wanted = await Read(isWork, bytes, fleet, caller, now, cancel);
        if (wanted.Subject is null && wanted.Place.Length == 0)
            ActDoor.Check("it names neither a subject nor a place");
        ActDoor.Check(PolicyTwin.PlaceRefusal(wanted.Place));
        ActDoor.Check(wanted.To.Seconds <= wanted.From.Seconds ? "it ends before it begins" : null);
        var from = new UnixTime(Math.Max(UnixTime.MinSeconds,
            now.Seconds - (wanted.To.Seconds - wanted.From.Seconds)));
        var found = await fleet.Findings(new FindingQuery(wanted.Subject, wanted.Kinds is [var one] ? one : null, from,
            now, MaxPreview), cancel);
        var hidden = new List<Finding>();
        foreach (var f in found)
            if ((wanted.Kinds.Length == 0 || wanted.Kinds.Contains(f.Kind))
                && (wanted.Place.Length == 0 || await IsAt(fleet, wanted.Place, f, cancel))) hidden.Add(f);
        return TypedResults.Ok(new CoverPreview(from, now, hidden.Count, found.Count < MaxPreview,
            hidden.DistinctBy(f => f.Subject).Count(),
            hidden.GroupBy(f => Finding.NameOf(f.Kind)).ToDictionary(g => g.Key, g => g.Count()),
            [.. hidden.Take(MaxNamed).Select(f => new CoveredFinding(f.Id, f.SubjectName, Finding.NameOf(f.Kind),
                f.Sentence))]));
    }

    /// <summary>Where the subject is, as its case knows; one without a case is nowhere.</summary>
    private static async Task<bool> IsAt(IFleet fleet, string place, Finding f, CancellationToken cancel) =>
        await Places.Of(fleet, f.Subject, Desks.Of(f.Kind), cancel) is { } context && PolicyTwin.IsAt(place, context);
}
