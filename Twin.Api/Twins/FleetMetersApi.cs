using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>Meters without readings for so many days before the watermark, the longest silent first, then those that
/// never had any.</summary>
internal sealed record SilentAnswer(int Days, IReadOnlyList<MeterItem> Meters, string? Next, int Total,
    UnixTime IndexAt);

/// <summary>Findings of a kind, what people said of such, and whether its bar is set by the budget.</summary>
internal sealed record BudgetKind(string Kind, int Findings, double? Per1000MeterYears, bool IsBudgeted,
    int VerdictsTrue, int VerdictsBenign, int VerdictsFalse);

/// <summary>
/// What the reading models found against what they may find. <paramref name="Per1000MeterYears"/> counts the kinds
/// whose bar the budget sets; null before there are meter-years.
/// </summary>
internal sealed record BudgetAnswer(int Days, double MeterYears, double? Per1000MeterYears, double Budget,
    IReadOnlyList<BudgetKind> ByKind, UnixTime IndexAt);

/// <summary>A meter of a ranking: findings in the window, the sum of their scores, the worst among them.</summary>
internal sealed record RankedMeter(MeterItem Meter, int Findings, double Score, Severity Worst,
    IReadOnlyList<string> Kinds);

internal sealed record RankAnswer(UnixTime From, UnixTime To, IReadOnlyList<RankedMeter> Meters, int Total,
    UnixTime IndexAt);

/// <summary>Questions about the fleet that are answered with meters or rates.</summary>
internal static class FleetMetersApi
{
    private const int DefaultSilentDays = 3, MaxSilentDays = 3_660, DaySeconds = 86_400;
    private const int DefaultBudgetDays = 365, DefaultRank = 50, MaxRank = 1_000, DefaultRankDays = 30;
    private const int DefaultLimit = 100, MaxLimit = 1_000;
    private const double SecondsPerYear = 365.25 * DaySeconds;

    /// <summary>Findings per 1,000 meter-years for which the bars of the reading models are set (AlarmBar).</summary>
    private const double Budget = 40;

    /// <summary>Cohorts whose verdicts are summed up; more are not looked at.</summary>
    private const int MaxCohorts = 20_000;

    private const string SilentCursor = "q1";

    public static void MapFleetMeters(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(FleetApi.Path + "/silent", Silent).Needs(Right.Read).WithName("get_silent_meters")
            .WithTags("fleet").ProducesProblem(400)
            .WithSummary("Meters without readings for some days: days, limit, cursor");
        routes.MapGet(FleetApi.Path + "/budget", GetBudget).Needs(Right.Read).WithName("get_alarm_budget")
            .WithTags("fleet").ProducesProblem(400)
            .WithSummary("Findings per 1,000 meter-years by kind, against the budget: days");
        routes.MapGet(FleetApi.Path + "/rank", Rank).Needs(Right.Read).WithName("rank_meters").WithTags("fleet")
            .ProducesProblem(400).WithSummary("Meters by the scores of their findings in a window: from, to, limit");
    }

