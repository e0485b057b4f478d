using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;
using Twin.Grains;

namespace Twin.Api;

/// <summary>
/// An error as the client sees it (RFC 9457): <paramref name="code"/> is stable and may be compared, the detail says
/// what is wrong, the hint what to do. Neither may echo input that has no bound.
/// </summary>
internal sealed class ApiProblem(int status, string code, string detail, string hint) : Exception(detail)
{
    public int Status { get; } = status;
    public string Code { get; } = code;
    public string Hint { get; } = hint;

    /// <summary>Seconds for Retry-After; 0 for none.</summary>
    public int RetryAfterSeconds { get; init; }

    /// <summary>Members beside the standard ones.</summary>
    public Dictionary<string, object?> More { get; init; } = [];
}

/// <summary>Turns exceptions and bare statuses of the whole pipeline into problem documents.</summary>
internal sealed class Problems(RequestDelegate next, ILogger<Problems> log)
{
    private const int RetryStorageSeconds = 5;
    private const int RetryBusySeconds = 1;
    private const int MaxDetail = 500;

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (Exception e)
            when ((e is OperationCanceledException or IOException) && http.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: nobody reads an answer.
            return;
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            if (!TryTranslate(e, out var problem))
            {
                log.LogError(e, "{Method} request failed", http.Request.Method);
                problem = Unexpected();
            }
            http.Response.Clear();
            await Write(http, problem);
            return;
        }
        if (IsBareError(http.Response)) await Write(http, ForStatus(http.Response.StatusCode));
    }

    private static bool IsBareError(HttpResponse response) => response.StatusCode >= 400 && !response.HasStarted
        && response.ContentLength is null && string.IsNullOrEmpty(response.ContentType);

    /// <summary>Known failures; false for one that nobody expected.</summary>
    public static bool TryTranslate(Exception e, [NotNullWhen(true)] out ApiProblem? problem)
    {
        problem = e switch
        {
            ApiProblem p => p,
            PastNotKeptException => new ApiProblem(400, "past_not_kept", e.Message,
                "Leave out at and known_at for the present state."),
            StorageUnavailableException => StorageUnavailable(e.Message),
            BadHttpRequestException bad => ForStatus(bad.StatusCode),
            _ => null,
        };
        return problem is not null;
    }

    public static ApiProblem StorageUnavailable(string message) => new(503, "storage_unavailable",
        message.Length <= MaxDetail ? message : message[..MaxDetail],
        "What is not reported as done was not stored. Send it again later; what is stored already is a duplicate.")
    { RetryAfterSeconds = RetryStorageSeconds };

    public static ApiProblem TimedOut() => new(503, "timed_out", "The request took longer than its time limit.",
        "Ask for less at once (shorter range, smaller body), or try again when the service is less busy.")
    { RetryAfterSeconds = RetryStorageSeconds };

    public static ApiProblem Busy() => new(429, "too_many_requests", "Too many requests are being answered at once.",
        "Wait as long as Retry-After says and send fewer requests at once.")
    { RetryAfterSeconds = RetryBusySeconds };

    private static ApiProblem Unexpected() => new(500, "internal_error", "The request failed inside MeterTwin.",
        "The log on stderr says why. What was acknowledged is stored; report the log line if it comes again.");

    private static ApiProblem ForStatus(int status) => status switch
    {
        404 => new(404, "not_found", "There is nothing under this path.", "GET / lists all paths."),
        405 => new(405, "method_not_allowed", "This path does not take this method.",
            "The header Allow names the methods it takes."),
        408 => new(408, "body_too_slow", "The request body came too slowly.", "Send it again, in smaller parts."),
        413 => new(413, "body_too_large", "The request body is too large.", "Send it in several requests."),
        415 => new(415, "unsupported_media_type", "The content type or encoding is not supported.",
            "Send application/x-ndjson, plain or with Content-Encoding: gzip."),
        429 => Busy(),
        503 => new(503, "unavailable", "The service is not available now.", "Try again later.")
        { RetryAfterSeconds = RetryStorageSeconds },
        >= 500 => Unexpected(),
        _ => new(status, "bad_request", "The request cannot be understood.",
            "GET /openapi/v1.json describes every request."),
    };

    public static Task Write(HttpContext http, ApiProblem problem)
    {
        var details = new ProblemDetails { Status = problem.Status, Detail = problem.Message };
        details.Extensions["code"] = problem.Code;
        details.Extensions["hint"] = problem.Hint;
        foreach (var (name, value) in problem.More) details.Extensions[name] = value;
        if (problem.Status == 401) http.Response.Headers.WWWAuthenticate = "Bearer realm=\"metertwin\"";
        if (problem.RetryAfterSeconds > 0)
            http.Response.Headers.RetryAfter = problem.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        return TypedResults.Problem(details).ExecuteAsync(http);
    }

    /// <summary>True when it was the time limit, not the client, that cancelled.</summary>
    public static bool HasTimedOut(HttpContext http) =>
        http.Features.Get<IHttpRequestTimeoutFeature>()?.RequestTimeoutToken.IsCancellationRequested == true;
}
