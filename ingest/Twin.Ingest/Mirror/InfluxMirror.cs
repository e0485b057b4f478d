using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Twin.Hardware;

namespace Twin.Ingest.Mirror;

/// <summary>
/// InfluxDB 1 (<c>/write</c>, <c>/query</c>) and 2 (<c>/api/v2/write</c>, <c>/api/v2/delete</c>, and <c>/query</c>,
/// which it keeps for clients of 1). Both sync their log before they answer, and a point replaces another of its
/// instant.
/// </summary>
public sealed class InfluxMirror : IMirrorStore
{
    private readonly HttpMirror _http;
    private readonly string _bucket, _write;
    private readonly string? _delete;

    /// <param name="target">Where, and with what.</param>
    /// <param name="isVersion2">Speak as to InfluxDB 2.</param>
    /// <exception cref="FormatException">The bucket, or the secret, is not of the shape that the version wants.
    /// </exception>
    public InfluxMirror(MirrorTarget target, bool isVersion2)
    {
        if (isVersion2)
        {
            var parts = target.Bucket.Split('/');
            if (parts.Length != 2 || parts.Any(p => p.Length == 0))
                throw new FormatException("a bucket of InfluxDB 2 is given as ORGANISATION/BUCKET");
            _bucket = parts[1];
            var place = $"org={HttpMirror.Escaped(parts[0])}&bucket={HttpMirror.Escaped(_bucket)}";
            (_write, _delete) = ($"api/v2/write?{place}&precision=s", $"api/v2/delete?{place}");
        }
        else
        {
            _bucket = target.Bucket;
            _write = $"write?db={HttpMirror.Escaped(_bucket)}&precision=s";
        }
        _http = new HttpMirror(target.Url, target.Secret is not { } secret ? null
            : isVersion2 ? new AuthenticationHeaderValue("Token", secret)
            : !secret.Contains(':') ? throw new FormatException("the secret of InfluxDB 1 is USER:PASSWORD")
            : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(secret))));
    }

    public string Name => $"{_http.Place} {_bucket}";

    public bool Overwrites => true;

    public TimeSpan Settles => TimeSpan.Zero;

    public Task<string> Incarnation(CancellationToken cancel) => Task.FromResult("");

    public async Task Write(ReadOnlyMemory<byte> lines, CancellationToken cancel)
    {
        var (status, body) = await _http.Send(HttpMethod.Post, _write, HttpMirror.Lines(lines), cancel);
        if ((int)status is >= 200 and < 300) return;
        // What is older than the server keeps is not wanted there; the rest of the batch was taken.
        if ((int)status is 400 or 422 && Encoding.UTF8.GetString(body).Contains("beyond retention policy",
            StringComparison.Ordinal)) return;
        throw _http.Refused(status, body);
    }

    public async Task Forget(MeterId meter, UnixTime before, CancellationToken cancel)
    {
        if (_delete is null)
        {
            await Query(string.Create(CultureInfo.InvariantCulture,
                $"DELETE FROM metering WHERE meter = '{meter.Value:x16}' AND time < {before.Seconds}s"), cancel);
            return;
        }
        var act = JsonSerializer.SerializeToUtf8Bytes(new
        {
            start = new UnixTime(MirrorLimits.MinSeconds).ToString(), stop = before.ToString(),
            predicate = $"_measurement=\"metering\" AND meter=\"{meter.Value:x16}\"",
        });
        var content = new ByteArrayContent(act);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        await _http.Ask(HttpMethod.Post, _delete, content, cancel);
    }

    public async Task<IReadOnlyList<MirroredReading>> Read(MeterId meter, Channel channel, UnixTime from, UnixTime to,
        CancellationToken cancel)
    {
        var found = new List<MirroredReading>();
        using var answer = await Query(string.Create(CultureInfo.InvariantCulture, $"SELECT value, quality FROM "
            + $"metering WHERE meter = '{meter.Value:x16}' AND channel = '{LineWriter.NameOf(channel)}' AND time >= "
            + $"{from.Seconds}s AND time < {to.Seconds}s"), cancel);
        if (!answer.RootElement.GetProperty("results")[0].TryGetProperty("series", out var series)) return found;
        foreach (var row in series[0].GetProperty("values").EnumerateArray())
        {
            if (row[1].ValueKind == JsonValueKind.Null) continue;
            found.Add(new MirroredReading(new UnixTime(row[0].GetInt64()), row[1].GetInt64(),
                row[2].ValueKind == JsonValueKind.Null ? Quality.Actual : (Quality)row[2].GetByte()));
        }
        return found;
    }

    /// <summary>Runs a statement of InfluxQL; what it holds was written by us: hexadecimal and numbers.</summary>
    private async Task<JsonDocument> Query(string statement, CancellationToken cancel)
    {
        var form = new FormUrlEncodedContent([new("db", _bucket), new("epoch", "s"), new("q", statement)]);
        var body = await _http.Ask(HttpMethod.Post, "query", form, cancel);
        try
        {
            var answer = JsonDocument.Parse(body);
            if (!answer.RootElement.TryGetProperty("results", out var results) || results.GetArrayLength() == 0)
                throw new MirrorException($"mirror {_http.Place} answers a query without a result.");
            return results[0].TryGetProperty("error", out var error)
                ? throw new MirrorException($"mirror {_http.Place} refuses a query: {error.GetString()}") : answer;
        }
        catch (JsonException e)
        {
            throw new MirrorException($"mirror {_http.Place} answers a query with what is no JSON.", e);
        }
    }

    public void Dispose() => _http.Dispose();
}