    private static async Task<Ok<SilentAnswer>> Silent(string? days, string? limit, string? cursor, HttpContext http,
        IFleet fleet, FleetIndex index, ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "days", "limit", "cursor");
        var count = Parameters.Integer(days, "days", DefaultSilentDays, MaxSilentDays);
        var picture = await index.Get(cancel);
        var since = (fleet.Status.Watermark ?? options.Now()).Seconds - (long)count * DaySeconds;
        var caller = Caller.Of(http);
        var rows = picture.Meters.Where(m => m.LastReading < since && caller.Covers(m.Region))
            .OrderBy(m => m.LastReading == long.MinValue).ThenBy(m => m.LastReading).ThenBy(m => m.Id.Value).ToList();
        var (page, next) = ListPage.Of(rows, limit, cursor, SilentCursor, http.Request);
        return TypedResults.Ok(
            new SilentAnswer(count, page.ConvertAll(MeterItem.Of), next, rows.Count, picture.At));
    }

    private static async Task<Ok<BudgetAnswer>> GetBudget(string? days, HttpContext http, IFleet fleet,
        FleetIndex index, ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "days");
        var count = Parameters.Integer(days, "days", DefaultBudgetDays, FleetIndex.FindingDays);
        var picture = await index.Get(cancel);
        var caller = Caller.Of(http);
        var end = (FleetApi.Today(fleet.Status, options) + 1L) * DaySeconds;
        var begin = end - (long)count * DaySeconds;
        var years = picture.Meters.Where(m => m.LastReading > begin && caller.Covers(m.Region))
            .Sum(m => (double)(Math.Min(m.LastReading, end) - Math.Max(m.FirstReading, begin))) / SecondsPerYear;
        var found = picture.Findings
            .Where(f => f.Day >= begin / DaySeconds && FleetApi.Covers(picture, caller, f.Subject))
            .GroupBy(f => f.Kind).ToDictionary(g => g.Key, g => g.Count());
        var verdicts = await Verdicts(fleet, cancel);
        double? Rate(int n) => years > 0 ? 1_000 * n / years : null;
        var kinds = found.Keys.Union(verdicts.Keys).OrderBy(k => k).Select(k =>
        {
            var v = verdicts.GetValueOrDefault(k) ?? new VerdictCount(k, 0, 0, 0);
            var n = found.GetValueOrDefault(k);
            return new BudgetKind(Finding.NameOf(k), n, Rate(n), IsBudgeted(k), v.True, v.Benign, v.False);
        });
        return TypedResults.Ok(new BudgetAnswer(count, years,
            Rate(found.Where(f => IsBudgeted(f.Key)).Sum(f => f.Value)), Budget, [.. kinds], picture.At));
    }

    private static bool IsBudgeted(FindingKind kind) => kind is >= FindingKind.LevelShift and <= FindingKind.CatchUp;

    private static async ValueTask<Dictionary<FindingKind, VerdictCount>> Verdicts(IFleet fleet,
        CancellationToken cancel)
    {
        var sums = new Dictionary<FindingKind, VerdictCount>();
        foreach (var key in await fleet.Keys(TwinKind.Cohort, 0, MaxCohorts, cancel))
        {
            if (await fleet.State(key, AsOf.Now, cancel) is not { } state) continue;
            foreach (var v in CohortView.From(key, state).Verdicts)
            {
                var sum = sums.GetValueOrDefault(v.Kind) ?? new VerdictCount(v.Kind, 0, 0, 0);
                sums[v.Kind] = new VerdictCount(v.Kind, sum.True + v.True, sum.Benign + v.Benign, sum.False + v.False);
            }
        }
        return sums;
    }

    private static async Task<Ok<RankAnswer>> Rank(string? from, string? to, string? limit, HttpContext http,
        IFleet fleet, FleetIndex index, ApiOptions options, CancellationToken cancel)
    {
        Parameters.Only(http.Request, "from", "to", "limit");
        var count = Parameters.Integer(limit, "limit", DefaultRank, MaxRank);
        var end = Parameters.Time(to, "to")
            ?? new UnixTime((FleetApi.Today(fleet.Status, options) + 1L) * DaySeconds);
        var begin = Parameters.Time(from, "from") ?? new UnixTime(end.Seconds - DefaultRankDays * DaySeconds);
        Parameters.Ordered(begin, end);
        var picture = await index.Get(cancel);
        var caller = Caller.Of(http);
        var (first, last) = (begin.Seconds / DaySeconds, (end.Seconds - 1) / DaySeconds);
        var ranked = picture.Findings
            .Where(f => f.Subject.Kind == TwinKind.Meter && f.Day >= first && f.Day <= last)
            .GroupBy(f => f.Subject.Id)
            .Select(g => (Row: picture.Find(new MeterId(g.Key)), Findings: g.ToList()))
            .Where(g => g.Row is { } row && caller.Covers(row.Region))
            .Select(g => new RankedMeter(MeterItem.Of(g.Row!), g.Findings.Count,
                g.Findings.Sum(f => float.IsFinite(f.Score) ? (double)f.Score : 0), g.Findings.Max(f => f.Severity),
                [.. g.Findings.Select(f => Finding.NameOf(f.Kind)).Distinct().Order(StringComparer.Ordinal)]))
            .OrderByDescending(m => m.Score).ThenByDescending(m => m.Worst).ThenBy(m => m.Meter.Id.Value).ToList();
        return TypedResults.Ok(
            new RankAnswer(begin, end, ranked.GetRange(0, Math.Min(count, ranked.Count)), ranked.Count, picture.At));
    }
}
