using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Access;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A customer's readings over time tell when somebody is at home. Whoever looks at them says why, and that is in the
/// ledger before the answer goes out. No route can forget it: it hangs on the right <see cref="Right.LoadCurve"/>.
/// </summary>
internal sealed class LoadCurveGate(IFleet fleet, AccessBook book, ApiOptions options)
{
    public const string Header = "MeterTwin-Purpose";
    public const string Parameter = "purpose";

    /// <summary>What is noted for whoever sits at the machine while there are no keys.</summary>
    private const string NoPurpose = "at the machine, without a key";

    /// <summary>Looks that are in the ledger, with their times; at the bound all are forgotten, and asked for again.
    /// </summary>
    private readonly ConcurrentDictionary<(string Reader, TwinKey Subject, string Purpose), UnixTime> _known = new();

    /// <exception cref="ApiProblem">400: there is no purpose.</exception>
    public async ValueTask Note(HttpContext http, Caller caller)
    {
        var purpose = http.Request.Headers.TryGetValue(Header, out var given) ? given.ToString()
            : http.Request.Query.TryGetValue(Parameter, out given) ? given.ToString() : "";
        if (purpose.Length == 0 && caller.IsLocal) purpose = NoPurpose;
        if (purpose.Length is 0 or > Actor.MaxText || PlainText.Refusal(purpose) is not null)
            throw new ApiProblem(400, "purpose_required", "Reading a load curve needs a purpose, in 1 to "
                + $"{Actor.MaxText} plain characters.",
                $"Send the header {Header}, or the parameter {Parameter}: why do you look at this customer's "
                + "readings?");
        var now = options.Now();
        var (subject, isKnown, meters) = await Subject(http);
        // What is not there cannot be looked at: the endpoint answers 404.
        if (!isKnown) return;
        var (from, to) = (Time(http, "from") ?? now, Time(http, "to") ?? now);
        // The access twin takes the same look once in that time; whoever zooms need not wait for it each time.
        var look = (caller.Actor.Key, subject, purpose);
        if (_known.TryGetValue(look, out var noted) && now.Seconds >= noted.Seconds
            && now.Seconds - noted.Seconds < ReadBook.LookSeconds) return;
        var isNew = await book.Note(new AccessNoted(now, caller.Actor, AccessKind.LoadCurveRead, subject, from, to,
            meters, purpose), http.RequestAborted);
        if (!isNew || subject.Kind == 0) return;
        if (_known.Count >= ReadBook.MaxLooks) _known.Clear();
        _known[look] = now;
    }

    /// <summary>The meter of the path or the query, or the feeder with its meters; none when all are asked for.
    /// </summary>
    private async ValueTask<(TwinKey Subject, bool IsKnown, long Meters)> Subject(HttpContext http)
    {
        var id = http.GetRouteValue("id") as string ?? http.Request.Query["meter"].ToString();
        if (string.IsNullOrWhiteSpace(id) || id.Length > Parameters.MaxText) return await Feeder(http);
        foreach (var meter in (MeterId[])[MeterId.ParseOrMap(id), MeterId.FromUtilityId(id)])
            if (await fleet.State(meter.Twin, null, http.RequestAborted) is not null)
                return (meter.Twin, true, 1);
        return (default, false, 0);
    }

    private async ValueTask<(TwinKey Subject, bool IsKnown, long Meters)> Feeder(HttpContext http)
    {
        var name = http.Request.Query["feeder"].ToString();
        if (name.Length is 0 or > Parameters.MaxText) return (default, true, Math.Max(1, fleet.Status.Meters));
        var key = TwinKey.Named(TwinKind.Feeder, name);
        return await fleet.State(key, null, http.RequestAborted) is { } state
            ? (key, true, FeederView.From(key, state).Members) : (default, false, 0);
    }

    private static UnixTime? Time(HttpContext http, string name) =>
        http.Request.Query.TryGetValue(name, out var text) && Parameters.TryTime(text.ToString(), out var time) ? time
            : null;
}
