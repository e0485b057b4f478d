using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Twin.Grains.Access;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A customer's readings over time tell when somebody is at home. Whoever looks at them says why, and that is in the
/// ledger before the answer goes out. Access asks for the purpose (<see cref="Begin"/>), the endpoint tells what it is
/// about to show (<see cref="Note"/>), and an answer of an endpoint that forgot it does not go out: it hangs on the
/// right <see cref="Right.LoadCurve"/>.
/// </summary>
internal sealed class LoadCurveGate(AccessBook book, ApiOptions options)
{
    public const string Header = "MeterTwin-Purpose";
    public const string Parameter = "purpose";

    /// <summary>What is noted for whoever sits at the machine while there are no keys.</summary>
    private const string NoPurpose = "at the machine, without a key";

    /// <summary>A request that may show a load curve.</summary>
    private sealed class Look(string purpose)
    {
        public string Purpose { get; } = purpose;
        public bool IsNoted { get; set; }
    }

    private readonly record struct Noted(UnixTime At, UnixTime From, UnixTime To);

    /// <summary>Looks that are in the ledger; at the bound all are forgotten, and asked for again.</summary>
    private readonly ConcurrentDictionary<(string Reader, TwinKey Subject, string Purpose), Noted> _known = new();

    /// <exception cref="ApiProblem">400: there is no purpose; 403: another site asked a browser for it.</exception>
    public static void Begin(HttpContext http, Caller caller)
    {
        if (Guards.IsCrossSite(http.Request)) throw Guards.CrossSite();
        var purpose = http.Request.Headers.TryGetValue(Header, out var given) ? given.ToString()
            : http.Request.Query.TryGetValue(Parameter, out given) ? given.ToString() : "";
        if (purpose.Length == 0 && caller.IsLocal) purpose = NoPurpose;
        if (purpose.Length is 0 or > Actor.MaxText || PlainText.Refusal(purpose) is not null)
            throw new ApiProblem(400, "purpose_required", "Reading a load curve needs a purpose, in 1 to "
                + $"{Actor.MaxText} plain characters.",
                $"Send the header {Header}, or the parameter {Parameter}: why do you look at this customer's "
                + "readings?");
        var look = new Look(purpose);
        http.Features.Set(look);
        http.Response.OnStarting(() => look.IsNoted || http.Response.StatusCode >= 400 ? Task.CompletedTask
            : throw new InvalidOperationException($"{http.Request.Path} shows a load curve and did not note it."));
    }

    /// <summary>What is about to be shown, [from, to), of how many meters; complete when it is durable.</summary>
    public async ValueTask Note(HttpContext http, TwinKey subject, UnixTime from, UnixTime to, long meters)
    {
        var look = http.Features.Get<Look>()
            ?? throw new InvalidOperationException($"{http.Request.Path} does not need the right to load curves.");
        var (now, caller) = (options.Now(), Caller.Of(http));
        // The access twin takes the same look once in that time; whoever zooms need not wait for it each time.
        var key = (caller.Actor.Key, subject, look.Purpose);
        var isKnown = _known.TryGetValue(key, out var known) && now.Seconds >= known.At.Seconds
            && now.Seconds - known.At.Seconds < ReadBook.LookSeconds && from.Seconds >= known.From.Seconds
            && to.Seconds <= known.To.Seconds;
        if (!isKnown && await book.Note(new AccessNoted(now, caller.Actor, AccessKind.LoadCurveRead, subject, from, to,
            meters, look.Purpose), http.RequestAborted))
        {
            if (_known.Count >= ReadBook.MaxLooks) _known.Clear();
            _known[key] = new Noted(now, from, to);
        }
        look.IsNoted = true;
    }
}
