using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>An entry of the ledger in words, with its place in the chain.</summary>
internal sealed record LedgerItem(long Number, UnixTime At, string Kind, string Case, string Who, string Text,
    string Why, string Hash, long Position)
{
    public static LedgerItem Of(StoredEntry e)
    {
        var (text, why) = LedgerWords.Of(e.Entry);
        return new LedgerItem(e.Number, e.Entry.At, LedgerWords.KindOf(e.Entry), EventView.CaseOf(e.Entry.Case),
            LedgerWords.WhoOf(e.Entry), text, why, Convert.ToHexStringLower(e.Hash), e.Position);
    }
}

/// <summary>A page of the ledger, ascending.</summary>
internal sealed record LedgerPage(IReadOnlyList<LedgerItem> Ledger, string? Next);

/// <summary>
/// Where the ledger ends, and the last signature over it. Whoever keeps both can tell later whether it was changed.
/// </summary>
internal sealed record LedgerEndView(long Number, string Hash, long? SealedTo, UnixTime? SealedAt, string? Key);

internal static class LedgerApi
{
    public const string Path = "/api/v1/ledger";
    private const int DefaultLimit = 100, MaxLimit = 1_000;

    /// <summary>Entries that one page looks through for those that are asked for; then it ends, with a link.</summary>
    private const int MaxScanned = 20_000;

    private static readonly string[] s_kinds =
        ["finding", "request", .. Enum.GetValues<LedgerKind>().Where(k => k != LedgerKind.Report).Select(SnakeCase.Of)];

    public static void MapLedgerApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_ledger").WithTags("ledger").ProducesProblem(400)
            .Produces<LedgerPage>()
            .WithSummary("The ledger, ascending: after (a number), case, kind, limit, fields");
        routes.MapGet(Path + "/end", End).Needs(Right.Read).WithName("get_ledger_end").WithTags("ledger")
            .WithSummary("Number and hash of the last entry, and the last seal");
    }

    private static IResult List(string? after, string? @case, string? kind, string? limit, string? fields,
        HttpContext http, IFleet fleet)
    {
        Parameters.Only(http.Request, "after", "case", "kind", "limit", "fields");
        var count = Parameters.Integer(limit, "limit", DefaultLimit, MaxLimit);
        var begin = after is null ? 0L : long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture,
            out var n) ? n : throw Parameters.Bad("bad_after", "The parameter after is no number of an entry.",
            "Give the number of the last entry that was read.");
        if (kind is not null && !s_kinds.Contains(kind))
            throw Parameters.Bad("bad_kind", "The parameter kind is no kind of entry.",
                $"Use one of: {string.Join(", ", s_kinds)}.");
        var view = new EventView(fleet.Ledger, Caller.Of(http));
        var (items, last, more) = @case is not null
            ? Take(fleet.Ledger.EntriesOf(CaseSight.Parse(@case).Key, 10_000).Where(e => e.Number > begin), view, kind,
                count, begin)
            : Take(All(fleet.Ledger, begin), view, kind, count, begin);
        var next = more ? Following(http.Request, last) : null;
        return Fields.Of(new LedgerPage(items, next), fields, "ledger");
    }

    private static IEnumerable<StoredEntry> All(ILedgerSource ledger, long after)
    {
        for (IReadOnlyList<StoredEntry> page; (page = ledger.Entries(after, 500)).Count > 0; after = page[^1].Number)
            foreach (var entry in page) yield return entry;
    }

    private static (List<LedgerItem> Items, long Last, bool More) Take(IEnumerable<StoredEntry> entries, EventView view,
        string? kind, int count, long last)
    {
        var (items, scanned) = (new List<LedgerItem>(), 0);
        foreach (var e in entries)
        {
            if (items.Count == count || scanned++ == MaxScanned) return (items, last, true);
            last = e.Number;
            if (!view.IsFor(e) || kind is not null && LedgerWords.KindOf(e.Entry) != kind) continue;
            items.Add(LedgerItem.Of(e));
        }
        return (items, last, false);
    }

    private static string Following(HttpRequest request, long after)
    {
        var query = request.Query.Where(q => q.Key != "after")
            .Select(q => $"{q.Key}={Uri.EscapeDataString(q.Value.ToString())}");
        return $"{request.Path}?{string.Join('&', query.Append($"after={after}"))}";
    }

    private static Ok<LedgerEndView> End(HttpContext http, IFleet fleet)
    {
        Parameters.Only(http.Request);
        var end = fleet.Ledger.End;
        var seal = fleet.Ledger.AllSeals().LastOrDefault();
        return TypedResults.Ok(new LedgerEndView(end.Number, Convert.ToHexStringLower(end.Hash), seal?.Number, seal?.At,
            seal is null ? null : LedgerSeal.FingerprintOf(seal.Key)));
    }
}
