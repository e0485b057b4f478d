using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Twin.Hardware;

namespace Twin.Ingest.Mirror;

/// <summary>
/// VictoriaMetrics: written to as InfluxDB 2, read back by export. It answers before it syncs, so that a kill may take
/// its last seconds; of two values of one instant it shows the larger, so that series that change are deleted and
/// written again. It must run with <c>-dedup.minScrapeInterval=1ms</c> and a <c>-retentionPeriod</c> that is long
/// enough.
/// </summary>
public sealed class VictoriaMirror(MirrorTarget target) : IMirrorStore
{
    private readonly HttpMirror _http = new(target.Url, target.Secret is { } token
        ? new AuthenticationHeaderValue("Bearer", token) : null);

    public string Name => _http.Place;

    public bool Overwrites => false;

    /// <summary>Several times what it flushes its memory after (5 s).</summary>
    public TimeSpan Settles => TimeSpan.FromSeconds(30);

    public async Task<string> Incarnation(CancellationToken cancel)
    {
        var text = Encoding.UTF8.GetString(await _http.Ask(HttpMethod.Get, "metrics", null, cancel));
        const string name = "\nprocess_start_time_seconds ";
        var at = text.IndexOf(name, StringComparison.Ordinal);
        if (at < 0) throw new MirrorException($"mirror {_http.Place} does not tell when it was started.");
        return text[(at + name.Length)..].Split('\n', 2)[0];
    }

    public Task Write(ReadOnlyMemory<byte> lines, CancellationToken cancel) =>
        _http.Ask(HttpMethod.Post, "api/v2/write?precision=s", HttpMirror.Lines(lines), cancel);

    public async Task Forget(MeterId meter, UnixTime before, CancellationToken cancel)
    {
        await Flush(cancel);
        await _http.Ask(HttpMethod.Post, "api/v1/admin/tsdb/delete_series?match[]=" + HttpMirror.Escaped(
            $"{{__name__=~\"metering_(value|quality)\",meter=\"{meter.Value:x16}\"}}"), null, cancel);
    }

    /// <summary>
    /// What was taken in the last second cannot be found yet, so neither deleted nor read, until it is told to.
    /// </summary>
    private Task Flush(CancellationToken cancel) => _http.Ask(HttpMethod.Get, "internal/force_flush", null, cancel);

    public async Task<IReadOnlyList<MirroredReading>> Read(MeterId meter, Channel channel, UnixTime from, UnixTime to,
        CancellationToken cancel)
    {
        await Flush(cancel);
        var match = $"{{__name__=~\"metering_(value|quality)\",meter=\"{meter.Value:x16}\","
            + $"channel=\"{LineWriter.NameOf(channel)}\"}}";
        var body = await _http.Ask(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture,
            $"api/v1/export?match[]={HttpMirror.Escaped(match)}&start={Math.Max(0, from.Seconds)}"
                + $"&end={Math.Max(0, to.Seconds - 1)}"), null, cancel);
        SortedDictionary<long, long> values = [], qualities = [];
        try
        {
            for (var rest = body.AsMemory(); rest.Length > 0;)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                var line = end < 0 ? rest : rest[..end];
                rest = end < 0 ? default : rest[(end + 1)..];
                if (line.Length > 0) Take(line, values, qualities);
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new MirrorException($"mirror {_http.Place} exports what is not understood.", e);
        }
        return [.. values.Select(v => new MirroredReading(new UnixTime(v.Key), v.Value,
            (Quality)qualities.GetValueOrDefault(v.Key, (long)Quality.Actual)))];
    }

    private static void Take(ReadOnlyMemory<byte> line, SortedDictionary<long, long> values,
        SortedDictionary<long, long> qualities)
    {
        using var series = JsonDocument.Parse(line);
        var into = series.RootElement.GetProperty("metric").GetProperty("__name__").GetString() == "metering_value"
            ? values : qualities;
        var (numbers, times) = (series.RootElement.GetProperty("values"), series.RootElement.GetProperty("timestamps"));
        for (var i = 0; i < times.GetArrayLength(); i++)
            into[times[i].GetInt64() / 1_000] = (long)numbers[i].GetDouble();
    }

    public void Dispose() => _http.Dispose();
}
