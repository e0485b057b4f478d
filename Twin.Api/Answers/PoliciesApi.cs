using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Twin.Grains;
using Twin.Grains.Guards;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A policy. <paramref name="Since"/> and <paramref name="By"/>: who put it in force; null while the one that ships
/// is. <paramref name="HeldAfterRestore"/>: every command is held until two persons have said process.
/// </summary>
internal sealed record PolicyItem(string Name, int Version, string Digest, UnixTime? Since, string? By, bool Frozen,
    bool HeldAfterRestore, IReadOnlyList<string> Before, int Rules, int Examples, string Text, string Etag);

/// <summary>The policy in force and the digests of those before it, newest first.</summary>
internal sealed record PolicyList(IReadOnlyList<PolicyItem> Policies);

/// <summary>A mistake of a policy, where it is.</summary>
internal sealed record PolicyMistake(int Line, int Column, string Message);

/// <summary>Whether a document holds; every mistake when it does not.</summary>
internal sealed record PolicyCheck(bool Holds, string? Name, int? Version, string? Digest,
    IReadOnlyList<PolicyMistake> Errors);

/// <summary>How one example of a document comes out; no failures when it holds.</summary>
internal sealed record ExampleResult(string Name, int Line, IReadOnlyList<string> Failures);

/// <summary>All examples of a document held against it.</summary>
internal sealed record PolicyTestAnswer(bool Holds, int Passed, IReadOnlyList<ExampleResult> Examples);

internal static class PoliciesApi
{
    public const string Path = "/api/v1/policies";

    /// <summary>A policy of the greatest length, each character escaped, with what is around it.</summary>
    public const int MaxBodyBytes = PolicyActivation.MaxText * 6 + 4_096;

