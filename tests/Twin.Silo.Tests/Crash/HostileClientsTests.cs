using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Twin.Hardware;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Crash;

/// <summary>
/// Clients that send nonsense, too much, or too slowly, while others work: each gets its problem, the others are
/// answered, and when the service is killed in the midst nothing acknowledged is lost.
/// </summary>
public class HostileClientsTests(ITestOutputHelper output)
{
    private const int Days = 8, Kills = 2, SlowConnections = 24;

    /// <summary>Of these, so many begin a body: fewer than may be taken in at once.</summary>
    private const int SlowBodies = 4;

    /// <summary>Longer than any answer takes on a busy machine; one that takes longer hangs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>What is wrong, what is sent, what comes back.</summary>
    public static TheoryData<string, string, int, string?> Bad { get; } = new()
    {
        { "POST", "/api/v1/observations|application/x-ndjson|{\"meter\":", 200, null },
        { "POST", "/api/v1/observations|text/plain|x", 415, "unsupported_media_type" },
        { "POST", "/api/v1/observations?sourcee=x|application/x-ndjson|x", 400, "unknown_parameter" },
        { "DELETE", "/api/v1/observations||", 405, "method_not_allowed" },
        { "GET", "/api/v1/meters?limit=0||", 400, "bad_limit" },
        { "GET", "/api/v1/meters?cursor=AAAA||", 400, "bad_cursor" },
        { "GET", "/api/v1/meters/%20||", 400, "bad_id" },
        { "GET", "/api/v1/nothing||", 404, "not_found" },
    };

    private static async Task<(int Status, string? Code)> Send(HttpClient client, Uri address, string method,
        string request)
    {
        var parts = request.Split('|', 3);
        using var message = new HttpRequestMessage(new HttpMethod(method), new Uri(address, parts[0]));
        if (parts[1].Length > 0)
            message.Content = new StringContent(parts[2], Encoding.UTF8, new MediaTypeHeaderValue(parts[1]));
        using var response = await client.SendAsync(message).WaitAsync(Patience);
        var text = await response.Content.ReadAsStringAsync().WaitAsync(Patience);
        return ((int)response.StatusCode, response.IsSuccessStatusCode ? null
            : JsonDocument.Parse(text).RootElement.GetProperty("code").GetString());
    }

    /// <summary>One request of a hostile client after another, until the service is gone.</summary>
    private static async Task Pester(HttpClient client, Uri address, SplitMix64 random, CancellationToken until)
    {
        try
        {
            while (!until.IsCancellationRequested)
            {
                var row = Bad.ElementAt(random.Next(Bad.Count));
                var (status, code) = await Send(client, address, (string)row[0], (string)row[1]);
                Assert.Equal(((int)row[2], (string?)row[3]), (status, code));
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // The service was killed.
        }
    }

    /// <summary>Connections that begin a body and never go on.</summary>
    private static async Task<List<TcpClient>> HangUp(Uri address)
    {
        var all = new List<TcpClient>();
        for (var i = 0; i < SlowConnections; i++)
        {
            var slow = new TcpClient();
            await slow.ConnectAsync(IPAddress.Loopback, address.Port).WaitAsync(Patience);
            await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes(i < SlowBodies
                ? $"POST /api/v1/observations HTTP/1.1\r\nHost: {address.Authority}\r\n"
                    + "Content-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n{"
                : $"GET /api/v1/meters HTTP/1.1\r\nHost: {address.Authority}\r\nX-Slow: "));
            all.Add(slow);
        }
        return all;
    }

    [Fact]
    public async Task Too_much_is_refused_at_once()
    {
        using var directory = new TestDirectory();
        using var server = Metertwin.Serve(directory.Sub("data"), out var address);
        async Task<string> Raw(string request)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, address.Port).WaitAsync(Patience);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
            var buffer = new byte[4_096];
            var n = await client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(Patience);
            return Encoding.ASCII.GetString(buffer, 0, n);
        }
        var host = $"Host: {address.Authority}\r\n";
        Assert.StartsWith("HTTP/1.1 413", await Raw($"POST /api/v1/observations HTTP/1.1\r\n{host}"
            + $"Content-Type: application/x-ndjson\r\nContent-Length: {1L << 40}\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 414", await Raw($"GET /{new string('a', 20_000)} HTTP/1.1\r\n{host}\r\n"));
        Assert.StartsWith("HTTP/1.1 431", await Raw($"GET / HTTP/1.1\r\n{host}X: {new string('a', 20_000)}\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 400", await Raw("\0\0\0\r\n\r\n"));
    }

    [Fact]
    public async Task Others_are_answered_and_what_was_acknowledged_stays()
    {
        var random = new SplitMix64(KillTests.Seed(output));
        using var directory = new TestDirectory();
        using var client = new HttpClient();
        var (undisturbed, data) = (directory.Sub("undisturbed"), directory.Sub("killed"));
        const int batches = Days * LiveKillTests.PartsOfDay;
        using (var server = Metertwin.Serve(undisturbed, out var address))
        {
            for (var n = 0; n < batches; n++) Assert.True(await LiveKillTests.Post(client, address, n), server.Errors);
            server.Kill();
        }
        var (next, kills) = (0, 0);
        while (next < batches)
        {
            using var server = Metertwin.Serve(data, out var address);
            using var stop = new CancellationTokenSource();
            var slow = await HangUp(address);
            Task[] hostile = [.. Enumerable.Range(0, 4).Select(i =>
                Pester(client, address, new SplitMix64(random.NextUInt64()), stop.Token))];
            if (next > 0) Assert.True(await LiveKillTests.Post(client, address, next - 1), server.Errors);
            var last = kills == Kills ? batches : Math.Min(batches, next + 1 + random.Next(batches / Kills));
            for (; next < last; next++)
            {
                Assert.True(await LiveKillTests.Post(client, address, next).WaitAsync(Patience), server.Errors);
                Assert.Equal((200, null), await Send(client, address, "GET", "/health/ready||"));
            }
            kills++;
            server.Kill();
            await stop.CancelAsync();
            await Task.WhenAll(hostile).WaitAsync(Patience);
            slow.ForEach(s => s.Dispose());
        }
        output.WriteLine($"{kills} kills");
        await LiveKillTests.Compare(undisturbed, data, Days);
    }
}
