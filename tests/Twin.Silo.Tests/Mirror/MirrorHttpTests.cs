using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Twin.Hardware;
using Twin.Ingest.Mirror;
using Twin.Silo.Mirror;
using Twin.Silo.Tests.Soc;

namespace Twin.Silo.Tests.Mirror;

/// <summary>What goes over the wire, and what of it stays secret.</summary>
public sealed class MirrorHttpTests : IDisposable
{
    private const string Secret = "very-secret-token";

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>Answers one request with a status and a body, and gives what it was asked.</summary>
    private static async Task<(string Asked, Exception? Said)> Once(Func<Uri, IMirrorStore> make, string status,
        string body, Func<IMirrorStore, Task> ask)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var store = make(new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"));
        var asking = Record.ExceptionAsync(() => ask(store));
        using var client = await listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        var (bytes, length) = (new byte[64 * 1024], 0);
        string text;
        do
        {
            length += await stream.ReadAsync(bytes.AsMemory(length));
            text = Encoding.UTF8.GetString(bytes, 0, length);
        }
        while (!IsWhole(text));
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\n"
            + $"Location: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n{body}"));
        return (text, await asking);
    }

    private static bool IsWhole(string request)
    {
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return false;
        var length = request.Split("\r\n").FirstOrDefault(l => l.StartsWith("Content-Length: "))?["Content-Length: "
            .Length..];
        return request.Length - end - 4 >= int.Parse(length ?? "0");
    }

    private static IMirrorStore Influx2(Uri url) =>
        new InfluxMirror(new MirrorTarget(url, "utility/load curves", Secret), isVersion2: true);

    [Fact]
    public async Task Influxdb_2_is_written_to_and_forgets_by_its_own_routes_with_its_token()
    {
        var (written, none) = await Once(Influx2, "204 No Content", "", s =>
            s.Write("score,meter=1 score=1 1\n"u8.ToArray(), default));
        Assert.Null(none);
        Assert.StartsWith("POST /api/v2/write?org=utility&bucket=load%20curves&precision=s HTTP/1.1\r\n", written);
        Assert.Contains($"\r\nAuthorization: Token {Secret}\r\n", written);
        Assert.EndsWith("\r\n\r\nscore,meter=1 score=1 1\n", written);
        var (forgotten, _) = await Once(Influx2, "204 No Content", "", s =>
            s.Forget(new MeterId(0xabc), new UnixTime(86_400), default));
        Assert.StartsWith("POST /api/v2/delete?org=utility&bucket=load%20curves HTTP/1.1\r\n", forgotten);
        Assert.EndsWith("""{"start":"1678-01-01T00:00:00Z","stop":"1970-01-02T00:00:00Z","predicate":"_measurement"""
            + """=\u0022metering\u0022 AND meter=\u00220000000000000abc\u0022"}""", forgotten);
    }

    [Fact]
    public async Task Influxdb_1_asks_for_user_and_password_and_answers_in_rows()
    {
        IReadOnlyList<MirroredReading> read = [];
        var (asked, _) = await Once(url => new InfluxMirror(new MirrorTarget(url, "m", "grid:pass word"), false),
            "200 OK", """{"results":[{"series":[{"columns":["time","value","quality"],"""
                + "\"values\":[[60,5,null],[120,6,2]]}]}]}",
            async s => read = await s.Read(new MeterId(1), Channel.Gas, new UnixTime(0), new UnixTime(600), default));
        Assert.Contains($"\r\nAuthorization: Basic {Convert.ToBase64String("grid:pass word"u8)}\r\n", asked);
        Assert.Equal([new(new UnixTime(60), 5, Quality.Actual), new(new UnixTime(120), 6, Quality.Estimated)], read);
        Assert.Throws<FormatException>(() =>
            new InfluxMirror(new MirrorTarget(new Uri("http://localhost"), "m", "no-colon"), false));
        Assert.Throws<FormatException>(() =>
            new InfluxMirror(new MirrorTarget(new Uri("http://localhost"), "no-organisation", null), true));
    }

    [Theory]
    [InlineData("401 Unauthorized", "who\nare you", "answers 401: who are you")]
    [InlineData("302 Found", "", "answers 302.")]
    [InlineData("503 Service Unavailable", "", "answers 503.")]
    public async Task A_refusal_says_who_and_why_and_never_the_secret(string status, string body, string expected)
    {
        var (_, said) = await Once(Influx2, status, body, s => s.Write("a b=1 1\n"u8.ToArray(), default));
        var refusal = Assert.IsType<MirrorException>(said);
        Assert.EndsWith(expected, refusal.Message);
        Assert.DoesNotContain(Secret, refusal.ToString());
    }

    [Fact]
    public async Task What_is_older_than_the_server_keeps_does_not_stop_the_rest()
    {
        var (_, said) = await Once(Influx2, "400 Bad Request",
            """{"error":"partial write: points beyond retention policy dropped=3"}""",
            s => s.Write("a b=1 1\n"u8.ToArray(), default));
        Assert.Null(said);
        (_, said) = await Once(Influx2, "400 Bad Request", """{"error":"partial write: field type conflict"}""",
            s => s.Write("a b=1 1\n"u8.ToArray(), default));
        Assert.IsType<MirrorException>(said);
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_not_written_to()
    {
        using var authority = Certificates.Authority("CN=Stranger");
        using var server = Certificates.Server(authority, "localhost");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var store = Influx2(new Uri($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"));
        var asking = Record.ExceptionAsync(() => store.Write("a b=1 1\n"u8.ToArray(), default));
        using var client = await listener.AcceptTcpClientAsync();
        await using var tls = new SslStream(client.GetStream());
        var read = 0;
        await Record.ExceptionAsync(async () =>
        {
            await tls.AuthenticateAsServerAsync(server);
            read = await tls.ReadAsync(new byte[1]);
        });
        Assert.Contains("SSL", Assert.IsType<MirrorException>(await asking).Message);
        Assert.Equal(0, read);
    }

    private Settings Load(params (string Key, string Value)[] flags) =>
        Settings.Load(flags.ToDictionary(f => f.Key, f => f.Value), _ => null, _directory.Sub("none.json"));

    [Fact]
    public void A_token_that_others_may_read_is_refused_and_an_address_without_tls_is_this_machine()
    {
        var file = _directory.Sub("token");
        File.WriteAllText(file, Secret + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, (UnixFileMode)0b110_100_000);
        var settings = Load(("mirror", "https://influx.example:8086"), ("mirror-kind", "influx2"),
            ("mirror-bucket", "utility/meters"), ("mirror-token-file", file));
        if (!OperatingSystem.IsWindows())
        {
            var refusal = Assert.Throws<SettingException>(() => MirrorService.Store(settings));
            Assert.Equal($"Others may read {file}, which holds a token. Run: chmod 600 {file}", refusal.Message);
            File.SetUnixFileMode(file, (UnixFileMode)0b110_000_000);
        }
        using (var store = MirrorService.Store(settings))
            Assert.Equal("https://influx.example:8086 meters", store.Name);
        Assert.Throws<SettingException>(() => Load(("mirror", "http://influx.example:8086")));
        Assert.Throws<SettingException>(() => Load(("mirror-kind", "opentsdb")));
        Assert.Throws<SettingException>(() => MirrorService.Store(Load()));
    }
}