    public static void MapPoliciesApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, List).Needs(Right.Read).WithName("list_policies").WithTags("policies")
            .WithSummary("The policy in force, with the digests of those before it");
        routes.MapGet(Path + "/current", Current).Needs(Right.Read).WithName("get_policy").WithTags("policies")
            .Produces<PolicyItem>()
            .WithSummary("The policy in force with its text");
        routes.MapGet(Path + "/default", Default).Needs(Right.Read).WithName("get_default_policy")
            .WithTags("policies").Produces<PolicyItem>()
            .WithSummary("The policy that ships: a beginning for one's own");
        routes.MapGet(Path + "/careless", Careless).Needs(Right.Read).WithName("get_careless_policy")
            .WithTags("policies").Produces<PolicyItem>()
            .WithSummary("A policy that cuts everything off at once: for a what-if, not for service");
        routes.MapPost(Path + "/validate", Validate).IsAct(Right.Analyse, MaxBodyBytes).WithName("validate_policy")
            .WithTags("policies").Produces<PolicyCheck>()
            .WithSummary("Reads a policy and names every mistake with its line: text");
        routes.MapPost(Path + "/test", Test).IsAct(Right.Analyse, MaxBodyBytes).WithName("test_policy")
            .WithTags("policies").Produces<PolicyTestAnswer>()
            .WithSummary("Holds a policy against the examples in it: text");
        routes.MapPost(Path + "/activate", Activate).IsAct(Right.Approve, MaxBodyBytes).WithName("activate_policy")
            .WithTags("policies").Produces<PolicyItem>()
            .WithSummary("Puts a policy in force from the next sweep on: text, why. If-Match (of the policy in "
                + "force), Idempotency-Key");
    }

    /// <summary>The policy's twin as it is; the one that ships before there is any.</summary>
    public static async Task<PolicyView> View(IFleet fleet, CancellationToken cancel)
    {
        var key = PolicyActivation.Twin;
        return await fleet.State(key, null, cancel) is { } state ? PolicyView.From(key, state)
            : new PolicyTwin(key.Id).View();
    }

    private static async Task<PolicyItem> Item(IFleet fleet, bool withText, CancellationToken cancel)
    {
        var v = await View(fleet, cancel);
        var text = v.Text.Length > 0 ? v.Text : PolicyReader.DefaultText;
        var document = PolicyReader.Read(text, out _);
        var held = await fleet.State(GuardKey.Fleet, null, cancel) is { } guard
            && GuardView.From(GuardKey.Fleet, guard).HeldSeconds > 0;
        return new PolicyItem(v.Name, v.Version, v.Digest, v.By.Length == 0 ? null : v.Since,
            v.By.Length == 0 ? null : v.By, v.Frozen, held, [.. v.Before.Reverse()], document?.Rules.Length ?? 0,
            document?.Examples.Length ?? 0, withText ? text : "", EtagOf(v));
    }

    private static string EtagOf(PolicyView v) => v.Digest[..Math.Min(16, v.Digest.Length)];

    private static async Task<Ok<PolicyList>> List(HttpContext http, IFleet fleet, CancellationToken cancel)
    {
        Parameters.Only(http.Request);
        return TypedResults.Ok(new PolicyList([await Item(fleet, withText: false, cancel)]));
    }

    private static async Task<IResult> Current(string? fields, HttpContext http, IFleet fleet,
        CancellationToken cancel)
    {
        Parameters.Only(http.Request, "fields");
        var item = await Item(fleet, withText: true, cancel);
        http.Response.Headers.ETag = $"\"{item.Etag}\"";
        return Fields.Of(item, fields);
    }

    private static IResult Default(string? fields, HttpContext http)
    {
        Parameters.Only(http.Request, "fields");
        return Fields.Of(Shipped(PolicyReader.Default, PolicyReader.DefaultText), fields);
    }

    private static IResult Careless(string? fields, HttpContext http)
    {
        Parameters.Only(http.Request, "fields");
        return Fields.Of(Shipped(PolicyReader.Read(PolicyReader.CarelessText, out _)!, PolicyReader.CarelessText),
            fields);
    }

    private static PolicyItem Shipped(PolicyDocument d, string text) => new(d.Name, d.Version, d.Digest, null, null,
        false, false, [], d.Rules.Length, d.Examples.Length, text, d.Digest[..16]);

    /// <summary>The document of a body of <c>text</c> and <c>why</c>.</summary>
    private static async Task<(string Text, byte[] Bytes)> Body(HttpRequest request, CancellationToken cancel,
        bool takesWhy = false)
    {
        Parameters.Only(request);
        var bytes = await StrictBody.Text(request, MaxBodyBytes, cancel);
        var body = StrictBody.Of(bytes);
        var text = body.RequiredText("text", PolicyActivation.MaxText);
        // The document says what it is for; the reason goes with it as its first line, since an activation has none.
        if (takesWhy) ActDoor.Check(body.Text("why", Twin.Hardware.CaseAct.MaxText) is { } why
            ? PlainText.Refusal(why) : null);
        body.End();
        return (text, bytes);
    }

    private static PolicyCheck CheckOf(string text)
    {
        var policy = PolicyReader.Check(text, out var errors);
        return new PolicyCheck(policy is not null, policy?.Name, policy?.Version, policy?.Digest,
            [.. errors.Select(e => new PolicyMistake(e.Line, e.Column, e.Message))]);
    }

    private static async Task<Ok<PolicyCheck>> Validate(HttpContext http, CancellationToken cancel) =>
        TypedResults.Ok(CheckOf((await Body(http.Request, cancel)).Text));

    /// <summary>The document of a text, which must hold.</summary>
    /// <exception cref="ApiProblem">422: its mistakes.</exception>
    public static PolicyDocument Read(string text) => PolicyReader.Check(text, out _) ?? throw new ApiProblem(422,
        "policy_does_not_hold", "The policy has mistakes.", "Mend those that errors names, each with its line.")
    { More = { ["errors"] = CheckOf(text).Errors } };

    private static async Task<Ok<PolicyTestAnswer>> Test(HttpContext http, CancellationToken cancel)
    {
        var policy = Read((await Body(http.Request, cancel)).Text);
        var results = Results(policy);
        return TypedResults.Ok(new PolicyTestAnswer(results.All(r => r.Failures.Count == 0),
            results.Count(r => r.Failures.Count == 0), results));
    }

    private static ExampleResult[] Results(PolicyDocument policy) => [.. policy.Examples.Select(e =>
        new ExampleResult(e.Name, e.Line, PolicyTest.Failures(policy, e)))];

    private static async Task<IResult> Activate(HttpContext http, IFleet fleet, ApiOptions options, Onces onces,
        CancellationToken cancel)
    {
        var (text, bytes) = await Body(http.Request, cancel, takesWhy: true);
        var caller = Caller.Of(http);
        CaseSight.RequireEverywhere(caller);
        var policy = Read(text);
        // What does not do what it says itself must not decide about anybody.
        if (Array.Find(Results(policy), r => r.Failures.Count > 0) is { } failed)
            throw new ApiProblem(422, "policy_fails_its_example", string.Create(CultureInfo.InvariantCulture,
                $"The policy fails its own example in line {failed.Line}: {failed.Failures[0]}"),
                "POST /api/v1/policies/test shows all.");
        return await onces.Run(http, bytes, tag => ActDoor.Alone(PolicyActivation.Twin, async () =>
        {
            var isRepeat = tag.WasDone(fleet.Ledger, default);
            if (!isRepeat)
            {
                ActDoor.RequireMatch(http.Request, EtagOf(await View(fleet, cancel)));
                await ActDoor.Append(fleet, new PolicyActivation(options.Now(), tag.On(caller.Actor), text), cancel);
            }
            var item = await Item(fleet, withText: true, cancel);
            return ActAnswer.Of(item, etag: item.Etag, isRepeat: isRepeat);
        }, cancel));
    }
}
