using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// The answer to an act, ready to be sent and to be sent again. <paramref name="IsRepeat"/>: it had been done before.
/// </summary>
internal sealed record ActAnswer(int Status, byte[] Json, string? Etag, bool IsRepeat) : IResult
{
    public static ActAnswer Of<T>(T answer, int status = 200, string? etag = null, bool isRepeat = false) =>
        new(status, JsonSerializer.SerializeToUtf8Bytes(answer, ApiJson.Options), etag, isRepeat);

    public Task ExecuteAsync(HttpContext http)
    {
        http.Response.StatusCode = Status;
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = Json.Length;
        if (Etag is not null) http.Response.Headers.ETag = $"\"{Etag}\"";
        return http.Response.Body.WriteAsync(Json, http.RequestAborted).AsTask();
    }
}

/// <summary>What every act does: read its body, be done once, be journalled.</summary>
internal static class ActDoor
{
    /// <summary>Body of an act.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    private const string Source = "api";

    /// <summary>
    /// What is compared before an act and then done must not be done by two at once: acts on one case wait for each
    /// other, by hash.
    /// </summary>
    private static readonly SemaphoreSlim[] s_gates = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    public static async Task<T> Alone<T>(TwinKey key, Func<Task<T>> work, CancellationToken cancel)
    {
        var gate = s_gates[key.Id % (ulong)s_gates.Length];
        await gate.WaitAsync(cancel);
        try
        {
            return await work();
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Says what the route takes and answers beside its own.</summary>
    public static RouteHandlerBuilder IsAct(this RouteHandlerBuilder route, Right right, int most = MaxBodyBytes) =>
        route.Needs(right).Accepts<string>("application/json").WithMetadata(new RequestSizeLimitAttribute(most))
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409)
            .ProducesProblem(412).ProducesProblem(413).ProducesProblem(422).ProducesProblem(503);

    /// <summary>Journals one act.</summary>
    /// <returns>The position of the journal.</returns>
    /// <exception cref="ApiProblem">409: its twin refuses it, and says why.</exception>
    public static async Task<long> Append(IFleet fleet, Input act, CancellationToken cancel)
    {
        var batch = new InputBatch(Source);
        batch.Add(act);
        var receipt = await fleet.Append(batch, cancel);
        return receipt.Items[0] is { Status: AdmissionStatus.Rejected } refused ? throw Refused(refused.Reason)
            : receipt.Position;
    }

    public static InputBatch NewBatch() => new(Source);

    public static ApiProblem Refused(string reason) => new(409, "act_refused", reason,
        "Look at it again: what it allows now is in its answer.");

    /// <summary>Before anything is journalled: an act that says nothing sensible is not a conflict.</summary>
    /// <exception cref="ApiProblem">400.</exception>
    public static void Check(string? refusal)
    {
        if (refusal is not null) throw new ApiProblem(400, "bad_act", $"The act cannot be taken: {refusal}.",
            "Mend that and send it again.");
    }

    /// <summary>Honours If-Match (RFC 9110, 13.1.1).</summary>
    /// <exception cref="ApiProblem">412: it is not what the caller saw.</exception>
    public static void RequireMatch(HttpRequest request, string etag)
    {
        if (!request.Headers.TryGetValue("If-Match", out var values)) return;
        foreach (var tag in values.SelectMany(v => v!.Split(',', StringSplitOptions.TrimEntries)))
            if (tag == "*" || tag == $"\"{etag}\"") return;
        throw new ApiProblem(412, "changed_meanwhile", "It has changed since you read it; nothing was done.",
            "Read it again, and send the act again with its new ETag if it still is what you want.")
        { More = { ["etag"] = etag } };
    }
}
