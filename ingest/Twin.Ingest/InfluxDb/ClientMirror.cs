using System.Globalization;
using System.Text;
using InfluxDB.Client;
using InfluxDB.Client.Api.Domain;
using InfluxDB.Client.Core.Exceptions;
using Twin.Hardware;
using Twin.Ingest.Mirror;

namespace Twin.Ingest.InfluxDb;

/// <summary>
/// InfluxDB 2 by its own client: writes, deletes, and reads in Flux. Trying again is the mirror's; the client does it
/// once.
/// </summary>
public sealed class ClientMirror : IMirrorStore
{
    private readonly string _organisation, _bucket;
    private readonly InfluxDBClient _client;

    /// <exception cref="FormatException">The bucket is not ORGANISATION/BUCKET.</exception>
    public ClientMirror(MirrorTarget target)
    {
        var parts = target.Bucket.Split('/');
        if (parts.Length != 2 || parts.Any(p => p.Length == 0))
            throw new FormatException("a bucket of InfluxDB 2 is given as ORGANISATION/BUCKET");
        (_organisation, _bucket) = (parts[0], parts[1]);
        Name = $"{target.Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path,
            UriFormat.UriEscaped).TrimEnd('/')} {_bucket}";
        var options = new InfluxDBClientOptions(target.Url.AbsoluteUri.TrimEnd('/'))
        {
            Org = _organisation, Bucket = _bucket, Timeout = MirrorLimits.Patience, AllowHttpRedirects = false,
            VerifySsl = true,
        };
        if (target.Secret is { } token) options.Token = token;
        _client = new InfluxDBClient(options);
    }

    public string Name { get; }

    public bool Overwrites => true;

    public TimeSpan Settles => TimeSpan.Zero;

    public Task<string> Incarnation(CancellationToken cancel) => Task.FromResult("");

    public Task Write(ReadOnlyMemory<byte> lines, CancellationToken cancel) => Guarded(async () =>
    {
        await _client.GetWriteApiAsync().WriteRecordsAsync([Encoding.UTF8.GetString(lines.Span).TrimEnd('\n')],
            WritePrecision.S, _bucket, _organisation, cancel);
        return true;
    }, cancel);

    public Task Forget(MeterId meter, UnixTime before, CancellationToken cancel) => Guarded(async () =>
    {
        await _client.GetDeleteApi().Delete(Of(new UnixTime(MirrorLimits.MinSeconds)), Of(before),
            $"_measurement=\"metering\" AND meter=\"{meter.Value:x16}\"", _bucket, _organisation, cancel);
        return true;
    }, cancel);

    public Task<IReadOnlyList<MirroredReading>> Read(MeterId meter, Channel channel, UnixTime from, UnixTime to,
        CancellationToken cancel) => Guarded(async () =>
    {
        SortedDictionary<long, long> values = [], qualities = [];
        var flux = string.Create(CultureInfo.InvariantCulture, $"from(bucket: \"{_bucket.Replace("\\", "\\\\")
            .Replace("\"", "\\\"")}\") |> range(start: {from}, stop: {to}) |> filter(fn: (r) => r._measurement == "
            + $"\"metering\" and r.meter == \"{meter.Value:x16}\" and r.channel == \"{LineWriter.NameOf(channel)}\")");
        await _client.GetQueryApi().QueryAsync(flux, record =>
        {
            var into = record.GetField() == "value" ? values : qualities;
            if (record.GetTime() is { } at)
                into[at.ToUnixTimeSeconds()] = Convert.ToInt64(record.GetValue(), CultureInfo.InvariantCulture);
        }, org: _organisation, cancellationToken: cancel);
        return (IReadOnlyList<MirroredReading>)[.. values.Select(v => new MirroredReading(new UnixTime(v.Key),
            v.Value, (Quality)qualities.GetValueOrDefault(v.Key, (long)Quality.Actual)))];
    }, cancel);

    private static DateTime Of(UnixTime time) => DateTimeOffset.FromUnixTimeSeconds(time.Seconds).UtcDateTime;

    private async Task<T> Guarded<T>(Func<Task<T>> ask, CancellationToken cancel)
    {
        try
        {
            return await ask();
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new MirrorException($"mirror {Name} does not answer within "
                + $"{MirrorLimits.Patience.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (e is InfluxException or HttpRequestException or IOException)
        {
            throw new MirrorException($"mirror {Name}: {e.Message}", e);
        }
    }

    public void Dispose() => _client.Dispose();
}
