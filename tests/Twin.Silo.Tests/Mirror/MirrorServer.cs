using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using Twin.Hardware;
using Twin.Ingest.Mirror;
using Xunit.Sdk;

namespace Twin.Silo.Tests.Mirror;

/// <summary>Runs a theory against a server, where it is installed, and says so where it is not.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class ServerAttribute(string kind) : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[kind]];

    public override string? Skip
    {
        get => File.Exists(MirrorServer.ProgramOf(kind)) ? null : $"There is no '{MirrorServer.ProgramOf(kind)}' here. "
            + $"Install package '{(kind == "influx1" ? "influxdb" : "victoria-metrics")}'.";
        set => throw new NotSupportedException("Only the absence of the server passes a test over.");
    }
}

/// <summary>A server of time series in a scratch directory, on loopback ports of its own.</summary>
internal sealed class MirrorServer : IDisposable
{
    private const string Database = "metertwin";

    /// <summary>Looks at a server that starts, one each 50 ms.</summary>
    private const int Tries = 600;

    private readonly string _kind;
    private readonly TestDirectory _directory = new();
    private readonly int _port = FreePort(), _other = FreePort();
    private readonly HttpClient _http = new();
    private Process? _running;
    private string _started = "";
    private int _starts;

    private MirrorServer(string kind) => _kind = kind;

    public static string ProgramOf(string kind) => kind == "influx1" ? "/usr/bin/influxd" : "/usr/bin/victoria-metrics";

    public static async Task<MirrorServer> Start(string kind)
    {
        var server = new MirrorServer(kind);
        await server.Start();
        if (kind == "influx1") await server.Query($"CREATE DATABASE {Database}");
        return server;
    }

    public Uri Url => new($"http://127.0.0.1:{_port}");

    public IMirrorStore Store() => Edition.Mirrors[_kind](new MirrorTarget(Url, Database, null));

    /// <summary>Starts it again on what it has on disk.</summary>
    public async Task Start()
    {
        var before = _started;
        // One that was killed within the second of its start is not told apart from its successor: it goes, too.
        for (var starts = 0; starts < 100 && before == _started; starts++)
        {
            if (_running is not null) Kill();
            Launch();
            await Up();
            using var store = Store();
            _started = _kind == "influx1" ? $"start {++_starts}" : await store.Incarnation(default);
        }
    }

    private void Launch()
    {
        string[] arguments;
        if (_kind == "influx1")
        {
            File.WriteAllText(_directory.Sub("influx.conf"), $"""
                reporting-enabled = false
                bind-address = "127.0.0.1:{_other}"
                [meta]
                dir = "{_directory.Sub("meta")}"
                [data]
                dir = "{_directory.Sub("data")}"
                wal-dir = "{_directory.Sub("wal")}"
                query-log-enabled = false
                [monitor]
                store-enabled = false
                [http]
                bind-address = "127.0.0.1:{_port}"
                log-enabled = false
                [logging]
                level = "error"
                """);
            arguments = ["-config", _directory.Sub("influx.conf")];
        }
        else
            arguments = [$"-httpListenAddr=127.0.0.1:{_port}", $"-storageDataPath={_directory.Sub("data")}",
                "-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y", "-loggerLevel=ERROR"];
        _running = Process.Start(new ProcessStartInfo(ProgramOf(_kind), arguments)
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!;
        _running.BeginErrorReadLine();
        _running.BeginOutputReadLine();
    }

    private async Task Up()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var tries = 0; tries < Tries && !_running!.HasExited; tries++)
        {
            try
            {
                using var answer = await _http.GetAsync(new Uri(Url, _kind == "influx1" ? "ping" : "health"));
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
            await timer.WaitForNextTickAsync();
        }
        throw new InvalidOperationException($"{ProgramOf(_kind)} did not start on port {_port} in 30 s.");
    }

    /// <summary>SIGKILL: it has no time to write anything.</summary>
    public void Kill()
    {
        _running!.Kill();
        _running.WaitForExit();
        _running.Dispose();
        _running = null;
    }

    private async Task<string> Query(string statement)
    {
        using var form = new FormUrlEncodedContent([new("db", Database), new("q", statement), new("epoch", "s")]);
        using var answer = await _http.PostAsync(new Uri(Url, "query"), form);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    /// <summary>Names of the findings that it holds.</summary>
    public async Task<HashSet<string>> FindingNames()
    {
        if (_kind != "influx1") await _http.GetStringAsync(new Uri(Url, "internal/force_flush"));
        var text = _kind == "influx1" ? await Query("SHOW TAG VALUES FROM finding WITH KEY = \"name\"")
            : await _http.GetStringAsync(new Uri(Url, "api/v1/export?match[]=finding_score&start=0"));
        var found = new HashSet<string>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var json = System.Text.Json.JsonDocument.Parse(line);
            if (_kind != "influx1")
                found.Add(json.RootElement.GetProperty("metric").GetProperty("name").GetString()!);
            else
                foreach (var row in json.RootElement.GetProperty("results")[0].GetProperty("series")[0]
                    .GetProperty("values").EnumerateArray()) found.Add(row[1].GetString()!);
        }
        return found;
    }

    public void Dispose()
    {
        if (_running is not null) Kill();
        _http.Dispose();
        _directory.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Takes lines and keeps the newest point of each series and instant, as a server would.</summary>
internal sealed class MemoryStore : IMirrorStore
{
    /// <summary>By measurement with tags, and seconds: the fields.</summary>
    public Dictionary<(string Series, long At), string> Points { get; } = [];

    public long Written { get; private set; }

    /// <summary>Before each write; throws or waits as a server may.</summary>
    public Func<Task> Before { get; set; } = () => Task.CompletedTask;

    public string Incarnated { get; set; } = "first";
    public string Name => "memory";
    public bool Overwrites => true;
    public TimeSpan Settles { get; init; }

    public Task<string> Incarnation(CancellationToken cancel) => Task.FromResult(Incarnated);

    public async Task Write(ReadOnlyMemory<byte> lines, CancellationToken cancel)
    {
        var text = Encoding.UTF8.GetString(lines.Span);
        await Before().WaitAsync(cancel);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ');
            Points[(parts[0], long.Parse(parts[^1]))] = parts[^2];
            Written++;
        }
    }

    public Task Forget(MeterId meter, UnixTime before, CancellationToken cancel)
    {
        foreach (var key in Points.Keys.Where(k => k.Series.StartsWith("metering,", StringComparison.Ordinal)
            && k.Series.EndsWith($"meter={meter}", StringComparison.Ordinal) && k.At < before.Seconds).ToList())
            Points.Remove(key);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<MirroredReading>> Read(MeterId meter, Channel channel, UnixTime from, UnixTime to,
        CancellationToken cancel)
    {
        var series = $"metering,channel={LineWriter.NameOf(channel)},meter={meter}";
        return Task.FromResult<IReadOnlyList<MirroredReading>>([.. Points.Where(p => p.Key.Series == series
            && p.Key.At >= from.Seconds && p.Key.At < to.Seconds).OrderBy(p => p.Key.At).Select(p =>
            {
                var fields = p.Value.Split(',').Select(f => long.Parse(f[(f.IndexOf('=') + 1)..].TrimEnd('i')))
                    .ToList();
                return new MirroredReading(new UnixTime(p.Key.At), fields[0],
                    fields.Count > 1 ? (Quality)fields[1] : Quality.Actual);
            })]);
    }

    public void Dispose()
    {
    }
}
