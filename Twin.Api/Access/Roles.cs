using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>What an endpoint lets its caller do; each endpoint needs exactly one.</summary>
public enum Right
{
    /// <summary>Whoever reaches the port: probes, signing in, the files of the console.</summary>
    Public,
    /// <summary>Twins, findings, cases, figures: no load curves.</summary>
    Read,
    /// <summary>Readings of a customer over time. Needs a purpose, and is written into the ledger.</summary>
    LoadCurve,
    /// <summary>Work on cases, verdicts, policies tried out, jobs, exports.</summary>
    Analyse,
    /// <summary>Responses proposed, cancelled and undone; suppressions, planned work, the freeze, imports.</summary>
    Operate,
    /// <summary>Responses approved, quarantines opened, the freeze ended, policies put in force.</summary>
    Approve,
    /// <summary>Observations and replies of a head-end.</summary>
    Send,
    /// <summary>Persons and keys.</summary>
    Administer,
}

/// <summary>Which role may what; the one table.</summary>
public static class Roles
{
    public static bool May(Role role, Right right) => right == Right.Public || role switch
    {
        Role.Viewer => right is Right.Read,
        Role.Analyst => right is Right.Read or Right.LoadCurve or Right.Analyse,
        Role.Operator => right is Right.Read or Right.LoadCurve or Right.Analyse or Right.Operate,
        Role.Approver => right is Right.Read or Right.LoadCurve or Right.Analyse or Right.Operate or Right.Approve,
        Role.Admin => right is Right.Read or Right.Administer,
        Role.Sender => right is Right.Send,
        _ => false,
    };

    /// <summary>Says what an endpoint needs. One that says nothing is refused to everybody.</summary>
    public static T Needs<T>(this T endpoint, Right right) where T : IEndpointConventionBuilder
    {
        endpoint.Add(b => b.Metadata.Add(new NeededRight(right)));
        return endpoint;
    }
}

/// <summary>Metadata of an endpoint: the right that it needs.</summary>
public sealed record NeededRight(Right Right);

/// <summary>
/// Who asks. <paramref name="Name"/>: person or service; <paramref name="Credential"/>: which key or session, never the
/// secret. <paramref name="Regions"/>: empty for all. <paramref name="MayApprove"/>: false while a role is new.
/// </summary>
public sealed record Caller(string Name, string Credential, bool IsPerson, Role Role, IReadOnlyList<string> Regions,
    bool MayApprove)
{
    /// <summary>Nobody signed in and no key exists yet: whoever is at this machine. It is no person.</summary>
    public static Caller Local { get; } = new("local", "loopback", false, Role.Analyst, [], false) { IsLocal = true };

    /// <summary>True for <see cref="Local"/>, which may send, too.</summary>
    public bool IsLocal { get; private init; }

    /// <summary>From when on the caller may approve; null: never.</summary>
    public UnixTime? ApprovesFrom { get; init; }

    public Actor Actor => new(Name, Credential);

    public bool May(Right right) => IsLocal ? right is Right.Public or Right.Read or Right.LoadCurve or Right.Send
        : right == Right.Approve ? Roles.May(Role, right) && IsPerson && MayApprove
        : Roles.May(Role, right);

    /// <summary>True when what lies in that region is the caller's to see; empty: region not known.</summary>
    public bool Covers(string region) =>
        Regions.Count == 0 || Regions.Contains(region, StringComparer.OrdinalIgnoreCase);

    /// <summary>The caller of a request, as <see cref="Access"/> found.</summary>
    public static Caller Of(HttpContext http) => http.Features.Get<Caller>()
        ?? throw new InvalidOperationException("The request did not pass the access check.");
}
