using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Twin.Ingest.Mirror;

/// <summary>
/// How a server is reached. <paramref name="Bucket"/>: the database of InfluxDB 1, ORGANISATION/BUCKET of InfluxDB 2;
/// VictoriaMetrics has none. <paramref name="Secret"/>: USER:PASSWORD of InfluxDB 1, else a token; null: it asks for
/// none.
/// </summary>
public sealed record MirrorTarget(Uri Url, string Bucket, string? Secret);

/// <summary>
/// What the servers have in common: HTTP with certificates verified, no redirects (they could carry the secret
/// elsewhere), bounded answers and waits, errors that hold no secret.
/// </summary>
public sealed class HttpMirror : IDisposable
{
    /// <summary>Of an error's body, characters that are shown.</summary>
    private const int ShownError = 200;

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.GZip,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = MirrorLimits.Patience, MaxResponseContentBufferSize = MirrorLimits.AnswerBytes,
    };

    private readonly Uri _root;

    public HttpMirror(Uri url, AuthenticationHeaderValue? authorization)
    {
        _root = new Uri(url.AbsoluteUri.TrimEnd('/') + "/");
        _http.DefaultRequestHeaders.Authorization = authorization;
    }

    /// <summary>Without query and user.</summary>
    public string Place => _root.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path,
        UriFormat.UriEscaped).TrimEnd('/');

    /// <summary>The answer's body when it says that all went well.</summary>
    /// <exception cref="MirrorException">It is away, or refused.</exception>
    public async Task<byte[]> Ask(HttpMethod method, string path, HttpContent? content, CancellationToken cancel)
    {
        var (status, body) = await Send(method, path, content, cancel);
        return (int)status is >= 200 and < 300 ? body : throw Refused(status, body);
    }

    /// <summary>The answer, whatever it is.</summary>
    /// <exception cref="MirrorException">There is none.</exception>
    public async Task<(HttpStatusCode Status, byte[] Body)> Send(HttpMethod method, string path, HttpContent? content,
        CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(_root, path)) { Content = content };
            using var answer = await _http.SendAsync(request, cancel);
            return (answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(cancel));
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new MirrorException($"mirror {Place} does not answer within "
                + $"{MirrorLimits.Patience.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new MirrorException($"mirror {Place}: {e.Message}", e);
        }
    }

    public MirrorException Refused(HttpStatusCode status, byte[] body)
    {
        var text = Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 4 * ShownError)));
        var shown = new string([.. text.Take(ShownError).Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
        return new MirrorException($"mirror {Place} answers {(int)status}{(shown.Length > 0 ? $": {shown}" : ".")}");
    }

    public static ReadOnlyMemoryContent Lines(ReadOnlyMemory<byte> lines)
    {
        var content = new ReadOnlyMemoryContent(lines);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain") { CharSet = "utf-8" };
        return content;
    }

    public static string Escaped(string text) => Uri.EscapeDataString(text);

    public void Dispose() => _http.Dispose();
}
