using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>Finds a case by its id, as the caller may see it.</summary>
internal static class CaseSight
{
    /// <param name="fleet">Where it is.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="id">Sixteen digits, and the number of the case behind a dash where not the newest is meant.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="toAct">True for an act: what lies elsewhere is refused and not denied.</param>
    /// <exception cref="ApiProblem">400: no id; 403, 404: not for this caller, or not there.</exception>
    public static async Task<ListedCase> Of(IFleet fleet, Caller caller, string id, CancellationToken cancel,
        bool toAct = false)
    {
        var (key, number) = Parse(id);
        var found = fleet.Ledger.Find(new CaseQuery(null, null, null, null, true, 1) { One = (key, number) });
        var row = found is [var listed] ? listed : await Asked(fleet, key, number, cancel);
        if (row is null) throw Unknown();
        if (caller.Covers(row.Region)) return row;
        throw toAct ? Elsewhere() : Unknown();
    }

    /// <summary>A case without findings, of which somebody wants something: only its twin knows it.</summary>
    private static async Task<ListedCase?> Asked(IFleet fleet, TwinKey key, int number, CancellationToken cancel) =>
        await fleet.State(key, null, cancel) is { } state && CaseView.From(key, state) is var view
            && view.Case.Subject.Kind != 0 && (number == 0 || number == view.Case.Number)
            ? new ListedCase(view.Case, view.Context.Region, view.Context.Feeder, view.Responses) : null;

    public static (TwinKey Key, int Number) Parse(string id) =>
        CaseSnapshot.TryParseId(id, out var key, out var number) ? (key, number)
            : throw Parameters.Bad("bad_case", "This is no id of a case.",
                "Write 16 hexadecimal digits, or those, '-' and a number, as GET /api/v1/cases shows it.");

    /// <summary>An act is done with the case there is now, not with one before it.</summary>
    public static async Task<ListedCase> Living(IFleet fleet, Caller caller, string id, CancellationToken cancel)
    {
        var (key, number) = Parse(id);
        var row = await Of(fleet, caller, CaseSnapshot.IdOf(key, 0)[..16], cancel, toAct: true);
        if (number == 0 || number == row.Case.Number) return row;
        throw number > row.Case.Number ? Unknown() : new ApiProblem(409, "case_has_successor",
            $"This case was resolved and has a successor, {row.Case.Id}.", "Name that, if it is meant.");
    }

    public static ApiProblem Unknown() => new(404, "case_not_found", "There is no case with this id.",
        "GET /api/v1/cases?all=true lists all.");

    public static ApiProblem Elsewhere() => new(403, "region_not_yours",
        "What this act is about lies in a region that is not yours.", "Somebody of that region has to do it.");

    /// <summary>For what holds in the whole fleet.</summary>
    /// <exception cref="ApiProblem">The caller is limited to regions.</exception>
    public static void RequireEverywhere(Caller caller)
    {
        if (caller.Regions.Count > 0)
            throw new ApiProblem(403, "region_not_yours", "This act holds in the whole fleet, and you act in regions.",
                "Somebody without a limit to regions has to do it.");
    }
}
