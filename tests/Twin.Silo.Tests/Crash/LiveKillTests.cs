using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Twin.Hardware;
using Twin.Silo.Tests.Engine;
using Xunit.Abstractions;

namespace Twin.Silo.Tests.Crash;

/// <summary>
/// SIGKILL at random instants of live HTTP ingestion; the client sends again what was not acknowledged, and the last
/// acknowledged batch.
/// </summary>
public class LiveKillTests(ITestOutputHelper output)
{
    private const int Meters = 12;
    internal const int PartsOfDay = 4;

    [Fact]
    public Task What_a_killed_server_acknowledged_is_there_exactly_once() => Run(days: 14, kills: 4);

    [Fact]
    [Trait("Category", "Long")]
    public async Task Twenty_kills_lose_nothing_and_repeat_nothing()
    {
        if (KillTests.IsLong) await Run(days: 60, kills: 20);
        else output.WriteLine("Not run: it takes METERTWIN_LONG=1.");
    }

    /// <summary>Batch n: a quarter of a day of every meter, and an event.</summary>
    internal static string Body(int n)
    {
        var (day, part) = Math.DivRem(n, PartsOfDay);
        var slots = 24 / PartsOfDay;
        var text = new StringBuilder();
        for (var m = 0; m < Meters; m++)
        {
            var start = UnixTime.FromMinutes((Feed.FirstDay + day) * 1440L + part * slots * Feed.Interval);
            var values = string.Join(',', Feed.Values(m, day)[(part * slots)..((part + 1) * slots)]);
            text.Append(CultureInfo.InvariantCulture,
                $"{{\"meter\":\"M{m}\",\"start\":\"{start}\",\"interval_minutes\":60,\"values\":[{values}]}}\n");
        }
        var at = UnixTime.FromMinutes((Feed.FirstDay + day) * 1440L + part * 60);
        text.Append(CultureInfo.InvariantCulture,
            $"{{\"meter\":\"M{n % Meters}\",\"at\":\"{at}\",\"profile\":\"t\",\"code\":\"9\",\"detail\":\"{n}\"}}\n");
        return text.ToString();
    }

    internal static async Task<bool> Post(HttpClient client, Uri address, int n)
    {
        using var content = new StringContent(Body(n));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        try
        {
            using var response = await client.PostAsync(new Uri(address, "/api/v1/observations?source=head-end"),
                content);
            var lines = (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (!response.IsSuccessStatusCode || lines.Length != Meters + 1) return false;
            Assert.All(lines, l => Assert.Contains(JsonDocument.Parse(l).RootElement.GetProperty("status").GetString(),
                (string[])["accepted", "duplicate"]));
            return true;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
        {
            return false;
        }
    }

    private async Task Run(int days, int kills)
    {
        var random = new SplitMix64(KillTests.Seed(output));
        using var directory = new TestDirectory();
        using var client = new HttpClient();
        var watch = Stopwatch.StartNew();
        var batches = days * PartsOfDay;
        var undisturbed = directory.Sub("undisturbed");
        using (var server = Metertwin.Serve(undisturbed, out var address))
        {
            for (var n = 0; n < batches; n++) Assert.True(await Post(client, address, n), server.Errors);
            server.Kill();
        }
        var data = directory.Sub("killed");
        var instants = Enumerable.Range(0, kills).Select(_ => random.Next(batches)).Order().ToArray();
        var (next, done, unanswered) = (0, 0, 0);
        while (next < batches)
        {
            using var server = Metertwin.Serve(data, out var address);
            if (next > 0) Assert.True(await Post(client, address, next - 1), server.Errors);
            for (; next < batches; next++)
            {
                var dies = done < kills && instants[done] <= next;
                if (!dies)
                {
                    Assert.True(await Post(client, address, next), server.Errors);
                    continue;
                }
                var post = Post(client, address, next);
                for (var turns = random.Next(30); turns > 0; turns--) server.Breathe();
                server.Kill();
                done++;
                if (await post) next++;
                else unanswered++;
                break;
            }
        }
        Assert.Equal(kills, done);
        output.WriteLine($"{done} kills, {unanswered} of them before an answer, {watch.Elapsed.TotalSeconds:0.0} s");
        await Compare(undisturbed, data, days);
    }

    internal static async Task Compare(string undisturbed, string data, int days)
    {
        var expected = Metertwin.Json("verify", "--data", undisturbed);
        var verified = Metertwin.Json("verify", "--data", data);
        Assert.Equal(expected.GetProperty("state_hash").GetString(), verified.GetProperty("state_hash").GetString());
        Assert.Equal(Meters * days * 24L, verified.GetProperty("readings").GetInt64());
        await using var fleet = Feed.Open(data);
        for (var m = 0; m < Meters; m++) Assert.Equal(Feed.Expected(m, 0, days), await fleet.Stored(Feed.Meter(m)));
    }
}
