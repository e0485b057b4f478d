using System.Globalization;
using System.Net;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Ingest.Cim;

namespace Twin.Silo.Gateways;

/// <summary>
/// How a head-end is reached. <paramref name="Orders"/>: where requests are posted. <paramref name="Replies"/>: the
/// address that asynchronous replies are asked for at; null: a request's own answer is all. <paramref name="IsJson"/>:
/// MeterTwin's own variant in place of XML.
/// </summary>
public sealed record HeadEndOptions(Uri Orders, Uri? Replies, bool IsJson)
{
    /// <summary>One try; tries after the first; the mean pause before the second, doubling from there.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
    public int Retries { get; init; } = 4;
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long nothing is tried after half of the tries failed.</summary>
    public TimeSpan Break { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// Carries orders to a head-end as EndDeviceControls requests of IEC 61968-100. The idempotency key is the correlation
/// id, so that a request that comes twice is one, and a reply is understood even by a process that was started after
/// the request went out.
/// </summary>
public sealed class HeadEndGateway : IResponseGateway, IDisposable
{
    /// <summary>
    /// An order that waited so long is not given any more, s: its case has told people that nothing came of it, and a
    /// supply must not be switched off by what was wanted yesterday. What takes something back goes out at any age.
    /// </summary>
    public const int MaxAgeSeconds = CaseTwin.OutcomeSeconds;

    /// <summary>Tries within <see cref="Sampling"/> before the breaker judges.</summary>
    private const int LeastTries = 8;
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(30);

    /// <summary>Longest answer that is read, bytes.</summary>
    private const int MaxAnswer = 1024 * 1024;

    private readonly HeadEndOptions _options;
    private readonly Func<UnixTime> _now;
    private readonly HttpClient _http;
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    /// <param name="now">Clock of the requests' headers and of the outcomes.</param>
    public HeadEndGateway(HeadEndOptions options, Func<UnixTime> now)
    {
        (_options, _now) = (options, now);
        _http = new HttpClient
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswer,
        };
        static bool IsPassing(HttpStatusCode status) =>
            (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;
        var failures = new PredicateBuilder<HttpResponseMessage>().Handle<HttpRequestException>()
            .Handle<TimeoutRejectedException>().HandleResult(r => IsPassing(r.StatusCode));
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage>();
        if (options.Retries > 0)
            builder.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = failures, MaxRetryAttempts = options.Retries, Delay = options.Pause,
                BackoffType = DelayBackoffType.Exponential, UseJitter = true,
            });
        _pipeline = builder.AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = failures, FailureRatio = 0.5, MinimumThroughput = LeastTries, SamplingDuration = Sampling,
            BreakDuration = options.Break,
        }).AddTimeout(options.Timeout).Build();
    }

    public string Name => "head-end";

    /// <inheritdoc/>
    public async ValueTask<ResponseOutcome> Give(ResponseRecord order, CancellationToken cancel)
    {
        if (!order.IsUndo && _now().Seconds - order.OrderedAt.Seconds > MaxAgeSeconds)
            return Outcome(order.Case, order.Number, false, ResponseResult.Refused,
                $"not given: it was ordered at {order.OrderedAt}, over {MaxAgeSeconds / 3_600} hours before");
        var key = order.IdempotencyKey;
        var header = new CimHeader("create", EndDeviceControls.Noun, _now(), key, _options.Replies?.ToString() ?? "");
        EndDeviceControl[] controls =
            [new(order.SubjectName, order.Rung, order.IsUndo, order.Order, order.Why)];
        var body = _options.IsJson ? EndDeviceControls.ToJson(header, controls)
            : EndDeviceControls.ToXml(header, controls);
        try
        {
            using var response = await _pipeline.ExecuteAsync(async stop => await Post(body, key, stop), cancel);
            if ((int)response.StatusCode >= 500)
                throw new GatewayUnavailableException($"{_options.Orders} answers {(int)response.StatusCode}.", null);
            if (!response.IsSuccessStatusCode)
                return Outcome(order.Case, order.Number, order.IsUndo, ResponseResult.Refused,
                    ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
            var answer = await response.Content.ReadAsByteArrayAsync(cancel);
            return Answer(order, answer);
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutRejectedException or BrokenCircuitException)
        {
            throw new GatewayUnavailableException($"{_options.Orders} takes no orders now: {e.Message}", e);
        }
    }

    private async ValueTask<HttpResponseMessage> Post(byte[] body, string key, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _options.Orders)
        {
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new(_options.IsJson ? "application/json" : "application/xml");
        request.Headers.Add("Idempotency-Key", $"\"{key}\"");
        return await _http.SendAsync(request, stop);
    }

    /// <summary>
    /// An answer may hold the result already; with an address for replies OK means taken, and what became of it comes
    /// there.
    /// </summary>
    private ResponseOutcome Answer(ResponseRecord order, byte[] answer)
    {
        var (result, code) = (_options.Replies is null ? ResponseResult.Done : ResponseResult.Accepted, "");
        if (answer.Length > 0)
        {
            try
            {
                var reply = Parse(new MemoryStream(answer), _options.IsJson);
                if (reply.Result != CimResult.Ok) (result, code) = (ResponseResult.Failed, reply.Code);
            }
            catch (CimError e)
            {
                (result, code) = (ResponseResult.Accepted, "its answer is not understood: " + e.Message);
            }
        }
        return Outcome(order.Case, order.Number, order.IsUndo, result, code);
    }

    private static CimReply Parse(Stream message, bool isJson) =>
        isJson ? JsonReply.Read(message) : CimReader.ReadReply(message);

    /// <summary>
    /// Reads an asynchronous reply, which may come twice, late, and to a process that did not give the order.
    /// </summary>
    /// <exception cref="FormatException">It is no reply, or of another correspondence.</exception>
    public ResponseOutcome Read(Stream message, bool isJson)
    {
        try
        {
            var reply = Parse(message, isJson);
            return TryParseKey(reply.Header.CorrelationId, out var key, out var number, out var isUndo)
                ? Outcome(key, number, isUndo,
                    reply.Result == CimResult.Ok ? ResponseResult.Done : ResponseResult.Failed, reply.Code)
                : throw new FormatException("its correlation id is none that MeterTwin gave.");
        }
        catch (CimError e)
        {
            throw new FormatException(e.Message + ".", e);
        }
    }

    /// <summary>Nothing waits here: whoever hears a reply appends what <see cref="Read"/> makes of it.</summary>
    public ValueTask<IReadOnlyList<ResponseOutcome>> Take(CancellationToken cancel) =>
        ValueTask.FromResult<IReadOnlyList<ResponseOutcome>>([]);

    private ResponseOutcome Outcome(TwinKey key, int number, bool isUndo, ResponseResult result, string code) =>
        new(key, _now(), number, isUndo, result, Name, code.Length <= MaxCode ? code : code[..MaxCode]);

    /// <summary>Longest word for a failure that is kept, characters.</summary>
    private const int MaxCode = 200;

    /// <summary>The inverse of <see cref="ResponseRecord.IdempotencyKey"/>.</summary>
    private static bool TryParseKey(string text, out TwinKey key, out int number, out bool isUndo)
    {
        (isUndo, key, number) = (text.EndsWith('u'), default, 0);
        var parts = (isUndo ? text[..^1] : text).Split('-');
        return parts.Length == 3 && long.TryParse(parts[2], NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture, out _)
            && CaseSnapshot.TryParseId($"{parts[0]}-{parts[1]}", out key, out number)
            && number > 0;
    }

    public void Dispose() => _http.Dispose();
}
