using System.Globalization;
using System.Net;
using System.Threading.Channels;
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
    /// <summary>Replies that wait to be taken; at the bound the head-end is told to come again.</summary>
    public const int MaxReplies = 65_536;

    /// <summary>Tries within <see cref="Sampling"/> before the breaker judges.</summary>
    private const int LeastTries = 8;
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(30);

    /// <summary>Longest answer that is read, bytes.</summary>
    private const int MaxAnswer = 1024 * 1024;

    private readonly HeadEndOptions _options;
    private readonly Func<UnixTime> _now;
    private readonly HttpClient _http;
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;
    private readonly Channel<ResponseOutcome> _replies =
        System.Threading.Channels.Channel.CreateBounded<ResponseOutcome>(MaxReplies);

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

    /// <summary>Replies that could not be understood since the start.</summary>
    public long Unreadable { get; private set; }

    /// <inheritdoc/>
    public async ValueTask<ResponseOutcome> Give(ResponseRecord order, CancellationToken cancel)
    {
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
        if (answer.Length > 0 && !_options.IsJson)
        {
            try
            {
                var reply = CimReader.ReadReply(new MemoryStream(answer));
                if (reply.Result != CimResult.Ok) (result, code) = (ResponseResult.Failed, reply.Code);
            }
            catch (CimError e)
            {
                Unreadable++;
                (result, code) = (ResponseResult.Accepted, "its answer is not understood: " + e.Message);
            }
        }
        return Outcome(order.Case, order.Number, order.IsUndo, result, code);
    }

    /// <summary>
    /// Takes an asynchronous reply. False: there is no room now, send it again. Whose correlation id is no response's
    /// is nothing of ours.
    /// </summary>
    /// <exception cref="CimError">It is no reply, or of another correspondence.</exception>
    public bool Receive(Stream message)
    {
        var reply = CimReader.ReadReply(message);
        if (!TryParseKey(reply.Header.CorrelationId, out var key, out var number, out var isUndo))
            throw new CimError(0, 0, $"'{reply.Header.CorrelationId}' is no correlation id of MeterTwin");
        return _replies.Writer.TryWrite(Outcome(key, number, isUndo,
            reply.Result == CimResult.Ok ? ResponseResult.Done : ResponseResult.Failed, reply.Code));
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ResponseOutcome>> Take(CancellationToken cancel)
    {
        var taken = new List<ResponseOutcome>();
        while (_replies.Reader.TryRead(out var outcome)) taken.Add(outcome);
        return ValueTask.FromResult<IReadOnlyList<ResponseOutcome>>(taken);
    }

    private ResponseOutcome Outcome(TwinKey key, int number, bool isUndo, ResponseResult result, string code) =>
        new(key, _now(), number, isUndo, result, Name, code.Length <= MaxCode ? code : code[..MaxCode]);

    /// <summary>Longest word for a failure that is kept, characters.</summary>
    private const int MaxCode = 200;

    /// <summary>The inverse of <see cref="ResponseRecord.IdempotencyKey"/>.</summary>
    private static bool TryParseKey(string text, out TwinKey key, out int number, out bool isUndo)
    {
        isUndo = text.EndsWith('u');
        return CaseSnapshot.TryParseId(isUndo ? text[..^1] : text, out key, out number) && number > 0;
    }

    public void Dispose() => _http.Dispose();
}
