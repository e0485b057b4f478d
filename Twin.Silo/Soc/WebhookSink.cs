using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Twin.Silo.Soc;

/// <summary>
/// POSTs a batch as a JSON array. Header <c>X-MeterTwin-Signature: t=SECONDS,v1=HEX</c>: HMAC-SHA-256 with the shared
/// secret over <c>SECONDS.BODY</c>; the time lets the receiver refuse what is old. Any 2xx means taken. Within one
/// delivery a timeout, 408, 429 and 5xx are tried again, with jitter; after failures in a row the circuit opens for a
/// while. The batch stays the dispatcher's until it is taken.
/// </summary>
internal sealed class WebhookSink : ISocSink
{
    public const string SignatureHeader = "X-MeterTwin-Signature";

    /// <summary>Shortest secret: less can be guessed.</summary>
    public const int MinSecretBytes = 16;

    private readonly Uri _url;
    private readonly SocFormat _format;
    private readonly byte[] _secret;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    /// <param name="url">Where to.</param>
    /// <param name="secret">Shared with the receiver; never logged.</param>
    /// <param name="format">OCSF or ECS as objects; CEF as strings.</param>
    /// <param name="clock">For signatures and waits.</param>
    /// <param name="firstWait">Before the second of three tries; it doubles, with jitter.</param>
    public WebhookSink(Uri url, byte[] secret, SocFormat format, TimeProvider clock, TimeSpan firstWait)
    {
        (_url, _secret, _format, _clock) = (url, secret, format, clock);
        var passing = new PredicateBuilder<HttpResponseMessage>().Handle<HttpRequestException>()
            .Handle<TimeoutRejectedException>().HandleResult(r => IsPassing(r.StatusCode));
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = passing, MaxRetryAttempts = 2, Delay = firstWait,
                BackoffType = DelayBackoffType.Exponential, UseJitter = true,
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = passing, FailureRatio = 0.9, MinimumThroughput = 6,
                SamplingDuration = TimeSpan.FromMinutes(2), BreakDuration = TimeSpan.FromSeconds(15),
            })
            .AddTimeout(TimeSpan.FromSeconds(10))
            .Build();
    }

    /// <summary>Reads a secret from a file; blanks at its end do not count.</summary>
    /// <exception cref="SettingException">It cannot be read or is too short.</exception>
    public static byte[] SecretOf(string file)
    {
        try
        {
            var secret = Encoding.UTF8.GetBytes(File.ReadAllText(file).TrimEnd());
            return secret.Length >= MinSecretBytes ? secret
                : throw new SettingException($"{file}: a secret has at least {MinSecretBytes} bytes.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{file}: the secret cannot be read: {e.Message}");
        }
    }

    public async Task Deliver(IReadOnlyList<SocEvent> events, CancellationToken cancel)
    {
        var body = Encoding.UTF8.GetBytes("[" + string.Join(",", events.Select(One)) + "]");
        try
        {
            using var answer = await _pipeline.ExecuteAsync(async token =>
            {
                using var request = Request(body, events);
                return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
            }, cancel);
            if (!answer.IsSuccessStatusCode)
                throw new SinkException($"webhook {Place} answers {(int)answer.StatusCode}.");
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutRejectedException or BrokenCircuitException)
        {
            throw new SinkException($"webhook {Place}: {e.Message}", e);
        }
    }

    /// <summary>Without query and user: they may hold secrets.</summary>
    private string Place => _url.GetComponents(
        UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    private string One(SocEvent e)
    {
        var text = SocFormats.Of(e, _format);
        return _format is SocFormat.Ocsf or SocFormat.Ecs ? text
            : System.Text.Json.JsonSerializer.Serialize(text, SocFormats.OneLine);
    }

    private HttpRequestMessage Request(byte[] body, IReadOnlyList<SocEvent> events)
    {
        var c = CultureInfo.InvariantCulture;
        var time = _clock.GetUtcNow().ToUnixTimeSeconds().ToString(c);
        var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        request.Headers.Add(SignatureHeader, $"t={time},v1={Signature(_secret, time, body)}");
        request.Headers.Add("Idempotency-Key", $"\"{events[0].Id}.{events[^1].Number.ToString(c)}\"");
        return request;
    }

    /// <summary>HMAC-SHA-256 over the time in seconds, a dot and the body; lower-case hexadecimal.</summary>
    public static string Signature(byte[] secret, string time, ReadOnlySpan<byte> body) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(secret,
            (byte[])[.. Encoding.ASCII.GetBytes(time + "."), .. body]));

    private static bool IsPassing(HttpStatusCode code) =>
        (int)code >= 500 || code is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        CryptographicOperations.ZeroMemory(_secret);
        return ValueTask.CompletedTask;
    }
}
